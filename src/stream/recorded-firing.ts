/** How windows fire more than once as the plan has it, checked against the window and the stream. */
import { shownValue } from "../base/shown-value.ts"
import type { FiringSpec, TriggerSpec, WindowSpec } from "../flow/plan.ts"
import type { CallChecks } from "./call-checks.ts"
import { triggerSpecOf } from "./triggers.ts"

const PARTS = ["early", "allowedLateness", "purging"]

/**
 * What the options say; `undefined` where the windows fire once. Options that stand there make a stream of updates, or of
 * parts, whatever they say: the types cannot tell values apart.
 */
export function firingOf(
  checks: CallChecks,
  window: WindowSpec,
  hasTime: boolean,
  given: unknown,
): FiringSpec | undefined {
  const options = checks.options(given, PARTS)
  const isGlobal = window.kind === "global"
  if (Object.keys(options).length === 0 && !isGlobal) return undefined
  if (window.kind === "count" || window.kind === "cumulate") {
    const [call, hint] =
      window.kind === "count"
        ? ["countWindow(...)", "Leave the options away; results come with the last record of a window."]
        : ["cumulate(...)", "Leave the options away; or give them to tumbling(...)."]
    throw checks.error(`${call} has windows that fire by themselves`, hint)
  }
  const { early = [], allowedLateness = "0s", purging = false } = options
  if (typeof purging !== "boolean") {
    throw checks.error(`purging is ${shownValue(purging)}`, "Write purging: true, or leave it away.")
  }
  const latenessMicros = checks.duration("allowedLateness", allowedLateness)
  if (latenessMicros > 0 && isGlobal) {
    throw checks.error("nothing is late for globalWindow(), which has no end", "Leave allowedLateness away.")
  }
  const triggers = (Array.isArray(early) ? early : [early]).map((each: unknown) => checkTrigger(checks, hasTime, each))
  if (triggers.filter(({ kind }) => kind === "punctuation").length > 1) {
    throw checks.error("there are two punctuations", "Write one predicate, with ||.")
  }
  return Object.freeze({ early: Object.freeze(triggers), latenessMicros, isPurging: purging })
}

function checkTrigger(checks: CallChecks, hasTime: boolean, given: unknown): TriggerSpec {
  const spec = triggerSpecOf(given)
  if (spec === undefined) {
    throw checks.error(`early has ${shownValue(given)}, which is no trigger`, "Write early: onCount(100).")
  }
  if (spec.kind === "eventTime" && !hasTime) {
    const hint = "Call .eventTime(...) before .keyBy(...), or use onClock(...)."
    throw checks.error("onEventTime(...) goes by event time, and the stream has none", hint)
  }
  if (spec.kind === "punctuation") checks.lambda(spec.lambda)
  return spec
}
