/**
 * Code that finds the ids of rows' keys: they are told, or looked up in a table that has 0 where nothing is known: by value
 * (`ids-by-value.ts`), by the code of a text (`code-cache.ts`), or by cell (`key-cells.ts`). A new key that the table by
 * value covers is added.
 *
 * Invariant:
 * - IK1 A kernel that looks ids up gives keys the ids that the table would have given them (KT1).
 */
import { branchIf, i32, when, type Code, type Label, type Local } from "../../../base/wasm-code.ts"
import { itemAddress, loadedFrom } from "./code-places.ts"
import { stopWith, type Adding } from "./ingest-code.ts"
import { mayHaveCells } from "../keys/key-cells.ts"
import { CONTROL, STOP } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** How ids are found: they are told, or looked up by the value of a whole number, the code of a text, or a cell. */
export type IdSource = "told" | "value" | "code" | "cell"

/** How ids can be looked up, or `undefined` for other keys. */
export function directSource({ keys }: WindowShape): IdSource | undefined {
  const { parts, hasNulls } = keys
  if (mayHaveCells(keys)) return "cell"
  if (parts.length !== 1 || hasNulls) return undefined
  const { storage } = parts[0]!
  if (storage === "int32") return "value"
  return storage === "dictionary" ? "code" : undefined
}

/** How a kernel comes to ids. */
export interface IdFinder {
  /**
   * Code that sets `behindId` to one more than the id of the key of the row, which is at `place`, or to 0 where that is not
   * known. It goes to `exit` where `add` could do nothing about it.
   */
  readonly find: (place: Code<"i32">, exit: Label) => Code<"none">[]
  /** Code that goes to `missing` where `behindId` is 0. */
  readonly test: (missing: Label) => Code<"none">[]
  /** Code that adds the row's key where `behindId` is 0, or goes to `exit`. */
  readonly add: (exit: Label) => Code<"none">[]
}

/** How a kernel comes to ids from a source. */
export function idFinder(parts: {
  readonly shape: WindowShape
  readonly source: IdSource
  readonly adding: Adding
  /** The address of ids, or of cells. */
  readonly ids: Local<"i32">
  readonly behindId: Local<"i32">
}): IdFinder {
  const { shape, source, adding, ids, behindId } = parts
  const { control, scope, setup, row } = adding
  if (source === "told") {
    const told = (place: Code<"i32">) => i32.add(i32.load(itemAddress(ids.get, place, 2)), i32.const(1))
    return { find: (place) => [behindId.set(told(place))], test: () => [], add: () => [] }
  }
  const load = (offset: number) => loadedFrom(control, offset, scope, setup)
  const table = load(CONTROL.idTable)
  const unknown = (exit: Label) => stopWith(control, STOP.newKey, exit)
  const lookUp = behindId.set(i32.load(itemAddress(table.get, behindId.get, 2)))
  const test = (missing: Label) => [branchIf(missing, i32.eqz(behindId.get))]
  const add = (exit: Label) => [when(i32.eqz(behindId.get), [unknown(exit)])]
  if (source === "cell") {
    const cell = (place: Code<"i32">) => i32.load(itemAddress(ids.get, place, 2))
    return { find: (place) => [behindId.set(cell(place)), lookUp], test, add }
  }
  const values = load(shape.control.lookedUp(0))
  const value = i32.load(itemAddress(values.get, row.get, 2))
  // Every code of the dictionary has a place in its table.
  if (source === "code") return { find: () => [behindId.set(value), lookUp], test, add }
  const count = load(CONTROL.idCount)
  const find = (_: Code<"i32">, exit: Label) => [
    behindId.set(value),
    when(i32.geU(behindId.get, count.get), [unknown(exit)]),
    lookUp,
  ]
  return {
    find,
    test,
    add: (exit) => [when(i32.eqz(behindId.get), addKey({ control, table, value, behindId, full: unknown(exit) }))],
  }
}

/** Code that adds a key by its value and sets `behindId`, or comes to `full` where there is no room. */
function addKey(parts: {
  readonly control: Local<"i32">
  readonly table: Local<"i32">
  readonly value: Code<"i32">
  readonly behindId: Local<"i32">
  readonly full: Code<"none">
}): Code<"none">[] {
  const { control, table, value, behindId, full } = parts
  const sizeAddress = i32.load(control.get, CONTROL.keySize)
  const words = i32.load(control.get, CONTROL.keyWords)
  return [
    behindId.set(i32.load(sizeAddress)),
    when(i32.geU(behindId.get, i32.load(control.get, CONTROL.keyCapacity)), [full]),
    i32.store(itemAddress(words, behindId.get, 2), value),
    behindId.set(i32.add(behindId.get, i32.const(1))),
    i32.store(sizeAddress, behindId.get),
    i32.store(itemAddress(table.get, value, 2), behindId.get),
  ]
}
