/**
 * Code that turns from one window to the next where there is no key: what `advance-code.ts` does, with the same bits.
 *
 * Each piece has one entry. So what the old list has of the only key (or the window, for totals) and what the new list has
 * of it are kept in variables while windows follow each other, and else in the first place of each list. The rest of the
 * lists is not needed, as [head, edge) are the pieces of the older block, and [edge, sealed) those of the newer one.
 */
import { f64, i32, i64, when, whileLoop, type Code, type Local } from "../../../base/wasm-code.ts"
import type { FunctionScope } from "../../../base/wasm-module.ts"
import type { FieldPlace, WindowValues, Word } from "../../aggregates/aggregate.ts"
import { bitsConstant, fieldPlace, increment, itemAddress, loadedFrom, loadedLongFrom } from "./code-places.ts"
import { CONTROL, PIECE, PIECE_BYTES } from "./window-control.ts"
import type { PlacedKernel, WindowShape } from "./window-shape.ts"

/** A kernel's window fields, and where its entries lie. */
interface KernelSums {
  readonly placed: PlacedKernel
  /** Of the older block, or the window's where they are totals. */
  readonly old: WindowValues
  /** Of the newer block; none where they are totals. */
  readonly new: WindowValues
  readonly after: readonly Local<"i32">[]
  readonly entry: readonly Local<"i32">[]
}

/** The variables of a function that turns to windows. */
export interface TurningAlone {
  readonly shape: WindowShape
  readonly scope: FunctionScope
  readonly control: Local<"i32">
  readonly setup: Code<"none">[]
  readonly pieces: Local<"i32">
  readonly head: Local<"i32">
  readonly sealed: Local<"i32">
  readonly edge: Local<"i32">
  readonly tail: Local<"i32">
  readonly newStart: Local<"i64">
  readonly size: Local<"i64">
  /** The piece at hand, and 8 times its entry. */
  readonly piece: Local<"i32">
  readonly entry8: Local<"i32">
  readonly kernels: readonly KernelSums[]
  /** Stores the kernels' fields. */
  readonly storeSums: readonly Code<"none">[]
}

/** Loads what is known of the window that was turned to last. */
export function beginTurning(shape: WindowShape, control: Local<"i32">, scope: FunctionScope): TurningAlone {
  const setup: Code<"none">[] = []
  const load = (offset: number) => loadedFrom(control, offset, scope, setup)
  const turning = {
    shape,
    scope,
    control,
    setup,
    pieces: load(CONTROL.pieces),
    head: load(CONTROL.head),
    sealed: load(CONTROL.sealed),
    edge: load(CONTROL.edge),
    tail: load(CONTROL.tail),
    newStart: loadedLongFrom(control, CONTROL.newStart, scope, setup),
    size: loadedLongFrom(control, CONTROL.size, scope, setup),
    piece: scope.local("i32"),
    entry8: scope.local("i32"),
  }
  const storeSums: Code<"none">[] = []
  const kernels = shape.kernels.map((placed): KernelSums => {
    const { kernel, windowFrom, entryFrom } = placed
    const locals = (offset: (field: number) => number) =>
      kernel.window.map(({ word }, index) => {
        const local = scope.local<Word>(word)
        const place = firstPlace(word, load(offset(windowFrom + index)))
        setup.push(local.set(place.load()))
        storeSums.push(place.store(local.get))
        return local
      })
    const isTotal = kernel.remove !== undefined
    return {
      placed,
      old: locals((field) => shape.control.atPlaces("old", field)),
      new: isTotal ? [] : locals((field) => shape.control.atPlaces("new", field)),
      after: isTotal ? [] : kernel.window.map((_, index) => load(shape.control.after(windowFrom + index))),
      entry: kernel.entry.map((_, index) => load(shape.control.entryField(entryFrom + index))),
    }
  })
  return { ...turning, kernels, storeSums }
}

/** A field at the first place of a list; place 0 is nobody's. */
function firstPlace(word: Word, base: Local<"i32">): FieldPlace {
  return {
    word,
    load: () => (word === "f64" ? f64.load(base.get, 8) : i64.load(base.get, 8)),
    store: (value) =>
      word === "f64" ? f64.store(base.get, value as Code<"f64">, 8) : i64.store(base.get, value as Code<"i64">, 8),
  }
}

/** Stores what `beginTurning` loads. */
export function endTurning({ control, head, sealed, edge, newStart, storeSums }: TurningAlone): Code<"none">[] {
  return [
    i32.store(control.get, head.get, CONTROL.head),
    i32.store(control.get, sealed.get, CONTROL.sealed),
    i32.store(control.get, edge.get, CONTROL.edge),
    i64.store(control.get, newStart.get, CONTROL.newStart),
    ...storeSums,
  ]
}

export function pieceAt({ pieces }: TurningAlone, index: Code<"i32">): Code<"i32"> {
  return itemAddress(pieces.get, index, 6)
}

/** Values may read what they replace, so all are computed before the first is set. */
export function setAll({ scope }: TurningAlone, locals: WindowValues, values: readonly Code<Word>[]): Code<"none">[] {
  const results = values.map(({ type }) => scope.local<Word>(type))
  return [
    ...values.map((value, index) => results[index]!.set(value)),
    ...locals.map((local, index) => local.set(results[index]!.get)),
  ]
}

/** Finds the entry of the piece at hand. */
function findEntry({ piece, entry8 }: TurningAlone): Code<"none"> {
  return entry8.set(i32.shl(i32.load(piece.get, PIECE.from), i32.const(3)))
}

/** The entry's own window fields, for code that goes on with them. */
function lifted(
  { scope, entry8 }: TurningAlone,
  { placed: { kernel }, entry }: KernelSums,
  write: (own: WindowValues) => readonly Code<"none">[],
): Code<"none">[] {
  const own = kernel.window.map(({ word }) => scope.local<Word>(word))
  const fields = kernel.entry.map(({ word }, index) => fieldPlace(word, entry[index]!, entry8).load())
  return [...kernel.lift(fields).map((value, index) => own[index]!.set(value)), ...write(own)]
}

/** Turns to the window that ends at `end`. */
export function turnTo(turning: TurningAlone, end: Local<"i64">): Code<"none">[] {
  const { scope, control, head, sealed, edge, newStart, size, kernels } = turning
  const start = scope.local("i64")
  const intoBlock = scope.local("i64")
  const blockLength = i64.load(control.get, CONTROL.blockLength)
  const identities = kernels.flatMap(({ placed, ...fields }) =>
    placed.kernel.window.flatMap(({ word, identity }, index) => [
      fields.old[index]!.set(bitsConstant(word, identity)),
      ...(fields.new.length === 0 ? [] : [fields.new[index]!.set(bitsConstant(word, identity))]),
    ]),
  )
  return [
    ...dropPieces(turning, end),
    start.set(i64.sub(end.get, size.get)),
    // `newStart` is the first start of a block that is not before the window's.
    when(i64.geU(i64.sub(newStart.get, start.get), blockLength), [
      intoBlock.set(i64.remS(i64.sub(start.get, i64.load(control.get, CONTROL.offset)), blockLength)),
      when(i64.ltS(intoBlock.get, i64.const(0n)), [intoBlock.set(i64.add(intoBlock.get, blockLength))]),
      newStart.set(i64.sub(start.get, intoBlock.get)),
      ...identities,
      edge.set(head.get),
      when(i64.ne(intoBlock.get, i64.const(0n)), [
        newStart.set(i64.add(newStart.get, blockLength)),
        ...takeOldPieces(turning),
      ]),
      sealed.set(edge.get),
    ]),
    ...takeNewPieces(turning, end),
  ]
}

/** Pieces whose last window was an earlier one leave. */
function dropPieces(turning: TurningAlone, end: Local<"i64">): Code<"none">[] {
  const { head, sealed, edge, tail, piece } = turning
  const isLeaving = i32.and(i32.ltU(head.get, tail.get), i64.ltS(i64.load(piece.get, PIECE.lastWindowEnd), end.get))
  return [
    piece.set(pieceAt(turning, head.get)),
    whileLoop(isLeaving, [
      when(i32.ltU(head.get, edge.get), letGo(turning)),
      increment(head),
      piece.set(i32.add(piece.get, i32.const(PIECE_BYTES))),
    ]),
    // What leaves from the newer block leaves because a block begins: then everything is found anew.
    when(i32.gtU(head.get, sealed.get), [sealed.set(head.get)]),
    when(i32.gtU(head.get, edge.get), [edge.set(head.get)]),
  ]
}

/** Takes away the entry of the piece at hand, the earliest of the older block. */
function letGo(turning: TurningAlone): Code<"none">[] {
  const codes = turning.kernels.flatMap((each) => {
    const { kernel } = each.placed
    if (kernel.remove !== undefined) {
      return lifted(turning, each, (own) => setAll(turning, each.old, kernel.remove!(each.old, own)))
    }
    return each.old.map((local, index) => local.set(fieldPlace(local.type, each.after[index]!, turning.entry8).load()))
  })
  return [findEntry(turning), ...codes]
}

/** Takes in the pieces of the older block, the latest first. */
function takeOldPieces(turning: TurningAlone): Code<"none">[] {
  const { head, edge, tail, newStart, piece, entry8, scope, kernels } = turning
  const index = scope.local("i32")
  const isOld = i32.and(i32.ltU(edge.get, tail.get), i64.ltS(i64.load(piece.get, PIECE.start), newStart.get))
  const takeIn = kernels.flatMap((each) => {
    const { kernel } = each.placed
    return [
      ...each.after.map((base, field) => fieldPlace(each.old[field]!.type, base, entry8).store(each.old[field]!.get)),
      ...lifted(turning, each, (own) => setAll(turning, each.old, kernel.combine(own, each.old))),
    ]
  })
  return [
    piece.set(pieceAt(turning, edge.get)),
    whileLoop(isOld, [increment(edge), piece.set(i32.add(piece.get, i32.const(PIECE_BYTES)))]),
    index.set(edge.get),
    whileLoop(i32.gtU(index.get, head.get), [
      increment(index, -1),
      piece.set(i32.sub(piece.get, i32.const(PIECE_BYTES))),
      findEntry(turning),
      ...takeIn,
    ]),
  ]
}

/** Takes in the pieces that start before the window's end and were not in the window before. */
function takeNewPieces(turning: TurningAlone, end: Local<"i64">): Code<"none">[] {
  const { sealed, tail, piece, kernels } = turning
  const isNew = i32.and(i32.ltU(sealed.get, tail.get), i64.ltS(i64.load(piece.get, PIECE.start), end.get))
  const takeIn = kernels.flatMap((each) => {
    const { kernel } = each.placed
    const target = kernel.remove === undefined ? each.new : each.old
    return lifted(turning, each, (own) => setAll(turning, target, kernel.combine(target, own)))
  })
  return [
    piece.set(pieceAt(turning, sealed.get)),
    whileLoop(isNew, [
      findEntry(turning),
      ...takeIn,
      increment(sealed),
      piece.set(i32.add(piece.get, i32.const(PIECE_BYTES))),
    ]),
  ]
}
