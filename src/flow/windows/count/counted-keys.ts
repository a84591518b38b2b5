/**
 * What windows of so many records keep: of each key how many records it has had, and the partial results of those slices
 * that windows to come will hold.
 *
 * As bytes (format 1, named in the operator's signature); nothing is written where nothing has changed:
 *
 *     varint   number of keys that have changed, each:
 *       its values, in the form of `value-bytes.ts`
 *       varint   records so far; 0 where nothing is kept any more
 *       varint   number of slices that are new or have changed, each:
 *         varint   its first record
 *         the partial results of each aggregate
 *
 * Invariants:
 * - CK1 A key whose windows to come hold nothing that has come is not kept.
 * - F3 Applying all that was written since the beginning, in order, gives the same state.
 * - WS1 No bytes make `apply` do anything but restore or throw.
 */
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import type { ColumnType } from "../../../batch/type.ts"
import { readValue, writeValue } from "../../aggregates/value-bytes.ts"
import type { CountSpec } from "../../plan.ts"
import { keyId } from "../general/keyed-cells.ts"
import type { Partials } from "../general/partials.ts"
import { firstFrom, RecentSums, sumOfEntries, type Entry } from "../recent-sums.ts"
import { beginsSlice, countBlocks, firstHeld, isBetween, lastSlice } from "./count-spec.ts"

/** The records of a key. */
export interface CountedKey {
  readonly values: readonly unknown[]
  readonly id: unknown
  seen: number
  readonly slices: Entry[]
  /** Where it pays. */
  readonly sums: RecentSums | undefined
  /** Slices from here on were not written. */
  changedFrom: number
}

/** What it is made of. */
export interface CountedKeysParts {
  readonly window: CountSpec
  readonly keys: readonly ColumnType[]
  readonly partials: Partials
  /** Whether partial results are as small for many records as for one, so that sums of them may be kept. */
  readonly keepsSums: boolean
}

/** See the head of this file. */
export class CountedKeys {
  readonly #parts: CountedKeysParts
  readonly #keys = new Map<unknown, CountedKey>()
  readonly #changed = new Set<CountedKey>()

  constructor(parts: CountedKeysParts) {
    this.#parts = parts
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0
  }

  /** How many windows have begun and not ended. */
  get openCount(): number {
    let open = 0
    for (const { seen, slices } of this.#keys.values()) {
      if (seen % this.#parts.window.every > 0 && slices.length > 0) open++
    }
    return open
  }

  of(values: readonly unknown[]): CountedKey {
    const id = keyId(values)
    return this.#keys.get(id) ?? this.#made(values, id)
  }

  #made(values: readonly unknown[], id: unknown): CountedKey {
    const { partials, window, keepsSums } = this.#parts
    const sums = keepsSums && window.count > window.every ? new RecentSums(partials, countBlocks(window)) : undefined
    const held = values.map((value) => (value === 0 ? 0 : value))
    return { values: held, id, seen: 0, slices: [], sums, changedFrom: Infinity }
  }

  /** The partial results that the next record of a key would be added to; `undefined` where it is in no window. */
  nextPartials(key: CountedKey): unknown[] | undefined {
    const { window, partials } = this.#parts
    if (isBetween(window, key.seen)) return undefined
    return beginsSlice(window, key.seen) ? partials.none() : key.slices.at(-1)!.partials
  }

  /** Counts a record of a key; it is in a window. */
  add(key: CountedKey, values: readonly unknown[], time: number): void {
    const { window, partials } = this.#parts
    if (beginsSlice(window, key.seen)) key.slices.push({ at: key.seen, partials: partials.none() })
    const slice = key.slices.at(-1)!
    partials.add(slice.partials, values, time)
    key.changedFrom = Math.min(key.changedFrom, slice.at)
    this.pass(key)
  }

  /** Counts a record of a key without adding it. */
  pass(key: CountedKey): void {
    key.seen++
    this.#keys.set(key.id, key)
    this.#changed.add(key)
  }

  /** What the records of the window come to that ends behind the last record of a key; `undefined` where none does. */
  due({ seen, slices, sums }: CountedKey): unknown[] | undefined {
    const { window, partials } = this.#parts
    if (seen % window.every > 0) return undefined
    const [first, last] = [seen - window.count, seen - 1]
    return sums?.sumOf(slices, first, last) ?? sumOfEntries(partials, countBlocks(window), slices, first, last)
  }

  /** Forgets what no window to come holds. */
  settle(key: CountedKey): void {
    const { window } = this.#parts
    const gone = firstFrom(key.slices, firstHeld(window, key.seen))
    if (gone > 0) key.slices.splice(0, gone)
    // Windows that do not overlap begin anew: which ones there were does not matter.
    if (key.slices.length > 0 || key.seen % window.every > 0) return
    if (window.count <= window.every) this.#keys.delete(key.id)
  }

  writeChanges(out: ByteWriter): void {
    if (!this.hasChanged) return
    this.#write([...this.#changed], (key) => key.changedFrom, out)
    for (const key of this.#changed) key.changedFrom = Infinity
    this.#changed.clear()
  }

  writeAll(out: ByteWriter): void {
    if (this.#keys.size > 0) this.#write([...this.#keys.values()], () => 0, out)
  }

  #write(keys: readonly CountedKey[], from: (key: CountedKey) => number, out: ByteWriter): void {
    out.varint(keys.length)
    for (const key of keys) {
      this.#parts.keys.forEach((type, index) => writeValue(type, key.values[index], out))
      const isKept = this.#keys.get(key.id) === key
      out.varint(isKept ? key.seen : 0)
      const slices = isKept ? key.slices.slice(firstFrom(key.slices, from(key))) : []
      out.varint(slices.length)
      for (const { at, partials } of slices) {
        out.varint(at)
        this.#parts.partials.write(partials, out)
      }
    }
  }

  /** @throws RangeError where the bytes are no such changes. */
  apply(changes: ByteReader): void {
    for (let left = changes.varint(); left > 0; left--) {
      const key = this.of(this.#parts.keys.map((type) => readValue(type, changes)))
      key.seen = changes.varint()
      this.#readSlices(key, changes)
      if (key.seen === 0) this.#keys.delete(key.id)
      else {
        this.#keys.set(key.id, key)
        this.settle(key)
      }
      key.sums?.reset()
    }
    this.#changed.clear()
  }

  #readSlices(key: CountedKey, changes: ByteReader): void {
    const { window, partials } = this.#parts
    let least = 0
    for (let left = changes.varint(); left > 0; left--) {
      const at = changes.varint()
      if (at < least || at >= key.seen || !beginsSlice(window, at) || isBetween(window, at)) {
        throw new RangeError(`a slice begins at the record ${at} of ${key.seen}`)
      }
      if (least === 0) key.slices.length = firstFrom(key.slices, at)
      least = at + 1
      key.slices.push({ at, partials: partials.read(changes) })
    }
    const last = lastSlice(window, key.seen)
    if (last === undefined || last < firstHeld(window, key.seen) || key.slices.at(-1)?.at === last) return
    throw new RangeError(`the last of ${key.seen} records is in no slice`)
  }
}
