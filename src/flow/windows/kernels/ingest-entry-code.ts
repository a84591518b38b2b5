/**
 * What functions that add rows by their keys have in common: the last piece, and how a key's entry begins and is added to.
 *
 * Invariant:
 * - IK2 Entries and ids of a straight piece are the same, counted from its first entry.
 */
import { i32, when, type Code, type Label, type Local } from "../../../base/wasm-code.ts"
import type { FunctionScope } from "../../../base/wasm-module.ts"
import { increment, itemAddress, loadedFrom } from "./code-places.ts"
import {
  addRecord,
  beginAdding,
  entryPlaces,
  lastPiece,
  startFields,
  stopWith,
  type Adding,
  type LastPiece,
} from "./ingest-code.ts"
import type { IdFinder } from "./ingest-id-code.ts"
import { CONTROL, PIECE, STOP } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** The variables of a function that adds rows by their keys, beside those of all that add. */
export interface Keyed {
  readonly shape: WindowShape
  readonly adding: Adding
  readonly piece: LastPiece
  /** How many entries the last piece has, and whether it is straight. */
  readonly size: Local<"i32">
  readonly isStraight: Local<"i32">
  /** Where keys' entries are noted, by `behindId`, and which entries have changed. */
  readonly entryOf: Local<"i32">
  readonly entryDirty: Local<"i32">
  /** One more than the id of the row's key, as tables have it. */
  readonly behindId: Local<"i32">
}

/** The variables, set at the function's start. */
export function beginKeyed(shape: WindowShape, control: Local<"i32">, scope: FunctionScope): Keyed {
  const adding = beginAdding(shape, control, scope)
  const { setup } = adding
  const entryOf = loadedFrom(control, CONTROL.entryOf, scope, setup)
  const entryDirty = loadedFrom(control, CONTROL.entryDirty, scope, setup)
  const piece = lastPiece(control, scope, setup)
  const [size, isStraight, behindId] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
  setup.push(
    entryOf.set(i32.sub(entryOf.get, i32.const(4))),
    size.set(i32.load(piece.record.get, PIECE.size)),
    isStraight.set(isStraightPiece(control, piece, size)),
  )
  return { shape, adding, piece, size, isStraight, entryOf, entryDirty, behindId }
}

/** Whether the last piece is straight (IK2). */
function isStraightPiece(control: Local<"i32">, piece: LastPiece, size: Local<"i32">): Code<"i32"> {
  const [from, count] = [i32.load(control.get, CONTROL.straightFrom), i32.load(control.get, CONTROL.straightCount)]
  const isNoted = i32.and(i32.eq(from, piece.from.get), i32.eq(count, size.get))
  return i32.or(isNoted, i32.eqz(size.get))
}

/** A run of rows that lie in the last piece. */
export interface KeyedRun {
  /** The next row's place, and that behind the last. */
  readonly at: Local<"i32">
  readonly runEnd: Local<"i32">
  /** Sets the row that is next, and the time where that is needed. */
  readonly read: Code<"none">
  readonly finder: IdFinder
  /** Whether an epoch has written entries of the piece: only such entries can become dirty. */
  readonly isWritten: boolean
  readonly exit: Label
  readonly refused: Label
}

/** Code that adds the record to `entry`. */
export function addToEntry({ shape, adding, entryDirty }: Keyed, { isWritten, refused }: KeyedRun): Code<"none">[] {
  const markDirty = i32.store8(i32.add(entryDirty.get, adding.entry.get), i32.const(1))
  return [...addRecord(shape, adding, refused), ...(isWritten ? [markDirty] : [])]
}

/** Code that goes to `exit` where there is no room for so many entries more. */
export function makeSureOfRoom({ adding, piece, size }: Keyed, count: Code<"i32">, exit: Label): Code<"none"> {
  const { control, scope, setup } = adding
  const capacity = loadedFrom(control, CONTROL.entryCapacity, scope, setup)
  const needed = i32.add(i32.add(piece.from.get, size.get), count)
  return when(i32.gtU(needed, capacity.get), [stopWith(control, STOP.noRoom, exit)])
}

/** Code that begins the entry of a key that has none in the piece, where there is room. */
export function startEntry(keyed: Keyed): Code<"none">[] {
  const { shape, adding, piece, size, isStraight, entryOf, entryDirty, behindId } = keyed
  const { control, scope, setup, entry, entry8 } = adding
  const load = (offset: number) => loadedFrom(control, offset, scope, setup)
  const entryIds = load(CONTROL.entryIds)
  return [
    entry.set(i32.add(piece.from.get, size.get)),
    increment(size),
    isStraight.set(i32.and(isStraight.get, i32.eq(behindId.get, size.get))),
    i32.store(itemAddress(entryOf.get, behindId.get, 2), entry.get),
    i32.store(itemAddress(entryIds.get, entry.get, 2), i32.sub(behindId.get, i32.const(1))),
    i32.store8(i32.add(entryDirty.get, entry.get), i32.const(0)),
    entry8.set(i32.shl(entry.get, i32.const(3))),
    ...startFields(shape, entryPlaces(shape, adding)),
  ]
}
