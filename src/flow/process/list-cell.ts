/**
 * A cell of values in the order in which they were added. Where values expire, each does by itself, but none
 * before those in front of it.
 *
 * Changes: varint how many of the first are gone, varint how many follow at the end, each: float64 when it expires (where
 * values do), the value.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { readTyped, writeTyped } from "../../batch/value-codec.ts"
import { skipOf } from "../../batch/value-skip.ts"
import {
  readExpiry,
  seeExpiry,
  writeExpiry,
  type Cell,
  type CellMigration,
  type CellSkip,
  type CellWorld,
  type Held,
} from "./cell.ts"
import type { ListStateSpec } from "./process-spec.ts"

/** See the head of this file. */
export class ListCell implements Cell {
  readonly #spec: ListStateSpec
  #held: Held[] = []
  /** Whether the handler has cleared it, and what it has added since. */
  #isCleared = false
  #added: Held[] = []
  /** How many of the values that were written last are gone, and how many are still there, in front. */
  #gone = 0
  #written = 0

  constructor(spec: ListStateSpec) {
    this.#spec = spec
  }

  get isEmpty(): boolean {
    return this.#held.length === 0
  }

  /** The values that have not expired. */
  values({ time }: CellWorld): unknown[] {
    const kept = this.#isCleared ? [] : this.#held.slice(countExpired(this.#held, time))
    return [...kept, ...this.#added.slice(countExpired(this.#added, time))].map(({ value }) => value)
  }

  plain(world: CellWorld): unknown {
    const values = this.values(world)
    return values.length === 0 ? undefined : values
  }

  length({ time }: CellWorld): number {
    const kept = this.#isCleared ? 0 : this.#held.length - countExpired(this.#held, time)
    return kept + this.#added.length - countExpired(this.#added, time)
  }

  /** Adds a settled value. */
  add(value: unknown, world: CellWorld): void {
    const before = this.#added.at(-1) ?? (this.#isCleared ? undefined : this.#held.at(-1))
    const expiresMicros = Math.max(world.writeTime + this.#spec.ttlMicros, before?.expiresMicros ?? -Infinity)
    this.#added.push({ value, expiresMicros })
    world.touched(this)
  }

  clear(world: CellWorld): void {
    this.#isCleared = true
    this.#added = []
    world.touched(this)
  }

  commit(): number {
    if (this.#isCleared) this.#drop(this.#held.length)
    for (const each of this.#added) this.#held.push(each)
    const expiresMicros = this.#added[0]?.expiresMicros ?? Infinity
    this.rollBack()
    return expiresMicros
  }

  rollBack(): void {
    this.#isCleared = false
    this.#added = []
  }

  #drop(count: number): void {
    if (count === 0) return
    this.#held = this.#held.slice(count)
    const ofWritten = Math.min(count, this.#written)
    this.#gone += ofWritten
    this.#written -= ofWritten
  }

  expire(time: number): number {
    this.#drop(countExpired(this.#held, time))
    return this.#held[0]?.expiresMicros ?? Infinity
  }

  writeChanges(out: ByteWriter): void {
    this.#write(out, this.#gone, this.#written)
    this.#gone = 0
    this.#written = this.#held.length
  }

  writeAll(out: ByteWriter): void {
    this.#write(out, 0, 0)
  }

  #write(out: ByteWriter, gone: number, from: number): void {
    out.varint(gone)
    out.varint(this.#held.length - from)
    for (let at = from; at < this.#held.length; at++) {
      const { value, expiresMicros } = this.#held[at]!
      writeExpiry(out, expiresMicros, this.#spec.ttlMicros)
      writeTyped(out, this.#spec.type, value)
    }
  }

  apply(from: ByteReader): void {
    const gone = from.varint()
    if (gone > this.#held.length) throw new RangeError(`${gone} of ${this.#held.length} values of a list are gone`)
    this.#held.splice(0, gone)
    for (let left = from.varint(); left > 0; left--) {
      const expiresMicros = readExpiry(from, this.#spec.ttlMicros)
      this.#held.push({ value: readTyped(from, this.#spec.type), expiresMicros })
    }
    this.#written = this.#held.length
  }

  migrated(spec: ListStateSpec, { value, expires }: CellMigration): ListCell {
    const cell = new ListCell(spec)
    cell.#held = this.#held.map((held) => ({
      value: value(held.value),
      expiresMicros: expires(held.expiresMicros),
    }))
    return cell
  }
}

/** Leaves out changes of such cells. */
export function skipList({ type, ttlMicros }: ListStateSpec): CellSkip {
  const skip = skipOf(type)
  return (from, seen) => {
    const gone = from.varint()
    if (gone > 0) seen.isRest = true
    seen.isWhole = false
    for (let left = from.varint(); left > 0; left--) {
      seeExpiry(from, ttlMicros, seen)
      skip(from)
    }
  }
}

/** How many of the first have expired. */
function countExpired(held: readonly Held[], time: number): number {
  let count = 0
  while (count < held.length && held[count]!.expiresMicros <= time) count++
  return count
}
