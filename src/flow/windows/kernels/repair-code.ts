/**
 * Code that takes a piece into what windows share where it joins among pieces that are in it already: only its keys are found
 * anew, from their entries in the pieces of the block, in the same order as when all is (`advance-code.ts`), so bits are the
 * same. Their places in the lists follow from other pieces, or it gives up: then all has to be found anew.
 */
import {
  block,
  branch,
  branchIf,
  call,
  i32,
  i32x4,
  i64,
  loop,
  returns,
  v128,
  when,
  whileLoop,
  type Code,
  type Local,
} from "../../../base/wasm-code.ts"
import type { WasmModule } from "../../../base/wasm-module.ts"
import { increment, itemAddress } from "./code-places.ts"
import {
  beginTurning,
  clearNewer,
  forEachEntry,
  letGo,
  pieceAt,
  setNewerPlace,
  setPlace,
  takeIn,
  takeOld,
  type Turning,
} from "./advance-code.ts"
import { placeOf, type ListCode } from "./list-code.ts"
import { CONTROL, PIECE, PIECE_BYTES } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

const NO_ENTRY = -1
/** Ids that are compared at once. */
const LANES = 4

/** `findEntry(control, piece, id) → entry`, or -1: pieces need no tables for it, as it is asked seldom. */
export function writeFindEntry(module: WasmModule): void {
  const parameters = { control: "i32", piece: "i32", id: "i32" } as const
  module.function("findEntry", { parameters, result: "i32" }, ({ control, piece, id }, scope) => {
    const [entry, end] = [scope.local("i32"), scope.local("i32")]
    const idAddress = itemAddress(i32.load(control.get, CONTROL.entryIds), entry.get, 2)
    const areElsewhere = i32.eqz(v128.anyTrue(i32x4.eq(v128.load(idAddress), i32x4.splat(id.get))))
    return [
      entry.set(i32.load(piece.get, PIECE.from)),
      end.set(i32.add(entry.get, i32.load(piece.get, PIECE.size))),
      block((found) => [
        loop((again) => [
          branchIf(found, i32.gtU(i32.add(entry.get, i32.const(LANES)), end.get)),
          branchIf(found, i32.eqz(areElsewhere)),
          increment(entry, LANES),
          branch(again),
        ]),
      ]),
      whileLoop(i32.ltU(entry.get, end.get), [
        when(i32.eq(i32.load(idAddress), id.get), [returns(entry.get)]),
        increment(entry),
      ]),
      i32.const(NO_ENTRY),
    ]
  })
}

/** The variables of `repair`. */
interface Repairing extends Turning {
  /** The piece that has joined. */
  readonly joined: Local<"i32">
  readonly isOld: Local<"i32">
  /** Where pieces of the list end, and a variable for one of them. */
  readonly bound: Local<"i32">
  readonly other: Local<"i32">
}

/** `repair(control, piece) → isDone`. */
export function writeRepair(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", joined: "i32" } as const
  module.function("repair", { parameters, result: "i32" }, ({ control, joined }, scope) => {
    const turning = beginTurning(shape, control, scope)
    const repairing: Repairing = {
      ...turning,
      joined,
      isOld: scope.local("i32"),
      bound: scope.local("i32"),
      other: scope.local("i32"),
    }
    const { piece, isOld } = repairing
    const body = [
      isOld.set(i64.ltS(i64.load(joined.get, PIECE.start), i64.load(control.get, CONTROL.newStart))),
      piece.set(joined.get),
      ...forEachEntry(repairing, [when(isOld.get, requireLater(repairing), requireEarlier(repairing))]),
      ...forEachEntry(repairing, [when(isOld.get, foldOld(repairing), foldNew(repairing))]),
    ]
    return [...turning.setup, ...body, i32.const(1)]
  })
}

/** Sets `entry` to that of the key in a piece. */
function findIn({ control, id, entry, entry8 }: Repairing, piece: Local<"i32">): Code<"none">[] {
  return [
    entry.set(call("i32", "findEntry", control.get, piece.get, id.get)),
    entry8.set(i32.shl(entry.get, i32.const(3))),
  ]
}

const hasEntry = ({ entry }: Repairing) => i32.ne(entry.get, i32.const(NO_ENTRY))

/** Goes through the pieces of `other` up to `bound` until one has the key; where none has, the repair is given up. */
function requireOne(repairing: Repairing): Code<"none"> {
  const { control, id, bound, other } = repairing
  return block((found) => [
    whileLoop(i32.ltU(other.get, bound.get), [
      branchIf(found, i32.ne(call("i32", "findEntry", control.get, other.get, id.get), i32.const(NO_ENTRY))),
      increment(other, PIECE_BYTES),
    ]),
    returns(i32.const(0)),
  ])
}

function edgeOf(repairing: Repairing): Code<"i32"> {
  return pieceAt(repairing, i32.load(repairing.control.get, CONTROL.edge))
}

/** Where the key is not in the list, the repair is given up. */
function requireListed({ id }: Repairing, list: ListCode): Code<"none"> {
  return when(i32.eqz(placeOf(list, id)), [returns(i32.const(0))])
}

/** In the old list a key stands by its last piece. */
function requireLater(repairing: Repairing): Code<"none">[] {
  const { joined, other, bound } = repairing
  return [
    requireListed(repairing, repairing.old),
    other.set(i32.add(joined.get, i32.const(PIECE_BYTES))),
    bound.set(edgeOf(repairing)),
    requireOne(repairing),
  ]
}

/** In the new list a key stands by its first piece. */
function requireEarlier(repairing: Repairing): Code<"none">[] {
  const { joined, other, bound } = repairing
  return [
    requireListed(repairing, repairing.new),
    other.set(edgeOf(repairing)),
    bound.set(joined.get),
    requireOne(repairing),
  ]
}

/** What the key has behind the piece is so; it is found anew from there to the first piece. */
function foldOld(repairing: Repairing): Code<"none">[] {
  const { control, joined, other, bound, old, id, entry, kernels } = repairing
  const kept = repairing.scope.local("i32")
  return [
    kept.set(entry.get),
    ...setPlace(repairing, placeOf(old, id)),
    ...kernels.flatMap((code) => takeOld(repairing, code, "totals")),
    other.set(joined.get),
    block((found) => [
      loop((again) => [
        increment(other, PIECE_BYTES),
        ...findIn(repairing, other),
        branchIf(found, hasEntry(repairing)),
        branch(again),
      ]),
    ]),
    // Back to what it has behind that piece, and on.
    ...kernels.flatMap((code) => letGo(repairing, code, "folds")),
    increment(other, PIECE_BYTES),
    bound.set(pieceAt(repairing, i32.load(control.get, CONTROL.head))),
    whileLoop(i32.gtU(other.get, bound.get), [
      increment(other, -PIECE_BYTES),
      ...findIn(repairing, other),
      when(
        hasEntry(repairing),
        kernels.flatMap((code) => takeOld(repairing, code, "folds")),
      ),
    ]),
    entry.set(kept.get),
  ]
}

function foldNew(repairing: Repairing): Code<"none">[] {
  const { control, other, bound, old, id, entry, kernels } = repairing
  const [kept, across] = [repairing.scope.local("i32"), repairing.scope.local("i32")]
  return [
    kept.set(entry.get),
    across.set(placeOf(old, id)),
    ...setPlace(repairing, placeOf(repairing.new, id)),
    ...setNewerPlace(repairing, across),
    ...kernels.flatMap((code) => takeIn(repairing, code, across, "totals")),
    ...kernels.flatMap((code) => clearNewer(repairing, code, across)),
    other.set(edgeOf(repairing)),
    bound.set(pieceAt(repairing, i32.load(control.get, CONTROL.sealed))),
    whileLoop(i32.ltU(other.get, bound.get), [
      ...findIn(repairing, other),
      when(
        hasEntry(repairing),
        kernels.flatMap((code) => takeIn(repairing, code, across, "folds")),
      ),
      increment(other, PIECE_BYTES),
    ]),
    entry.set(kept.get),
  ]
}
