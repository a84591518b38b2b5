/** What the tests of this folder have in common: a schema, a way to record a flow, and connectors that do nothing. */
import { TidemarkError } from "../base/errors.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { SinkBinding, StreamKind } from "../connect/sink.ts"
import type { SourceBinding } from "../connect/source.ts"
import type { Plan } from "../flow/plan.ts"
import { job } from "./job.ts"

/** A schema with a column of most kinds. */
export const Trip = schema({
  pickup: t.timestamp({ zone: "America/New_York" }),
  dropoff: t.timestamp().nullable(),
  zone: t.string.from("PULocationID"),
  fare: t.float64,
  tip: t.float64.nullable(),
  meters: t.int64.default(0n),
  riders: t.int32,
  place: t.object({ x: t.float64 }),
})

/** Streams as a program without types sees them: every call may be tried. */
export interface Untyped {
  readonly [call: string]: (...given: readonly unknown[]) => Untyped
}

/** The plan of a flow over trips, recorded as a program without types would have it. */
export function planOf(flow: (trips: Untyped) => unknown): Plan {
  return job({
    name: "trips",
    inputs: { trips: Trip },
    flow: ({ trips }) => flow(trips as unknown as Untyped) as never,
  }).plan
}

/** The error that the call throws. */
export function errorOf(call: () => unknown): TidemarkError {
  try {
    call()
  } catch (error) {
    if (error instanceof TidemarkError) return error
    throw error
  }
  throw new Error("The call threw nothing.")
}

/** A source that is never opened. */
export function fakeSource(): SourceBinding {
  return { describe: () => "fake()", openSource: () => Promise.reject(new Error("not opened in tests")) }
}

/** A sink that is never opened. */
export function fakeSink(accepts?: Readonly<Partial<Record<StreamKind, true>>>): SinkBinding {
  const openSink = () => Promise.reject(new Error("not opened in tests"))
  return { describe: () => "fake()", guarantee: "exactly-once", openSink, ...(accepts && { accepts }) }
}
