/**
 * Code that stores the result rows of a window, column by column: the keys, the window's bounds, the aggregates. See
 * `window-code.ts`.
 *
 * Rows of overlapping windows come from the places of two lists (`key-list.ts`): those of the old list one after the other,
 * so that columns are copied; then those of the new list whose keys are not in the old one, which are chosen first. Rows
 * of windows that are one slice come from its entries.
 */
import {
  call,
  f64,
  i16x8,
  i32,
  i32x4,
  i64,
  i8x16,
  sequence,
  v128,
  when,
  whileLoop,
  type Code,
  type Local,
} from "../../../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../../base/wasm-module.ts"
import type { PairCode, ResultAccess, Word } from "../../aggregates/aggregate.ts"
import { fieldPlace, increment, itemAddress, loadedFrom } from "./code-places.ts"
import { copyItems, fillItems } from "./copy-code.ts"
import type { KeyPartLayout } from "../keys/key-layout.ts"
import { fieldsAt, laterAt, listCode, type ListCode, type ListScope } from "./list-code.ts"
import { CONTROL, type ListName } from "./window-control.ts"
import type { PlacedKernel, WindowShape } from "./window-shape.ts"

/** So many rows a round of a loop: what a round costs is a part of what a row does. */
const UNROLL = 4
/** Places that are looked at at once. */
const LANES = 16

/** The variables of a function that stores results. */
export interface Emitting extends ListScope {
  /** The row at hand, and how many rows of the part at hand are done. */
  readonly row: Local<"i32">
  readonly index: Local<"i32">
}

/** What it takes to store results in a row. */
type ResultRow = Pick<Emitting, "shape" | "scope" | "control" | "setup" | "row">

export function loadControl({ control, scope, setup }: ResultRow, offset: number): Local<"i32"> {
  return loadedFrom(control, offset, scope, setup)
}

/** Some rows, one after the other. */
interface Rows {
  /** The first row, and how many there are. */
  readonly to: Local<"i32">
  readonly count: Local<"i32">
}

/**
 * `emit(control, to, room, end) → count` and what it is made of.
 *
 * `emit` stores the rows from `position` on that there is room for: those of the old list, then those of the new one.
 */
export function writeEmit(module: WasmModule, shape: WindowShape): void {
  writeInOrder(module, shape, "old")
  writeInOrder(module, shape, "new")
  writeChosen(module, shape)
  const parameters = { control: "i32", to: "i32", room: "i32", end: "f64" } as const
  module.function("emit", { parameters, result: "i32" }, ({ control, to, room, end }, scope) => {
    const emitting = beginEmitting(shape, control, scope)
    const oldLength = loadControl(emitting, CONTROL.oldLength)
    const newLength = loadControl(emitting, CONTROL.newLength)
    const position = loadControl(emitting, CONTROL.position)
    const count = scope.local("i32")
    const taken = scope.local("i32")
    const left = i32.sub(room.get, count.get)
    const body = [
      when(i32.ltU(position.get, oldLength.get), [
        count.set(lesserOf(i32.sub(oldLength.get, position.get), room.get)),
        call("none", "emitOld", control.get, to.get, i32.add(position.get, i32.const(1)), count.get),
        position.set(i32.add(position.get, count.get)),
      ]),
      // From here on, places of the new list.
      position.set(i32.sub(position.get, oldLength.get)),
      when(i32.geS(position.get, i32.const(0)), [
        when(
          i32.eqz(i32.load(control.get, CONTROL.acrossCount)),
          [
            taken.set(lesserOf(i32.sub(newLength.get, position.get), left)),
            call(
              "none",
              "emitNew",
              control.get,
              i32.add(to.get, count.get),
              i32.add(position.get, i32.const(1)),
              taken.get,
            ),
            position.set(i32.add(position.get, taken.get)),
          ],
          [
            ...choosePlaces(emitting, { position, newLength, taken, room: left }),
            call("none", "emitChosen", control.get, i32.add(to.get, count.get), taken.get),
          ],
        ),
        count.set(i32.add(count.get, taken.get)),
      ]),
      i32.store(control.get, i32.add(position.get, oldLength.get), CONTROL.position),
      ...storeBounds(emitting, { to, count }, end),
    ]
    return [...emitting.setup, ...body, count.get]
  })
}

/** `emitEntries(control, to, count, end, from)`. */
export function writeEmitEntries(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", to: "i32", count: "i32", end: "f64", from: "i32" } as const
  module.function("emitEntries", { parameters, result: "none" }, (given, scope) => {
    const { control, to, count, end, from } = given
    const emitting = beginEmitting(shape, control, scope)
    const rows = { to, count }
    const ids = loadControl(emitting, CONTROL.entryIds)
    const keys = shape.keys.parts.flatMap((part, index) => storeKeysOfEntries(emitting, rows, part, index, from))
    const body = [
      ...storeKeysOrIds(emitting, rows, { keys, ids: itemAddress(ids.get, from.get, 2) }),
      ...storeBounds(emitting, rows, end),
      ...shape.kernels.flatMap((placed, index) => storeFromEntries(emitting, rows, placed, index, from)),
    ]
    return [...emitting.setup, ...body, sequence()]
  })
}

export function beginEmitting(shape: WindowShape, control: Local<"i32">, scope: FunctionScope): Emitting {
  return { shape, scope, control, setup: [], row: scope.local("i32"), index: scope.local("i32") }
}

function lesserOf(one: Code<"i32">, other: Code<"i32">): Code<"i32"> {
  return i32.select(i32.ltU(one, other), one, other)
}

/** Writes the next places of the new list whose keys are not in the old one to `chosen`. Mostly that are few. */
function choosePlaces(
  emitting: Emitting,
  parts: {
    readonly position: Local<"i32">
    readonly newLength: Local<"i32">
    readonly taken: Local<"i32">
    readonly room: Code<"i32">
  },
): Code<"none">[] {
  const { position, newLength, taken, room } = parts
  const chosen = loadControl(emitting, CONTROL.chosen)
  const across = loadControl(emitting, CONTROL.newAcross)
  const free = emitting.scope.local("i32")
  const isRoom = i32.ltS(taken.get, room)
  const nextAcross = itemAddress(across.get, position.get, 2)
  const isFree = (at: number) => i32x4.eq(v128.load(nextAcross, 4 + at * 4), i32x4.splat(i32.const(0)))
  const areFree = i8x16.bitmask(
    i8x16.narrowI16x8S(i16x8.narrowI32x4S(isFree(0), isFree(4)), i16x8.narrowI32x4S(isFree(8), isFree(12))),
  )
  const choose = (place: Code<"i32">) => i32.store(itemAddress(chosen.get, taken.get, 2), place)
  return [
    whileLoop(
      i32.and(
        i32.leS(i32.add(taken.get, i32.const(LANES)), room),
        i32.leS(i32.add(position.get, i32.const(LANES)), newLength.get),
      ),
      [
        free.set(areFree),
        increment(position),
        whileLoop(free.get, [
          choose(i32.add(position.get, i32.ctz(free.get))),
          increment(taken),
          free.set(i32.and(free.get, i32.sub(free.get, i32.const(1)))),
        ]),
        increment(position, LANES - 1),
      ],
    ),
    whileLoop(i32.and(isRoom, i32.ltS(position.get, newLength.get)), [
      increment(position),
      // The place is written in any case, and over-written by the next where it does not count.
      choose(position.get),
      taken.set(i32.add(taken.get, i32.eqz(i32.load(itemAddress(across.get, position.get, 2))))),
    ]),
  ]
}

/** `emitOld` and `emitNew(control, to, first, count)`: the keys and aggregates of places from `first` on. */
function writeInOrder(module: WasmModule, shape: WindowShape, name: ListName): void {
  const parameters = { control: "i32", to: "i32", first: "i32", count: "i32" } as const
  const signature = { parameters, result: "none" } as const
  module.function(name === "old" ? "emitOld" : "emitNew", signature, ({ control, to, first, count }, scope) => {
    const emitting = beginEmitting(shape, control, scope)
    const list = listCode(emitting, name)
    const rows = { to, count }
    const place = i32.add(first.get, emitting.index.get)
    const keys = shape.keys.parts.flatMap((part, index) => copyKeys(emitting, rows, part, index, list, first))
    const body = [
      ...storeKeysOrIds(emitting, rows, { keys, ids: itemAddress(list.ids.get, first.get, 2) }),
      ...shape.kernels.flatMap((placed, index) => {
        const store = storeFromPlace(emitting, list, place, placed, index)
        const { pairs } = placed.kernel
        if (pairs === undefined) return forEachRow(emitting, rows, store)
        return forEachPair(emitting, rows, { list, first, placed, pairs, storeLast: store })
      }),
    ]
    return [...emitting.setup, ...body, sequence()]
  })
}

/** `emitChosen(control, to, count)`: the keys and aggregates of the chosen places of the new list. */
function writeChosen(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", to: "i32", count: "i32" } as const
  module.function("emitChosen", { parameters, result: "none" }, ({ control, to, count }, scope) => {
    const emitting = beginEmitting(shape, control, scope)
    const list = listCode(emitting, "new")
    const rows = { to, count }
    const chosen = loadControl(emitting, CONTROL.chosen)
    const place = i32.load(itemAddress(chosen.get, emitting.index.get, 2))
    const keys = shape.keys.parts.flatMap((part, index) =>
      forEachRow(emitting, rows, storeListedKey(emitting, part, index, list, place)),
    )
    const resultIds = loadControl(emitting, CONTROL.resultIds)
    const storeId = i32.store(
      itemAddress(resultIds.get, emitting.row.get, 2),
      i32.load(itemAddress(list.ids.get, place, 2)),
    )
    const body = [
      when(resultIds.get, forEachRow(emitting, rows, [storeId]), keys),
      ...shape.kernels.flatMap((placed, index) =>
        forEachRow(emitting, rows, storeFromPlace(emitting, list, place, placed, index)),
      ),
    ]
    return [...emitting.setup, ...body, sequence()]
  })
}

/** Stores the keys of some rows, or, where that waits, their ids, which lie one behind the other. */
function storeKeysOrIds(
  emitting: Emitting,
  { to, count }: Rows,
  { keys, ids }: { readonly keys: readonly Code<"none">[]; readonly ids: Code<"i32"> },
): Code<"none">[] {
  const resultIds = loadControl(emitting, CONTROL.resultIds)
  const target = itemAddress(resultIds.get, to.get, 2)
  return [when(resultIds.get, copyItems(emitting.scope, ids, target, count, 4), keys)]
}

/** Code for each row. */
function forEachRow({ row, index }: Emitting, { to, count }: Rows, body: readonly Code<"none">[]): Code<"none">[] {
  const step = [...body, increment(index), increment(row)]
  return [
    index.set(i32.const(0)),
    row.set(to.get),
    whileLoop(
      i32.leU(i32.add(index.get, i32.const(UNROLL)), count.get),
      Array.from({ length: UNROLL }).flatMap(() => step),
    ),
    whileLoop(i32.ltU(index.get, count.get), step),
  ]
}

/** The results of one aggregate for the places of a list from `first` on, two rows at once. */
function forEachPair(
  emitting: Emitting,
  { to, count }: Rows,
  parts: {
    readonly list: ListCode
    readonly first: Local<"i32">
    readonly placed: PlacedKernel
    readonly pairs: PairCode
    /** Stores the result of the row at hand. */
    readonly storeLast: readonly Code<"none">[]
  },
): Code<"none">[] {
  const { shape, scope, row, index } = emitting
  const { list, first, placed, pairs, storeLast } = parts
  const { kernel, windowFrom, resultFrom } = placed
  const begin: Code<"none">[] = []
  /** Moves from row to row with `done`. */
  const startingAt = (base: Local<"i32">, place: Local<"i32">) => {
    const start = scope.local("i32")
    begin.push(start.set(itemAddress(base.get, place.get, 3)))
    return start
  }
  const [done, end] = [scope.local("i32"), scope.local("i32")]
  const fields = kernel.window.map((_, field) => startingAt(list.fields[windowFrom + field]!, first))
  const later = kernel.window.map((_, field) => {
    const base = list.later[windowFrom + field]
    return base && startingAt(base, first)
  })
  const results = kernel.results.map((_, leaf) =>
    startingAt(loadControl(emitting, shape.control.resultValues(resultFrom + leaf)), to),
  )
  const storePair = (at: number) => {
    const load = (start: Local<"i32">) => v128.load(i32.add(start.get, done.get), at * 8)
    const own = fields.map(load)
    const both = later.some((start) => start !== undefined)
      ? pairs.combine!(
          own,
          later.map((start, field) => (start === undefined ? own[field]! : load(start))),
        )
      : own
    const values = pairs.finish(both.map((code, field) => (later[field] === undefined ? own[field]! : code)))
    return results.map((start, leaf) => v128.store(i32.add(start.get, done.get), values[leaf]!, at * 8))
  }
  const onward = (rows: number, code: Code<"none">[]) =>
    whileLoop(i32.leU(i32.add(done.get, i32.const(rows * 8)), end.get), [...code, increment(done, rows * 8)])
  return [
    ...begin,
    done.set(i32.const(0)),
    end.set(i32.shl(count.get, i32.const(3))),
    onward(4, [...storePair(0), ...storePair(2)]),
    onward(2, storePair(0)),
    when(i32.ltU(done.get, end.get), [
      index.set(i32.sub(count.get, i32.const(1))),
      row.set(i32.add(to.get, index.get)),
      ...storeLast,
    ]),
  ]
}

function storeBounds(emitting: Emitting, { to, count }: Rows, windowEnd: Local<"f64">): Code<"none">[] {
  const { scope, control } = emitting
  const end = scope.local("i64")
  const start = i64.sub(end.get, i64.load(control.get, CONTROL.size))
  const fill = (base: Local<"i32">, value: Code<"i64">) =>
    fillItems(scope, itemAddress(base.get, to.get, 3), count, value)
  const filled = [
    ...fill(loadControl(emitting, CONTROL.windowStarts), start),
    ...fill(loadControl(emitting, CONTROL.windowEnds), end.get),
  ]
  return [
    end.set(i64.truncSatF64S(windowEnd.get)),
    when(
      i32.load(control.get, CONTROL.resultIds),
      // A run has a row at least, so there are no more runs than rows.
      [when(count.get, noteRun(emitting, i32.add(to.get, count.get), end))],
      filled,
    ),
  ]
}

/** Notes that the rows below a place, and behind those of the last run, are of the window. */
export function noteRun({ scope, control }: Emitting, rowEnd: Code<"i32">, end: Local<"i64">): Code<"none">[] {
  const [count, run] = [scope.local("i32"), scope.local("i32")]
  return [
    count.set(i32.load(control.get, CONTROL.resultRunCount)),
    run.set(i32.add(i32.load(control.get, CONTROL.resultRuns), i32.shl(count.get, i32.const(4)))),
    i64.store(run.get, i64.extendU(rowEnd)),
    i64.store(run.get, end.get, 8),
    i32.store(control.get, i32.add(count.get, i32.const(1)), CONTROL.resultRunCount),
  ]
}

/** A column of the keys at places from `first` on. */
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
  if (part.storage === "bit") return forEachRow(emitting, rows, storeListedKey(emitting, part, index, list, place))
  const shift = part.width === 1 ? 2 : 3
  const base = loadControl(emitting, shape.control.keyValues(index))
  const from = itemAddress(list.columns[index]!.get, first.get, shift)
  return [
    ...copyItems(scope, from, itemAddress(base.get, to.get, shift), count, part.width === 1 ? 4 : 8),
    ...(part.nullBit === 0 ? [] : forEachRow(emitting, rows, [storeNullOf(emitting, part, index, list, place)])),
  ]
}

/** Stores a part of the key at a place in the row at hand. */
export function storeListedKey(
  emitting: Emitting,
  part: KeyPartLayout,
  index: number,
  list: ListCode,
  place: Code<"i32">,
): Code<"none">[] {
  const column = list.columns[index]!
  const word = i32.load(itemAddress(column.get, place, 2))
  const long = i64.load(itemAddress(column.get, place, 3))
  return [
    storeKey(emitting, part, index, word, long),
    ...(part.nullBit === 0 ? [] : [storeNullOf(emitting, part, index, list, place)]),
  ]
}

/** Stores one of the two, as the part's width asks for, in the row at hand. */
export function storeKey(
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
export function storeNull(
  emitting: Emitting,
  { nullBit }: KeyPartLayout,
  index: number,
  nulls: Code<"i32">,
): Code<"none"> {
  const bitmap = loadControl(emitting, emitting.shape.control.keyValidity(index))
  return when(i32.and(nulls, i32.const(nullBit)), [storeBit(bitmap, emitting.row, i32.const(0))])
}

/** Stores the result of one aggregate for the key at a place in the row at hand. */
export function storeFromPlace(
  emitting: Emitting,
  list: ListCode,
  place: Code<"i32">,
  placed: PlacedKernel,
  aggregate: number,
): Code<"none">[] {
  const { scope } = emitting
  const { kernel, windowFrom } = placed
  const words = kernel.window.map(({ word }) => word)
  const locals = () => words.map((word) => scope.local<Word>(word))
  const place8 = scope.local("i32")
  const own = locals()
  const begin = [
    place8.set(i32.shl(place, i32.const(3))),
    ...fieldsAt(list, words, windowFrom, place8).map((field, index) => own[index]!.set(field.load())),
  ]
  const access = resultAccess(emitting, placed, aggregate)
  if (list.name === "new" || kernel.remove !== undefined) return [...begin, ...kernel.finish(own, access)]
  const laterPlaces = laterAt(list, words, windowFrom, place8)
  const later = locals()
  const together = locals()
  const both = kernel
    .combine(own, later)
    .map((value, field) => (laterPlaces[field] === undefined ? own[field]!.get : value))
  return [
    ...begin,
    ...laterPlaces.flatMap((place, field) => (place === undefined ? [] : [later[field]!.set(place.load())])),
    ...both.map((value, field) => together[field]!.set(value)),
    ...kernel.finish(together, access),
  ]
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

/** How an aggregate stores its results in the row at hand. */
export function resultAccess(
  emitting: ResultRow,
  { kernel, resultFrom }: PlacedKernel,
  aggregate: number,
): ResultAccess {
  const { control, row, scope, shape } = emitting
  const store: ResultAccess["store"] = (leaf, value) => {
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
  }
  return {
    store,
    storeNull: (leaf) =>
      storeBit(loadControl(emitting, shape.control.resultValidity(resultFrom + leaf)), row, i32.const(0)),
    fail() {
      const list = loadControl(emitting, CONTROL.failures)
      const length = scope.local("i32")
      return sequence(
        // The row is shown in a dead letter: what an earlier batch left there is nobody's business.
        ...kernel.results.map((_, leaf) => store(leaf, i64.const(0n))),
        length.set(i32.load(control.get, CONTROL.failureCount)),
        i32.store(itemAddress(list.get, length.get, 3), row.get),
        i32.store(itemAddress(list.get, length.get, 3), i32.const(aggregate), 4),
        i32.store(control.get, i32.add(length.get, i32.const(1)), CONTROL.failureCount),
      )
    },
  }
}

/** Stores bit `row` of a bitmap. */
export function storeBit(bitmap: Local<"i32">, row: Local<"i32">, bit: Code<"i32">): Code<"none"> {
  const address = i32.add(bitmap.get, i32.shrU(row.get, i32.const(3)))
  const place = i32.and(row.get, i32.const(7))
  const others = i32.and(i32.load8U(address), i32.xor(i32.const(-1), i32.shl(i32.const(1), place)))
  return i32.store8(address, i32.or(others, i32.shl(bit, place)))
}
