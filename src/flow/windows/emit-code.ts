/**
 * Code that stores the result rows of a window: the ids of their keys, the window's bounds, and the aggregates, column by
 * column; then the columns of the keys, from the ids. See `window-code.ts`.
 */
import { unreachable } from "../../base/assert.ts"
import { f64, i32, i64, sequence, when, whileLoop, type Code, type Local } from "../../expr/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../expr/wasm-module.ts"
import type { ResultAccess, Word } from "../aggregates/aggregate.ts"
import { fieldPlace, increment, itemAddress, loadedFrom } from "./code-places.ts"
import { CONTROL } from "./window-control.ts"
import type { PlacedKernel, WindowShape } from "./window-shape.ts"

/** The variables of a function that stores results. */
interface Emitting {
  readonly shape: WindowShape
  readonly scope: FunctionScope
  readonly control: Local<"i32">
  readonly setup: Code<"none">[]
  /** The first row, the row at hand, and how many there are. */
  readonly to: Local<"i32">
  readonly row: Local<"i32">
  readonly count: Local<"i32">
  readonly index: Local<"i32">
}

function loadControl({ control, scope, setup }: Emitting, offset: number): Local<"i32"> {
  return loadedFrom(control, offset, scope, setup)
}

/** `emit(control, to, room, end) → count` and `emitEntries(control, to, count, end, from)`. */
export function writeEmit(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", to: "i32", room: "i32", end: "f64" } as const
  module.function("emit", { parameters, result: "i32" }, ({ control, to, room, end }, scope) => {
    const emitting = beginEmitting(shape, control, to, scope.local("i32"), scope)
    const body = [
      ...chooseIds(emitting, room),
      ...storeBounds(emitting, end),
      ...shape.kernels.flatMap((placed, index) => storeFromKeys(emitting, placed, index)),
    ]
    return [...emitting.setup, ...body, emitting.count.get]
  })
  const ofEntries = { control: "i32", to: "i32", count: "i32", end: "f64", from: "i32" } as const
  module.function("emitEntries", { parameters: ofEntries, result: "none" }, (given, scope) => {
    const { control, to, count, end, from } = given
    const emitting = beginEmitting(shape, control, to, count, scope)
    const body = [
      ...copyIds(emitting, from),
      ...storeBounds(emitting, end),
      ...shape.kernels.flatMap((placed, index) => storeFromEntries(emitting, placed, index, from)),
    ]
    return [...emitting.setup, ...body, sequence()]
  })
}

function beginEmitting(
  shape: WindowShape,
  control: Local<"i32">,
  to: Local<"i32">,
  count: Local<"i32">,
  scope: FunctionScope,
): Emitting {
  return { shape, scope, control, setup: [], to, count, row: scope.local("i32"), index: scope.local("i32") }
}

/** Writes the next ids of the a-list, then of the b-list without those of the a-list, to `resultIds`, by row. */
function chooseIds(emitting: Emitting, room: Local<"i32">): Code<"none">[] {
  const { control, count, index: position, scope } = emitting
  const aList = loadControl(emitting, CONTROL.aList)
  const aLength = loadControl(emitting, CONTROL.aLength)
  const bList = loadControl(emitting, CONTROL.bList)
  const bLength = loadControl(emitting, CONTROL.bLength)
  const inOld = loadControl(emitting, CONTROL.inOld)
  const ids = resultIds(emitting)
  const id = scope.local("i32")
  const isRoom = i32.ltS(count.get, room.get)
  return [
    position.set(i32.load(control.get, CONTROL.position)),
    whileLoop(i32.and(isRoom, i32.ltU(position.get, aLength.get)), [
      i32.store(itemAddress(ids.get, count.get, 2), i32.load(itemAddress(aList.get, position.get, 2))),
      increment(count),
      increment(position),
    ]),
    whileLoop(i32.and(isRoom, i32.ltU(position.get, i32.add(aLength.get, bLength.get))), [
      id.set(i32.load(itemAddress(bList.get, i32.sub(position.get, aLength.get), 2))),
      // The id is written in any case, and over-written by the next where it does not count.
      i32.store(itemAddress(ids.get, count.get, 2), id.get),
      count.set(i32.add(count.get, i32.eqz(i32.load8U(i32.add(inOld.get, id.get))))),
      increment(position),
    ]),
    i32.store(control.get, position.get, CONTROL.position),
  ]
}

/** Where the id of the first row's key goes. */
function resultIds(emitting: Emitting): Local<"i32"> {
  const ids = loadControl(emitting, CONTROL.resultIds)
  emitting.setup.push(ids.set(itemAddress(ids.get, emitting.to.get, 2)))
  return ids
}

function copyIds(emitting: Emitting, from: Local<"i32">): Code<"none">[] {
  const { count, index } = emitting
  const entryIds = loadControl(emitting, CONTROL.entryIds)
  const ids = resultIds(emitting)
  return [
    index.set(i32.const(0)),
    whileLoop(i32.ltU(index.get, count.get), [
      i32.store(
        itemAddress(ids.get, index.get, 2),
        i32.load(itemAddress(entryIds.get, i32.add(from.get, index.get), 2)),
      ),
      increment(index),
    ]),
  ]
}

function forEachRow({ to, row, count, index }: Emitting, body: readonly Code<"none">[]): Code<"none">[] {
  return [
    index.set(i32.const(0)),
    row.set(to.get),
    whileLoop(i32.ltU(index.get, count.get), [...body, increment(index), increment(row)]),
  ]
}

function storeBounds(emitting: Emitting, windowEnd: Local<"f64">): Code<"none">[] {
  const end = emitting.scope.local("i64")
  const starts = loadControl(emitting, CONTROL.windowStarts)
  const ends = loadControl(emitting, CONTROL.windowEnds)
  const { row, control } = emitting
  emitting.setup.push(end.set(i64.truncSatF64S(windowEnd.get)))
  return forEachRow(emitting, [
    i64.store(itemAddress(starts.get, row.get, 3), i64.sub(end.get, i64.load(control.get, CONTROL.size))),
    i64.store(itemAddress(ends.get, row.get, 3), end.get),
  ])
}

/** The results of one aggregate for the keys in `resultIds`. */
function storeFromKeys(emitting: Emitting, placed: PlacedKernel, aggregate: number): Code<"none">[] {
  const { scope, index, shape } = emitting
  const { kernel, windowFrom } = placed
  const ids = resultIds(emitting)
  const id8 = scope.local("i32")
  const arrays = (offset: (field: number) => number) =>
    kernel.window.map((_, field) => loadControl(emitting, offset(windowFrom + field)))
  const values = (bases: readonly Local<"i32">[]) => {
    const locals = kernel.window.map(({ word }) => scope.local<Word>(word))
    const codes = locals.map((local, field) => local.set(fieldPlace(local.type, bases[field]!, id8).load()))
    return { locals, codes }
  }
  const current = values(arrays((field) => shape.control.current(field)))
  const finish = (fields: readonly Local<Word>[]) => kernel.finish(fields, resultAccess(emitting, placed, aggregate))
  const readId = id8.set(i32.shl(i32.load(itemAddress(ids.get, index.get, 2)), i32.const(3)))
  if (kernel.remove !== undefined) {
    return forEachRow(emitting, [readId, ...current.codes, ...finish(current.locals)])
  }
  const prefix = values(arrays((field) => shape.control.prefix(field)))
  const together = kernel.window.map(({ word }) => scope.local<Word>(word))
  return forEachRow(emitting, [
    readId,
    ...current.codes,
    ...prefix.codes,
    ...kernel.combine(current.locals, prefix.locals).map((value, field) => together[field]!.set(value)),
    ...finish(together),
  ])
}

/** The results of one aggregate for entries. */
function storeFromEntries(
  emitting: Emitting,
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
  return forEachRow(emitting, [
    entry8.set(i32.shl(i32.add(from.get, index.get), i32.const(3))),
    ...kernel.lift(entry).map((value, field) => locals[field]!.set(value)),
    ...kernel.finish(locals, resultAccess(emitting, placed, aggregate)),
  ])
}

/** `writeKeys(control, to, count)`: the columns of keys, from `resultIds`. Null bits are set before. */
export function writeKeyColumns(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", to: "i32", count: "i32" } as const
  module.function("writeKeys", { parameters, result: "none" }, ({ control, to, count }, scope) => {
    const emitting = beginEmitting(shape, control, to, count, scope)
    const body = shape.keys.parts.flatMap((_, part) => storeKeyColumn(emitting, part))
    return [...emitting.setup, ...body, sequence()]
  })
}

function storeKeyColumn(emitting: Emitting, part: number): Code<"none">[] {
  const { scope, row, index, shape } = emitting
  const { stride, parts } = shape.keys
  const { storage, at, nullBit } = parts[part]!
  const ids = resultIds(emitting)
  const words = loadControl(emitting, CONTROL.keyWords)
  const base = loadControl(emitting, shape.control.keyValues(part))
  const key = scope.local("i32")
  const word = i32.load(key.get, at * 4)
  const long = i64.load(key.get, at * 4)
  const store = {
    bit: () => storeBit(base, row, word),
    int32: () => i32.store(itemAddress(base.get, row.get, 2), word),
    dictionary: () => i32.store(itemAddress(base.get, row.get, 2), word),
    int64: () => i64.store(itemAddress(base.get, row.get, 3), long),
    float64: () => i64.store(itemAddress(base.get, row.get, 3), long),
    struct: () => unreachable("struct" as never, "a key's storage"),
  }[storage]
  const readId = i32.load(itemAddress(ids.get, index.get, 2))
  const codes = [key.set(i32.add(words.get, i32.mul(readId, i32.const(stride * 4)))), store()]
  if (nullBit !== 0) {
    const bitmap = loadControl(emitting, shape.control.keyValidity(part))
    codes.push(when(i32.and(i32.load(key.get), i32.const(nullBit)), [storeBit(bitmap, row, i32.const(0))]))
  }
  return forEachRow(emitting, codes)
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
