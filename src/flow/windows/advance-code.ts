/**
 * Code that turns from one window to the next: pieces leave, a new block begins, pieces are taken in. See
 * `window-code.ts` for what the arrays mean.
 *
 * A window that starts at s belongs to the block of s. Where s is the block's start, all its pieces are new, and `newStart`
 * is s; else those of the block are old, and `newStart` is the start of the next. Where that differs from the last
 * window's, everything is found anew from the pieces: once a block, or where pieces came in between others.
 */
import { i32, i64, sequence, when, whileLoop, type Code, type Local } from "../../expr/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../expr/wasm-module.ts"
import type { Word } from "../aggregates/aggregate.ts"
import { bitsConstant, fieldPlace, increment, itemAddress, loadedFrom } from "./code-places.ts"
import { CONTROL, PIECE, PIECE_BYTES } from "./window-control.ts"
import type { PlacedKernel, WindowShape } from "./window-shape.ts"

/** A `newStart` that no window has. */
export const NO_START = -(2n ** 63n)

/** The variables of a function over pieces and their entries. */
interface Turning {
  readonly shape: WindowShape
  readonly scope: FunctionScope
  readonly control: Local<"i32">
  readonly setup: Code<"none">[]
  readonly piece: Local<"i32">
  readonly entry: Local<"i32">
  readonly entryEnd: Local<"i32">
  readonly entry8: Local<"i32">
  readonly id: Local<"i32">
  readonly id8: Local<"i32">
  readonly entryIds: Local<"i32">
}

function beginTurning(shape: WindowShape, control: Local<"i32">, scope: FunctionScope): Turning {
  const setup: Code<"none">[] = []
  return {
    shape,
    scope,
    control,
    setup,
    piece: scope.local("i32"),
    entry: scope.local("i32"),
    entryEnd: scope.local("i32"),
    entry8: scope.local("i32"),
    id: scope.local("i32"),
    id8: scope.local("i32"),
    entryIds: loadedFrom(control, CONTROL.entryIds, scope, setup),
  }
}

function load(turning: Turning, offset: number): Local<"i32"> {
  return loadedFrom(turning.control, offset, turning.scope, turning.setup)
}

/** Code for each entry of the piece at hand, in order. */
function forEachEntry(turning: Turning, body: readonly Code<"none">[]): Code<"none">[] {
  const { piece, entry, entryEnd, entry8, id, id8, entryIds } = turning
  return [
    entry.set(i32.load(piece.get, PIECE.from)),
    entryEnd.set(i32.add(entry.get, i32.load(piece.get, PIECE.size))),
    whileLoop(i32.ltU(entry.get, entryEnd.get), [
      entry8.set(i32.shl(entry.get, i32.const(3))),
      id.set(i32.load(itemAddress(entryIds.get, entry.get, 2))),
      id8.set(i32.shl(id.get, i32.const(3))),
      ...body,
      increment(entry),
    ]),
  ]
}

/** Arrays of the window fields of one kernel. */
interface KernelArrays {
  readonly placed: PlacedKernel
  readonly after: readonly Local<"i32">[]
  readonly current: readonly Local<"i32">[]
  readonly prefix: readonly Local<"i32">[]
  /** Variables for the fields of two sides. */
  readonly left: readonly Local<Word>[]
  readonly right: readonly Local<Word>[]
}

function arraysOf(turning: Turning, placed: PlacedKernel): KernelArrays {
  const { shape, scope } = turning
  const { kernel, windowFrom } = placed
  const arrays = (offset: (field: number) => number) =>
    kernel.window.map((_, index) => load(turning, offset(windowFrom + index)))
  const isTotal = kernel.remove !== undefined
  return {
    placed,
    current: arrays((field) => shape.control.current(field)),
    after: isTotal ? [] : arrays((field) => shape.control.after(field)),
    prefix: isTotal ? [] : arrays((field) => shape.control.prefix(field)),
    left: kernel.window.map(({ word }) => scope.local<Word>(word)),
    right: kernel.window.map(({ word }) => scope.local<Word>(word)),
  }
}

function loadInto(locals: readonly Local<Word>[], bases: readonly Local<"i32">[], index8: Local<"i32">) {
  return locals.map((local, index) => local.set(fieldPlace(local.type, bases[index]!, index8).load()))
}

function storeFrom(values: readonly Code<Word>[], bases: readonly Local<"i32">[], index8: Local<"i32">) {
  return values.map((value, index) => fieldPlace(value.type, bases[index]!, index8).store(value))
}

/** The entry's own window fields, into variables. */
function liftInto(turning: Turning, { placed }: KernelArrays, locals: readonly Local<Word>[]): Code<"none">[] {
  const { kernel, entryFrom } = placed
  const entry = kernel.entry.map(({ word }, index) => {
    const base = load(turning, turning.shape.control.entryField(entryFrom + index))
    return fieldPlace(word, base, turning.entry8).load()
  })
  return kernel.lift(entry).map((value, index) => locals[index]!.set(value))
}

/** Combined values may read both sides, so all are computed before the first is stored. */
function storeCombined(
  turning: Turning,
  values: readonly Code<Word>[],
  bases: readonly Local<"i32">[],
  index8: Local<"i32">,
): Code<"none">[] {
  if (values.length === 1) return storeFrom(values, bases, index8)
  const results = values.map(({ type }) => turning.scope.local<Word>(type))
  return [
    ...values.map((value, index) => results[index]!.set(value)),
    ...storeFrom(
      results.map((local) => local.get),
      bases,
      index8,
    ),
  ]
}

/** Adds the entry to what its key has in the newer block, or in the window. */
function takeIn(turning: Turning, arrays: KernelArrays): Code<"none">[] {
  const { left, right, current, prefix } = arrays
  const { kernel } = arrays.placed
  const target = kernel.remove === undefined ? prefix : current
  return [
    ...loadInto(left, target, turning.id8),
    ...liftInto(turning, arrays, right),
    ...storeCombined(turning, kernel.combine(left, right), target, turning.id8),
  ]
}

/** Puts the entry, as the earliest of the older block, before what its key has there. */
function takeOld(turning: Turning, arrays: KernelArrays): Code<"none">[] {
  const { left, right, current, after } = arrays
  const { kernel } = arrays.placed
  if (kernel.remove !== undefined) return takeIn(turning, arrays)
  return [
    ...loadInto(right, current, turning.id8),
    ...storeFrom(
      right.map((local) => local.get),
      after,
      turning.entry8,
    ),
    ...liftInto(turning, arrays, left),
    ...storeCombined(turning, kernel.combine(left, right), current, turning.id8),
  ]
}

/** Takes the entry, the earliest of the older block, away. */
function letGo(turning: Turning, arrays: KernelArrays): Code<"none">[] {
  const { left, right, current, after } = arrays
  const { kernel } = arrays.placed
  if (kernel.remove === undefined) {
    return [
      ...loadInto(right, after, turning.entry8),
      ...storeFrom(
        right.map((local) => local.get),
        current,
        turning.id8,
      ),
    ]
  }
  return [
    ...loadInto(left, current, turning.id8),
    ...liftInto(turning, arrays, right),
    ...storeCombined(turning, kernel.remove(left, right), current, turning.id8),
  ]
}

/** `advance(control, windowEnd)` and `reset(control)`. */
export function writeAdvance(module: WasmModule, shape: WindowShape): void {
  module.function("reset", { parameters: { control: "i32" }, result: "none" }, ({ control }, scope) => {
    const turning = beginTurning(shape, control, scope)
    const body = forgetAll(
      turning,
      shape.kernels.map((placed) => arraysOf(turning, placed)),
    )
    return [...turning.setup, ...body, i64.store(control.get, i64.const(NO_START), CONTROL.newStart), sequence()]
  })
  const parameters = { control: "i32", windowEnd: "f64" } as const
  module.function("advance", { parameters, result: "none" }, ({ control, windowEnd }, scope) => {
    const turning = beginTurning(shape, control, scope)
    const kernels = shape.kernels.map((placed) => arraysOf(turning, placed))
    const end = scope.local("i64")
    const start = scope.local("i64")
    const newStart = scope.local("i64")
    const intoBlock = scope.local("i64")
    const blockLength = i64.load(control.get, CONTROL.blockLength)
    const body = [
      end.set(i64.truncSatF64S(windowEnd.get)),
      start.set(i64.sub(end.get, i64.load(control.get, CONTROL.size))),
      intoBlock.set(i64.remS(i64.sub(start.get, i64.load(control.get, CONTROL.offset)), blockLength)),
      when(i64.ltS(intoBlock.get, i64.const(0n)), [intoBlock.set(i64.add(intoBlock.get, blockLength))]),
      newStart.set(i64.sub(start.get, intoBlock.get)),
      when(i64.ne(intoBlock.get, i64.const(0n)), [newStart.set(i64.add(newStart.get, blockLength))]),
      ...dropPieces(turning, kernels, end),
      when(i64.ne(newStart.get, i64.load(control.get, CONTROL.newStart)), [
        ...forgetAll(turning, kernels),
        i64.store(control.get, newStart.get, CONTROL.newStart),
        when(i64.ne(intoBlock.get, i64.const(0n)), takeOldPieces(turning, kernels, newStart)),
        i32.store(control.get, i32.load(control.get, CONTROL.sealed), CONTROL.edge),
      ]),
      ...takeNewPieces(turning, kernels, end),
    ]
    return [...turning.setup, ...body, sequence()]
  })
}

function pieceAt(turning: Turning, index: Code<"i32">): Code<"i32"> {
  return itemAddress(load(turning, CONTROL.pieces).get, index, 6)
}

/** Pieces whose last window was an earlier one leave. */
function dropPieces(turning: Turning, kernels: readonly KernelArrays[], end: Local<"i64">): Code<"none">[] {
  const { control, piece, scope } = turning
  const head = scope.local("i32")
  const tail = load(turning, CONTROL.tail)
  const left = scope.local("i32")
  const aList = load(turning, CONTROL.aList)
  const inOld = load(turning, CONTROL.inOld)
  const isLeaving = i32.and(i32.ltU(head.get, tail.get), i64.ltS(i64.load(piece.get, PIECE.lastWindowEnd), end.get))
  const aLength = i32.load(control.get, CONTROL.aLength)
  const cutAList = [
    left.set(i32.load(piece.get, PIECE.aCount)),
    whileLoop(i32.ne(left.get, i32.const(0)), [
      left.set(i32.sub(left.get, i32.const(1))),
      i32.store(control.get, i32.sub(aLength, i32.const(1)), CONTROL.aLength),
      i32.store8(i32.add(inOld.get, i32.load(itemAddress(aList.get, aLength, 2))), i32.const(0)),
    ]),
  ]
  return [
    head.set(i32.load(control.get, CONTROL.head)),
    piece.set(pieceAt(turning, head.get)),
    whileLoop(isLeaving, [
      when(i32.ltU(head.get, i32.load(control.get, CONTROL.edge)), [
        ...forEachEntry(
          turning,
          kernels.flatMap((arrays) => letGo(turning, arrays)),
        ),
        ...cutAList,
      ]),
      increment(head),
      piece.set(i32.add(piece.get, i32.const(PIECE_BYTES))),
    ]),
    i32.store(control.get, head.get, CONTROL.head),
    // What leaves from the newer block leaves because a block begins: then everything is found anew.
    when(i32.gtU(head.get, i32.load(control.get, CONTROL.sealed)), [i32.store(control.get, head.get, CONTROL.sealed)]),
    when(i32.gtU(head.get, i32.load(control.get, CONTROL.edge)), [i32.store(control.get, head.get, CONTROL.edge)]),
  ]
}

/** Gives the keys of both lists the identity, and empties the lists. */
function forgetAll(turning: Turning, kernels: readonly KernelArrays[]): Code<"none">[] {
  const { control, id, id8, entry } = turning
  const identities = kernels.flatMap(({ placed, current, prefix }) =>
    placed.kernel.window.flatMap(({ word, identity }, index) => [
      fieldPlace(word, current[index]!, id8).store(bitsConstant(word, identity)),
      ...(prefix.length === 0 ? [] : [fieldPlace(word, prefix[index]!, id8).store(bitsConstant(word, identity))]),
    ]),
  )
  const forget = (list: number, length: number) => {
    const address = load(turning, list)
    const inOld = load(turning, CONTROL.inOld)
    const inNew = load(turning, CONTROL.inNew)
    return [
      entry.set(i32.const(0)),
      whileLoop(i32.ltU(entry.get, i32.load(control.get, length)), [
        id.set(i32.load(itemAddress(address.get, entry.get, 2))),
        id8.set(i32.shl(id.get, i32.const(3))),
        ...identities,
        i32.store8(i32.add(inOld.get, id.get), i32.const(0)),
        i32.store8(i32.add(inNew.get, id.get), i32.const(0)),
        increment(entry),
      ]),
      i32.store(control.get, i32.const(0), length),
    ]
  }
  return [
    ...forget(CONTROL.aList, CONTROL.aLength),
    ...forget(CONTROL.bList, CONTROL.bLength),
    i32.store(control.get, i32.load(control.get, CONTROL.head), CONTROL.sealed),
    i32.store(control.get, i32.load(control.get, CONTROL.head), CONTROL.edge),
  ]
}

/** Takes in the pieces of the older block, the latest first. */
function takeOldPieces(turning: Turning, kernels: readonly KernelArrays[], newStart: Local<"i64">): Code<"none">[] {
  const { control, piece, id, scope } = turning
  const index = scope.local("i32")
  const count = scope.local("i32")
  const tail = load(turning, CONTROL.tail)
  const aList = load(turning, CONTROL.aList)
  const inOld = load(turning, CONTROL.inOld)
  const aLength = i32.load(control.get, CONTROL.aLength)
  const isOld = i32.and(i32.ltU(index.get, tail.get), i64.ltS(i64.load(piece.get, PIECE.start), newStart.get))
  return [
    index.set(i32.load(control.get, CONTROL.head)),
    piece.set(pieceAt(turning, index.get)),
    whileLoop(isOld, [increment(index), piece.set(i32.add(piece.get, i32.const(PIECE_BYTES)))]),
    i32.store(control.get, index.get, CONTROL.sealed),
    whileLoop(i32.gtU(index.get, i32.load(control.get, CONTROL.head)), [
      index.set(i32.sub(index.get, i32.const(1))),
      piece.set(i32.sub(piece.get, i32.const(PIECE_BYTES))),
      count.set(i32.const(0)),
      ...forEachEntry(turning, [
        ...kernels.flatMap((arrays) => takeOld(turning, arrays)),
        when(i32.eqz(i32.load8U(i32.add(inOld.get, id.get))), [
          i32.store8(i32.add(inOld.get, id.get), i32.const(1)),
          i32.store(itemAddress(aList.get, aLength, 2), id.get),
          i32.store(control.get, i32.add(aLength, i32.const(1)), CONTROL.aLength),
          increment(count),
        ]),
      ]),
      i32.store(piece.get, count.get, PIECE.aCount),
    ]),
  ]
}

/** Takes in the pieces that start before the window's end and were not in the window before. */
function takeNewPieces(turning: Turning, kernels: readonly KernelArrays[], end: Local<"i64">): Code<"none">[] {
  const { control, piece, id, scope } = turning
  const index = scope.local("i32")
  const tail = load(turning, CONTROL.tail)
  const bList = load(turning, CONTROL.bList)
  const inNew = load(turning, CONTROL.inNew)
  const bLength = i32.load(control.get, CONTROL.bLength)
  const isNew = i32.and(i32.ltU(index.get, tail.get), i64.ltS(i64.load(piece.get, PIECE.start), end.get))
  return [
    index.set(i32.load(control.get, CONTROL.sealed)),
    piece.set(pieceAt(turning, index.get)),
    whileLoop(isNew, [
      ...forEachEntry(turning, [
        ...kernels.flatMap((arrays) => takeIn(turning, arrays)),
        when(i32.eqz(i32.load8U(i32.add(inNew.get, id.get))), [
          i32.store8(i32.add(inNew.get, id.get), i32.const(1)),
          i32.store(itemAddress(bList.get, bLength, 2), id.get),
          i32.store(control.get, i32.add(bLength, i32.const(1)), CONTROL.bLength),
        ]),
      ]),
      i32.store(piece.get, i32.const(0), PIECE.aCount),
      increment(index),
      piece.set(i32.add(piece.get, i32.const(PIECE_BYTES))),
    ]),
    i32.store(control.get, index.get, CONTROL.sealed),
  ]
}
