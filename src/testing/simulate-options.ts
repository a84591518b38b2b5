/** The options of `simulate`, checked, and what it gives. */
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import type { InputRows, Job, OutputRows } from "../stream/job.ts"
import { completeParams } from "../stream/params.ts"
import { checkInputName, type ParamsOfJob } from "./checked-job.ts"
import type { DeadLetterRow } from "./driver-options.ts"
import { checkedRows, type PlainRow } from "./run-plan.ts"

/**
 * What may happen to a simulated job.
 *
 * @example
 * ```ts
 * import type { SimulatedFault } from "tidemark/testing"
 *
 * // Power is lost and processes die, on a disk that takes every call.
 * const faults: SimulatedFault[] = ["crash", "kill"]
 * ```
 */
export type SimulatedFault =
  /** The machine loses power: what was not synced may be gone. */
  | "crash"
  /** The process is killed. */
  | "kill"
  /** A call of the disk fails, or finds it full. */
  | "disk"
  /** A call of the disk takes long. */
  | "stall"
  /** The job is stopped in good order and started again. */
  | "restart"
  /** The clock is set forwards or backwards, by up to an hour. */
  | "clock"

const FAULTS: readonly SimulatedFault[] = ["crash", "kill", "disk", "stall", "restart", "clock"]
const SEEDS = 100

/**
 * What `simulate` takes beside the job.
 *
 * @example
 * ```ts
 * import { job, schema, t } from "tidemark"
 * import type { SimulateOptions } from "tidemark/testing"
 *
 * const fares = job({
 *   name: "fares",
 *   params: schema({ least: t.float64 }),
 *   inputs: { trips: schema({ fare: t.float64 }) },
 *   flow: ({ trips }) => ({ paid: trips.filter((trip, params) => trip.fare >= params.least) }),
 * })
 * const options: SimulateOptions<typeof fares> = {
 *   inputs: { trips: [{ fare: 12.5 }, { fare: 3 }] },
 *   params: { least: 5 },
 *   seeds: 200,
 *   from: 1,
 *   faults: ["crash", "kill", "restart"],
 *   check: ({ paid }) => {
 *     if (paid.length !== 1) throw new Error("one trip was paid")
 *   },
 * }
 * ```
 */
export interface SimulateOptions<J extends Job> {
  /** The rows of each input, in the order in which they come; of several inputs, row by row in turn. */
  readonly inputs: InputRows<J>
  /** Values of the job's parameters; those with a default may be left out. */
  readonly params?: ParamsOfJob<J>
  /** How many worlds. Default 100. */
  readonly seeds?: number
  /** The first seed. Default 1. */
  readonly from?: number
  /** What may happen. Default: everything. */
  readonly faults?: readonly SimulatedFault[]
  /**
   * Says what must be so in the end, in the place of the comparison with a run without faults: for jobs whose results depend on the clock
   * or on answers from outside. It throws, or gives false, where that is not so.
   */
  readonly check?: (results: OutputRows<J> & { readonly deadLetters: readonly DeadLetterRow[] }) => void
}

/**
 * What `simulate` has tried.
 *
 * @example
 * ```ts
 * import type { SimulationReport } from "tidemark/testing"
 *
 * const text = ({ seeds, processes, epochs, faults }: SimulationReport): string =>
 *   `${seeds} worlds, ${processes} processes, ${epochs} epochs, ${faults} faults`
 * ```
 */
export interface SimulationReport {
  readonly seeds: number
  /** How many processes have run the job, over all seeds. */
  readonly processes: number
  readonly epochs: number
  /** How many calls of the disk failed, or were the last of their process. */
  readonly faults: number
}

/** A row of an input. */
export interface SimulatedEntry {
  readonly input: string
  readonly row: PlainRow
}

/** The options, checked and complete. */
export interface CheckedSimulation {
  readonly entries: readonly SimulatedEntry[]
  readonly params: PlainRow
  readonly seeds: number
  readonly from: number
  readonly faults: ReadonlySet<SimulatedFault>
  readonly check: ((results: never) => unknown) | undefined
}

/** @throws TidemarkError `invalid-options`, `invalid-params`, `unbound-input`. */
export function checkSimulation(job: Job, options: unknown): CheckedSimulation {
  const known = ["inputs", "params", "seeds", "from", "faults", "check"]
  const {
    inputs,
    params = {},
    seeds = SEEDS,
    from = 1,
    faults = FAULTS,
    check,
  } = checkOptions("simulate(...)", options, known)
  completeParams(`The job ${job.name}`, job.paramsSchema, params as PlainRow)
  if (check !== undefined && typeof check !== "function") throw wrong("check", check, "a function")
  return {
    entries: entriesOf(job, inputs),
    params: params as PlainRow,
    seeds: checkCount("seeds", seeds, 1),
    from: checkCount("from", from, 1),
    faults: checkFaults(faults),
    check: check as ((results: never) => unknown) | undefined,
  }
}

/** The rows of all inputs, in turn. */
function entriesOf(job: Job, inputs: unknown): SimulatedEntry[] {
  if (typeof inputs !== "object" || inputs === null)
    throw wrong("inputs", inputs, "an object with the rows of each input")
  for (const name of Object.keys(inputs)) checkInputName(job, name)
  const all = Object.entries(job.inputSchemas).map(([input, schema]) => {
    const rows = (inputs as Readonly<Record<string, readonly PlainRow[]>>)[input] ?? []
    return checkedRows(input, schema, rows).map((row) => ({ input, row }))
  })
  const length = Math.max(0, ...all.map((entries) => entries.length))
  return Array.from({ length }, (_, index) => all.flatMap((entries) => entries.slice(index, index + 1))).flat()
}

function checkFaults(faults: unknown): ReadonlySet<SimulatedFault> {
  const given: unknown[] = Array.isArray(faults) ? faults : [faults]
  for (const fault of given) {
    if (!(FAULTS as readonly unknown[]).includes(fault))
      throw wrong("faults", fault, `of ${FAULTS.map((name) => `"${name}"`).join(", ")}`)
  }
  return new Set(given as SimulatedFault[])
}

function checkCount(name: string, value: unknown, least: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number
  throw wrong(name, value, `a whole number, at least ${least}`)
}

function wrong(name: string, value: unknown, what: string): TidemarkError {
  return new TidemarkError("invalid-options", `simulate(...): ${name} is ${shownValue(value)}.`, {
    hint: `It is ${what}.`,
  })
}
