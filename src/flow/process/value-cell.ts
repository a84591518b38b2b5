/**
 * A cell of one value: of `value` and `reducing` state.
 *
 * Changes: uint8 0 nothing has changed, 1 it is empty, 2 a value follows: float64 when it expires (where values do),
 * the value.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { readTyped, writeTyped } from "../../batch/value-codec.ts"
import { readExpiry, writeExpiry, type Cell, type CellMigration, type CellWorld, type Held } from "./cell.ts"
import type { ReducingStateSpec, ValueStateSpec } from "./process-spec.ts"

const SAME = 0
const EMPTY = 1
const FULL = 2

/** See the head of this file. */
export class ValueCell implements Cell {
  readonly #spec: ValueStateSpec | ReducingStateSpec
  #held: Held | undefined
  #pending: Held | undefined
  #isPending = false
  #hasChanged = false

  constructor(spec: ValueStateSpec | ReducingStateSpec) {
    this.#spec = spec
  }

  get isEmpty(): boolean {
    return this.#held === undefined
  }

  /** The value, or `undefined` where there is none. */
  get(world: CellWorld): unknown {
    const held = this.#isPending ? this.#pending : this.#held
    return held === undefined || held.expiresMicros <= world.time ? undefined : held.value
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
    this.#held = this.#pending
    this.#hasChanged = true
    this.rollBack()
    return this.#held?.expiresMicros ?? Infinity
  }

  rollBack(): void {
    this.#pending = undefined
    this.#isPending = false
  }

  expire(time: number): number {
    if (this.#held === undefined) return Infinity
    if (this.#held.expiresMicros > time) return this.#held.expiresMicros
    this.#held = undefined
    this.#hasChanged = true
    return Infinity
  }

  writeChanges(out: ByteWriter): void {
    if (this.#hasChanged) this.writeAll(out)
    else out.uint8(SAME)
    this.#hasChanged = false
  }

  writeAll(out: ByteWriter): void {
    out.uint8(this.#held === undefined ? EMPTY : FULL)
    if (this.#held === undefined) return
    writeExpiry(out, this.#held.expiresMicros, this.#spec.ttlMicros)
    writeTyped(out, this.#spec.type, this.#held.value)
  }

  apply(from: ByteReader): void {
    const tag = from.uint8()
    if (tag > FULL) throw new RangeError(`${tag} stands for what became of a value`)
    if (tag === SAME) return
    if (tag === EMPTY) {
      this.#held = undefined
      return
    }
    const expiresMicros = readExpiry(from, this.#spec.ttlMicros)
    this.#held = { value: readTyped(from, this.#spec.type), expiresMicros }
  }

  migrated(spec: ValueStateSpec | ReducingStateSpec, { value, expires }: CellMigration): ValueCell {
    const cell = new ValueCell(spec)
    if (this.#held === undefined) return cell
    cell.#held = { value: value(this.#held.value), expiresMicros: expires(this.#held.expiresMicros) }
    return cell
  }
}
