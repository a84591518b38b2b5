/** Code over the two lists of keys that windows share (`key-list.ts`): putting a key in, and taking the last one out. */
import { i32, i64, type Code, type Local } from "../../../base/wasm-code.ts"
import type { FunctionScope } from "../../../base/wasm-module.ts"
import type { FieldPlace, Word } from "../../aggregates/aggregate.ts"
import { bitsConstant, fieldPlace, itemAddress, loadedFrom } from "./code-places.ts"
import { listedColumns } from "../keys/key-list.ts"
import { CONTROL, type ListName } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** The list's addresses in variables, and how long it is. */
export interface ListCode {
  readonly name: ListName
  readonly ids: Local<"i32">
  readonly across: Local<"i32">
  /** By key: its place in the list. */
  readonly places: Local<"i32">
  readonly length: Local<"i32">
  readonly columns: readonly Local<"i32">[]
  readonly fields: readonly Local<"i32">[]
  /** Of the old list, for fields that are not totals: what the key has in the newer block. */
  readonly later: readonly (Local<"i32"> | undefined)[]
}

/** What functions over lists have in common. */
export interface ListScope {
  readonly shape: WindowShape
  readonly scope: FunctionScope
  readonly control: Local<"i32">
  readonly setup: Code<"none">[]
}

export function listCode({ shape, scope, control, setup }: ListScope, name: ListName): ListCode {
  const load = (offset: number) => loadedFrom(control, offset, scope, setup)
  const isOld = name === "old"
  return {
    name,
    ids: load(isOld ? CONTROL.oldIds : CONTROL.newIds),
    across: load(isOld ? CONTROL.oldAcross : CONTROL.newAcross),
    places: load(isOld ? CONTROL.oldPlaces : CONTROL.newPlaces),
    length: load(lengthField(name)),
    columns: listedColumns(shape.keys).map((_, column) => load(shape.control.listed(name, column))),
    fields: shape.windowFields.map((_, field) => load(shape.control.atPlaces(name, field))),
    later: isOld
      ? shape.windowFields.map((_, field) => (shape.isTotal(field) ? undefined : load(shape.control.later(field))))
      : [],
  }
}

/** Writes back how long the list is. */
export function storeLength({ control }: ListScope, { name, length }: ListCode): Code<"none"> {
  return i32.store(control.get, length.get, lengthField(name))
}

function lengthField(name: ListName): number {
  return name === "old" ? CONTROL.oldLength : CONTROL.newLength
}

/** The place of a key in a list. */
export function placeOf({ places }: ListCode, id: Local<"i32">): Code<"i32"> {
  return i32.load(itemAddress(places.get, id.get, 2))
}

/** The window fields from `from` on of the key at the place `place8 / 8`. */
export function fieldsAt(list: ListCode, words: readonly Word[], from: number, place8: Local<"i32">): FieldPlace[] {
  return words.map((word, index) => fieldPlace(word, list.fields[from + index]!, place8))
}

/** What the key at a place of the old list has in the newer block; `undefined` for totals. */
export function laterAt(
  old: ListCode,
  words: readonly Word[],
  from: number,
  place8: Local<"i32">,
): (FieldPlace | undefined)[] {
  return words.map((word, index) => {
    const later = old.later[from + index]
    return later && fieldPlace(word, later, place8)
  })
}

/** Puts the key at the end of a list, and sets `place`; its window fields get their identities. */
export function putIn(
  { shape, scope, control, setup }: ListScope,
  list: ListCode,
  id: Local<"i32">,
  place: Local<"i32">,
): Code<"none">[] {
  const words = loadedFrom(control, CONTROL.keyWords, scope, setup)
  const key = scope.local("i32")
  const place8 = scope.local("i32")
  const columns = listedColumns(shape.keys)
  return [
    list.length.set(i32.add(list.length.get, i32.const(1))),
    place.set(list.length.get),
    place8.set(i32.shl(place.get, i32.const(3))),
    i32.store(itemAddress(list.places.get, id.get, 2), place.get),
    i32.store(itemAddress(list.ids.get, place.get, 2), id.get),
    ...(columns.length === 0 ? [] : [key.set(i32.add(words.get, i32.mul(id.get, i32.const(shape.keys.stride * 4))))]),
    ...columns.map(({ at, width }, column) => {
      const base = list.columns[column]!
      return width === 1
        ? i32.store(itemAddress(base.get, place.get, 2), i32.load(key.get, at * 4))
        : i64.store(itemAddress(base.get, place.get, 3), i64.load(key.get, at * 4))
    }),
    ...shape.windowFields.flatMap(({ word, identity }, field) =>
      [list.fields[field], list.later[field]].flatMap((base) =>
        base === undefined ? [] : [fieldPlace(word, base, place8).store(bitsConstant(word, identity))],
      ),
    ),
  ]
}
