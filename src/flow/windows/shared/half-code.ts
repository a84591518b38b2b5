/**
 * Code that finds of which entries a window is made: those of two halves. See `merged-runs.ts` for the runs that halves are
 * made of.
 *
 * A window's *middle* is the slice of the grid in it whose number the greatest power of two divides. The *earlier half*,
 * before the middle, is added up from its last run to its first, and the *later half*, from the middle on, from its first run to its
 * last; their runs are the longest that lie there. So halves of windows that start or end near each other are made of each other:
 * where one is known that ends at the same middle and starts a run later, one run is merged before it, and where one is known that
 * starts at the same middle and ends a run earlier, one is merged behind it. (A disjoint sparse table, made where it is asked for;
 * SlideSide, Theodorakis et al., EDBT 2020, shares between windows that end together in the same way.)
 *
 * Halves are kept in a table of as many places, each of which has the half that was asked for last of those that belong
 * there. Their entries lie before those of runs. When there is no room, all are forgotten. A record has 32 bytes:
 *
 *      0  1: an earlier half, 2: a later one, 0: the place is free     4  first entry     8  how many entries
 *     16  number of the first slice (8 bytes)                         24  number of the slice behind the last (8 bytes)
 */
import {
  block,
  branch,
  branchIf,
  call,
  i32,
  i64,
  loop,
  returns,
  sequence,
  when,
  whileLoop,
  type Code,
  type Local,
} from "../../../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../../base/wasm-module.ts"
import { increment } from "../kernels/code-places.ts"
import { RANGE_BYTES, writeMerge } from "./merge-code.ts"
import { LEVEL_MAX, NO_ROOM, noteFirstNumber, runBits, RUNS } from "./run-code.ts"
import type { WindowShape } from "../kernels/window-shape.ts"

/** Offsets of a half's record. */
const HALF = { kind: 0, from: 4, size: 8, start: 16, end: 24 } as const

export const HALF_BYTES = 32

/** How many places the table has: a power of two. */
export const HALVES = 256

/** Which half a function is for. */
interface HalfKind {
  readonly name: "earlierHalf" | "laterHalf"
  readonly kind: 1 | 2
  /** Merges a half's runs, of which the one next to the middle comes first. */
  readonly merge: "mergeRunsBefore" | "mergeRuns"
}

const EARLIER: HalfKind = { name: "earlierHalf", kind: 1, merge: "mergeRunsBefore" }
const LATER: HalfKind = { name: "laterHalf", kind: 2, merge: "mergeRuns" }

/**
 * Writes `lookUpHalves(runs, first, end) → bytes`, and what it calls but for what `writeRuns` writes: the ranges of the halves of
 * the slices from `first` to before `end`, of which there is one at least, are written where `halves` of the control block says; -1 where there was no room.
 */
export function writeHalves(module: WasmModule, shape: WindowShape): void {
  writeMerge(module, shape, "mergeRunsBefore", true)
  writeHalf(module, EARLIER)
  writeHalf(module, LATER)
  const parameters = { runs: "i32", first: "i64", end: "i64" } as const
  module.function("lookUpHalves", { parameters, result: "i32" }, ({ runs, first, end }, scope) => {
    const [at, middle, bits] = [scope.local("i32"), scope.local("i64"), scope.local("i64")]
    const half = ({ name }: HalfKind, from: Local<"i64">, until: Local<"i64">) => [
      at.set(call("i32", name, runs.get, from.get, until.get, at.get)),
      when(i32.eqz(at.get), [returns(i32.const(NO_ROOM))]),
    ]
    const [beforeFirst, last] = [i64.sub(first.get, i64.const(1n)), i64.sub(end.get, i64.const(1n))]
    return [
      ...noteFirstNumber(runs, scope),
      i32.store(runs.get, i32.const(0), RUNS.wanted),
      ...reserveHalves(runs, scope),
      // Behind the bits that the number before the first and the last have in common comes the one that tells the middle.
      bits.set(i64.sub(i64.const(63n), i64.clz(i64.xor(beforeFirst, last)))),
      middle.set(i64.shl(i64.shrS(last, bits.get), bits.get)),
      at.set(i32.load(runs.get, RUNS.halves)),
      ...half(EARLIER, first, middle),
      ...half(LATER, middle, end),
      i32.sub(at.get, i32.load(runs.get, RUNS.halves)),
    ]
  })
}

/** Sees to it that there is room for the entries of two halves. */
function reserveHalves(runs: Local<"i32">, scope: FunctionScope): Code<"none">[] {
  const [needed, room, record] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
  const table = i32.load(runs.get, RUNS.halfTable)
  return [
    needed.set(i32.shl(i32.load(runs.get, RUNS.keyCount), i32.const(1))),
    room.set(i32.load(runs.get, RUNS.halfRoom)),
    when(i32.ltU(i32.sub(room.get, i32.load(runs.get, RUNS.halfTail)), needed.get), [
      when(i32.ltU(room.get, needed.get), [returns(i32.const(NO_ROOM))]),
      record.set(table),
      whileLoop(i32.ltU(record.get, i32.add(table, i32.const(HALVES * HALF_BYTES))), [
        i32.store(record.get, i32.const(0), HALF.kind),
        increment(record, HALF_BYTES),
      ]),
      i32.store(runs.get, i32.const(0), RUNS.halfTail),
    ]),
  ]
}

/** `earlierHalf` and `laterHalf(runs, start, end, at) → at` behind the half's range, if it has entries; 0 where there is no room. */
function writeHalf(module: WasmModule, half: HalfKind): void {
  const parameters = { runs: "i32", start: "i64", end: "i64", at: "i32" } as const
  module.function(half.name, { parameters, result: "i32" }, ({ runs, start, end, at }, scope) => {
    const isEarlier = half.kind === EARLIER.kind
    const [begin, middle] = isEarlier ? [start, end] : [end, start]
    const [cursor, record, top] = [scope.local("i64"), scope.local("i32"), scope.local("i32")]
    const bounds = isEarlier ? { start: cursor, end: middle } : { start: middle, end: cursor }
    const partsEnd = i32.load(runs.get, RUNS.halfPartsEnd)
    const isOne = i32.eq(i32.add(top.get, i32.const(RANGE_BYTES)), partsEnd)
    return [
      cursor.set(begin.get),
      top.set(partsEnd),
      // Runs from the far end to the middle, or to a half that is known: their ranges are written from the last place to the first.
      block((done) => [
        loop((again) => [
          branchIf(done, i64.eq(cursor.get, middle.get)),
          record.set(recordOf(half, runs, bounds)),
          when(isHalf(half, record, bounds), [
            increment(top, -RANGE_BYTES),
            ...writeRange(top, i32.load(record.get, HALF.from), i32.load(record.get, HALF.size)),
            branch(done),
          ]),
          ...appendRun({ runs, cursor, middle, top, isEarlier }, scope),
          branch(again),
        ]),
      ]),
      when(i32.eq(top.get, partsEnd), [returns(at.get)]),
      when(
        isOne,
        [0, 4, 8].map((word) => i32.store(at.get, i32.load(top.get, word), word)),
        keepHalf(half, { runs, start, end, at, top }, scope),
      ),
      i32.add(at.get, i32.const(RANGE_BYTES)),
    ]
  })
}

/** Writes the range of the longest run at the cursor on its way to the middle, and moves the cursor behind it. */
function appendRun(
  parts: {
    readonly runs: Local<"i32">
    readonly cursor: Local<"i64">
    readonly middle: Local<"i64">
    readonly top: Local<"i32">
    readonly isEarlier: boolean
  },
  scope: FunctionScope,
): Code<"none">[] {
  const { runs, cursor, middle, top, isEarlier } = parts
  const [level, length, behind] = [scope.local("i32"), scope.local("i64"), scope.local("i32")]
  const longer = i64.shl(length.get, i64.const(2n))
  const onward = (by: Code<"i64">) => (isEarlier ? i64.add(cursor.get, by) : i64.sub(cursor.get, by))
  const isAligned = i64.eqz(i64.and(cursor.get, i64.sub(longer, i64.const(1n))))
  const fits = isEarlier ? i64.leS(onward(longer), middle.get) : i64.geS(onward(longer), middle.get)
  const isLonger = i32.and(i32.and(isAligned, fits), i32.ltU(level.get, i32.const(LEVEL_MAX)))
  const start = isEarlier ? cursor.get : onward(length.get)
  const number = i64.shrS(start, runBits(level))
  return [
    level.set(i32.const(0)),
    length.set(i64.const(1n)),
    whileLoop(isLonger, [increment(level), length.set(longer)]),
    behind.set(call("i32", "append", runs.get, i32.sub(top.get, i32.const(RANGE_BYTES)), level.get, number)),
    when(i32.eqz(behind.get), [returns(i32.const(0))]),
    // A run without records has no range.
    when(i32.eq(behind.get, top.get), [increment(top, -RANGE_BYTES)]),
    cursor.set(onward(length.get)),
  ]
}

/** Merges the ranges from `top` on, and keeps what they come to as a half. */
function keepHalf(
  half: HalfKind,
  parts: {
    readonly runs: Local<"i32">
    readonly start: Local<"i64">
    readonly end: Local<"i64">
    readonly at: Local<"i32">
    readonly top: Local<"i32">
  },
  scope: FunctionScope,
): Code<"none">[] {
  const { runs, start, end, at, top } = parts
  const [from, tail, record] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
  const stored = [RUNS.runEntries, RUNS.sliceEntries, RUNS.runEntries].map((table) => i32.load(runs.get, table))
  const ranges = [top.get, i32.load(runs.get, RUNS.halfPartsEnd)]
  return [
    from.set(i32.load(runs.get, RUNS.halfTail)),
    tail.set(call("i32", half.merge, ...stored, ...ranges, i32.load(runs.get, RUNS.slots), from.get, from.get)),
    i32.store(runs.get, tail.get, RUNS.halfTail),
    record.set(recordOf(half, runs, { start, end })),
    i32.store(record.get, i32.const(half.kind), HALF.kind),
    i32.store(record.get, from.get, HALF.from),
    i32.store(record.get, i32.sub(tail.get, from.get), HALF.size),
    i64.store(record.get, start.get, HALF.start),
    i64.store(record.get, end.get, HALF.end),
    ...writeRange(at, from.get, i32.sub(tail.get, from.get)),
    sequence(),
  ]
}

interface Bounds {
  readonly start: Local<"i64">
  readonly end: Local<"i64">
}

/** Where the record of a half is, if it is known. */
function recordOf({ kind }: HalfKind, runs: Local<"i32">, { start, end }: Bounds): Code<"i32"> {
  const mixed = i64.mul(
    i64.add(i64.mul(start.get, i64.const(0x9e3779b97f4a7c15n)), i64.add(end.get, i64.const(BigInt(kind) << 32n))),
    i64.const(0xbf58476d1ce4e5b9n),
  )
  const place = i32.and(i32.wrap(i64.shrU(mixed, i64.const(40n))), i32.const(HALVES - 1))
  return i32.add(i32.load(runs.get, RUNS.halfTable), i32.mul(place, i32.const(HALF_BYTES)))
}

function isHalf({ kind }: HalfKind, record: Local<"i32">, { start, end }: Bounds): Code<"i32"> {
  const isSame = (offset: number, number: Local<"i64">) => i64.eq(i64.load(record.get, offset), number.get)
  const isKind = i32.eq(i32.load(record.get, HALF.kind), i32.const(kind))
  return i32.and(isKind, i32.and(isSame(HALF.start, start), isSame(HALF.end, end)))
}

function writeRange(at: Local<"i32">, from: Code<"i32">, size: Code<"i32">): Code<"none">[] {
  return [i32.store(at.get, i32.const(1)), i32.store(at.get, from, 4), i32.store(at.get, i32.add(from, size), 8)]
}
