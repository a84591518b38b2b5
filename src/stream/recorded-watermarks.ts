/** What `.eventTime(...)` is given, as the plan has it. */
import type { EventTimeNode } from "../flow/plan.ts"
import type { CallChecks } from "./call-checks.ts"

type Watermarks = Pick<EventTimeNode, "outOfOrderMicros" | "watermark" | "idleAfterMicros" | "maxDriftMicros">

/** The options that concern watermarks. */
export const WATERMARK_OPTIONS = ["outOfOrder", "watermark", "idleAfter", "maxDrift"]

export function eventTimeColumn(checks: CallChecks, given: unknown): string {
  const { name, type } = checks.column(given)
  const quoted = JSON.stringify(name)
  if (type.kind !== "timestamp") {
    const problem = `the column ${quoted} is of the type ${type.label}, and event time is a timestamp`
    throw checks.error(problem, "Declare it as t.timestamp(), with the format that it is written in.")
  }
  if (!type.isNullable) return name
  throw checks.error(`the column ${quoted} may be null, and event time never is`, `Call .notNull(${quoted}) before it.`)
}

/** What makes watermarks: how far out of order rows are, or a function that says. */
export function watermarksOf(checks: CallChecks, options: Readonly<Record<string, unknown>>): Watermarks {
  return { ...strategyOf(checks, options), ...reachOf(checks, options) }
}

function strategyOf(checks: CallChecks, { outOfOrder, watermark }: Readonly<Record<string, unknown>>): Watermarks {
  if (watermark === undefined) return { outOfOrderMicros: checks.duration("outOfOrder", outOfOrder) }
  if (outOfOrder === undefined) return { outOfOrderMicros: 0, watermark: checks.lambda(watermark) }
  throw checks.error("both outOfOrder and watermark are given", "Give one of them: the function says all there is.")
}

/** What is said of partitions that bring nothing, or much. */
function reachOf(checks: CallChecks, { idleAfter, maxDrift }: Readonly<Record<string, unknown>>) {
  return {
    ...(idleAfter === undefined ? {} : { idleAfterMicros: idleAfterOf(checks, idleAfter) }),
    ...(maxDrift === undefined ? {} : { maxDriftMicros: checks.duration("maxDrift", maxDrift) }),
  }
}

function idleAfterOf(checks: CallChecks, text: unknown): number {
  const micros = checks.duration("idleAfter", text)
  if (micros > 0) return micros
  throw checks.error("idleAfter is nothing", 'Give a time, such as "30s", or leave idleAfter away.')
}
