/**
 * A cell of values by keys, in the order in which the keys came; a key that was deleted and comes again is the last.
 * Keys compare like those of a JavaScript `Map`.
 *
 * Changes: varint how many entries follow, each: the key, uint8 0 deleted, 1 the value is another, 2 the key is the last;
 * for 1 and 2 float64 when it expires (where values do), the value.
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
import type { MapStateSpec } from "./process-spec.ts"

const DELETED = 0
const CHANGED = 1
const LAST = 2

/** What a handler has made of a key. */
interface PendingEntry {
  /** `undefined` where it is deleted. */
  readonly held: Held | undefined
  /** Whether the key is the last from here on. */
  readonly isLast: boolean
}

/** See the head of this file. */
export class MapCell implements Cell {
  readonly #spec: MapStateSpec
  readonly #held = new Map<unknown, Held>()
  /** In the order in which keys became the last. */
  readonly #pending = new Map<unknown, PendingEntry>()
  /** What became of each key since the last write, in the same order. */
  readonly #changes = new Map<unknown, number>()

  constructor(spec: MapStateSpec) {
    this.#spec = spec
  }

  get isEmpty(): boolean {
    return this.#held.size === 0
  }

  /** The value of a key, or `undefined`. */
  get(key: unknown, world: CellWorld): unknown {
    return this.#visible(key, world)?.value
  }

  has(key: unknown, world: CellWorld): boolean {
    return this.#visible(key, world) !== undefined
  }

  #visible(key: unknown, { time }: CellWorld): Held | undefined {
    const pending = this.#pending.get(key)
    const held = pending === undefined ? this.#held.get(key) : pending.held
    return held === undefined || held.expiresMicros <= time ? undefined : held
  }

  /** The entries that have not expired. */
  entries({ time }: CellWorld): [unknown, unknown][] {
    const entries: [unknown, unknown][] = []
    const add = (key: unknown, held: Held | undefined) => {
      if (held !== undefined && held.expiresMicros > time) entries.push([key, held.value])
    }
    for (const [key, held] of this.#held) {
      const pending = this.#pending.get(key)
      if (pending?.isLast !== true) add(key, pending === undefined ? held : pending.held)
    }
    for (const [key, { held, isLast }] of this.#pending) if (isLast) add(key, held)
    return entries
  }

  plain(world: CellWorld): unknown {
    const entries = this.entries(world)
    return entries.length === 0 ? undefined : new Map(entries)
  }

  /** Sets the settled value of a settled key. */
  set(key: unknown, value: unknown, world: CellWorld): void {
    const held = { value, expiresMicros: world.writeTime + this.#spec.ttlMicros }
    if (this.has(key, world)) {
      this.#pending.set(key, { held, isLast: this.#pending.get(key)?.isLast ?? false })
    } else {
      this.#pending.delete(key)
      this.#pending.set(key, { held, isLast: true })
    }
    world.touched(this)
  }

  delete(key: unknown, world: CellWorld): void {
    this.#pending.delete(key)
    if (this.#held.has(key)) this.#pending.set(key, { held: undefined, isLast: false })
    world.touched(this)
  }

  clear(world: CellWorld): void {
    this.#pending.clear()
    for (const key of this.#held.keys()) this.#pending.set(key, { held: undefined, isLast: false })
    world.touched(this)
  }

  commit(): number {
    let expiresMicros = Infinity
    for (const [key, { held, isLast }] of this.#pending) {
      if (held === undefined || isLast) this.#held.delete(key)
      if (held !== undefined) {
        this.#held.set(key, held)
        expiresMicros = Math.min(expiresMicros, held.expiresMicros)
      }
      if (held !== undefined && !isLast) {
        if (!this.#changes.has(key)) this.#changes.set(key, CHANGED)
        continue
      }
      this.#changes.delete(key)
      this.#changes.set(key, held === undefined ? DELETED : LAST)
    }
    this.#pending.clear()
    return expiresMicros
  }

  rollBack(): void {
    this.#pending.clear()
  }

  expire(time: number): number {
    let next = Infinity
    for (const [key, { expiresMicros }] of this.#held) {
      if (expiresMicros > time) {
        next = Math.min(next, expiresMicros)
        continue
      }
      this.#held.delete(key)
      this.#changes.delete(key)
      this.#changes.set(key, DELETED)
    }
    return next
  }

  writeChanges(out: ByteWriter): void {
    this.#write(out, this.#changes)
    this.#changes.clear()
  }

  writeAll(out: ByteWriter): void {
    this.#write(out, new Map([...this.#held.keys()].map((key) => [key, LAST])))
  }

  #write(out: ByteWriter, changes: ReadonlyMap<unknown, number>): void {
    const { keyType, type, ttlMicros } = this.#spec
    out.varint(changes.size)
    for (const [key, change] of changes) {
      writeTyped(out, keyType, key)
      out.uint8(change)
      if (change === DELETED) continue
      const { value, expiresMicros } = this.#held.get(key)!
      writeExpiry(out, expiresMicros, ttlMicros)
      writeTyped(out, type, value)
    }
  }

  apply(from: ByteReader): void {
    const { keyType, type, ttlMicros } = this.#spec
    for (let left = from.varint(); left > 0; left--) {
      const key = readTyped(from, keyType)
      const change = changeOf(from)
      if (change !== CHANGED) this.#held.delete(key)
      if (change === DELETED) continue
      const expiresMicros = readExpiry(from, ttlMicros)
      this.#held.set(key, { value: readTyped(from, type), expiresMicros })
    }
  }

  migrated(spec: MapStateSpec, how: CellMigration): MapCell {
    const cell = new MapCell(spec)
    for (const [key, { value, expiresMicros }] of this.#held) {
      cell.#held.set(how.key(key), { value: how.value(value), expiresMicros: how.expires(expiresMicros) })
    }
    return cell
  }
}

/** Leaves out changes of such cells. */
export function skipMap({ keyType, type, ttlMicros }: MapStateSpec): CellSkip {
  const skipKey = skipOf(keyType)
  const skip = skipOf(type)
  return (from, seen) => {
    seen.isWhole = false
    for (let left = from.varint(); left > 0; left--) {
      skipKey(from)
      if (changeOf(from) === DELETED) continue
      seeExpiry(from, ttlMicros, seen)
      skip(from)
    }
  }
}

function changeOf(from: ByteReader): number {
  const change = from.uint8()
  if (change > LAST) throw new RangeError(`${change} stands for what became of a key`)
  return change
}
