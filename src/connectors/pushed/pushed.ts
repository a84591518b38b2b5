/** `pushed`: records that a program gives as they come, as an input of a job. The door `tidemark` publishes it. */
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { GivenRow } from "../../batch/given-row.ts"
import { Schema, type ColumnTypes, type RowOfColumns } from "../../batch/schema.ts"
import type { Source, SourceContext, SourceGuarantee, TypedSource } from "../../connect/source.ts"
import { closedError, PushedSource } from "./pushed-source.ts"
import { PushedStore } from "./pushed-store.ts"

const SEGMENT_BYTES = 64 * 2 ** 20
const TRIM_BYTES = 16 * 2 ** 20
const WAITING_BYTES = 64 * 2 ** 20

/**
 * Options of `pushed`.
 *
 * @example
 * ```ts
 * import { pushed, schema, t, type PushedOptions } from "tidemark"
 *
 * const lossy: PushedOptions = { isDurable: false, maxWaitingBytes: 8 * 2 ** 20 }
 * const samples = pushed(schema({ at: t.timestamp(), load: t.float64 }), lossy)
 * const orders = pushed(schema({ order: t.int53 }), { persistAt: "ingress" })
 * ```
 */
export interface PushedOptions {
  /**
   * Whether what is pushed is made durable before `push` resolves: `true` unless given. Else `push` resolves when it is taken, and what was
   * not committed is lost when the process ends.
   */
  readonly isDurable?: boolean
  /**
   * Where records are made durable, or held in memory where they are not. `"behind-prefix"`, which it is unless given: behind the operators from the input on that discard rows or columns
   * and keep no state, as far as their lambdas are compiled. `"ingress"`: as they were pushed.
   */
  readonly persistAt?: "behind-prefix" | "ingress"
  /** So many bytes of columns may wait in memory for the job: 64 MiB unless given. Beyond it, `push` waits. */
  readonly maxWaitingBytes?: number
}

/** Typed arrays in which numbers lie, or bigints. */
type TypedNumbers =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array

/** Whether a column need not be given: it may be null, or has a default. */
type MayBeLeftOut<T> = null extends T ? true : undefined extends T ? true : false

/** The values of a column. */
type PushedColumn<T> =
  | readonly T[]
  | (NonNullable<T> extends number
      ? TypedNumbers
      : NonNullable<T> extends bigint
        ? BigInt64Array | BigUint64Array
        : never)

/**
 * Records as columns: an array of each, all of one length. Numbers may come in typed arrays of any kind that has them, timestamps as microseconds in
 * a `Float64Array` or, as Arrow has them, a `BigInt64Array`; nulls only in plain arrays. A column that has a default, or may be null, may be left
 * out.
 *
 * @example
 * ```ts
 * import { pushed, schema, t, type PushedColumns, type RowOf } from "tidemark"
 *
 * const Sample = schema({ at: t.timestamp(), load: t.float64, host: t.string.nullable() })
 * const samples = pushed(Sample)
 * const columns: PushedColumns<RowOf<typeof Sample>> = {
 *   at: BigInt64Array.of(1_700_000_000_000_000n, 1_700_000_001_000_000n),
 *   load: Float64Array.of(0.25, 0.5),
 *   host: ["a", null],
 * }
 * const push = async (): Promise<void> => await samples.push(columns)
 * ```
 */
export type PushedColumns<Row> = {
  readonly [N in keyof Row as MayBeLeftOut<Row[N]> extends true ? never : N]: PushedColumn<Row[N]>
} & {
  readonly [N in keyof Row as MayBeLeftOut<Row[N]> extends true ? N : never]?: PushedColumn<Exclude<Row[N], undefined>>
}

/**
 * An input into which a program pushes records. Make one with `pushed`. Rows are given with what can be filled in left out: columns that may be
 * null, or have a default.
 *
 * @example
 * ```ts
 * import { pushed, schema, t, type PushedInput } from "tidemark"
 *
 * const clicks: PushedInput<{ page: string }> = pushed(schema({ page: t.string }))
 * const onRequest = async (page: string): Promise<void> => await clicks.push([{ page }])
 * const onShutdown = (): void => (clicks.isOpen ? clicks.end() : undefined)
 * ```
 */
export interface PushedInput<Row, Given = Row> extends TypedSource<Row> {
  /** Whether a job runs that takes what is pushed. */
  readonly isOpen: boolean
  /**
   * Gives records to the job, behind all that were pushed before. When it resolves they are durable: each counts exactly once, whatever
   * becomes of the process. Whoever does not wait for one push before the next shares syncs of the disk.
   *
   * A row that does not fit the schema becomes a dead letter of the job. Rows of one push are stored together or not at all, up to 65,536 rows
   * and 8 MiB of columns.
   *
   * @param records rows; or an array for each column, all of one length, which costs a fraction where the arrays are typed (`PushedColumns`).
   * They must not be changed until then.
   * @throws TidemarkError `invalid-options` where columns are no arrays of one length, or their buffers were transferred; `input-closed` where no job runs that has it as an input; `disk-full`, `disk-failed` or `log-fenced` where it may
   * be durable or not.
   */
  push(records: readonly Given[] | PushedColumns<Given>): Promise<void>
  /** Nothing more is pushed: the job comes to its end behind what was, and fires its windows. A later run of the job may go on. */
  end(): void
}

/** See `PushedInput`. */
class PushedBinding<Row, Given> implements PushedInput<Row, Given> {
  declare readonly rowType?: Row
  readonly readGuarantee: SourceGuarantee
  readonly #schema: Schema
  readonly #isDurable: boolean
  readonly #maxWaitingBytes: number
  readonly runsPrefix: boolean
  #source: PushedSource | undefined
  /** Whether an input has it: from before its source is open. */
  #isTaken = false

  constructor(schema: Schema, { isDurable, persistAt, maxWaitingBytes }: Required<PushedOptions>) {
    this.#schema = schema
    this.#isDurable = isDurable
    this.#maxWaitingBytes = maxWaitingBytes
    this.runsPrefix = persistAt === "behind-prefix"
    this.readGuarantee = isDurable ? "durable-when-acknowledged" : "at-most-once"
  }

  get isOpen(): boolean {
    return this.#source !== undefined
  }

  describe(): string {
    if (!this.#isDurable) return "pushed({ isDurable: false })"
    return this.runsPrefix ? "pushed()" : 'pushed({ persistAt: "ingress" })'
  }

  async push(records: readonly Given[] | PushedColumns<Given>): Promise<void> {
    if (typeof records !== "object" || records === null || ArrayBuffer.isView(records)) {
      throw new TidemarkError("invalid-options", `push(...) is given ${shownValue(records)}, no rows and no columns.`, {
        hint: 'Write push([row]), or push({ page: ["/start"] }).',
      })
    }
    if (this.#source === undefined) throw closedError("an input without a running job")
    await this.#source.push(records)
  }

  end(): void {
    if (this.#source === undefined) throw closedError("an input without a running job")
    this.#source.end()
  }

  async openSource(context: SourceContext): Promise<Source> {
    const { env, input, schema, stateDirectory } = context
    if (this.#isTaken) {
      throw new TidemarkError("invalid-options", `The input ${input} has the pushed(...) of another input that runs.`, {
        hint: "Give each input of each job a pushed(...) of its own.",
      })
    }
    if (schema.label !== this.#schema.label) {
      throw new TidemarkError("invalid-options", `The input ${input} has other columns than what is pushed into it.`, {
        hint: "Give pushed(...) the schema that the job has for the input.",
      })
    }
    if (this.#isDurable && stateDirectory === undefined) {
      throw new TidemarkError("invalid-options", `The input ${input} needs the directory of a job.`, {
        hint: "Run the job.",
      })
    }
    const directory = `${stateDirectory}/inputs/${input}`
    const settings = { segmentBytes: SEGMENT_BYTES, trimBytes: TRIM_BYTES }
    this.#isTaken = true
    try {
      const store = this.#isDurable ? await PushedStore.open(env, directory, input, settings) : undefined
      this.#source = new PushedSource(context, {
        store,
        maxWaitingBytes: this.#maxWaitingBytes,
        onClose: () => this.#free(),
      })
      return this.#source
    } catch (error) {
      this.#free()
      throw error
    }
  }

  #free(): void {
    this.#source = undefined
    this.#isTaken = false
  }
}

/**
 * Records that this program pushes, as an input: durable before `push` resolves, each exactly once in the job's results.
 *
 * @param schema that of the job's input.
 * @throws TidemarkError `invalid-options` where an option has no meaning.
 *
 * @example
 * ```ts
 * import { count, fromDate, job, pushed, run, schema, t, tumbling } from "tidemark"
 * import { jsonl } from "tidemark/files"
 *
 * const Click = schema({ at: t.timestamp(), page: t.string })
 * const clicks = job({
 *   name: "clicks-per-minute",
 *   inputs: { clicks: Click },
 *   flow: ({ clicks }) => ({
 *     perMinute: clicks.eventTime("at", { outOfOrder: "5s" }).keyBy("page").window(tumbling("1m")).aggregate({ clicks: count() }),
 *   }),
 * })
 *
 * const inlet = pushed(Click)
 * const { finished } = await run(clicks.with({ inputs: { clicks: inlet }, outputs: { perMinute: jsonl("out/per-minute") } }))
 * await inlet.push([{ at: fromDate(new Date()), page: "/start" }]) // durable from here on
 * inlet.end()
 * await finished
 * ```
 */
export function pushed<C extends ColumnTypes>(
  schema: Schema<C>,
  options: PushedOptions = {},
): PushedInput<RowOfColumns<C>, GivenRow<C>> {
  const given: unknown = schema
  if (!(given instanceof Schema)) {
    throw new TidemarkError("invalid-options", `pushed(...) is given ${shownValue(given)}, not a schema.`, {
      hint: "Write pushed(schema({ page: t.string })).",
    })
  }
  const checked = checkOptions("pushed(...)", options, ["isDurable", "persistAt", "maxWaitingBytes"])
  const { isDurable = true, persistAt = "behind-prefix", maxWaitingBytes = WAITING_BYTES } = checked
  if (typeof isDurable !== "boolean") throw wrong("isDurable", isDurable, "true or false")
  if (!Number.isInteger(maxWaitingBytes) || Number(maxWaitingBytes) < 1) {
    throw wrong("maxWaitingBytes", maxWaitingBytes, "a whole number of bytes, at least 1")
  }
  if (persistAt !== "behind-prefix" && persistAt !== "ingress") {
    throw wrong("persistAt", persistAt, '"behind-prefix" or "ingress"')
  }
  return new PushedBinding(schema, { isDurable, persistAt, maxWaitingBytes: Number(maxWaitingBytes) })
}

function wrong(name: string, value: unknown, what: string): TidemarkError {
  return new TidemarkError("invalid-options", `pushed(...): ${name} is ${shownValue(value)}.`, {
    hint: `It is ${what}.`,
  })
}
