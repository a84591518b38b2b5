/** What `process(...)` is given, as the plan has it, checked. */
import { shownValue } from "../base/shown-value.ts"
import { Schema, type Field } from "../batch/schema.ts"
import type { ProcessedStream, ProcessInput, ProcessSpec, StateSpec, TimerSpec } from "../flow/process/process-spec.ts"
import type { CallChecks } from "./call-checks.ts"
import { stateSpecOf, timerDomainOf } from "./process-declarations.ts"
import { isName, NAME_HINT } from "./recorder.ts"

const SHAPE_HINT = "Write .process({ emits: { net: t.float64 }, onRecord(row, context) { ... } })."
const PARTS = ["emits", "eventTime", "state", "timers", "sides", "onRecord", "onTimer"]

/** What a definition says. */
export interface Recorded<Spec> {
  readonly spec: Spec
  readonly schema: Schema
  /** The event-time column of what it gives. */
  readonly timeColumn: string | undefined
}

/** The definition, checked against the rows that it reads. All streams have event time, or none has. */
export function recordProcess(
  checks: CallChecks,
  keys: readonly Field[],
  streams: readonly ProcessedStream[],
  given: unknown,
): Recorded<ProcessSpec> {
  const timeColumn = streams[0]?.timeColumn
  if (typeof given !== "object" || given === null) throw checks.error("there is no definition", SHAPE_HINT)
  const parts = checks.options(given, PARTS)
  const schema = new Schema(checks.declaredColumns(parts["emits"]))
  const timers = timersOf(checks, timeColumn, parts["timers"], parts["onTimer"])
  const spec = {
    keys: keys.map(({ name }) => name),
    inputs: inputsOf(checks, streams, parts["onRecord"]),
    state: statesOf(checks, parts["state"]),
    timers,
    sides: sidesOf(checks, parts["sides"]),
  }
  return { spec, schema, timeColumn: outTimeOf(checks, schema, timeColumn, parts["eventTime"]) }
}

/** The streams, each with its handler: a function, or one by name where streams have names. */
function inputsOf(checks: CallChecks, streams: readonly ProcessedStream[], given: unknown): ProcessInput[] {
  const handlers = streams.some(({ name }) => name !== undefined)
    ? new Map(entriesOf(checks, "onRecord", given ?? {}))
    : undefined
  const unknown = [...(handlers?.keys() ?? [])].find((key) => !streams.some(({ name }) => name === key))
  if (unknown !== undefined) {
    const hint = `There are ${streams.map(({ name }) => name).join(", ")}.`
    throw checks.error(`onRecord has a handler of ${JSON.stringify(unknown)}, which is no stream of them`, hint)
  }
  return streams.map((stream) => {
    const handler = handlers === undefined ? given : handlers.get(stream.name!)
    if (handlers !== undefined && handler === undefined) {
      const hint = `Write onRecord: { ${stream.name!}(row, context) { ... } }.`
      throw checks.error(`the stream ${JSON.stringify(stream.name)} has no handler`, hint)
    }
    return { ...stream, onRecord: checks.lambda(handler) as ProcessInput["onRecord"] }
  })
}

/** The columns of outputs of an operator's own, by name. */
export function sidesOf(checks: CallChecks, given: unknown): Record<string, Schema> {
  const sides = entriesOf(checks, "sides", given).map(([name, columns]) => {
    return [name, new Schema(checks.declaredColumns(columns))] as const
  })
  return Object.fromEntries(sides)
}

function statesOf(checks: CallChecks, given: unknown): Record<string, StateSpec> {
  const entries = entriesOf(checks, "state", given).map(([name, declaration]) => {
    const spec = stateSpecOf(declaration)
    if (spec !== undefined) return [name, spec] as const
    const hint = `Write state: { ${name}: valueState(t.float64) }.`
    throw checks.error(`the state ${JSON.stringify(name)} is ${shownValue(declaration)}, which declares none`, hint)
  })
  return Object.fromEntries(entries)
}

function timersOf(checks: CallChecks, timeColumn: string | undefined, given: unknown, handlers: unknown): TimerSpec[] {
  const entries = entriesOf(checks, "timers", given)
  const onTimer = new Map(entriesOf(checks, "onTimer", handlers))
  const unknown = [...onTimer.keys()].find((name) => !entries.some(([declared]) => declared === name))
  if (unknown !== undefined) {
    throw checks.error(
      `onTimer has a handler of ${JSON.stringify(unknown)}, and there are no such timers`,
      `Write timers: { ${unknown}: eventTimer() }.`,
    )
  }
  return entries.map(([name, declaration]) => {
    const domain = timerDomainOf(declaration)
    if (domain === undefined) {
      throw checks.error(
        `the timers ${JSON.stringify(name)} are ${shownValue(declaration)}`,
        `Write timers: { ${name}: eventTimer() }.`,
      )
    }
    if (domain === "event" && timeColumn === undefined) {
      const hint = "Call .eventTime(...) before .keyBy(...), or use processingTimer()."
      throw checks.error(`the timers ${JSON.stringify(name)} go by event time, and the stream has none`, hint)
    }
    const handler = onTimer.get(name)
    if (handler === undefined) {
      throw checks.error(
        `the timers ${JSON.stringify(name)} have no handler`,
        `Write onTimer: { ${name}(context) { ... } }.`,
      )
    }
    return { name, domain, onTimer: checks.lambda(handler) as TimerSpec["onTimer"] }
  })
}

/** The column that tells the event time of what is emitted. */
export function outTimeOf(
  checks: CallChecks,
  schema: Schema,
  timeColumn: string | undefined,
  given: unknown,
): string | undefined {
  if (given === undefined) return undefined
  const type = typeof given === "string" ? schema.field(given)?.type : undefined
  const named = `eventTime: ${shownValue(given)}`
  if (type === undefined)
    throw checks.error(`${named} names no column that it emits`, "Name one of the columns of emits.")
  if (type.kind !== "timestamp" || type.isNullable) {
    throw checks.error(
      `${named} is of the type ${type.label}, and event time is a timestamp that is never null`,
      "Declare it as t.timestamp().",
    )
  }
  if (timeColumn === undefined) {
    throw checks.error(
      `${named} is given, and the stream that it reads has no event time`,
      "Call .eventTime(...) before .keyBy(...).",
    )
  }
  return given as string
}

function entriesOf(checks: CallChecks, part: string, given: unknown): [string, unknown][] {
  if (given === undefined) return []
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw checks.error(`${part} is ${shownValue(given)}, which is no object`, SHAPE_HINT)
  }
  const entries = Object.entries(given)
  const odd = entries.find(([name]) => !isName(name))
  if (odd !== undefined) throw checks.error(`${part} has the name ${JSON.stringify(odd[0])}`, NAME_HINT)
  return entries
}
