/**
 * Code that makes windows' rows at once of slices that are shared. See `direct-rows.ts` for what is gathered where.
 *
 * Offsets of the control block, in bytes, fields of 4 bytes unless said:
 *
 *      0  control block of the runs                   20  control block of the rows' memory
 *      4  where slices' entries lie: a table          24  why no more windows were fired
 *      8  where runs' entries lie: a table            28  rows of the window that was gathered last
 *     12  where the windows' entries lie: a table     32  end of the last window that had rows (8 bytes, a double)
 *     16  slots for merging those                     40  windows by when they are due: a heap (`due-heap.ts`)
 *     44  how many they are                           48  where is told what windows are like
 *
 * and of what is told of windows, of 8 bytes each:
 *
 *      0  how long a window is, in steps of the grid      16  how far windows start behind each other: a double
 *      8  in microseconds                                 24  the end of the first window that has not fired: a double
 */
import type { LinearMemory } from "../../../base/linear-memory.ts"
import { compiledModule } from "../../../expr/compiled-module.ts"
import {
  block,
  branch,
  branchIf,
  call,
  f64,
  i32,
  i64,
  loop,
  returns,
  when,
  type Code,
} from "../../../base/wasm-code.ts"
import { WasmModule } from "../../../base/wasm-module.ts"
import { writeEmitEntries } from "../kernels/emit-code.ts"
import { DUE, writePostponeFirst } from "./due-code.ts"
import { writeHalves } from "./half-code.ts"
import { writeMerge } from "./merge-code.ts"
import { NO_ROOM, RUNS, writeRuns } from "./run-code.ts"
import { CONTROL } from "../kernels/window-control.ts"
import type { WindowShape } from "../kernels/window-shape.ts"

/** Offsets of the control block. */
export const DIRECT = {
  runs: 0,
  sliceEntries: 4,
  runEntries: 8,
  entries: 12,
  slots: 16,
  memory: 20,
  reason: 24,
  count: 28,
  lastEnd: 32,
  due: 40,
  dueCount: 44,
  windows: 48,
} as const

export const DIRECT_BYTES = 56

/** Offsets of what is told of windows. */
export const DIRECT_WINDOW = { steps: 0, size: 8, slide: 16, floorEnd: 24 } as const

export const DIRECT_WINDOW_BYTES = 32

/** Why no more windows were fired. */
export const REASON = {
  /** No more are due. */
  due: 0,
  /** The last one had no records. */
  empty: 1,
  /** There was no room for runs. */
  runs: 2,
  /** The next one has been gathered, but there is no room for its rows. */
  rows: 3,
} as const

/** The generated functions. `direct` is the address of the control block, `window` where is told what windows are like. */
export interface DirectFunctions {
  /**
   * Gathers the entries of the window that ends at `end`, a moment of the grid, and gives how many rows it has; -1 where there
   * was no room for runs. Behind them come ranges of slices' entries from `late` to before `lateEnd`.
   */
  readonly gather: (direct: number, window: number, end: number, late: number, lateEnd: number) => number
  /**
   * Fires windows from the first that has not fired to the last that ends at `lastDueEnd` or earlier, storing rows from `to` on
   * and below `capacity`; gives where they end. Where it stops before, the control block says why.
   */
  readonly fireDue: (direct: number, window: number, lastDueEnd: number, to: number, capacity: number) => number
  /**
   * Does the same for those windows of the heap that are due first, from row 0 on. Where all of them that were due have fired,
   * they are put where they belong in the heap.
   */
  readonly fireFirst: (direct: number, lastDueEnd: number, capacity: number) => number
  /** Takes note that the windows that were due first in a heap of so many are now due at `end`. */
  readonly postponeFirst: (heap: number, count: number, end: number) => void
  /** Stores rows of the window that was gathered; see `window-code.ts`. */
  readonly emitEntries: (control: number, to: number, count: number, end: number, from: number) => void
}

/** The functions, working on `memory`. `stored` is the shape of the slices. */
export function directFunctions(stored: WindowShape, shape: WindowShape, memory: LinearMemory): DirectFunctions {
  return compiledModule(`direct ${stored.key} ${shape.key}`, () => {
    const module = new WasmModule()
    writeRuns(module, stored)
    writeHalves(module, stored)
    writeMerge(module, shape, "merge", false)
    writeEmitEntries(module, shape)
    writeGather(module)
    writeFireDue(module)
    writePostponeFirst(module)
    writeFireFirst(module)
    return module
  }).instantiate<DirectFunctions>(memory)
}

function writeGather(module: WasmModule): void {
  const parameters = { direct: "i32", window: "i32", end: "f64", late: "i32", lateEnd: "i32" } as const
  module.function("gather", { parameters, result: "i32" }, ({ direct, window, end, late, lateEnd }, scope) => {
    const [runs, store, bytes, tail] = [scope.local("i32"), scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const endNumber = scope.local("i64")
    const micros = i64.sub(i64.truncSatF64S(end.get), i64.load(store.get, CONTROL.offset))
    const first = i64.sub(endNumber.get, i64.load(window.get, DIRECT_WINDOW.steps))
    const [target, slices, merged] = [DIRECT.entries, DIRECT.sliceEntries, DIRECT.runEntries].map((table) =>
      i32.load(direct.get, table),
    )
    const halves = i32.load(runs.get, RUNS.halves)
    const mergeRanges = (from: typeof halves, until: typeof halves) => {
      const slots = i32.load(direct.get, DIRECT.slots)
      return tail.set(call("i32", "merge", target!, slices!, merged!, from, until, slots, i32.const(0), tail.get))
    }
    return [
      runs.set(i32.load(direct.get, DIRECT.runs)),
      store.set(i32.load(runs.get, RUNS.store)),
      endNumber.set(i64.divS(micros, i64.load(store.get, CONTROL.slide))),
      bytes.set(call("i32", "lookUpHalves", runs.get, first, endNumber.get)),
      when(i32.eq(bytes.get, i32.const(NO_ROOM)), [returns(i32.const(NO_ROOM))]),
      i64.store(i32.load(direct.get, DIRECT.memory), i64.load(window.get, DIRECT_WINDOW.size), CONTROL.size),
      mergeRanges(halves, i32.add(halves, bytes.get)),
      mergeRanges(late.get, lateEnd.get),
      i32.store(direct.get, tail.get, DIRECT.count),
      tail.get,
    ]
  })
}

function writeFireDue(module: WasmModule): void {
  const parameters = { direct: "i32", window: "i32", lastDueEnd: "f64", to: "i32", capacity: "i32" } as const
  module.function("fireDue", { parameters, result: "i32" }, (given, scope) => {
    const { direct, window, lastDueEnd, to, capacity } = given
    const [count, reason] = [scope.local("i32"), scope.local("i32")]
    const [end, lastEnd] = [scope.local("f64"), scope.local("f64")]
    const memory = i32.load(direct.get, DIRECT.memory)
    const none = i32.const(0)
    const onward = end.set(f64.add(end.get, f64.load(window.get, DIRECT_WINDOW.slide)))
    return [
      end.set(f64.load(window.get, DIRECT_WINDOW.floorEnd)),
      block((done) => {
        const stopFor = (why: number, ...before: readonly Code<"none">[]) => [
          ...before,
          reason.set(i32.const(why)),
          branch(done),
        ]
        return [
          loop((again) => [
            branchIf(done, f64.gt(end.get, lastDueEnd.get)),
            count.set(call("i32", "gather", direct.get, window.get, end.get, none, none)),
            when(i32.eq(count.get, i32.const(NO_ROOM)), stopFor(REASON.runs)),
            when(i32.eqz(count.get), stopFor(REASON.empty, onward)),
            when(i32.gtU(count.get, i32.sub(capacity.get, to.get)), stopFor(REASON.rows)),
            call("none", "emitEntries", memory, to.get, count.get, end.get, none),
            to.set(i32.add(to.get, count.get)),
            lastEnd.set(end.get),
            onward,
            branch(again),
          ]),
        ]
      }),
      i32.store(direct.get, reason.get, DIRECT.reason),
      f64.store(window.get, end.get, DIRECT_WINDOW.floorEnd),
      f64.store(direct.get, lastEnd.get, DIRECT.lastEnd),
      to.get,
    ]
  })
}

function writeFireFirst(module: WasmModule): void {
  const parameters = { direct: "i32", lastDueEnd: "f64", capacity: "i32" } as const
  module.function("fireFirst", { parameters, result: "i32" }, ({ direct, lastDueEnd, capacity }, scope) => {
    const [heap, window, to] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const offset = i32.mul(i32.load(heap.get, DUE.window), i32.const(DIRECT_WINDOW_BYTES))
    const floorEnd = f64.load(window.get, DIRECT_WINDOW.floorEnd)
    const isDone = i32.eq(i32.load(direct.get, DIRECT.reason), i32.const(REASON.due))
    return [
      heap.set(i32.load(direct.get, DIRECT.due)),
      window.set(i32.add(i32.load(direct.get, DIRECT.windows), offset)),
      to.set(call("i32", "fireDue", direct.get, window.get, lastDueEnd.get, i32.const(0), capacity.get)),
      when(isDone, [call("none", "postponeFirst", heap.get, i32.load(direct.get, DIRECT.dueCount), floorEnd)]),
      to.get,
    ]
  })
}
