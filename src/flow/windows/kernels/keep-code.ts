/**
 * Code that keeps some of the result rows that lie in columns, once a filter has chosen them: it moves their results to
 * the front, and stores their keys and windows, which have waited for it (late materialisation: Abadi et al.,
 * "Materialization strategies in a column-oriented DBMS", ICDE 2007).
 *
 * Rows are kept in order, so a row never moves behind one that is still to come.
 */
import { i32, i64, i8x16, sequence, v128, when, whileLoop, type Code, type Local } from "../../../base/wasm-code.ts"
import type { WasmModule } from "../../../base/wasm-module.ts"
import type { ResultLeaf } from "../../aggregates/aggregate.ts"
import { bitOf, increment, itemAddress } from "./code-places.ts"
import { fillItems } from "./copy-code.ts"
import { beginEmitting, loadControl, storeBit, storeKey, storeNull, type Emitting } from "./emit-code.ts"
import { CONTROL } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** So many keys are stored at once. */
const VECTOR_ROWS = 4
/** So many rows are looked at at once to see where a window's rows end. */
const BLOCK = 8

/** Lanes of two vectors in turn: words of the lower halves and of the higher ones, pairs of words likewise. */
const LOW_WORDS = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23]
const HIGH_WORDS = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31]
const LOW_PAIRS = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
const HIGH_PAIRS = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]

/** `keepRows(control, rows, count)`: `rows` is the address of an ascending list of places. */
export function writeKeepRows(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", rows: "i32", count: "i32" } as const
  module.function("keepRows", { parameters, result: "none" }, ({ control, rows, count }, scope) => {
    const keeping = beginEmitting(shape, control, scope)
    const { row } = keeping
    const sources = Array.from({ length: VECTOR_ROWS }, () => scope.local("i32"))
    const source = sources[0]!
    const vectorsEnd = scope.local("i32")
    const setSource = (place: number) => sources[place]!.set(i32.load(itemAddress(rows.get, row.get, 2), place * 4))
    const one = (keys: readonly Code<"none">[]) => [
      ...keys,
      ...shape.results.flatMap((leaf, index) => moveResult(keeping, leaf, index, source)),
      increment(row),
    ]
    const four = () => [
      ...sources.map((_, place) => setSource(place)),
      ...storeFourKeys(keeping, sources),
      ...sources.flatMap((next) => [source.set(next.get), ...one([])]),
    ]
    const body = [
      ...(areVectors(shape)
        ? [
            vectorsEnd.set(i32.sub(count.get, i32.const(VECTOR_ROWS - 1))),
            whileLoop(i32.ltS(row.get, vectorsEnd.get), four()),
          ]
        : []),
      whileLoop(i32.ltU(row.get, count.get), [setSource(0), ...one(storeKeys(keeping, source))]),
      ...storeWindows(keeping, rows, count),
    ]
    return [...keeping.setup, ...body, sequence()]
  })
}

/** Whether keys are two to four words, each of which is a part that is never null: then four keys are stored at once. */
function areVectors({ keys }: WindowShape): boolean {
  const { parts, stride } = keys
  const areWords = parts.every(({ storage, width, nullBit }) => width === 1 && storage !== "bit" && nullBit === 0)
  return areWords && stride > 1 && stride <= VECTOR_ROWS
}

/** Stores the keys of the rows that were at four places: as many vectors, turned. */
function storeFourKeys(keeping: Emitting, sources: readonly Local<"i32">[]): Code<"none">[] {
  const { scope, shape, row } = keeping
  const { parts, stride } = shape.keys
  const keys = sources.map(() => scope.local("v128"))
  const [low, high] = [
    [scope.local("v128"), scope.local("v128")] as const,
    [scope.local("v128"), scope.local("v128")] as const,
  ]
  // A block of memory has a power of two of bytes, so behind the last key of three words there is room for one more.
  const load = stride === 2 ? v128.load64Zero : v128.load
  const both = ([one, other]: readonly [Local<"v128">, Local<"v128">], lanes: readonly number[]) =>
    i8x16.shuffle(one.get, other.get, lanes)
  const pairs = (lanes: readonly number[], [one, other]: readonly [Local<"v128">, Local<"v128">]) => [
    one.set(i8x16.shuffle(keys[0]!.get, keys[1]!.get, lanes)),
    other.set(i8x16.shuffle(keys[2]!.get, keys[3]!.get, lanes)),
  ]
  const words = [both(low, LOW_PAIRS), both(low, HIGH_PAIRS), both(high, LOW_PAIRS), both(high, HIGH_PAIRS)]
  return [
    ...keys.map((key, place) => key.set(load(keyAddress(keeping, sources[place]!)))),
    ...pairs(LOW_WORDS, low),
    ...(stride > 2 ? pairs(HIGH_WORDS, high) : []),
    ...parts.map(({ at }, index) => {
      const base = loadControl(keeping, shape.control.keyValues(index))
      return v128.store(itemAddress(base.get, row.get, 2), words[at]!)
    }),
  ]
}

/** Where the words lie of the key of the row that was at `source`. */
function keyAddress(keeping: Emitting, source: Local<"i32">): Code<"i32"> {
  const ids = loadControl(keeping, CONTROL.resultIds)
  const words = loadControl(keeping, CONTROL.keyWords)
  const id = i32.load(itemAddress(ids.get, source.get, 2))
  return i32.add(words.get, i32.mul(id, i32.const(keeping.shape.keys.stride * 4)))
}

/** Stores the key of the row that was at `source`. */
function storeKeys(keeping: Emitting, source: Local<"i32">): Code<"none">[] {
  const { scope, shape } = keeping
  const key = scope.local("i32")
  return [
    key.set(keyAddress(keeping, source)),
    ...shape.keys.parts.flatMap((part, index) => [
      storeKey(keeping, part, index, i32.load(key.get, part.at * 4), i64.load(key.get, part.at * 4)),
      ...(part.nullBit === 0 ? [] : [storeNull(keeping, part, index, i32.load(key.get))]),
    ]),
  ]
}

/** Moves a leaf of a result from the row at `source` to the row at hand. */
function moveResult(keeping: Emitting, { type }: ResultLeaf, index: number, source: Local<"i32">): Code<"none">[] {
  const { row, shape } = keeping
  const base = loadControl(keeping, shape.control.resultValues(index))
  const moveBit = (bitmap: Local<"i32">) => storeBit(bitmap, row, bitOf(bitmap.get, source))
  const item = (place: Local<"i32">, shift: 2 | 3) => itemAddress(base.get, place.get, shift)
  const moved: Code<"none">[] = []
  // Of a struct there is only whether it is null.
  if (type.storage === "bit") moved.push(moveBit(base))
  else if (type.storage === "int32" || type.storage === "dictionary") {
    moved.push(i32.store(item(row, 2), i32.load(item(source, 2))))
  } else if (type.storage !== "struct") moved.push(i64.store(item(row, 3), i64.load(item(source, 3))))
  if (type.isNullable) {
    const bitmap = loadControl(keeping, shape.control.resultValidity(index))
    moved.push(when(bitmap.get, [moveBit(bitmap)]))
  }
  return moved
}

/** Stores the windows of the rows that are kept, run by run. */
function storeWindows(keeping: Emitting, rows: Local<"i32">, count: Local<"i32">): Code<"none">[] {
  const { scope, control } = keeping
  const [at, from, kept, rowEnd, run] = [
    scope.local("i32"),
    scope.local("i32"),
    scope.local("i32"),
    scope.local("i32"),
    scope.local("i32"),
  ]
  const windowEnd = scope.local("i64")
  const starts = loadControl(keeping, CONTROL.windowStarts)
  const ends = loadControl(keeping, CONTROL.windowEnds)
  const rowAt = (place: number) => i32.load(itemAddress(rows.get, at.get, 2), place * 4)
  const isInRun = i32.ltU(rowAt(0), rowEnd.get)
  const isBlockInRun = i32.ltU(rowAt(BLOCK - 1), rowEnd.get)
  const fill = (base: Local<"i32">, value: Code<"i64">) =>
    fillItems(scope, itemAddress(base.get, from.get, 3), kept, value)
  return [
    run.set(i32.load(control.get, CONTROL.resultRuns)),
    whileLoop(i32.ltU(at.get, count.get), [
      rowEnd.set(i32.load(run.get)),
      from.set(at.get),
      whileLoop(i32.and(i32.leU(i32.add(at.get, i32.const(BLOCK)), count.get), isBlockInRun), [increment(at, BLOCK)]),
      whileLoop(i32.and(i32.ltU(at.get, count.get), isInRun), [increment(at)]),
      kept.set(i32.sub(at.get, from.get)),
      windowEnd.set(i64.load(run.get, 8)),
      ...fill(starts, i64.sub(windowEnd.get, i64.load(control.get, CONTROL.size))),
      ...fill(ends, windowEnd.get),
      increment(run, 16),
    ]),
  ]
}
