/**
 * Code that finds of which entries a stretch of the grid is made, and merges runs of slices where they are missing. See
 * `merged-runs.ts` for what runs are.
 *
 * Runs lie in a table by level and number: open addressing, no run is ever taken out by itself. Offsets of the control
 * block, in bytes, fields of 4 bytes unless said:
 *
 *      0  control block of the slices' operator     20  entries of runs in use
 *      4  ranges that are looked up: address        24  entries of runs: capacity
 *      8  table: address                            28  slots for merging: address
 *     12  places of the table, less one             32  where slices' entries lie: address of a table
 *     16  runs in the table                         36  where runs' entries lie: the same
 *     40  four ranges of a run that is made         44  entries that there was no room for
 *     48  number of the first slice (8 bytes)      56  room for the ranges of two halves: address (see `half-code.ts`)
 *     60  room for ranges of a half's runs: its end
 *     64  table of halves: address                 72  entries that there is room for before those of runs, for halves
 *     68  entries of halves in use                 76  how many keys there are
 *
 * and of a run's record of 32 bytes:
 *
 *      0  number within its level (8 bytes)          8  level; 0: the place is free     12  first entry
 *     16  entries; −1: it is the one slice at 24    24  number of a slice (8 bytes)
 */
import type { LinearMemory } from "../../../base/linear-memory.ts"
import { compiledModule } from "../../../expr/compiled-module.ts"
import {
  block,
  branchIf,
  call,
  i32,
  i64,
  loop,
  branch,
  returns,
  when,
  whileLoop,
  type Code,
  type Local,
} from "../../../base/wasm-code.ts"
import { WasmModule, type FunctionScope } from "../../../base/wasm-module.ts"
import { increment, itemAddress } from "../kernels/code-places.ts"
import { RANGE_BYTES, writeMerge } from "./merge-code.ts"
import { CONTROL, PIECE } from "../kernels/window-control.ts"
import type { WindowShape } from "../kernels/window-shape.ts"

/** Offsets of the control block. */
export const RUNS = {
  store: 0,
  ranges: 4,
  table: 8,
  tableMask: 12,
  runCount: 16,
  tail: 20,
  capacity: 24,
  slots: 28,
  sliceEntries: 32,
  runEntries: 36,
  parts: 40,
  wanted: 44,
  firstNumber: 48,
  halves: 56,
  halfPartsEnd: 60,
  halfTable: 64,
  halfTail: 68,
  halfRoom: 72,
  keyCount: 76,
} as const

export const RUNS_BYTES = 80

/** Offsets of a run's record. */
export const RUN = { number: 0, level: 8, from: 12, size: 16, slice: 24 } as const

export const RUN_BYTES = 32

/** A run of level j has 4ʲ slices. */
export const LEVEL_MAX = 15
const ONE_SLICE = -1
/** What lookups give where there was no room. */
export const NO_ROOM = -1

/** The generated functions. `runs` is the address of the control block. */
export interface RunFunctions {
  /**
   * Writes the ranges of entries that `count` slices of the grid from number `first` on are made of, and gives how many bytes
   * they take; -1 where there was no room for a run that was missing, or for its entries.
   */
  readonly lookUp: (runs: number, first: number, count: number) => number
}

/** The functions, working on `memory`. The shape is that of the slices. */
export function runFunctions(shape: WindowShape, memory: LinearMemory): RunFunctions {
  return compiledModule(`runs ${shape.key}`, () => {
    const module = new WasmModule()
    writeRuns(module, shape)
    return module
  }).instantiate<RunFunctions>(memory)
}

/** Writes `lookUp(runs, first, count)` and what it calls. */
export function writeRuns(module: WasmModule, shape: WindowShape): void {
  writeMerge(module, shape, "mergeRuns", false)
  writePlaceOf(module)
  writeRunAt(module)
  writeMake(module)
  writeAppend(module)
  writeLookUp(module)
}

/** What is read of the slices. */
function slicesOf(runs: Local<"i32">, scope: FunctionScope) {
  const store = scope.local("i32")
  const startOf = (place: Code<"i32">) =>
    i64.load(itemAddress(i32.load(store.get, CONTROL.pieces), place, 6), PIECE.start)
  const timeOf = (number: Code<"i64">) =>
    i64.add(i64.load(store.get, CONTROL.offset), i64.mul(number, i64.load(store.get, CONTROL.slide)))
  const tail = i32.load(store.get, CONTROL.tail)
  return {
    store,
    setup: store.set(i32.load(runs.get, RUNS.store)),
    tail,
    startOf,
    timeOf,
    /** Whether the slice at a place has records and starts before a time. */
    startsBefore: (place: Code<"i32">, time: Local<"i64">) =>
      i32.and(i32.ltU(place, tail), i64.ltS(startOf(place), time.get)),
  }
}

/** `placeOf(runs, number) → place` of the first slice with records of that number or a greater one. */
function writePlaceOf(module: WasmModule): void {
  const parameters = { runs: "i32", number: "i64" } as const
  module.function("placeOf", { parameters, result: "i32" }, ({ runs, number }, scope) => {
    const { store, setup, tail, startOf, timeOf } = slicesOf(runs, scope)
    const [time, guess] = [scope.local("i64"), scope.local("i64")]
    const [low, high, middle] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const last = i64.extendU(i32.sub(high.get, low.get))
    return [
      setup,
      time.set(timeOf(number.get)),
      low.set(i32.load(store.get, CONTROL.head)),
      high.set(tail),
      // Where no slice is missing, its place is known.
      guess.set(i64.sub(number.get, i64.load(runs.get, RUNS.firstNumber))),
      when(i64.ltU(guess.get, last), [
        middle.set(i32.add(low.get, i32.wrap(guess.get))),
        when(i64.eq(startOf(middle.get), time.get), [returns(middle.get)]),
      ]),
      whileLoop(i32.ltU(low.get, high.get), [
        middle.set(i32.shrU(i32.add(low.get, high.get), i32.const(1))),
        when(
          i64.ltS(startOf(middle.get), time.get),
          [low.set(i32.add(middle.get, i32.const(1)))],
          [high.set(middle.get)],
        ),
      ]),
      low.get,
    ]
  })
}

/** Code that goes through the places where a run of the level and number may be. */
function probing(
  given: { readonly runs: Local<"i32">; readonly level: Local<"i32">; readonly number: Local<"i64"> },
  scope: FunctionScope,
) {
  const { runs, level, number } = given
  const [place, record] = [scope.local("i32"), scope.local("i32")]
  const mask = i32.load(runs.get, RUNS.tableMask)
  const mixed = i64.mul(i64.add(number.get, i64.extendU(level.get)), i64.const(0x9e3779b97f4a7c15n))
  const find = i32.add(i32.load(runs.get, RUNS.table), i32.mul(i32.and(place.get, mask), i32.const(RUN_BYTES)))
  return {
    record,
    begin: place.set(i32.wrap(i64.shrU(mixed, i64.const(32n)))),
    find: record.set(find),
    next: increment(place),
    isFree: i32.eqz(i32.load(record.get, RUN.level)),
    isFound: i32.and(
      i32.eq(i32.load(record.get, RUN.level), level.get),
      i64.eq(i64.load(record.get, RUN.number), number.get),
    ),
  }
}

/** `runAt(runs, level, number) → record`: made where it is missing; 0 where there is no room. */
function writeRunAt(module: WasmModule): void {
  const parameters = { runs: "i32", level: "i32", number: "i64" } as const
  module.function("runAt", { parameters, result: "i32" }, (given, scope) => {
    const { record, begin, find, next, isFree, isFound } = probing(given, scope)
    return [
      begin,
      block((missing) => [
        loop((again) => [find, branchIf(missing, isFree), when(isFound, [returns(record.get)]), next, branch(again)]),
      ]),
      call("i32", "makeRun", given.runs.get, given.level.get, given.number.get),
    ]
  })
}

/** `makeRun(runs, level, number) → record` of a run that is not in the table; 0 where there is no room. */
function writeMake(module: WasmModule): void {
  const parameters = { runs: "i32", level: "i32", number: "i64" } as const
  module.function("makeRun", { parameters, result: "i32" }, (given, scope) => {
    const { runs, level, number } = given
    const { store, setup, startOf, timeOf, startsBefore } = slicesOf(runs, scope)
    const { record, begin, find, next, isFree } = probing(given, scope)
    const [place, size, from] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const [end, slice] = [scope.local("i64"), scope.local("i64")]
    const bits = runBits(level)
    const first = i64.shl(number.get, bits)
    const offset = i64.load(store.get, CONTROL.offset)
    const count = i32.load(runs.get, RUNS.runCount)
    return [
      setup,
      when(i32.gtU(i32.shl(i32.add(count, i32.const(1)), i32.const(1)), i32.load(runs.get, RUNS.tableMask)), [
        returns(i32.const(0)),
      ]),
      place.set(call("i32", "placeOf", runs.get, first)),
      end.set(timeOf(i64.shl(i64.add(number.get, i64.const(1n)), bits))),
      from.set(i32.load(runs.get, RUNS.tail)),
      when(startsBefore(place.get, end), [
        when(startsBefore(i32.add(place.get, i32.const(1)), end), mergeParts(given, { size, from }, scope), [
          size.set(i32.const(ONE_SLICE)),
          slice.set(i64.divS(i64.sub(startOf(place.get), offset), i64.load(store.get, CONTROL.slide))),
        ]),
      ]),
      begin,
      block((free) => [loop((again) => [find, branchIf(free, isFree), next, branch(again)])]),
      i64.store(record.get, number.get, RUN.number),
      i32.store(record.get, level.get, RUN.level),
      i32.store(record.get, from.get, RUN.from),
      i32.store(record.get, size.get, RUN.size),
      i64.store(record.get, slice.get, RUN.slice),
      i32.store(runs.get, i32.add(count, i32.const(1)), RUNS.runCount),
      record.get,
    ]
  })
}

/** Merges the four runs, or slices, that a run is made of, and sets its entries. */
function mergeParts(
  { runs, level, number }: { readonly runs: Local<"i32">; readonly level: Local<"i32">; readonly number: Local<"i64"> },
  { size, from }: { readonly size: Local<"i32">; readonly from: Local<"i32"> },
  scope: FunctionScope,
): Code<"none">[] {
  const [below, at, end] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
  const tail = scope.local("i32")
  const [part, until] = [scope.local("i64"), scope.local("i64")]
  const parts = i32.load(runs.get, RUNS.parts)
  const forEachPart = (body: readonly Code<"none">[]) => [
    part.set(i64.shl(number.get, i64.const(2n))),
    until.set(i64.add(part.get, i64.const(4n))),
    whileLoop(i64.ltS(part.get, until.get), [...body, part.set(i64.add(part.get, i64.const(1n)))]),
  ]
  const noRoom = returns(i32.const(0))
  return [
    below.set(i32.sub(level.get, i32.const(1))),
    // All are made before the first is looked at, as they use the same room for ranges.
    when(below.get, forEachPart([when(i32.eqz(call("i32", "runAt", runs.get, below.get, part.get)), [noRoom])])),
    end.set(parts),
    ...forEachPart([end.set(call("i32", "append", runs.get, end.get, below.get, part.get))]),
    at.set(parts),
    whileLoop(i32.ltU(at.get, end.get), [
      size.set(i32.add(size.get, i32.sub(i32.load(at.get, 8), i32.load(at.get, 4)))),
      increment(at, RANGE_BYTES),
    ]),
    from.set(i32.load(runs.get, RUNS.tail)),
    i32.store(runs.get, size.get, RUNS.wanted),
    when(i32.gtU(size.get, i32.sub(i32.load(runs.get, RUNS.capacity), from.get)), [noRoom]),
    tail.set(
      call(
        "i32",
        "mergeRuns",
        i32.load(runs.get, RUNS.runEntries),
        i32.load(runs.get, RUNS.sliceEntries),
        i32.load(runs.get, RUNS.runEntries),
        parts,
        end.get,
        i32.load(runs.get, RUNS.slots),
        from.get,
        from.get,
      ),
    ),
    i32.store(runs.get, tail.get, RUNS.tail),
    size.set(i32.sub(tail.get, from.get)),
  ]
}

/** `append(runs, at, level, number) → at` behind the range of a run, or of a slice, that was written; 0 where there is no room. */
function writeAppend(module: WasmModule): void {
  const parameters = { runs: "i32", at: "i32", level: "i32", number: "i64" } as const
  module.function("append", { parameters, result: "i32" }, ({ runs, at, level, number }, scope) => {
    const { store, setup, tail, startOf, timeOf } = slicesOf(runs, scope)
    const [record, place, piece] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const size = i32.load(record.get, RUN.size)
    const isThere = i32.and(i32.ltU(place.get, tail), i64.eq(startOf(place.get), timeOf(number.get)))
    const writeRange = (isRun: 0 | 1, from: Code<"i32">, entries: Code<"i32">) => [
      i32.store(at.get, i32.const(isRun)),
      i32.store(at.get, from, 4),
      i32.store(at.get, i32.add(from, entries), 8),
      increment(at, RANGE_BYTES),
    ]
    return [
      setup,
      when(level.get, [
        record.set(call("i32", "runAt", runs.get, level.get, number.get)),
        when(i32.eqz(record.get), [returns(i32.const(0))]),
        when(i32.ne(size, i32.const(ONE_SLICE)), [
          when(size, writeRange(1, i32.load(record.get, RUN.from), size)),
          returns(at.get),
        ]),
        number.set(i64.load(record.get, RUN.slice)),
      ]),
      place.set(call("i32", "placeOf", runs.get, number.get)),
      when(isThere, [
        piece.set(itemAddress(i32.load(store.get, CONTROL.pieces), place.get, 6)),
        ...writeRange(0, i32.load(piece.get, PIECE.from), i32.load(piece.get, PIECE.size)),
      ]),
      at.get,
    ]
  })
}

/** `lookUp`: the longest runs from the first slice on. */
function writeLookUp(module: WasmModule): void {
  const parameters = { runs: "i32", first: "f64", count: "f64" } as const
  module.function("lookUp", { parameters, result: "i32" }, ({ runs, first, count }, scope) => {
    const [number, end, length] = [scope.local("i64"), scope.local("i64"), scope.local("i64")]
    const [at, level] = [scope.local("i32"), scope.local("i32")]
    const longer = i64.shl(length.get, i64.const(2n))
    const isAligned = i64.eqz(i64.and(number.get, i64.sub(longer, i64.const(1n))))
    const fits = i64.leS(i64.add(number.get, longer), end.get)
    const isLonger = i32.and(i32.and(isAligned, fits), i32.ltU(level.get, i32.const(LEVEL_MAX)))
    return [
      ...noteFirstNumber(runs, scope),
      i32.store(runs.get, i32.const(0), RUNS.wanted),
      number.set(i64.truncSatF64S(first.get)),
      end.set(i64.add(number.get, i64.truncSatF64S(count.get))),
      at.set(i32.load(runs.get, RUNS.ranges)),
      whileLoop(i64.ltS(number.get, end.get), [
        level.set(i32.const(0)),
        length.set(i64.const(1n)),
        whileLoop(isLonger, [increment(level), length.set(longer)]),
        at.set(call("i32", "append", runs.get, at.get, level.get, i64.shrS(number.get, runBits(level)))),
        when(i32.eqz(at.get), [returns(i32.const(NO_ROOM))]),
        number.set(i64.add(number.get, length.get)),
      ]),
      i32.sub(at.get, i32.load(runs.get, RUNS.ranges)),
    ]
  })
}

/** Takes note of the number of the first slice, by which the others' places are found. */
export function noteFirstNumber(runs: Local<"i32">, scope: FunctionScope): Code<"none">[] {
  const { store, setup, tail, startOf } = slicesOf(runs, scope)
  const head = i32.load(store.get, CONTROL.head)
  const untilHead = i64.sub(startOf(head), i64.load(store.get, CONTROL.offset))
  return [
    setup,
    when(i32.ltU(head, tail), [
      i64.store(runs.get, i64.divS(untilHead, i64.load(store.get, CONTROL.slide)), RUNS.firstNumber),
    ]),
  ]
}

/** By how many bits the number of a slice is longer than that of its run of a level. */
export function runBits(level: Local<"i32">): Code<"i64"> {
  return i64.extendU(i32.shl(level.get, i32.const(1)))
}
