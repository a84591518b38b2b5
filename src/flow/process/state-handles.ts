/**
 * The states of the key at hand, as handlers use them. Each handle belongs to an operator and stands for the key of the
 * call that is under way. Values are checked by their types, and are copies that nobody can change.
 */
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { ColumnType } from "../../batch/type.ts"
import { settled } from "../../batch/value-codec.ts"
import type { CallFrame } from "./call-frame.ts"
import type { ListCell } from "./list-cell.ts"
import type { MapCell } from "./map-cell.ts"
import type { ReducingStateSpec, StateSpec } from "./process-spec.ts"
import type { ValueCell } from "./value-cell.ts"

/** The handle of a state of this name, which is the cell `index` of each key. */
export function stateHandle(frame: CallFrame, name: string, spec: StateSpec, index: number): object {
  switch (spec.kind) {
    case "value":
      return Object.freeze(new ValueHandle(frame, name, spec, index))
    case "reducing":
      return Object.freeze(new ReducingHandle(frame, name, spec, index))
    case "list":
      return Object.freeze(new ListHandle(frame, name, spec, index))
    case "map":
      return Object.freeze(new MapHandle(frame, name, spec, index))
  }
}

/** What all have in common. */
class Handle<S extends StateSpec> {
  protected readonly frame: CallFrame
  protected readonly spec: S
  readonly #name: string
  readonly #index: number

  constructor(frame: CallFrame, name: string, spec: S, index: number) {
    this.frame = frame
    this.spec = spec
    this.#name = JSON.stringify(name)
    this.#index = index
  }

  protected cellAs<C>(): C {
    return this.frame.call.state.cells[this.#index] as C
  }

  protected value(given: unknown): unknown {
    return checkedValue(`the state ${this.#name}`, this.spec.type, given)
  }

  protected mapKey(type: ColumnType, given: unknown): unknown {
    const key = checkedValue(`a key of the state ${this.#name}`, type, given)
    return key === 0 ? 0 : key
  }
}

class ValueHandle<S extends StateSpec> extends Handle<S> {
  get(): unknown {
    const value = this.cellAs<ValueCell>().get(this.frame)
    const { type } = this.spec
    return value === undefined && type.hasDefault ? settled(type, type.defaultValue) : value
  }

  set(value: unknown): void {
    this.cellAs<ValueCell>().set(this.value(value), this.frame)
  }

  clear(): void {
    this.cellAs<ValueCell>().set(undefined, this.frame)
  }
}

class ReducingHandle extends ValueHandle<ReducingStateSpec> {
  add(given: unknown): void {
    const before = this.get()
    const value = this.value(given)
    const reduce = this.spec.reduce as (one: unknown, other: unknown) => unknown
    this.set(before === undefined ? value : reduce(before, value))
  }
}

class ListHandle<S extends StateSpec> extends Handle<S> {
  get length(): number {
    return this.cellAs<ListCell>().length(this.frame)
  }

  values(): unknown[] {
    return this.cellAs<ListCell>().values(this.frame)
  }

  add(value: unknown): void {
    this.cellAs<ListCell>().add(this.value(value), this.frame)
  }

  clear(): void {
    this.cellAs<ListCell>().clear(this.frame)
  }
}

class MapHandle<S extends Extract<StateSpec, { kind: "map" }>> extends Handle<S> {
  get #cell(): MapCell {
    return this.cellAs<MapCell>()
  }

  get size(): number {
    return this.entries().length
  }

  get(key: unknown): unknown {
    return this.#cell.get(this.mapKey(this.spec.keyType, key), this.frame)
  }

  has(key: unknown): boolean {
    return this.#cell.has(this.mapKey(this.spec.keyType, key), this.frame)
  }

  set(key: unknown, value: unknown): void {
    this.#cell.set(this.mapKey(this.spec.keyType, key), this.value(value), this.frame)
  }

  delete(key: unknown): void {
    this.#cell.delete(this.mapKey(this.spec.keyType, key), this.frame)
  }

  clear(): void {
    this.#cell.clear(this.frame)
  }

  keys(): unknown[] {
    return this.entries().map(([key]) => key)
  }

  values(): unknown[] {
    return this.entries().map(([, value]) => value)
  }

  entries(): [unknown, unknown][] {
    return this.#cell.entries(this.frame)
  }
}

function checkedValue(what: string, type: ColumnType, given: unknown): unknown {
  const reason = given === undefined ? "not a value: undefined is not null" : type.check(given)
  if (reason === undefined) return settled(type, given)
  throw new TidemarkError("lambda-failed", `${what} was given ${shownValue(given)}, which is ${reason}`)
}
