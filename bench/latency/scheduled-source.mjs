/**
 * A live source for the bench: record `id` is a function of `id`, and it arrives at a time that is known beforehand. It
 * does not wait for anybody (an open loop): records that nobody has taken yet have arrived all the same, and their
 * latency counts from there, so nothing is omitted where the engine falls behind.
 *
 * Like a poller, it hands over what has come once a millisecond, or at once where it is behind.
 */
import { allocateColumns, Batch } from "../../dist/modules/batch/batch.js"
import { writeInt53 } from "../../dist/modules/batch/column.js"

/** The event time of record 0. */
export const FIRST_MICROS = Date.UTC(2024, 0, 1) * 1000
/** How often what has come is handed over, at most. */
const POLL_MICROS = 1000
const KEYS = 100

/** Arrivals at a steady rate, in records a second; `Infinity`: all are there from the start, and event time runs at a million. */
export class ArrivalSchedule {
  #spacingMicros
  #arrivalSpacingMicros
  startMicros = 0

  constructor(rate) {
    this.#spacingMicros = 1e6 / (rate === Infinity ? 1_000_000 : rate)
    this.#arrivalSpacingMicros = 1e6 / rate
  }

  eventMicros(id) {
    return FIRST_MICROS + Math.floor(id * this.#spacingMicros)
  }

  /** The first record whose event time is not before `micros`. */
  firstAt(micros) {
    let id = Math.max(0, Math.floor((micros - FIRST_MICROS) / this.#spacingMicros) - 1)
    while (this.eventMicros(id) < micros) id++
    return id
  }

  /** When a record is there, by the monotonic clock. */
  arrivalMicros(id) {
    return this.startMicros + id * this.#arrivalSpacingMicros
  }

  /** How many records are there. */
  arrivedAt(micros) {
    if (this.#arrivalSpacingMicros === 0) return Infinity
    return Math.floor((micros - this.startMicros) / this.#arrivalSpacingMicros) + 1
  }
}

/** Binds a schedule to an input with the fields `at`, `key` and `value`. Its clock starts when it is opened. */
export function scheduledSource(schedule) {
  return {
    describe: () => "scheduled arrivals",
    openSource: (context) => {
      schedule.startMicros = context.env.clock.monotonicMicros()
      const partition = { id: "arrivals", tieBreak: "", identity: "arrivals", size: undefined }
      return Promise.resolve({
        partitions: () => Promise.resolve([partition]),
        open: (_partition, index, { offset }) =>
          Promise.resolve(new ScheduledReader({ schedule, context, index, next: offset })),
        close: () => Promise.resolve(),
      })
    },
  }
}

class ScheduledReader {
  #schedule
  #context
  #index
  #next
  #polledMicros = -Infinity

  constructor({ schedule, context, index, next }) {
    this.#schedule = schedule
    this.#context = context
    this.#index = index
    this.#next = next
  }

  whenReadable(signal) {
    const now = this.#context.env.clock.monotonicMicros()
    const due = Math.max(this.#schedule.arrivalMicros(this.#next), this.#polledMicros + POLL_MICROS)
    return due <= now ? undefined : this.#context.env.timers.sleep(due - now, signal)
  }

  read({ rows, untilOffset }) {
    const { arena, schema, env } = this.#context
    const first = this.#next
    const now = env.clock.monotonicMicros()
    const until = Math.min(this.#schedule.arrivedAt(now), untilOffset, first + rows)
    // Where it is behind, what is left is readable at once.
    if (until === this.#schedule.arrivedAt(now)) this.#polledMicros = now
    const length = Math.max(1, until - first)
    // In the arena, as decoders have them: on V8's heap they would be garbage by the megabyte.
    const origins = arena.allocate(length * 16)
    const { columns, release } = allocateColumns(arena, schema, length, [origins])
    const offsets = new Float64Array(arena.buffer, origins.offset, length)
    const ordinals = new Float64Array(arena.buffer, origins.offset + length * 8, length)
    const origin = { partition: this.#index, offsets, ordinals }
    this.#fill(columns, origin, first, length)
    this.#next = first + length
    const batch = new Batch({ schema, columns, length, origin })
    const next = { offset: this.#next, ordinal: this.#next }
    return Promise.resolve({ batch, bad: [], next, end: false, release })
  }

  #fill([at, key, value], { offsets, ordinals }, first, length) {
    for (let row = 0; row < length; row++) {
      const id = first + row
      const mixed = Math.imul(id, 0x9e3779b1) >>> 0
      writeInt53(at.halves, row, this.#schedule.eventMicros(id))
      key.values[row] = mixed % KEYS
      value.values[row] = (mixed >>> 20) / 8 - 50
      offsets[row] = id
      ordinals[row] = id
    }
  }

  close() {
    return Promise.resolve()
  }
}
