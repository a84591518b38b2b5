/** What stands behind `connect(...)`: keyed streams of several types on their way to one process. */
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import type { Field } from "../batch/schema.ts"
import { CallChecks } from "./call-checks.ts"
import { recordOperator } from "./recorded-operator.ts"
import { recordProcess } from "./recorded-process.ts"
import { addProcess, RecordedKeyedStream, type KeyedParts, type RecordedProcessResult } from "./recorded-stream.ts"
import { isName, NAME_HINT } from "./recorder.ts"
import { checkUnitedOrder } from "./union-checks.ts"

const SHAPE_HINT = 'Write connect({ orders: orders.keyBy("id"), payments: payments.keyBy("id") }).process({ ... }).'

/** Keyed streams by name, which share a state by key. */
export class RecordedConnectedStreams {
  readonly #streams: readonly (readonly [name: string, parts: KeyedParts])[]

  private constructor(streams: readonly (readonly [string, KeyedParts])[]) {
    this.#streams = streams
  }

  /** @throws TidemarkError `invalid-plan` where the streams do not go together. */
  static of(given: unknown): RecordedConnectedStreams {
    if (typeof given !== "object" || given === null || Object.keys(given).length === 0) {
      throw invalid("there are no streams", SHAPE_HINT)
    }
    const streams = Object.entries(given).map(([name, stream]) => {
      if (!isName(name)) throw invalid(`a stream has the name ${JSON.stringify(name)}`, NAME_HINT)
      if (stream instanceof RecordedKeyedStream) return [name, stream.parts] as const
      throw invalid(`${name} is ${shownValue(stream)}, and no keyed stream`, SHAPE_HINT)
    })
    const [, first] = streams[0]!
    const checks = new CallChecks(first.recorder, first.place, "connect")
    for (const [name, parts] of streams) checkConnectable(checks, first, parts, name)
    const places = streams.map(([, { place }]) => place)
    checkUnitedOrder(checks, first.recorder, places)
    return new RecordedConnectedStreams(streams)
  }

  process(given: unknown, options?: unknown): RecordedProcessResult {
    return this.#add("process", recordProcess, given, options)
  }

  operator(given: unknown, options?: unknown): RecordedProcessResult {
    return this.#add("operator", recordOperator, given, options)
  }

  #add(call: string, record: typeof recordProcess | typeof recordOperator, given: unknown, options: unknown) {
    const [, { recorder, place, keys }] = this.#streams[0]!
    const checks = new CallChecks(recorder, place, call)
    const streams = this.#streams.map(([name, parts]) => ({ name, timeColumn: parts.place.timeColumn }))
    const recorded = record(checks, keys, streams, given)
    const { id } = checks.options(options, ["id"])
    const places = this.#streams.map(([, parts]) => parts.place)
    return addProcess(recorder, places, recorded, id)
  }
}

/** Refuses a stream that cannot share a state with the first. */
function checkConnectable(checks: CallChecks, first: KeyedParts, { recorder, place, keys }: KeyedParts, name: string) {
  if (recorder !== first.recorder) {
    throw checks.error(`${name} is a stream of another job`, "Connect the streams of one flow.")
  }
  const isSame = ({ name: column, type }: Field, index: number) =>
    column === first.keys[index]?.name && type.definition.label === first.keys[index].type.definition.label
  if (keys.length !== first.keys.length || !keys.every(isSame)) {
    const problem = `${name} is keyed by (${keysText(keys)}), and the first of them by (${keysText(first.keys)})`
    throw checks.error(problem, "Derive columns of the same names and types, and key all streams by these.")
  }
  if ((place.timeColumn === undefined) === (first.place.timeColumn === undefined)) return
  throw checks.error(
    `${name} has ${place.timeColumn === undefined ? "no event time, and others have" : "event time, and others have none"}`,
    "Call .eventTime(...) on all of them before .keyBy(...), or on none.",
  )
}

function keysText(keys: readonly Field[]): string {
  return keys.map(({ name, type }) => `${name}: ${type.definition.label}`).join(", ")
}

function invalid(problem: string, hint: string): TidemarkError {
  return new TidemarkError("invalid-plan", `connect(...): ${problem}.`, { hint })
}
