/**
 * Code that stores the result rows of a window, column by column: the keys, the window's bounds, the aggregates. See
 * `window-code.ts`.
 *
 * Rows of overlapping windows come from the places of two lists (`key-list.ts`): those of the old list one after the other,
 * so that columns are copied; then those of the new list whose keys are not in the old one, which are chosen first. Rows
 * of windows that are one slice come from its entries.
 */
import { f64, i32, i64, sequence, when, whileLoop, type Code, type Local } from "../../expr/wasm-code.ts"
import type { WasmModule } from "../../expr/wasm-module.ts"
import type { ResultAccess, Word } from "../aggregates/aggregate.ts"
import { fieldPlace, increment, itemAddress, loadedFrom } from "./code-places.ts"
import { copyItems, fillItems } from "./copy-code.ts"
import type { KeyPartLayout } from "./key-layout.ts"
import { fieldsAt, listCode, type ListCode, type ListScope } from "./list-code.ts"
import { CONTROL } from "./window-control.ts"
import type { PlacedKernel, WindowShape } from "./window-shape.ts"

/** The variables of a function that stores results. */
interface Emitting extends ListScope {
  /** The row at hand, and how many rows of the part at hand are done. */
  readonly row: Local<"i32">
  readonly index: Local<"i32">
}

function loadControl({ control, scope, setup }: Emitting, offset: number): Local<"i32"> {
  return loadedFrom(control, offset, scope, setup)
}

/** Some rows, one after the other. */
interface Rows {
  /** The first row, and how many there are. */
  readonly to: Local<"i32">
  readonly count: Local<"i32">
}

/** `emit(control, to, room, end) → count` and `emitEntries(control, to, count, end, from)`. */
export function writeEmit(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", to: "i32", room: "i32", end: "f64" } as const
  module.function("emit", { parameters, result: "i32" }, ({ control, to, room, end }, scope) => {
    const emitting = { shape, scope, control, setup: [], row: scope.local("i32"), index: scope.local("i32") }
    const body = storePlaces(emitting, to, room, end)
    return [...emitting.setup, ...body]
  })
  const ofEntries = { control: "i32", to: "i32", count: "i32", end: "f64", from: "i32" } as const
  module.function("emitEntries", { parameters: ofEntries, result: "none" }, (given, scope) => {
    const { control, to, count, end, from } = given
    const emitting = { shape, scope, control, setup: [], row: scope.local("i32"), index: scope.local("i32") }
    const rows = { to, count }
    const body = [
      ...shape.keys.parts.flatMap((part, index) => storeKeysOfEntries(emitting, rows, part, index, from)),
      ...storeBounds(emitting, rows, end),
      ...shape.kernels.flatMap((placed, index) => storeFromEntries(emitting, rows, placed, index, from)),
    ]
    return [...emitting.setup, ...body, sequence()]
  })
}

/** Stores the rows from `position` on that there is room for: those of the old list, then those of the new one. */
function storePlaces(
  emitting: Emitting,
  to: Local<"i32">,
  room: Local<"i32">,
  end: Local<"f64">,
): [...Code<"none">[], Code<"i32">] {
  const { control, scope, shape } = emitting
  const [older, newer] = [listCode(emitting, "old"), listCode(emitting, "new")]
  const position = scope.local("i32")
  const all = { to, count: scope.local("i32") }
  const oldRows = { to, count: scope.local("i32") }
  const newRows = { to: scope.local("i32"), count: scope.local("i32") }
  const chosen = loadControl(emitting, CONTROL.chosen)
  const first = scope.local("i32")
  const place = scope.local("i32")
  const left = i32.sub(older.length.get, position.get)
  const parts = (rows: Rows, list: ListCode, setPlace: Code<"none">) =>
    shape.kernels.flatMap((placed, index) =>
      storeFromPlaces({ emitting, rows, list, place, setPlace, placed, aggregate: index, other: newer }),
    )
  return [
    position.set(i32.load(control.get, CONTROL.position)),
    first.set(i32.add(position.get, i32.const(1))),
    when(i32.ltU(position.get, older.length.get), [
      oldRows.count.set(i32.select(i32.ltU(left, room.get), left, room.get)),
      position.set(i32.add(position.get, oldRows.count.get)),
    ]),
    newRows.to.set(i32.add(to.get, oldRows.count.get)),
    ...choosePlaces(
      emitting,
      { position, chosen, older, newer, count: newRows.count },
      i32.sub(room.get, oldRows.count.get),
    ),
    all.count.set(i32.add(oldRows.count.get, newRows.count.get)),
    ...shape.keys.parts.flatMap((part, index) => [
      ...copyKeys(emitting, oldRows, part, index, older, first),
      ...gatherKeys(emitting, newRows, part, index, newer, chosen),
    ]),
    ...storeBounds(emitting, all, end),
    ...parts(oldRows, older, place.set(i32.add(first.get, emitting.index.get))),
    ...parts(newRows, newer, place.set(i32.load(itemAddress(chosen.get, emitting.index.get, 2)))),
    i32.store(control.get, position.get, CONTROL.position),
    all.count.get,
  ]
}

/** Writes the next places of the new list whose keys are not in the old one to `chosen`. */
function choosePlaces(
  { scope }: Emitting,
  parts: {
    readonly position: Local<"i32">
    readonly chosen: Local<"i32">
    readonly older: ListCode
    readonly newer: ListCode
    readonly count: Local<"i32">
  },
  room: Code<"i32">,
): Code<"none">[] {
  const { position, chosen, older, newer, count } = parts
  const place = scope.local("i32")
  const isRoom = i32.ltS(count.get, room)
  return [
    place.set(i32.sub(position.get, older.length.get)),
    whileLoop(i32.and(isRoom, i32.ltS(place.get, newer.length.get)), [
      increment(place),
      // The place is written in any case, and over-written by the next where it does not count.
      i32.store(itemAddress(chosen.get, count.get, 2), place.get),
      count.set(i32.add(count.get, i32.eqz(i32.load(itemAddress(newer.across.get, place.get, 2))))),
    ]),
    when(i32.geS(place.get, i32.const(0)), [position.set(i32.add(older.length.get, place.get))]),
  ]
}

function forEachRow({ row, index }: Emitting, { to, count }: Rows, body: readonly Code<"none">[]): Code<"none">[] {
  return [
    index.set(i32.const(0)),
    row.set(to.get),
    whileLoop(i32.ltU(index.get, count.get), [...body, increment(index), increment(row)]),
  ]
}

function storeBounds(emitting: Emitting, { to, count }: Rows, windowEnd: Local<"f64">): Code<"none">[] {
  const { scope, control } = emitting
  const end = scope.local("i64")
  const start = i64.sub(end.get, i64.load(control.get, CONTROL.size))
  const fill = (base: Local<"i32">, value: Code<"i64">) =>
    fillItems(scope, itemAddress(base.get, to.get, 3), count, value)
  return [
    end.set(i64.truncSatF64S(windowEnd.get)),
    ...fill(loadControl(emitting, CONTROL.windowStarts), start),
    ...fill(loadControl(emitting, CONTROL.windowEnds), end.get),
  ]
}

/** A column of the keys at places `first` … of the old list. */
function copyKeys(
  emitting: Emitting,
  rows: Rows,
  part: KeyPartLayout,
  index: number,
  list: ListCode,
  first: Local<"i32">,
): Code<"none">[] {
  const { scope, shape } = emitting
  const { to, count } = rows
  const place = i32.add(first.get, emitting.index.get)
  if (part.storage === "bit") return gatherFrom(emitting, rows, part, index, list, place)
  const shift = part.width === 1 ? 2 : 3
  const base = loadControl(emitting, shape.control.keyValues(index))
  const from = itemAddress(list.columns[index]!.get, first.get, shift)
  return [
    ...copyItems(scope, from, itemAddress(base.get, to.get, shift), count, part.width === 1 ? 4 : 8),
    ...(part.nullBit === 0 ? [] : forEachRow(emitting, rows, [storeNullOf(emitting, part, index, list, place)])),
  ]
}

/** A column of the keys at the chosen places of the new list. */
function gatherKeys(
  emitting: Emitting,
  rows: Rows,
  part: KeyPartLayout,
  index: number,
  list: ListCode,
  chosen: Local<"i32">,
): Code<"none">[] {
  const place = i32.load(itemAddress(chosen.get, emitting.index.get, 2))
  return gatherFrom(emitting, rows, part, index, list, place)
}

function gatherFrom(
  emitting: Emitting,
  rows: Rows,
  part: KeyPartLayout,
  index: number,
  list: ListCode,
  place: Code<"i32">,
): Code<"none">[] {
  const column = list.columns[index]!
  const word = i32.load(itemAddress(column.get, place, 2))
  const long = i64.load(itemAddress(column.get, place, 3))
  return forEachRow(emitting, rows, [
    storeKey(emitting, part, index, word, long),
    ...(part.nullBit === 0 ? [] : [storeNullOf(emitting, part, index, list, place)]),
  ])
}

/** Stores one of the two, as the part's width asks for, in the row at hand. */
function storeKey(
  emitting: Emitting,
  { storage, width }: KeyPartLayout,
  index: number,
  word: Code<"i32">,
  long: Code<"i64">,
): Code<"none"> {
  const { row, shape } = emitting
  const base = loadControl(emitting, shape.control.keyValues(index))
  if (storage === "bit") return storeBit(base, row, word)
  if (width === 1) return i32.store(itemAddress(base.get, row.get, 2), word)
  return i64.store(itemAddress(base.get, row.get, 3), long)
}

function storeNullOf(
  emitting: Emitting,
  part: KeyPartLayout,
  index: number,
  list: ListCode,
  place: Code<"i32">,
): Code<"none"> {
  const nulls = list.columns.at(-1)!
  return storeNull(emitting, part, index, i32.load(itemAddress(nulls.get, place, 2)))
}

/** Makes the part null where the word of null bits says so. Bits of validity are set before. */
function storeNull(emitting: Emitting, { nullBit }: KeyPartLayout, index: number, nulls: Code<"i32">): Code<"none"> {
  const bitmap = loadControl(emitting, emitting.shape.control.keyValidity(index))
  return when(i32.and(nulls, i32.const(nullBit)), [storeBit(bitmap, emitting.row, i32.const(0))])
}

/** The results of one aggregate for keys at places of a list. */
function storeFromPlaces(parts: {
  readonly emitting: Emitting
  readonly rows: Rows
  readonly list: ListCode
  readonly place: Local<"i32">
  readonly setPlace: Code<"none">
  readonly placed: PlacedKernel
  readonly aggregate: number
  /** The new list, where what keys of the old one have there is looked up. */
  readonly other: ListCode
}): Code<"none">[] {
  const { emitting, rows, list, place, setPlace, placed, aggregate, other } = parts
  const { scope } = emitting
  const { kernel, windowFrom } = placed
  const words = kernel.window.map(({ word }) => word)
  const locals = () => words.map((word) => scope.local<Word>(word))
  const place8 = scope.local("i32")
  const load = (values: readonly Local<Word>[], from: ListCode) =>
    fieldsAt(from, words, windowFrom, place8).map((field, index) => values[index]!.set(field.load()))
  const finish = (fields: readonly Local<Word>[]) => kernel.finish(fields, resultAccess(emitting, placed, aggregate))
  const toPlace = (at: Code<"i32">) => place8.set(i32.shl(at, i32.const(3)))
  const own = locals()
  const begin = [setPlace, toPlace(place.get), ...load(own, list)]
  if (list.name === "new" || kernel.remove !== undefined) return forEachRow(emitting, rows, [...begin, ...finish(own)])
  const later = locals()
  const together = locals()
  return forEachRow(emitting, rows, [
    ...begin,
    toPlace(i32.load(itemAddress(list.across.get, place.get, 2))),
    ...load(later, other),
    ...kernel.combine(own, later).map((value, field) => together[field]!.set(value)),
    ...finish(together),
  ])
}

/** The results of one aggregate for entries. */
function storeFromEntries(
  emitting: Emitting,
  rows: Rows,
  placed: PlacedKernel,
  aggregate: number,
  from: Local<"i32">,
): Code<"none">[] {
  const { scope, index, shape } = emitting
  const { kernel, entryFrom } = placed
  const entry8 = scope.local("i32")
  const entry = kernel.entry.map(({ word }, field) =>
    fieldPlace(word, loadControl(emitting, shape.control.entryField(entryFrom + field)), entry8).load(),
  )
  const locals = kernel.window.map(({ word }) => scope.local<Word>(word))
  return forEachRow(emitting, rows, [
    entry8.set(i32.shl(i32.add(from.get, index.get), i32.const(3))),
    ...kernel.lift(entry).map((value, field) => locals[field]!.set(value)),
    ...kernel.finish(locals, resultAccess(emitting, placed, aggregate)),
  ])
}

/** A column of the keys of entries, from their words. */
function storeKeysOfEntries(
  emitting: Emitting,
  rows: Rows,
  part: KeyPartLayout,
  partIndex: number,
  from: Local<"i32">,
): Code<"none">[] {
  const { scope, index, shape } = emitting
  const ids = loadControl(emitting, CONTROL.entryIds)
  const words = loadControl(emitting, CONTROL.keyWords)
  const key = scope.local("i32")
  const id = i32.load(itemAddress(ids.get, i32.add(from.get, index.get), 2))
  return forEachRow(emitting, rows, [
    key.set(i32.add(words.get, i32.mul(id, i32.const(shape.keys.stride * 4)))),
    storeKey(emitting, part, partIndex, i32.load(key.get, part.at * 4), i64.load(key.get, part.at * 4)),
    ...(part.nullBit === 0 ? [] : [storeNull(emitting, part, partIndex, i32.load(key.get))]),
  ])
}

function resultAccess(emitting: Emitting, { kernel, resultFrom }: PlacedKernel, aggregate: number): ResultAccess {
  const { control, row, scope, shape } = emitting
  return {
    store(leaf, value) {
      const base = loadControl(emitting, shape.control.resultValues(resultFrom + leaf))
      const wide = itemAddress(base.get, row.get, 3)
      switch (kernel.results[leaf]!.type.storage) {
        case "bit":
          return storeBit(base, row, i32.wrap(value as Code<"i64">))
        case "int32":
        case "dictionary":
          return i32.store(itemAddress(base.get, row.get, 2), i32.wrap(value as Code<"i64">))
        default:
          return value.type === "f64" ? f64.store(wide, value as Code<"f64">) : i64.store(wide, value as Code<"i64">)
      }
    },
    storeNull: (leaf) =>
      storeBit(loadControl(emitting, shape.control.resultValidity(resultFrom + leaf)), row, i32.const(0)),
    fail() {
      const list = loadControl(emitting, CONTROL.failures)
      const length = scope.local("i32")
      return sequence(
        length.set(i32.load(control.get, CONTROL.failureCount)),
        i32.store(itemAddress(list.get, length.get, 3), row.get),
        i32.store(itemAddress(list.get, length.get, 3), i32.const(aggregate), 4),
        i32.store(control.get, i32.add(length.get, i32.const(1)), CONTROL.failureCount),
      )
    },
  }
}

/** Stores bit `row` of a bitmap. */
function storeBit(bitmap: Local<"i32">, row: Local<"i32">, bit: Code<"i32">): Code<"none"> {
  const address = i32.add(bitmap.get, i32.shrU(row.get, i32.const(3)))
  const place = i32.and(row.get, i32.const(7))
  const others = i32.and(i32.load8U(address), i32.xor(i32.const(-1), i32.shl(i32.const(1), place)))
  return i32.store8(address, i32.or(others, i32.shl(bit, place)))
}
