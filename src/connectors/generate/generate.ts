/**
 * `generate`: an input whose rows a function makes of their numbers. The door `tidemark` publishes it.
 */
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { TypedSource } from "../../connect/source.ts"
import { GenerateBinding } from "./generate-binding.ts"
import type { Random } from "./random.ts"

/**
 * Options of `generate`.
 *
 * @example
 * ```ts
 * import type { GenerateOptions } from "tidemark"
 *
 * const slowly: GenerateOptions<{ n: number }> = { rowsPerSecond: 10, row: (id) => ({ n: id }) }
 * ```
 */
export interface GenerateOptions<Row> {
  /** Makes the row of a number, counted from 0 over all partitions. It must depend on nothing else. */
  readonly row: (id: number, random: Random) => Row
  /** How many rows there are. Without it they do not end. */
  readonly rows?: number
  /** How many rows come each second, over all partitions together. Without it as many as the job can take. */
  readonly rowsPerSecond?: number
  /** Whole number that `random` depends on. 0 unless given. Change it where you change `row` and start anew. */
  readonly seed?: number
  /** How many partitions the rows are dealt to in turn: row `id` is in partition `id % partitions`. 1 unless given. */
  readonly partitions?: number
}

const KNOWN = ["row", "rows", "rowsPerSecond", "seed", "partitions"]

/** More partitions than this are a slip. */
const PARTITIONS_MAX = 1024

/** Offsets must stay exact: with so many rows they do, however far two lie apart. */
const ROWS_MAX = 2 ** 32

/** No clock is finer. */
const ROWS_PER_SECOND_MAX = 1_000_000_000

/**
 * Rows made by a function of their number, for demonstrations, tests and measurements: the same rows in every run and after
 * every restart.
 *
 * A row that does not fit the input's schema, and one whose function throws, is a bad record. With `rowsPerSecond` row
 * `id` comes `id / rowsPerSecond` after the start; after a restart the count goes on from the first row not committed.
 *
 * Guarantee: replayable, so results are exactly-once with sinks that are.
 *
 * @throws TidemarkError `invalid-options` where an option has no meaning.
 *
 * @example
 * ```ts
 * import { count, fromIso, generate, job, schema, sum, t, tumbling } from "tidemark"
 * import { jsonl } from "tidemark/files"
 *
 * const start = fromIso("2026-01-01T00:00:00Z")
 * const trips = generate({
 *   rows: 1_000_000,
 *   seed: 7,
 *   row: (id, random) => ({
 *     at: start + id * 10_000,
 *     zone: random.pick(["JFK", "LGA", "EWR"]),
 *     fare: 2.5 + random.below(5000) / 100,
 *   }),
 * })
 *
 * const fares = job({
 *   name: "fares",
 *   inputs: { trips: schema({ at: t.timestamp(), zone: t.string, fare: t.float64 }) },
 *   flow: ({ trips }) => ({
 *     hourly: trips
 *       .eventTime("at", { outOfOrder: "0s" })
 *       .keyBy("zone")
 *       .window(tumbling("1h"))
 *       .aggregate({ trips: count(), revenue: sum("fare") }, { id: "hourly" }),
 *   }),
 * })
 * export default fares.with({ inputs: { trips }, outputs: { hourly: jsonl("out/hourly") } })
 * ```
 */
export function generate<const Row>(options: GenerateOptions<Row>): TypedSource<Row> {
  const given = checkOptions("generate(...)", options, KNOWN)
  const { row, rows, rowsPerSecond, seed = 0, partitions = 1 } = given
  if (typeof row !== "function") {
    throw new TidemarkError("invalid-options", `generate(...): row is ${shownValue(row)}, not a function.`, {
      hint: "Give row: (id, random) => ({ ... }), which makes the row of a number.",
    })
  }
  if (rowsPerSecond !== undefined) {
    const isRate = typeof rowsPerSecond === "number" && rowsPerSecond > 0 && rowsPerSecond <= ROWS_PER_SECOND_MAX
    if (!isRate) throw wrongNumber("rowsPerSecond", rowsPerSecond, `a number above 0, at most ${ROWS_PER_SECOND_MAX}`)
  }
  return new GenerateBinding<Row>({
    row: row as (id: number, random: Random) => unknown,
    rows: rows === undefined ? Infinity : checkWhole("rows", rows, 0, ROWS_MAX),
    rowsPerSecond: rowsPerSecond as number | undefined,
    seed: checkWhole("seed", seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    partitions: checkWhole("partitions", partitions, 1, PARTITIONS_MAX),
  })
}

function checkWhole(name: string, value: unknown, min: number, max: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number
  throw wrongNumber(name, value, `a whole number, ${min} to ${max}`)
}

function wrongNumber(name: string, value: unknown, wanted: string): TidemarkError {
  return new TidemarkError("invalid-options", `generate(...): ${name} is ${shownValue(value)}.`, {
    hint: `Give ${wanted}.`,
  })
}
