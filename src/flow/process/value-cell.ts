/**
 * A cell of one value: of `value` and `reducing` state.
 *
 * Changes: uint8 0 nothing has changed, 1 it is empty, 2 a value follows: float64 when it expires (where values do),
 * the value.
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
import type { ReducingStateSpec, ValueStateSpec } from "./process-spec.ts"

/** What became of a value. */
export const SAME = 0
export const EMPTY = 1
export const FULL = 2

/** See the head of this file. There may be millions of cells, so what a cell holds are fields of it. */
export class ValueCell implements Cell {
  readonly #spec: ValueStateSpec | ReducingStateSpec
  /** `undefined` where it is empty: no value is that. */
  #value: unknown
  #expiresMicros = Infinity
  #pending: Held | undefined
  #isPending = false
  #hasChanged = false

  constructor(spec: ValueStateSpec | ReducingStateSpec) {
    this.#spec = spec
  }

  get isEmpty(): boolean {
    return this.#value === undefined
  }

  /** The value, or `undefined` where there is none. */
  get({ time }: Pick<CellWorld, "time">): unknown {
    if (!this.#isPending) return this.#expiresMicros <= time ? undefined : this.#value
    return this.#pending === undefined || this.#pending.expiresMicros <= time ? undefined : this.#pending.value
  }

  plain(world: CellWorld): unknown {
    return this.get(world)
  }

  /** Sets a settled value; `undefined` takes it away. */
  set(value: unknown, world: CellWorld): void {
    this.#pending = value === undefined ? undefined : { value, expiresMicros: world.writeTime + this.#spec.ttlMicros }
    this.#isPending = true
    world.touched(this)
  }

  commit(): number {
    if (!this.#isPending) return Infinity
    this.#hold(this.#pending?.value, this.#pending?.expiresMicros)
    this.#hasChanged = true
    this.rollBack()
    return this.#expiresMicros
  }

  rollBack(): void {
    this.#pending = undefined
    this.#isPending = false
  }

  expire(time: number): number {
    if (this.#expiresMicros > time) return this.#expiresMicros
    this.#hold(undefined)
    this.#hasChanged = true
    return Infinity
  }

  writeChanges(out: ByteWriter): void {
    if (this.#hasChanged) this.writeAll(out)
    else out.uint8(SAME)
    this.#hasChanged = false
  }

  writeAll(out: ByteWriter): void {
    out.uint8(this.isEmpty ? EMPTY : FULL)
    if (this.isEmpty) return
    writeExpiry(out, this.#expiresMicros, this.#spec.ttlMicros)
    writeTyped(out, this.#spec.type, this.#value)
  }

  apply(from: ByteReader): void {
    const tag = tagOf(from)
    if (tag === SAME) return
    if (tag === EMPTY) return this.#hold(undefined)
    const expiresMicros = readExpiry(from, this.#spec.ttlMicros)
    this.#hold(readTyped(from, this.#spec.type), expiresMicros)
  }

  migrated(spec: ValueStateSpec | ReducingStateSpec, { value, expires }: CellMigration): ValueCell {
    const cell = new ValueCell(spec)
    if (!this.isEmpty) cell.#hold(value(this.#value), expires(this.#expiresMicros))
    return cell
  }

  #hold(value: unknown, expiresMicros = Infinity): void {
    this.#value = value
    this.#expiresMicros = expiresMicros
  }
}

/** Leaves out changes of such cells. */
export function skipValue({ type, ttlMicros }: ValueStateSpec | ReducingStateSpec): CellSkip {
  const skip = skipOf(type)
  return (from, seen) => {
    const tag = tagOf(from)
    if (tag === SAME) seen.isWhole = false
    if (tag !== FULL) return
    seeExpiry(from, ttlMicros, seen)
    skip(from)
  }
}

function tagOf(from: ByteReader): number {
  const tag = from.uint8()
  if (tag > FULL) throw new RangeError(`${tag} stands for what became of a value`)
  return tag
}
