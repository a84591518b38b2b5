/**
 * Code that makes a window's rows at once of slices that are shared. See `direct-rows.ts` for what is gathered where.
 *
 * Offsets of the control block, in bytes, fields of 4 bytes:
 *
 *      0  control block of the runs                   28  newer list: slots, start, tail
 *      4  where slices' entries lie: a table          40  the slice at hand: slots, start
 *      8  where runs' entries lie: a table            48  range of a list: three words
 *     12  where the lists' entries lie: a table       60  first entry of the rows
 *     16  older list: slots, start, tail
 *
 * and of what is told of windows, of 8 bytes each, in steps of the grid:
 *
 *      0  how long a window is      8  how far windows start behind the grid's origin     16  how long a block is
 *     24  number of slices         32  where each of them starts, and the last ends, behind the window's start
 */
import type { LinearMemory } from "../../batch/arena.ts"
import { compiledModule } from "../../expr/compiled-module.ts"
import { call, i32, i64, returns, sequence, when, whileLoop, type Code, type Local } from "../../expr/wasm-code.ts"
import { WasmModule } from "../../expr/wasm-module.ts"
import { increment, itemAddress } from "./code-places.ts"
import { RANGE_BYTES, writeMerges } from "./merge-code.ts"
import { RUNS, writeRuns } from "./run-code.ts"
import { CONTROL } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** Offsets of the control block. */
export const DIRECT = {
  runs: 0,
  sliceEntries: 4,
  runEntries: 8,
  entries: 12,
  older: 16,
  newer: 28,
  slice: 40,
  range: 48,
  from: 60,
} as const

export const DIRECT_BYTES = 64

/** Offsets within a list. */
export const LIST = { slots: 0, start: 4, tail: 8 } as const

/** Offsets of what is told of windows. */
export const DIRECT_WINDOW = { size: 0, offset: 8, block: 16, slices: 24, edges: 32 } as const

const NO_ROOM = -1

/** The generated functions. `direct` is the address of the control block. */
export interface DirectFunctions {
  /**
   * Gathers the entries of the window that ends at `end`, a moment of the grid, and gives how many rows it has; -1 where there
   * was no room for runs. `window` is where is told what windows are like.
   */
  readonly gather: (direct: number, window: number, end: number) => number
  /** Adds a slice, or a part of one, to a list: what ranges from `ranges` to before `rangesEnd` have together. */
  readonly take: (direct: number, list: number, ranges: number, rangesEnd: number) => void
  /** Puts the lists together, gives how many rows they have, and empties them. */
  readonly finish: (direct: number) => number
}

/** The functions, working on `memory`. `stored` is the shape of the slices. */
export function directFunctions(stored: WindowShape, shape: WindowShape, memory: LinearMemory): DirectFunctions {
  return compiledModule(`direct ${stored.key} ${shape.key}`, () => {
    const module = new WasmModule()
    writeRuns(module, stored)
    writeMerges(module, shape)
    writeTake(module)
    writeFinish(module)
    writeGather(module)
    return module
  }).instantiate<DirectFunctions>(memory)
}

/** Calls one of the merging functions, for a list of new entries or of some that are there. */
function merged(
  name: "merge" | "mergeBefore",
  direct: Local<"i32">,
  sources: readonly [Code<"i32">, Code<"i32">],
  ranges: readonly [Code<"i32">, Code<"i32">],
  list: { readonly slots: Code<"i32">; readonly start: Code<"i32">; readonly tail: Code<"i32"> },
): Code<"i32"> {
  const target = i32.load(direct.get, DIRECT.entries)
  return call("i32", name, target, ...sources, ...ranges, list.slots, list.start, list.tail)
}

function writeTake(module: WasmModule): void {
  const parameters = { direct: "i32", list: "i32", ranges: "i32", rangesEnd: "i32" } as const
  module.function("take", { parameters, result: "none" }, ({ direct, list, ranges, rangesEnd }, scope) => {
    const tail = scope.local("i32")
    const address = i32.add(direct.get, list.get)
    const field = (offset: number) => i32.load(address, offset)
    const [slots, start] = [field(LIST.slots), field(LIST.start)]
    const stored = [i32.load(direct.get, DIRECT.sliceEntries), i32.load(direct.get, DIRECT.runEntries)] as const
    const own = [i32.load(direct.get, DIRECT.entries), i32.load(direct.get, DIRECT.entries)] as const
    const slice = { slots: i32.load(direct.get, DIRECT.slice), start: i32.load(direct.get, DIRECT.slice + LIST.start) }
    const range = i32.add(direct.get, i32.const(DIRECT.range))
    const add = (sources: readonly [Code<"i32">, Code<"i32">], from: Code<"i32">, end: Code<"i32">) => {
      const to = { slots, start, tail: tail.get }
      const before = merged("mergeBefore", direct, sources, [from, end], to)
      const behind = merged("merge", direct, sources, [from, end], to)
      return when(i32.eq(list.get, i32.const(DIRECT.older)), [tail.set(before)], [tail.set(behind)])
    }
    const isOneRange = i32.eq(i32.sub(rangesEnd.get, ranges.get), i32.const(RANGE_BYTES))
    const ownRanges = [ranges.get, rangesEnd.get] as const
    return [
      when(i32.ne(ranges.get, rangesEnd.get), [
        tail.set(field(LIST.tail)),
        when(
          i32.eq(tail.get, start),
          [tail.set(merged("merge", direct, stored, ownRanges, { slots, start, tail: start }))],
          [
            when(
              isOneRange,
              [add(stored, ranges.get, rangesEnd.get)],
              [
                // A slice is added up by itself before it is added to others.
                i32.store(direct.get, slice.start, DIRECT.range + 4),
                i32.store(
                  direct.get,
                  merged("merge", direct, stored, ownRanges, { ...slice, tail: slice.start }),
                  DIRECT.range + 8,
                ),
                add(own, range, i32.add(range, i32.const(RANGE_BYTES))),
              ],
            ),
          ],
        ),
        i32.store(address, tail.get, LIST.tail),
      ]),
      sequence(),
    ]
  })
}

function writeFinish(module: WasmModule): void {
  module.function("finish", { parameters: { direct: "i32" }, result: "i32" }, ({ direct }, scope) => {
    const [from, tail] = [scope.local("i32"), scope.local("i32")]
    const field = (list: number, offset: number) => i32.load(direct.get, list + offset)
    const isEmpty = (list: number) => i32.eq(field(list, LIST.tail), field(list, LIST.start))
    const range = i32.add(direct.get, i32.const(DIRECT.range))
    const entries = i32.load(direct.get, DIRECT.entries)
    const older = {
      slots: field(DIRECT.older, LIST.slots),
      start: field(DIRECT.older, LIST.start),
      tail: field(DIRECT.older, LIST.tail),
    }
    return [
      from.set(older.start),
      tail.set(older.tail),
      when(
        isEmpty(DIRECT.older),
        [from.set(field(DIRECT.newer, LIST.start)), tail.set(field(DIRECT.newer, LIST.tail))],
        [
          i32.store(direct.get, field(DIRECT.newer, LIST.start), DIRECT.range + 4),
          i32.store(direct.get, field(DIRECT.newer, LIST.tail), DIRECT.range + 8),
          tail.set(merged("merge", direct, [entries, entries], [range, i32.add(range, i32.const(RANGE_BYTES))], older)),
        ],
      ),
      i32.store(direct.get, from.get, DIRECT.from),
      ...emptyLists(direct),
      i32.sub(tail.get, from.get),
    ]
  })
}

function emptyLists(direct: Local<"i32">): Code<"none">[] {
  return [DIRECT.older, DIRECT.newer].map((list) =>
    i32.store(direct.get, i32.load(direct.get, list + LIST.start), list + LIST.tail),
  )
}

function writeGather(module: WasmModule): void {
  const parameters = { direct: "i32", window: "i32", end: "f64" } as const
  module.function("gather", { parameters, result: "i32" }, ({ direct, window, end }, scope) => {
    const [runs, store, bytes] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const [at, older] = [scope.local("i32"), scope.local("i32")]
    const [first, into, left] = [scope.local("i64"), scope.local("i64"), scope.local("i64")]
    const told = (offset: number) => i64.load(window.get, offset)
    const edgeAt = (index: Code<"i32">) => i64.load(itemAddress(window.get, index, 3), DIRECT_WINDOW.edges)
    const next = i32.add(at.get, i32.const(1))
    const count = i32.load(window.get, DIRECT_WINDOW.slices)
    const ranges = i32.load(runs.get, RUNS.ranges)
    const edge = (index: Code<"i32">) => i64.add(first.get, edgeAt(index))
    const takeSlice = (list: number) => [
      bytes.set(call("i32", "lookUpSlices", runs.get, edge(at.get), edge(next))),
      when(i32.eq(bytes.get, i32.const(NO_ROOM)), [...emptyLists(direct), returns(i32.const(NO_ROOM))]),
      call("none", "take", direct.get, i32.const(list), ranges, i32.add(ranges, bytes.get)),
    ]
    const micros = i64.sub(i64.truncSatF64S(end.get), i64.load(store.get, CONTROL.offset))
    return [
      runs.set(i32.load(direct.get, DIRECT.runs)),
      store.set(i32.load(runs.get, RUNS.store)),
      first.set(i64.sub(i64.divS(micros, i64.load(store.get, CONTROL.slide)), told(DIRECT_WINDOW.size))),
      into.set(i64.remS(i64.sub(first.get, told(DIRECT_WINDOW.offset)), told(DIRECT_WINDOW.block))),
      when(i64.ltS(into.get, i64.const(0n)), [into.set(i64.add(into.get, told(DIRECT_WINDOW.block)))]),
      // Slices that end where the older block does or before are older; where a window starts with a block none are.
      left.set(i64.sub(told(DIRECT_WINDOW.block), into.get)),
      when(i64.ne(into.get, i64.const(0n)), [
        whileLoop(i32.and(i32.ltU(older.get, count), i64.leS(edgeAt(i32.add(older.get, i32.const(1))), left.get)), [
          increment(older),
        ]),
      ]),
      at.set(older.get),
      whileLoop(i32.gtS(at.get, i32.const(0)), [increment(at, -1), ...takeSlice(DIRECT.older)]),
      at.set(older.get),
      whileLoop(i32.ltU(at.get, count), [...takeSlice(DIRECT.newer), increment(at)]),
      call("i32", "finish", direct.get),
    ]
  })
}
