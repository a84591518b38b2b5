/**
 * Code that turns from one window to the next: pieces leave, a new block begins, pieces are taken in. See
 * `window-code.ts` for what the arrays mean.
 *
 * A window that starts at s belongs to the block of s. Where s is the block's start, all its pieces are new, and `newStart`
 * is s; else those of the block are old, and `newStart` is the start of the next. Where that differs from the last
 * window's, everything is found anew from the pieces: once a block, or where pieces came in between others.
 */
import {
  block,
  branch,
  branchIf,
  i32,
  i64,
  loop,
  sequence,
  when,
  whileLoop,
  type Code,
  type Label,
  type Local,
} from "../../../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../../base/wasm-module.ts"
import type { FieldPlace, Word } from "../../aggregates/aggregate.ts"
import { bitsConstant, fieldPlace, increment, itemAddress, loadedFrom } from "./code-places.ts"
import { fieldsAt, listCode, placeOf, putIn, storeLength, type ListCode, type ListScope } from "./list-code.ts"
import { CONTROL, PIECE, PIECE_BYTES } from "./window-control.ts"
import type { PlacedKernel, WindowShape } from "./window-shape.ts"

/** A `newStart` that no window has. */
export const NO_START = -(2n ** 63n)

/** The variables of a function over pieces and their entries. */
export interface Turning extends ListScope {
  readonly piece: Local<"i32">
  readonly entry: Local<"i32">
  readonly entryEnd: Local<"i32">
  readonly entry8: Local<"i32">
  readonly id: Local<"i32">
  /** The key's place in the list at hand, and eight times that. */
  readonly place: Local<"i32">
  readonly place8: Local<"i32">
  readonly entryIds: Local<"i32">
  readonly old: ListCode
  readonly new: ListCode
  readonly kernels: readonly KernelCode[]
}

/** One kernel's part. */
export interface KernelCode {
  readonly placed: PlacedKernel
  readonly words: readonly Word[]
  /** By entry: what its key has in later pieces of the old list; `undefined` for totals. */
  readonly after: readonly (Local<"i32"> | undefined)[]
  /** Variables for the fields of two sides. */
  readonly left: readonly Local<Word>[]
  readonly right: readonly Local<Word>[]
}

export function beginTurning(shape: WindowShape, control: Local<"i32">, scope: FunctionScope): Turning {
  const setup: Code<"none">[] = []
  const lists = { shape, scope, control, setup }
  return {
    ...lists,
    piece: scope.local("i32"),
    entry: scope.local("i32"),
    entryEnd: scope.local("i32"),
    entry8: scope.local("i32"),
    id: scope.local("i32"),
    place: scope.local("i32"),
    place8: scope.local("i32"),
    entryIds: loadedFrom(control, CONTROL.entryIds, scope, setup),
    old: listCode(lists, "old"),
    new: listCode(lists, "new"),
    kernels: shape.kernels.map((placed) => {
      const { kernel, windowFrom } = placed
      const words = kernel.window.map(({ word }) => word)
      const locals = () => words.map((word) => scope.local<Word>(word))
      const after = (field: number) => loadedFrom(control, shape.control.after(windowFrom + field), scope, setup)
      return {
        placed,
        words,
        after: words.map((_, field) => (shape.isTotal(windowFrom + field) ? undefined : after(field))),
        left: locals(),
        right: locals(),
      }
    }),
  }
}

function load(turning: Turning, offset: number): Local<"i32"> {
  return loadedFrom(turning.control, offset, turning.scope, turning.setup)
}

/** Code for each entry of the piece at hand, in order. */
export function forEachEntry(turning: Turning, body: readonly Code<"none">[]): Code<"none">[] {
  const { piece, entry, entryEnd, entry8, id, entryIds } = turning
  return [
    entry.set(i32.load(piece.get, PIECE.from)),
    entryEnd.set(i32.add(entry.get, i32.load(piece.get, PIECE.size))),
    whileLoop(i32.ltU(entry.get, entryEnd.get), [
      entry8.set(i32.shl(entry.get, i32.const(3))),
      id.set(i32.load(itemAddress(entryIds.get, entry.get, 2))),
      ...body,
      increment(entry),
    ]),
  ]
}

/**
 * The same, where an entry's key may have no place yet: then `entry` goes to `missing`, and is gone on with at the same entry
 * once `putIn` has made one. As that is outside of the loop, what the loop reads stays in registers.
 */
function forEachEntryInList(
  turning: Turning,
  parts: { readonly entry: (missing: Label) => readonly Code<"none">[]; readonly putIn: readonly Code<"none">[] },
): Code<"none">[] {
  const { piece, entry, entryEnd, entry8, id, entryIds } = turning
  return [
    entry.set(i32.load(piece.get, PIECE.from)),
    entryEnd.set(i32.add(entry.get, i32.load(piece.get, PIECE.size))),
    block((done) => [
      loop((next) => [
        block((missing) => [
          whileLoop(i32.ltU(entry.get, entryEnd.get), [
            entry8.set(i32.shl(entry.get, i32.const(3))),
            id.set(i32.load(itemAddress(entryIds.get, entry.get, 2))),
            ...parts.entry(missing),
            increment(entry),
          ]),
          branch(done),
        ]),
        ...parts.putIn,
        branch(next),
      ]),
    ]),
  ]
}

function setAll(locals: readonly Local<Word>[], values: readonly Code<Word>[]): Code<"none">[] {
  return locals.map((local, index) => local.set(values[index]!))
}

function loads(places: readonly FieldPlace[]): Code<Word>[] {
  return places.map((place) => place.load())
}

function storeAll(places: readonly FieldPlace[], values: readonly Code<Word>[]): Code<"none">[] {
  return places.map((place, index) => place.store(values[index]!))
}

/** The window fields of the entry at hand alone. */
function lifted({ shape, control, scope, setup, entry8 }: Turning, { placed }: KernelCode): readonly Code<Word>[] {
  const { kernel, entryFrom } = placed
  const entry = kernel.entry.map(({ word }, index) => {
    const base = loadedFrom(control, shape.control.entryField(entryFrom + index), scope, setup)
    return fieldPlace(word, base, entry8).load()
  })
  return kernel.lift(entry)
}

/** Which fields of a kernel: all, those that are kept as totals, or the others. */
export type FieldsTaken = "all" | "totals" | "folds"

/** Those of a list that has an item for each of a kernel's window fields. */
function taken<T>({ after }: KernelCode, which: FieldsTaken, items: readonly T[]): T[] {
  return items.filter((_, field) => which === "all" || (after[field] === undefined) === (which === "totals"))
}

/** Combined values may read both sides, so all are computed before the first is stored. */
function storeCombined(
  { scope }: Turning,
  code: KernelCode,
  which: FieldsTaken,
  allPlaces: readonly FieldPlace[],
  allValues: readonly Code<Word>[],
): Code<"none">[] {
  const [places, values] = [taken(code, which, allPlaces), taken(code, which, allValues)]
  if (values.length === 1) return storeAll(places, values)
  const results = values.map(({ type }) => scope.local<Word>(type))
  return [...setAll(results, values), ...storeAll(places, loads(results.map(variablePlace)))]
}

function variablePlace(local: Local<Word>): FieldPlace {
  return { word: local.type, load: () => local.get, store: (value) => local.set(value) }
}

/** The fields of one kernel at the place at hand of a list. */
function atPlace({ place8 }: Turning, list: ListCode, { placed, words }: KernelCode): FieldPlace[] {
  return fieldsAt(list, words, placed.windowFrom, place8)
}

/** Adds the entry behind what stands in the places. */
export function addBehind(
  turning: Turning,
  code: KernelCode,
  places: readonly FieldPlace[],
  which: FieldsTaken,
): Code<"none">[] {
  const { left, right, placed } = code
  return [
    ...setAll(left, loads(places)),
    ...setAll(right, lifted(turning, code)),
    ...storeCombined(turning, code, which, places, placed.kernel.combine(left, right)),
  ]
}

/** Where keys of the old list have a field by the newer block: their total, or what they have there alone. */
export function acrossBase(old: ListCode, field: number): Local<"i32"> {
  return old.later[field] ?? old.fields[field]!
}

/** Goes from a place in the new list to the one in the old list where there is one. */
export function setNewerPlace(turning: Turning, across: Local<"i32">): Code<"none">[] {
  return setPlace(turning, i32.select(across.get, across.get, turning.place.get))
}

/** Code for the fields that say what a key has in the newer block, at the place at hand, without a branch. */
function inNewer(
  turning: Turning,
  code: KernelCode,
  across: Local<"i32">,
  write: (places: FieldPlace[]) => readonly Code<"none">[],
): Code<"none">[] {
  const { scope, old, place8 } = turning
  const { words, placed } = code
  const bases = words.map(() => scope.local("i32"))
  return [
    ...bases.map((base, index) => {
      const field = placed.windowFrom + index
      return base.set(i32.select(across.get, acrossBase(old, field).get, turning.new.fields[field]!.get))
    }),
    ...write(words.map((word, index) => fieldPlace(word, bases[index]!, place8))),
  ]
}

/** Adds the entry of the newer block to what its key has there. */
export function takeIn(
  turning: Turning,
  code: KernelCode,
  across: Local<"i32">,
  which: FieldsTaken = "all",
): Code<"none">[] {
  if (taken(code, which, code.words).length === 0) return []
  return inNewer(turning, code, across, (places) => addBehind(turning, code, places, which))
}

/** Gives what a key has in the newer block its identity, where it is not a total. */
export function clearNewer(turning: Turning, code: KernelCode, across: Local<"i32">): Code<"none">[] {
  const { window } = code.placed.kernel
  return inNewer(turning, code, across, (places) => {
    const cleared = places.map((place, field) => place.store(bitsConstant(place.word, window[field]!.identity)))
    return taken(code, "folds", cleared)
  })
}

/** Puts the entry, as the earliest of the older block, before what its key has there. */
export function takeOld(turning: Turning, code: KernelCode, which: FieldsTaken = "all"): Code<"none">[] {
  const { left, right, placed, after } = code
  const places = atPlace(turning, turning.old, code)
  if (taken(code, which, places).length === 0) return []
  if (placed.kernel.remove !== undefined) return addBehind(turning, code, places, which)
  const noteAfter = after.map((base, field) =>
    base === undefined ? [] : [fieldPlace(code.words[field]!, base, turning.entry8).store(right[field]!.get)],
  )
  return [
    ...setAll(right, loads(places)),
    ...taken(code, which, noteAfter).flat(),
    ...setAll(left, lifted(turning, code)),
    ...storeCombined(turning, code, which, places, placed.kernel.combine(left, right)),
  ]
}

/** Takes the entry, the earliest of the older block, away. */
export function letGo(turning: Turning, code: KernelCode, which: FieldsTaken = "all"): Code<"none">[] {
  const { left, right, placed, after, words } = code
  const places = atPlace(turning, turning.old, code)
  if (placed.kernel.remove === undefined) {
    const own = lifted(turning, code)
    const values = after.map((base, field) => {
      if (base !== undefined) return fieldPlace(words[field]!, base, turning.entry8).load()
      return i64.sub(places[field]!.load() as Code<"i64">, own[field]! as Code<"i64">)
    })
    return storeAll(taken(code, which, places), taken(code, which, values))
  }
  if (which === "folds") return []
  return [
    ...setAll(left, loads(places)),
    ...setAll(right, lifted(turning, code)),
    ...storeCombined(turning, code, which, places, placed.kernel.remove(left, right)),
  ]
}

/** `advance(control, windowEnd)` and `reset(control)`. */
export function writeAdvance(module: WasmModule, shape: WindowShape): void {
  module.function("reset", { parameters: { control: "i32" }, result: "none" }, ({ control }, scope) => {
    const turning = beginTurning(shape, control, scope)
    const body = forgetAll(turning)
    return [
      ...turning.setup,
      ...body,
      ...storeLengths(turning),
      i64.store(control.get, i64.const(NO_START), CONTROL.newStart),
      sequence(),
    ]
  })
  const parameters = { control: "i32", windowEnd: "f64" } as const
  module.function("advance", { parameters, result: "none" }, ({ control, windowEnd }, scope) => {
    const turning = beginTurning(shape, control, scope)
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
      ...dropPieces(turning, end),
      when(i64.ne(newStart.get, i64.load(control.get, CONTROL.newStart)), [
        ...forgetAll(turning),
        i64.store(control.get, newStart.get, CONTROL.newStart),
        when(i64.ne(intoBlock.get, i64.const(0n)), takeOldPieces(turning, newStart)),
        i32.store(control.get, i32.load(control.get, CONTROL.sealed), CONTROL.edge),
      ]),
      ...takeNewPieces(turning, end),
      ...storeLengths(turning),
    ]
    return [...turning.setup, ...body, sequence()]
  })
}

function storeLengths(turning: Turning): Code<"none">[] {
  return [storeLength(turning, turning.old), storeLength(turning, turning.new)]
}

export function pieceAt(turning: Turning, index: Code<"i32">): Code<"i32"> {
  return itemAddress(load(turning, CONTROL.pieces).get, index, 6)
}

export function setPlace({ place, place8 }: Turning, to: Code<"i32">): Code<"none">[] {
  return [place.set(to), place8.set(i32.shl(place.get, i32.const(3)))]
}

/** Pieces whose last window was an earlier one leave. */
function dropPieces(turning: Turning, end: Local<"i64">): Code<"none">[] {
  const { control, piece, scope, kernels, old, id } = turning
  const head = scope.local("i32")
  const tail = load(turning, CONTROL.tail)
  const left = scope.local("i32")
  const isLeaving = i32.and(i32.ltU(head.get, tail.get), i64.ltS(i64.load(piece.get, PIECE.lastWindowEnd), end.get))
  return [
    head.set(i32.load(control.get, CONTROL.head)),
    piece.set(pieceAt(turning, head.get)),
    whileLoop(isLeaving, [
      when(i32.ltU(head.get, i32.load(control.get, CONTROL.edge)), [
        ...forEachEntry(turning, [
          ...setPlace(turning, placeOf(old, id)),
          ...kernels.flatMap((code) => letGo(turning, code)),
        ]),
        left.set(i32.load(piece.get, PIECE.oldCount)),
        whileLoop(i32.ne(left.get, i32.const(0)), [left.set(i32.sub(left.get, i32.const(1))), ...takeLastOut(turning)]),
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

/** Takes the last key out of the old list. What it has in the newer block goes to its place there, or to place 0. */
function takeLastOut(turning: Turning): Code<"none">[] {
  const { old, scope, place, place8, id } = turning
  const across = scope.local("i32")
  const across8 = scope.local("i32")
  return [
    place.set(old.length.get),
    place8.set(i32.shl(place.get, i32.const(3))),
    id.set(i32.load(itemAddress(old.ids.get, place.get, 2))),
    across.set(i32.load(itemAddress(old.across.get, place.get, 2))),
    across8.set(i32.shl(across.get, i32.const(3))),
    i32.store(itemAddress(old.places.get, id.get, 2), i32.const(0)),
    i32.store(itemAddress(turning.new.across.get, across.get, 2), i32.const(0)),
    when(across.get, [countAcross(turning, -1)]),
    ...turning.shape.windowFields.map(({ word }, field) => {
      const value = fieldPlace(word, acrossBase(old, field), place8).load()
      return fieldPlace(word, turning.new.fields[field]!, across8).store(value)
    }),
    old.length.set(i32.sub(old.length.get, i32.const(1))),
  ]
}

/** Takes note that a key has come into both lists, or has left one of them. */
function countAcross({ control }: Turning, by: 1 | -1): Code<"none"> {
  const count = i32.load(control.get, CONTROL.acrossCount)
  return i32.store(control.get, i32.add(count, i32.const(by)), CONTROL.acrossCount)
}

/** Empties the lists. */
function forgetAll(turning: Turning): Code<"none">[] {
  const { control, id, place } = turning
  const forget = ({ ids, places, length }: ListCode) => [
    place.set(i32.const(1)),
    whileLoop(i32.leU(place.get, length.get), [
      id.set(i32.load(itemAddress(ids.get, place.get, 2))),
      i32.store(itemAddress(places.get, id.get, 2), i32.const(0)),
      increment(place),
    ]),
    length.set(i32.const(0)),
  ]
  return [
    ...forget(turning.old),
    ...forget(turning.new),
    i32.store(control.get, i32.const(0), CONTROL.acrossCount),
    i32.store(control.get, i32.load(control.get, CONTROL.head), CONTROL.sealed),
    i32.store(control.get, i32.load(control.get, CONTROL.head), CONTROL.edge),
  ]
}

/** Takes in the pieces of the older block, the latest first. */
function takeOldPieces(turning: Turning, newStart: Local<"i64">): Code<"none">[] {
  const { control, piece, id, scope, old, place, kernels } = turning
  const index = scope.local("i32")
  const count = scope.local("i32")
  const tail = load(turning, CONTROL.tail)
  const isOld = i32.and(i32.ltU(index.get, tail.get), i64.ltS(i64.load(piece.get, PIECE.start), newStart.get))
  return [
    index.set(i32.load(control.get, CONTROL.head)),
    piece.set(pieceAt(turning, index.get)),
    whileLoop(isOld, [increment(index), piece.set(i32.add(piece.get, i32.const(PIECE_BYTES)))]),
    i32.store(control.get, index.get, CONTROL.sealed),
    whileLoop(i32.gtU(index.get, i32.load(control.get, CONTROL.head)), [
      index.set(i32.sub(index.get, i32.const(1))),
      piece.set(i32.sub(piece.get, i32.const(PIECE_BYTES))),
      count.set(old.length.get),
      ...forEachEntryInList(turning, {
        entry: (missing) => [
          ...setPlace(turning, placeOf(old, id)),
          branchIf(missing, i32.eqz(place.get)),
          ...kernels.flatMap((code) => takeOld(turning, code)),
        ],
        putIn: [...putIn(turning, old, id, place), i32.store(itemAddress(old.across.get, place.get, 2), i32.const(0))],
      }),
      i32.store(piece.get, i32.sub(old.length.get, count.get), PIECE.oldCount),
    ]),
  ]
}

/** Takes in the pieces that start before the window's end and were not in the window before. */
function takeNewPieces(turning: Turning, end: Local<"i64">): Code<"none">[] {
  const { control, piece, scope } = turning
  const index = scope.local("i32")
  const tail = load(turning, CONTROL.tail)
  const isNew = i32.and(i32.ltU(index.get, tail.get), i64.ltS(i64.load(piece.get, PIECE.start), end.get))
  return [
    index.set(i32.load(control.get, CONTROL.sealed)),
    piece.set(pieceAt(turning, index.get)),
    whileLoop(isNew, [
      ...takeNewEntries(turning),
      i32.store(piece.get, i32.const(0), PIECE.oldCount),
      increment(index),
      piece.set(i32.add(piece.get, i32.const(PIECE_BYTES))),
    ]),
    i32.store(control.get, index.get, CONTROL.sealed),
  ]
}

/** Takes in the entries of the piece at hand of the newer block. */
function takeNewEntries(turning: Turning): Code<"none">[] {
  const { id, scope, old, place, kernels } = turning
  const across = scope.local("i32")
  return forEachEntryInList(turning, {
    entry: (missing) => [
      place.set(placeOf(turning.new, id)),
      across.set(placeOf(old, id)),
      branchIf(missing, i32.eqz(place.get)),
      ...setNewerPlace(turning, across),
      ...kernels.flatMap((code) => takeIn(turning, code, across)),
    ],
    putIn: [
      ...putIn(turning, turning.new, id, place),
      i32.store(itemAddress(turning.new.across.get, place.get, 2), across.get),
      // Place 0 of the old list is nobody's.
      i32.store(itemAddress(old.across.get, across.get, 2), place.get),
      when(across.get, [countAcross(turning, 1)]),
    ],
  })
}
