/**
 * Code that adds the rows of a run block by block, for runs in which many rows are the first of their key: nobody foresees
 * which, so whatever goes another way for those costs a mispredicted branch each.
 *
 * A block is gone through three times: once to find its rows' ids and to list those of keys without an entry, without a
 * branch; then along the list, where nearly every key wants its entry (not one that is listed twice); and at last to add
 * the rows, all of which have entries now.
 *
 * A block ends before a row whose key's id cannot be had here, and where that is the block's first the kernel stops.
 */
import { block, branch, i32, when, whileLoop, type Code, type Label, type Local } from "../../../expr/wasm-code.ts"
import { increment, itemAddress } from "./code-places.ts"
import { addToEntry, makeSureOfRoom, startEntry, type Keyed, type KeyedRun } from "./ingest-entry-code.ts"
import { BLOCK_ROWS, CONTROL, STOP } from "./window-control.ts"

/** A round of the loops takes so many rows. */
const UNROLL = 4

/** A run that can be gone through ahead of its rows. */
export interface RunOfBlocks extends KeyedRun {
  /** Sets the row that is at a place. */
  readonly setRow: (place: Code<"i32">) => Code<"none">
}

/** Adds the rows of a run. */
export function addByBlocks(keyed: Keyed, run: RunOfBlocks): Code<"none">[] {
  const { shape, adding, behindId, entryOf } = keyed
  const { control, scope, entry } = adding
  const { at, runEnd, read, exit } = run
  const { blockIds, blockNewIds } = shape.control
  const [end, ids, newIds] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
  const addressOf = (offset: number) => i32.add(control.get, i32.const(offset))
  const full = i32.add(at.get, i32.const(BLOCK_ROWS))
  const newCount = i32.shrU(i32.sub(newIds.get, addressOf(blockNewIds)), i32.const(2))
  return [
    whileLoop(i32.ltS(at.get, runEnd.get), [
      end.set(i32.select(i32.ltS(full, runEnd.get), full, runEnd.get)),
      ids.set(addressOf(blockIds)),
      newIds.set(addressOf(blockNewIds)),
      ...findIds(keyed, run, { end, ids, newIds }),
      makeSureOfRoom(keyed, newCount, exit),
      ids.set(addressOf(blockNewIds)),
      whileLoop(i32.ltU(ids.get, newIds.get), [
        behindId.set(i32.load(ids.get)),
        when(isMissing(keyed), startEntry(keyed)),
        increment(ids, 4),
      ]),
      ids.set(addressOf(blockIds)),
      ...inRounds(
        keyed,
        { at, end },
        (index) => [
          read,
          behindId.set(i32.load(ids.get, index * 4)),
          entry.set(i32.load(itemAddress(entryOf.get, behindId.get, 2))),
          ...addToEntry(keyed, run),
          increment(at),
        ],
        ids,
      ),
    ]),
  ]
}

/** Whether the key with `behindId` has no entry in the piece. */
function isMissing({ entryOf, behindId, piece }: Keyed): Code<"i32"> {
  return i32.ltS(i32.load(itemAddress(entryOf.get, behindId.get, 2)), piece.from.get)
}

/** Repeats code, which moves `at` on by one, up to `end`. The nth of a round reads or writes at `ids` + n · 4. */
function inRounds(
  { adding: { scope } }: Keyed,
  { at, end }: { readonly at: Local<"i32">; readonly end: Local<"i32"> },
  one: (index: number) => readonly Code<"none">[],
  ids: Local<"i32">,
): Code<"none">[] {
  const roundsEnd = scope.local("i32")
  const round = Array.from({ length: UNROLL }).flatMap((_, index) => one(index))
  return [
    roundsEnd.set(i32.sub(end.get, i32.const(UNROLL - 1))),
    whileLoop(i32.ltS(at.get, roundsEnd.get), [...round, increment(ids, 4 * UNROLL)]),
    whileLoop(i32.ltS(at.get, end.get), [...one(0), increment(ids, 4)]),
  ]
}

/** Where ids are noted next, and the block's end. */
interface BlockPlaces {
  readonly end: Local<"i32">
  readonly ids: Local<"i32">
  readonly newIds: Local<"i32">
}

/** Notes the ids of a block's rows, and of those the ones that have no entry; the block may become shorter. */
function findIds(keyed: Keyed, run: RunOfBlocks, { end, ids, newIds }: BlockPlaces): Code<"none">[] {
  const { adding, behindId } = keyed
  const { at, exit, finder, setRow } = run
  const probe = adding.scope.local("i32")
  const findId = (stop: Label) =>
    block((known) => [
      block((missing) => [...finder.find(probe.get, stop, missing), branch(known)]),
      ...finder.add(stop),
    ])
  const one = (stop: Label) => (index: number) => [
    setRow(probe.get),
    findId(stop),
    i32.store(ids.get, behindId.get, index * 4),
    i32.store(newIds.get, behindId.get),
    newIds.set(i32.add(newIds.get, i32.shl(isMissing(keyed), i32.const(2)))),
    increment(probe),
  ]
  return [
    probe.set(at.get),
    block((found) => [
      block((stop) => [...inRounds(keyed, { at: probe, end }, one(stop), ids), branch(found)]),
      when(i32.eq(probe.get, at.get), [branch(exit)]),
      i32.store(adding.control.get, i32.const(STOP.done), CONTROL.reason),
      end.set(probe.get),
    ]),
  ]
}
