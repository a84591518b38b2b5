/**
 * A source of rows by key: the first N are there at once, one a key; those behind them arrive at a rate, and each N of them that
 * follow each other have all keys, in an order without locality. It does not wait for anybody, and tells how long rows have waited
 * for being read.
 */
import { allocateColumns, Batch } from "../../dist/modules/batch/batch.js"
import { writeInt53 } from "../../dist/modules/batch/column.js"
import { ROWS_A_RESULT } from "./keyed-jobs.mjs"

const FIRST_MICROS = Date.UTC(2024, 0, 1) * 1000
const POLL_MICROS = 500
/** A prime, so that multiples of it reach all keys; times 10⁷ it is a safe integer. */
const STRIDE = 618_033_989

/** Rows of `keys` keys, `rowsASecond` of those that arrive; `onRead(rows, lagMicros)` is told of each read of those. */
export function arrivingRows({ keys, rowsASecond, onRead }) {
  const rate = { keys, microsARow: 1e6 / rowsASecond, onRead }
  return {
    describe: () => "arriving rows",
    openSource: (context) =>
      Promise.resolve({
        partitions: () => Promise.resolve([{ id: "rows", tieBreak: "", identity: "rows", size: undefined }]),
        open: (_partition, index, { offset }) => Promise.resolve(new RowReader(rate, context, index, offset)),
        close: () => Promise.resolve(),
      }),
  }
}

class RowReader {
  #rate
  #context
  #index
  #next
  /** The first row that arrives, and when it did. */
  #first
  #startMicros
  #polledMicros = -Infinity

  constructor(rate, context, index, next) {
    this.#rate = rate
    this.#context = context
    this.#index = index
    this.#next = next
    this.#first = Math.max(next, rate.keys)
  }

  #arrivalMicros(id) {
    return this.#startMicros + (id - this.#first) * this.#rate.microsARow
  }

  whenReadable(signal) {
    if (this.#next < this.#first) return undefined
    const now = this.#context.env.clock.monotonicMicros()
    this.#startMicros ??= now
    const due = Math.max(this.#arrivalMicros(this.#next), this.#polledMicros + POLL_MICROS)
    return due <= now ? undefined : this.#context.env.timers.sleep(due - now, signal)
  }

  read({ rows, untilOffset }) {
    const first = this.#next
    const until = Math.min(first < this.#first ? this.#first : this.#arrivedUntil(), untilOffset, first + rows)
    const length = Math.max(1, until - first)
    const { arena, schema } = this.#context
    const origins = arena.allocate(length * 16)
    const { columns, release } = allocateColumns(arena, schema, length, [origins])
    const offsets = new Float64Array(arena.buffer, origins.offset, length)
    const ordinals = new Float64Array(arena.buffer, origins.offset + length * 8, length)
    const [at, key, value] = columns
    for (let row = 0; row < length; row++) {
      const id = first + row
      writeInt53(at.halves, row, FIRST_MICROS + Math.floor(id / 1000))
      key.values[row] = id < this.#rate.keys ? id : ((id % this.#rate.keys) * STRIDE) % this.#rate.keys
      value.values[row] = id % ROWS_A_RESULT
      offsets[row] = ordinals[row] = id
    }
    this.#next = first + length
    const batch = new Batch({ schema, columns, length, origin: { partition: this.#index, offsets, ordinals } })
    const next = { offset: this.#next, ordinal: this.#next }
    return Promise.resolve({ batch, bad: [], next, end: false, release })
  }

  /** The first row that has not arrived. */
  #arrivedUntil() {
    const now = this.#context.env.clock.monotonicMicros()
    this.#startMicros ??= now
    const until = this.#first + Math.floor((now - this.#startMicros) / this.#rate.microsARow) + 1
    this.#rate.onRead(until - this.#next, now - this.#arrivalMicros(this.#next))
    this.#polledMicros = now
    return until
  }

  close() {
    return Promise.resolve()
  }
}
