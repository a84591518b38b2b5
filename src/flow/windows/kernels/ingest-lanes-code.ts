/**
 * Code that adds the rows of whole slices where keys are few: each key is a lane of vectors, and its sums stay in registers.
 *
 * A row's key is compared with all of them at once, and its value is added in the lanes that are equal; the other lanes
 * are given zeros, which change nothing. So nothing is looked up, no addition waits for memory, and no branch depends on keys.
 * A lane that has had a row counts all that come from that on, so the one that was first has counted most: from this comes the
 * order of entries.
 *
 * Whether each row had one lane of its own is found at the slice's end, from how many rows lanes have counted. Where it had
 * not, as its key is new, nothing has been stored, and the slice is added again by the general way.
 *
 * Invariants:
 * - IL1 Entries are those that adding row by row gives, in the same order and bit for bit.
 * - W13 A sum adds in order of arrival. What is subtracted is the negated value, or +0: x − (−v) is x + v, and x − (+0) is x,
 *   also where x is −0.
 */
import {
  block,
  branch,
  f64,
  f64x2,
  i32,
  i32x4,
  i64,
  i64x2,
  i8x16,
  v128,
  when,
  whileLoop,
  type Code,
  type Label,
  type Local,
} from "../../../base/wasm-code.ts"
import { increment, itemAddress, loadedFrom, loadedLongFrom, vectorOfBits } from "./code-places.ts"
import type { Keyed } from "./ingest-entry-code.ts"
import { FEW_KEYS as LANES } from "../keys/few-keys.ts"
import { HELD_BY_LANES, laneLists, lanesAt, PAIR, PAIRS, type FieldOfLanes, type LaneLayout } from "./piece-lanes.ts"
import { CONTROL, PIECE } from "./window-control.ts"

/** A round of the loop takes so many rows. */
const UNROLL = 4

/** Lanes 0 and 1 twice each, and 2 and 3: of four lanes of 4 bytes, pairs of lanes of 8. */
const DOUBLED = [
  [0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7],
  [8, 9, 10, 11, 8, 9, 10, 11, 12, 13, 14, 15, 12, 13, 14, 15],
]

/** The rows that are left: records `at` … `end − 1`, in a list or one behind the other. */
export interface LaneRows {
  readonly at: Local<"i32">
  readonly end: Local<"i32">
  /** The address of a list of rows; `undefined` where records are rows. */
  readonly list: Local<"i32"> | undefined
  /** Becomes 0 where `noteEntries` is to come. */
  readonly isNoted: Local<"i32">
}

/** A column that rows are read from: where it starts, how wide its items are as a power of two, and where the next row is. */
interface LaneColumn {
  readonly base: Local<"i32">
  readonly shift: 2 | 3
  readonly pointer: Local<"i32">
}

/** The variables of the loop. */
interface Lanes extends LaneRows {
  readonly keyed: Keyed
  readonly layout: LaneLayout
  readonly fields: readonly FieldOfLanes[]
  /** The record that is next. */
  readonly next: Local<"i32">
  readonly times: LaneColumn
  readonly keyValues: LaneColumn
  /** By field: what is added to it, where it is a sum. */
  readonly values: readonly (LaneColumn | undefined)[]
  /** The first moment behind the slice, as times stand in their column. */
  readonly sliceEnd: Local<"i64">
  readonly keys: Local<"v128">
  readonly keyPairs: readonly Local<"v128">[]
  /** By field that is a sum: a pair of lanes each. */
  readonly sums: readonly (readonly Local<"v128">[])[]
  /** By lane: less one for each of its rows; −1 where it has had one; and less one for each row from that on. */
  readonly counts: Local<"v128">
  readonly seen: Local<"v128">
  readonly since: Local<"v128">
  /** The bits of −0, which each row needs. */
  readonly sign: Local<"v128">
}

/**
 * Code that adds the rows of the last piece's slice, which has no entry yet, and goes to `added` with `at` behind them, where
 * keys are few and all of these are known; else it changes nothing. `entryOf` is left to `noteEntries`.
 */
export function addByLanes(keyed: Keyed, layout: LaneLayout, rows: LaneRows, added: Label): Code<"none">[] {
  const { adding, piece, size, isStraight } = keyed
  const { scope, setup, control } = adding
  const { fields } = layout
  const vector = () => scope.local("v128")
  const column = (offset: number, shift: 2 | 3): LaneColumn => {
    return { base: loadedFrom(control, offset, scope, setup), shift, pointer: scope.local("i32") }
  }
  const places = keyed.shape.control
  const lanes: Lanes = {
    ...rows,
    keyed,
    layout,
    fields,
    next: scope.local("i32"),
    times: column(CONTROL.times, 3),
    keyValues: column(places.lookedUp(0), 2),
    values: fields.map(({ kind, input }) => (kind === "float sum" ? column(places.inputValues(input), 3) : undefined)),
    sliceEnd: scope.local("i64"),
    keys: vector(),
    keyPairs: DOUBLED.map(vector),
    sums: fields.map(({ kind }) => (kind === "float sum" ? Array.from({ length: PAIRS }, vector) : [])),
    counts: vector(),
    seen: vector(),
    since: vector(),
    sign: vector(),
  }
  const [laneCount, capacity] = [CONTROL.laneCount, CONTROL.entryCapacity].map((offset) =>
    loadedFrom(control, offset, scope, setup),
  ) as [Local<"i32">, Local<"i32">]
  const shift = loadedLongFrom(control, CONTROL.timeShift, scope, setup)
  setup.push(
    lanes.sign.set(vectorOfBits(-(2n ** 63n))),
    lanes.keys.set(v128.load(control.get, CONTROL.laneKeys)),
    ...lanes.keyPairs.map((pair, index) => pair.set(i8x16.shuffle(lanes.keys.get, lanes.keys.get, DOUBLED[index]!))),
  )
  const isRoom = i32.leU(i32.add(piece.from.get, i32.const(LANES)), capacity.get)
  const [present, rowCount] = [scope.local("i32"), scope.local("i32")]
  const areKnown = i32.and(
    i32.eq(rowCount.get, i32.sub(lanes.next.get, rows.at.get)),
    i32.eqz(i32.shrU(present.get, laneCount.get)),
  )
  return [
    when(i32.and(i32.ne(laneCount.get, i32.const(0)), isRoom), [
      lanes.sliceEnd.set(i64.sub(piece.end.get, shift.get)),
      ...addRows(lanes),
      present.set(i32x4.bitmask(lanes.seen.get)),
      rowCount.set(countRows(lanes.counts)),
      when(areKnown, [
        ...storeEntries(lanes),
        ...storeLanes(lanes, present),
        size.set(i32.popcnt(present.get)),
        rows.at.set(lanes.next.get),
        rows.isNoted.set(i32.const(0)),
        isStraight.set(i32.const(0)),
        branch(added),
      ]),
    ]),
  ]
}

/** Adds the rows from `at` on that are in the slice, and sets `next`. */
function addRows(lanes: Lanes): Code<"none">[] {
  const { keyed, at, end, next, list, times, keyValues, values } = lanes
  const { scope } = keyed.adding
  const row = keyed.adding.row
  const roundsEnd = scope.local("i32")
  // Where records are rows, those of a round lie at constant distances.
  const columns = list === undefined ? [times, keyValues, ...values].flatMap((column) => column ?? []) : []
  const goOn = (rows: number) => [
    increment(next, rows),
    ...columns.map(({ pointer, shift }) => increment(pointer, rows << shift)),
  ]
  const one = (place: number, done: Label) => [
    ...(list === undefined ? [] : [row.set(i32.load(itemAddress(list.get, next.get, 2), place * 4))]),
    ...addRow(lanes, place, [...(place === 0 ? [] : [increment(next, place)]), branch(done)]),
  ]
  return [
    next.set(at.get),
    roundsEnd.set(i32.sub(end.get, i32.const(UNROLL - 1))),
    ...columns.map(({ base, pointer, shift }) => pointer.set(itemAddress(base.get, at.get, shift))),
    ...begin(lanes),
    block((done) => [
      whileLoop(i32.ltS(next.get, roundsEnd.get), [
        ...Array.from({ length: UNROLL }).flatMap((_, place) => one(place, done)),
        ...goOn(UNROLL),
      ]),
      whileLoop(i32.ltS(next.get, end.get), [...one(0, done), ...goOn(1)]),
    ]),
  ]
}

function begin({ sums, counts, seen, since, keyed, fields }: Lanes): Code<"none">[] {
  const zero = i32x4.splat(i32.const(0))
  const identity = (index: number) => vectorOfBits(keyed.shape.entryFields[index]!.identity)
  return [
    ...fields.flatMap((_, index) => sums[index]!.map((sum) => sum.set(identity(index)))),
    ...[counts, seen, since].map((each) => each.set(zero)),
  ]
}

/** Adds the row `place` places behind the next one, or runs `outside` where it is not in the slice. */
function addRow(lanes: Lanes, place: number, outside: readonly Code<"none">[]): Code<"none">[] {
  const { keyed, list, times, keyValues, values, keys, keyPairs, sums, counts, seen, since, sign, sliceEnd } = lanes
  const { scope, row } = keyed.adding
  const [key, isKey, negated] = [scope.local("v128"), scope.local("v128"), scope.local("v128")]
  const isOf = keyPairs.map(() => scope.local("v128"))
  const address = ({ base, shift, pointer }: LaneColumn) =>
    list === undefined ? pointer.get : itemAddress(base.get, row.get, shift)
  const distance = ({ shift }: LaneColumn) => (list === undefined ? place << shift : 0)
  return [
    when(i64.geS(i64.load(address(times), distance(times)), sliceEnd.get), outside),
    key.set(v128.load32Splat(address(keyValues), distance(keyValues))),
    isKey.set(i32x4.eq(key.get, keys.get)),
    ...isOf.map((isOne, pair) => isOne.set(i32x4.eq(key.get, keyPairs[pair]!.get))),
    counts.set(i32x4.add(counts.get, isKey.get)),
    seen.set(v128.or(seen.get, isKey.get)),
    since.set(i32x4.add(since.get, seen.get)),
    ...values.flatMap((value, index) => {
      if (value === undefined) return []
      return [
        negated.set(v128.xor(v128.load64Splat(address(value), distance(value)), sign.get)),
        ...sums[index]!.map((sum, pair) => sum.set(f64x2.sub(sum.get, v128.and(negated.get, isOf[pair]!.get)))),
      ]
    }),
  ]
}

/** How many rows the lanes have counted together. */
function countRows(counts: Local<"v128">): Code<"i32"> {
  const lane = (index: number) => i32x4.extractLane(counts.get, index)
  return i32.sub(i32.const(0), i32.add(i32.add(lane(0), lane(1)), i32.add(lane(2), lane(3))))
}

/**
 * Stores the entries: that of each lane goes to the place that says how many lanes had a row before its first one. So those of
 * lanes without rows go behind the last.
 */
function storeEntries({ keyed, fields, sums, counts, since }: Lanes): Code<"none">[] {
  const { shape, adding, piece, entryDirty } = keyed
  const { scope, setup, control, entry, entry8 } = adding
  const entryIds = loadedFrom(control, CONTROL.entryIds, scope, setup)
  const { from } = piece
  return [
    i32.store(i32.add(entryDirty.get, from.get), i32.const(0)),
    ...Array.from({ length: LANES }).flatMap((_, lane) => {
      const bytes = [0, 1, 2, 3].map((byte) => lane * 4 + byte)
      const own = i8x16.shuffle(since.get, since.get, [...bytes, ...bytes, ...bytes, ...bytes])
      const before = i32x4.gtS(own, since.get)
      return [
        entry.set(i32.add(from.get, i32.popcnt(i32x4.bitmask(before)))),
        entry8.set(i32.shl(entry.get, i32.const(3))),
        i32.store(itemAddress(entryIds.get, entry.get, 2), i32.const(lane)),
        ...shape.entryFields.map((_field, index) => {
          const address = i32.add(adding.fields[index]!.get, entry8.get)
          const { kind } = fields[index]!
          if (kind === "count") {
            const count = i32.sub(i32.const(0), i32x4.extractLane(counts.get, lane))
            return i64.store(address, i64.extendU(count))
          }
          return storeLane(address, sums[index]![Math.floor(lane / PAIR)]!, lane % PAIR)
        }),
      ]
    }),
  ]
}

/** Stores the lanes as the piece's own, beside its entries. */
function storeLanes({ layout, keyed, fields, sums, counts }: Lanes, present: Local<"i32">): Code<"none">[] {
  const { adding, piece } = keyed
  const { scope, setup, control } = adding
  const record = scope.local("i32")
  const zero = i64x2.splat(i64.const(0n))
  const negatedCounts = [i64x2.extendLowI32x4S(counts.get), i64x2.extendHighI32x4S(counts.get)]
  const store = (field: number, pair: number, value: Code<"v128">) =>
    v128.store(record.get, value, layout.values(field, pair))
  return [
    record.set(lanesAt(layout, piece.record, laneLists(control, scope, setup))),
    ...fields.flatMap(({ kind }, field) =>
      kind === "count"
        ? negatedCounts.map((negated, pair) => store(field, pair, i64x2.sub(zero, negated)))
        : sums[field]!.map((sum, pair) => store(field, pair, sum.get)),
    ),
    i32.store(record.get, present.get, layout.present),
    i32.store(piece.record.get, i32.const(HELD_BY_LANES), PIECE.dirty),
  ]
}

function storeLane(address: Code<"i32">, pair: Local<"v128">, lane: number): Code<"none"> {
  return f64.store(address, f64x2.extractLane(pair.get, lane))
}

/** Notes where the keys of the last piece have their entries. */
export function noteEntries({ adding, piece, size, entryOf }: Keyed): Code<"none">[] {
  const { control, scope, setup } = adding
  const entryIds = loadedFrom(control, CONTROL.entryIds, scope, setup)
  const [entry, end] = [scope.local("i32"), scope.local("i32")]
  // `entryOf` goes by one more than the id.
  const idAddress = itemAddress(entryIds.get, entry.get, 2)
  return [
    entry.set(piece.from.get),
    end.set(i32.add(entry.get, size.get)),
    whileLoop(i32.ltU(entry.get, end.get), [
      i32.store(itemAddress(entryOf.get, i32.load(idAddress), 2), entry.get, 4),
      increment(entry),
    ]),
  ]
}
