/**
 * What aggregates over a range keep: the rows that wait for the watermark, and of each key the partial results at each event
 * time that ranges of rows to come will hold.
 *
 * As bytes (format 1, named in the operator's signature); nothing is written where nothing has changed:
 *
 *     float64   the watermark: rows up to it have been given
 *     varint    rows that came late
 *     varint    rows that have come in time
 *     varint    number of rows that have come and wait, each:
 *       varint    its place among all that have come
 *       its values, then what lambdas of aggregates gave for it
 *     varint    number of times of keys that are new or have changed, each:
 *       the key
 *       float64   the time
 *       the partial results of each aggregate
 *
 * Values are in the form of `value-bytes.ts`.
 *
 * Invariants:
 * - OV1 A row waits until the watermark is at its event time. A key is kept as long as a range to come may hold one of its rows.
 * - F3 Applying all that was written since the beginning, in order, gives the same state.
 * - WS1 No bytes make `apply` do anything but restore or throw.
 */
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import type { Schema } from "../../../batch/schema.ts"
import type { ColumnType } from "../../../batch/type.ts"
import { readValue, writeValue } from "../../aggregates/value-bytes.ts"
import { DueQueue } from "../general/due-queue.ts"
import { keyId } from "../general/keyed-cells.ts"
import type { Partials } from "../general/partials.ts"
import type { RowInput } from "../general/row-values.ts"
import { firstFrom, RecentSums, type BlockSpec, type Entry } from "../recent-sums.ts"

/** A row that waits. */
export interface WaitingRow {
  readonly time: number
  /** Its place among all that have come in time. */
  readonly ordinal: number
  readonly values: readonly unknown[]
  /** What each aggregate reads of it. */
  readonly read: readonly unknown[]
}

/** What is kept of a key. */
export interface OverKey {
  readonly values: readonly unknown[]
  readonly id: unknown
  readonly entries: Entry[]
  /** Where it pays. */
  readonly sums: RecentSums | undefined
  /** Entries from this time on were not written. */
  changedFrom: number
}

/** What it is made of. */
export interface OverRowsParts {
  readonly input: Schema
  readonly timeIndex: number
  readonly timeShift: number
  readonly keys: readonly { readonly index: number; readonly type: ColumnType }[]
  readonly inputs: readonly RowInput[]
  readonly partials: Partials
  readonly rangeMicros: number
  readonly blocks: BlockSpec
  readonly keepsSums: boolean
}

/** See the head of this file. */
export class OverRows {
  readonly #parts: OverRowsParts
  readonly #waiting = new DueQueue<WaitingRow>()
  #waitingCount = 0
  #unwritten: WaitingRow[] = []
  readonly #keys = new Map<unknown, OverKey>()
  readonly #changed = new Set<OverKey>()
  /** When keys may have something that no range needs any more, once a key. */
  readonly #expiries = new DueQueue<OverKey>()
  #watermark = -Infinity
  #lateRows = 0
  #ordinal = 0
  #hasMoved = false

  constructor(parts: OverRowsParts) {
    this.#parts = parts
  }

  get watermark(): number {
    return this.#watermark
  }

  get lateRows(): number {
    return this.#lateRows
  }

  get waitingCount(): number {
    return this.#waitingCount
  }

  /** The event time of the first row that waits; +∞ where none does. */
  get nextTime(): number {
    return this.#waiting.first
  }

  addLate(count: number): void {
    this.#lateRows += count
    this.#hasMoved = true
  }

  add(time: number, values: readonly unknown[], read: readonly unknown[]): void {
    const row = { time, ordinal: this.#ordinal++, values, read }
    this.#wait(row)
    this.#unwritten.push(row)
  }

  #wait(row: WaitingRow): void {
    this.#waiting.put(row.time, row)
    this.#waitingCount++
  }

  /** Takes out the rows of the next event time, in order of arrival. */
  takeNext(): WaitingRow[] {
    const time = this.#waiting.first
    const rows: WaitingRow[] = []
    while (this.#waiting.next?.time === time) rows.push(this.#waiting.take())
    this.#waitingCount -= rows.length
    return rows.sort((one, other) => one.ordinal - other.ordinal)
  }

  keyOf(row: WaitingRow): OverKey {
    return this.#keyOf(this.#parts.keys.map(({ index }) => row.values[index]))
  }

  #keyOf(values: readonly unknown[]): OverKey {
    const id = keyId(values)
    const known = this.#keys.get(id)
    if (known !== undefined) return known
    const { partials, blocks, keepsSums } = this.#parts
    const sums = keepsSums ? new RecentSums(partials, blocks) : undefined
    return { values, id, entries: [], sums, changedFrom: Infinity }
  }

  /** The partial results of a key at a time, which is that of its last entry or later, so that they may be added to. */
  entryAt(key: OverKey, time: number): Entry {
    const last = key.entries.at(-1)
    if (last?.at === time) return last
    const entry = { at: time, partials: this.#parts.partials.none() }
    key.entries.push(entry)
    this.#keep(key)
    key.changedFrom = Math.min(key.changedFrom, time)
    this.#changed.add(key)
    return entry
  }

  #keep(key: OverKey): void {
    if (this.#keys.has(key.id)) return
    this.#keys.set(key.id, key)
    this.#expiries.put(key.entries[0]!.at + this.#parts.rangeMicros, key)
  }

  /** Takes note that rows up to `watermark` have been given. */
  passTo(watermark: number): void {
    if (watermark <= this.#watermark) return
    this.#watermark = watermark
    this.#hasMoved = true
    this.#expire()
  }

  #expire(): void {
    const { rangeMicros } = this.#parts
    while (this.#expiries.first <= this.#watermark) {
      const key = this.#expiries.take()
      const gone = firstFrom(key.entries, this.#watermark + 1 - rangeMicros)
      key.entries.splice(0, gone)
      const [first] = key.entries
      if (first === undefined) this.#keys.delete(key.id)
      else this.#expiries.put(first.at + rangeMicros, key)
    }
  }

  writeChanges(out: ByteWriter): void {
    const rows = this.#unwritten.filter(({ time }) => time > this.#watermark)
    if (!this.#hasMoved && this.#unwritten.length === 0) return
    const entries = [...this.#changed].flatMap((key) =>
      key.entries.slice(firstFrom(key.entries, key.changedFrom)).map((entry) => [key, entry] as const),
    )
    this.#write(rows, entries, out)
    for (const key of this.#changed) key.changedFrom = Infinity
    this.#changed.clear()
    this.#unwritten = []
    this.#hasMoved = false
  }

  writeAll(out: ByteWriter): void {
    if (this.#watermark === -Infinity && this.#lateRows + this.#ordinal === 0) return
    const rows = this.#waiting.items().sort((one, other) => one.ordinal - other.ordinal)
    const entries = [...this.#keys.values()].flatMap((key) => key.entries.map((entry) => [key, entry] as const))
    this.#write(rows, entries, out)
  }

  #write(rows: readonly WaitingRow[], entries: readonly (readonly [OverKey, Entry])[], out: ByteWriter): void {
    const { input, inputs, keys, partials } = this.#parts
    out.float64(this.#watermark)
    out.varint(this.#lateRows)
    out.varint(this.#ordinal)
    out.varint(rows.length)
    for (const { ordinal, values, read } of rows) {
      out.varint(ordinal)
      input.fields.forEach(({ type }, index) => writeValue(type, values[index], out))
      inputs.forEach((each, index) => {
        if (each.kind === "lambda") writeValue(each.type, read[index], out)
      })
    }
    out.varint(entries.length)
    for (const [key, entry] of entries) {
      keys.forEach(({ type }, index) => writeValue(type, key.values[index], out))
      out.float64(entry.at)
      partials.write(entry.partials, out)
    }
  }

  /** @throws RangeError where the bytes are no such changes. */
  apply(changes: ByteReader): void {
    const watermark = changes.float64()
    if (watermark !== -Infinity && !Number.isFinite(watermark)) refuse(`${watermark} as watermark`)
    if (watermark < this.#watermark) refuse("a watermark that goes back")
    this.#watermark = watermark
    this.#lateRows = changes.varint()
    const ordinal = changes.varint()
    if (ordinal < this.#ordinal) refuse("a number of rows that goes back")
    this.#ordinal = ordinal
    while (this.nextTime <= watermark) this.takeNext()
    for (let left = changes.varint(); left > 0; left--) this.#readRow(changes)
    for (let left = changes.varint(); left > 0; left--) this.#readEntry(changes)
    this.#expire()
    for (const key of this.#changed) key.changedFrom = Infinity
    this.#changed.clear()
    this.#hasMoved = false
  }

  #readRow(changes: ByteReader): void {
    const { input, inputs, timeIndex, timeShift } = this.#parts
    const ordinal = changes.varint()
    if (ordinal >= this.#ordinal) refuse("a row that has not come")
    const values = input.fields.map(({ type }) => readValue(type, changes))
    const read = inputs.map((each) => {
      switch (each.kind) {
        case "none":
          return undefined
        case "column":
          return values[each.index]
        case "lambda":
          return readValue(each.type, changes)
        case "columns":
          return Object.fromEntries(each.schema.fields.map(({ name }, at) => [name, values[each.indexes[at]!]]))
      }
    })
    const time = (values[timeIndex] as number) + timeShift
    if (time <= this.#watermark) refuse("a row that does not wait")
    this.#wait({ time, ordinal, values, read })
  }

  #readEntry(changes: ByteReader): void {
    const { keys, partials } = this.#parts
    const key = this.#keyOf(keys.map(({ type }) => readValue(type, changes)))
    const at = changes.float64()
    if (!Number.isSafeInteger(at) || at > this.#watermark) refuse(`${at} as the time of what was given`)
    key.entries.length = firstFrom(key.entries, at)
    key.entries.push({ at, partials: partials.read(changes) })
    this.#keep(key)
    key.sums?.reset()
  }
}

function refuse(what: string): never {
  throw new RangeError(`there is ${what}`)
}
