/**
 * Code that adds the rows of a run block by block, for runs in which many rows are the first of their key: nobody foresees
 * which, so whatever goes another way for those costs a mispredicted branch each.
 *
 * The entries that a block's rows may begin get their identities before it. A row whose key has no entry then takes the
 * next of them, and where that is written is written in any case: what a row that begins none has written there, the next
 * one that does writes over.
 */
import { block, branch, i32, i64, when, whileLoop, type Code, type Label, type Local } from "../../../base/wasm-code.ts"
import { increment, itemAddress, loadedFrom } from "./code-places.ts"
import { fillItems } from "./copy-code.ts"
import { addToEntry, makeSureOfRoom, type Keyed, type KeyedRun } from "./ingest-entry-code.ts"
import { BLOCK_ROWS, CONTROL } from "./window-control.ts"

/** A round of the loop takes so many rows. */
const UNROLL = 4

/** Adds the rows of a run. */
export function addByBlocks(keyed: Keyed, run: KeyedRun): Code<"none">[] {
  const { adding, piece, size, isStraight } = keyed
  const { scope } = adding
  const { at, runEnd, exit, refused } = run
  const [end, roundsEnd] = [scope.local("i32"), scope.local("i32")]
  const [next, begun, filled, wasStraight] = [
    scope.local("i32"),
    scope.local("i32"),
    scope.local("i32"),
    scope.local("i32"),
  ]
  const full = i32.add(at.get, i32.const(BLOCK_ROWS))
  const setSize = size.set(i32.sub(next.get, piece.from.get))
  const addRows = (stop: Label, refuse: Label) => {
    const one = addOne(keyed, { ...run, exit: stop, refused: refuse }, next)
    return [
      whileLoop(
        i32.ltS(at.get, roundsEnd.get),
        Array.from({ length: UNROLL }).flatMap(() => one),
      ),
      whileLoop(i32.ltS(at.get, end.get), one),
    ]
  }
  return [
    filled.set(size.get),
    whileLoop(i32.ltS(at.get, runEnd.get), [
      end.set(i32.select(i32.ltS(full, runEnd.get), full, runEnd.get)),
      makeSureOfRoom(keyed, i32.const(BLOCK_ROWS), exit),
      ...prepareEntries(keyed, filled),
      begun.set(size.get),
      next.set(i32.add(piece.from.get, size.get)),
      // Not until all of the block's entries have been looked at (IK2).
      wasStraight.set(isStraight.get),
      isStraight.set(i32.const(0)),
      roundsEnd.set(i32.sub(end.get, i32.const(UNROLL - 1))),
      block((added) => [
        block((stop) => [block((refuse) => [...addRows(stop, refuse), branch(added)]), setSize, branch(refused)]),
        setSize,
        branch(exit),
      ]),
      setSize,
      when(wasStraight.get, findWhetherStraight(keyed, begun)),
    ]),
  ]
}

/** Adds a row, whose entry may be `next`. */
function addOne(keyed: Keyed, run: KeyedRun, next: Local<"i32">): Code<"none">[] {
  const { adding, piece, entryOf, behindId } = keyed
  const { control, scope, setup, entry } = adding
  const { at, read, exit, finder } = run
  const entryIds = loadedFrom(control, CONTROL.entryIds, scope, setup)
  const isNew = scope.local("i32")
  const noted = itemAddress(entryOf.get, behindId.get, 2)
  return [
    read,
    ...finder.find(at.get, exit),
    block((known) => [block((missing) => [...finder.test(missing), branch(known)]), ...finder.add(exit)]),
    entry.set(i32.load(noted)),
    isNew.set(i32.ltS(entry.get, piece.from.get)),
    entry.set(i32.select(isNew.get, next.get, entry.get)),
    i32.store(noted, entry.get),
    i32.store(itemAddress(entryIds.get, next.get, 2), i32.sub(behindId.get, i32.const(1))),
    next.set(i32.add(next.get, isNew.get)),
    ...addToEntry(keyed, run),
    increment(at),
  ]
}

/** Makes the entries that a block may begin not dirty, and identities, but for those below `filled`, which are. */
function prepareEntries({ shape, adding, piece, size, entryDirty }: Keyed, filled: Local<"i32">): Code<"none">[] {
  const { scope, fields } = adding
  const [from, count] = [scope.local("i32"), scope.local("i32")]
  return [
    from.set(i32.add(piece.from.get, filled.get)),
    count.set(i32.sub(i32.add(size.get, i32.const(BLOCK_ROWS)), filled.get)),
    filled.set(i32.add(filled.get, count.get)),
    ...Array.from({ length: BLOCK_ROWS / 8 }, (_, part) =>
      i64.store(i32.add(i32.add(entryDirty.get, piece.from.get), size.get), i64.const(0n), part * 8),
    ),
    ...shape.entryFields.flatMap(({ identity }, field) =>
      fillItems(scope, itemAddress(fields[field]!.get, from.get, 3), count, i64.const(identity)),
    ),
  ]
}

/** Sets `isStraight` by whether the entries from `begun` on are those of the keys with their numbers (IK2). */
function findWhetherStraight({ adding, piece, size, isStraight }: Keyed, begun: Local<"i32">): Code<"none">[] {
  const { control, scope, setup } = adding
  const entryIds = loadedFrom(control, CONTROL.entryIds, scope, setup)
  const id = i32.load(itemAddress(entryIds.get, i32.add(piece.from.get, begun.get), 2))
  return [
    whileLoop(i32.and(i32.ltU(begun.get, size.get), i32.eq(id, begun.get)), [increment(begun)]),
    isStraight.set(i32.eq(begun.get, size.get)),
  ]
}
