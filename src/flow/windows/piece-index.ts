/**
 * Where the keys of a piece have their entries, for pieces that records come to in no order: an open-addressing table for
 * each, in linear memory, so that kernels find them there.
 *
 * A piece that has room for c entries from entry `from` on has the slots from 2 · `from` on: the greatest power of two of
 * them that is at most 2 · c, and so more than c. Slots are 8 bytes, the key's id and the entry's place within the piece, or
 * twice −1 where free. So tables need no memory management of their own: they come, move and go with entries. A hash is the
 * id times an odd number (Knuth, "The Art of Computer Programming", volume 3, section 6.4), of which the highest bits are the
 * slot's number; then slots are looked at one after the other.
 *
 * Invariants:
 * - PI1 The first `indexed` entries of a piece are in its table, and nothing else is.
 * - PI2 A table has a free slot, so that each search ends.
 */
import type { Arena, LinearMemory } from "../../batch/arena.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import { compiledModule } from "../../expr/compiled-module.ts"
import { block, branch, branchIf, i32, loop, memoryFill, returns, whileLoop } from "../../expr/wasm-code.ts"
import type { Code, Label, Local } from "../../expr/wasm-code.ts"
import { WasmModule, type FunctionScope } from "../../expr/wasm-module.ts"
import { increment, itemAddress } from "./code-places.ts"
import { PIECE } from "./window-control.ts"

/** Slots are 8 bytes: an id, and a place. */
const SLOT_SHIFT = 3
const PLACE_AT = 4
const SLOTS_PER_ENTRY = 2
const HASH_FACTOR = 0x9e3779b1
const FREE = -1

/** The functions. `slots` and `entryIds` are addresses of arrays, `record` that of the piece's record. */
interface PieceIndexFunctions {
  /** Makes the table anew. */
  readonly build: (slots: number, entryIds: number, record: number) => void
  /** The place of a key's entry in the piece, or -1. */
  readonly find: (slots: number, record: number, id: number) => number
  /** Adds a key that is not there. */
  readonly add: (slots: number, record: number, id: number, place: number) => void
}

/** Tables of the pieces of one operator. */
export class PieceIndex {
  readonly #slots: LinearArray
  readonly #code: PieceIndexFunctions

  constructor(arena: Arena) {
    this.#slots = new LinearArray(arena, 8, 16)
    this.#code = functionsOf(arena.memory)
  }

  get address(): number {
    return this.#slots.address
  }

  /** The bits that a hash of an id is shifted by in a piece with room for so many entries. */
  static shiftOf(capacity: number): number {
    return Math.clz32(capacity)
  }

  /** Whether a table for so many entries is not too full to be fast. */
  static hasRoom(capacity: number, size: number): boolean {
    return size * 4 <= 2 ** (32 - PieceIndex.shiftOf(capacity)) * 3
  }

  /** Makes room for the tables of pieces whose entries end at `capacity`. */
  reserve(capacity: number): void {
    this.#slots.reserve(capacity * SLOTS_PER_ENTRY)
  }

  /** Moves the tables of entries to those of others. */
  move(from: number, to: number, count: number): void {
    const { i64 } = this.#slots
    i64.copyWithin(to * SLOTS_PER_ENTRY, from * SLOTS_PER_ENTRY, (from + count) * SLOTS_PER_ENTRY)
  }

  build(entryIds: number, record: number): void {
    this.#code.build(this.address, entryIds, record)
  }

  find(record: number, id: number): number {
    return this.#code.find(this.address, record, id)
  }

  add(record: number, id: number, place: number): void {
    this.#code.add(this.address, record, id, place)
  }

  release(): void {
    this.#slots.release()
  }
}

/** The variables of a search in a table. */
export interface Probe {
  /** Bytes from `table` to the slot at hand. */
  readonly slot: Local<"i32">
  /** The address of the piece's first slot, and the last slot's distance from it in bytes. */
  readonly table: Local<"i32">
  readonly last: Local<"i32">
}

export function probeIn(scope: FunctionScope): Probe {
  return { slot: scope.local("i32"), table: scope.local("i32"), last: scope.local("i32") }
}

/** Code that begins at the slot that is the id's own. `slots` is the address of all slots, `from` the first entry. */
export function beginProbe(
  { slot, table, last }: Probe,
  slots: Code<"i32">,
  from: Code<"i32">,
  record: Local<"i32">,
  id: Local<"i32">,
): Code<"none">[] {
  const shift = i32.load(record.get, PIECE.shift)
  const hash = i32.mul(id.get, i32.const(HASH_FACTOR))
  return [
    table.set(i32.add(slots, i32.shl(from, i32.const(SLOT_SHIFT + 1)))),
    last.set(i32.shl(i32.shrU(i32.const(-1), shift), i32.const(SLOT_SHIFT))),
    slot.set(i32.shl(i32.shrU(hash, shift), i32.const(SLOT_SHIFT))),
  ]
}

/** The address of the slot at hand. */
export function slotAddress({ table, slot }: Probe): Code<"i32"> {
  return i32.add(table.get, slot.get)
}

/** Code that goes on until the slot has the id, or to `free` where it is in none; then the slot is where it would go. */
export function findSlot(probe: Probe, id: Local<"i32">, free: Label): Code<"none"> {
  const { slot, last } = probe
  return block((found) => [
    loop((again) => [
      branchIf(found, i32.eq(i32.load(slotAddress(probe)), id.get)),
      branchIf(free, i32.eq(i32.load(slotAddress(probe)), i32.const(FREE))),
      slot.set(i32.and(i32.add(slot.get, i32.const(1 << SLOT_SHIFT)), last.get)),
      branch(again),
    ]),
  ])
}

/** The place that the slot at hand has. */
export function placeInSlot(probe: Probe): Code<"i32"> {
  return i32.load(slotAddress(probe), PLACE_AT)
}

/** Code that fills the slot at hand. */
export function fillSlot(probe: Probe, id: Local<"i32">, place: Code<"i32">): Code<"none">[] {
  return [i32.store(slotAddress(probe), id.get), i32.store(slotAddress(probe), place, PLACE_AT)]
}

function functionsOf(memory: LinearMemory): PieceIndexFunctions {
  return compiledModule("piece index", indexModule).instantiate<PieceIndexFunctions>(memory)
}

function indexModule(): WasmModule {
  const module = new WasmModule()
  /** Code that adds an id that is not there. */
  const insert = (probe: Probe, slots: Local<"i32">, record: Local<"i32">, id: Local<"i32">, place: Code<"i32">) => [
    ...beginProbe(probe, slots.get, i32.load(record.get, PIECE.from), record, id),
    block((free) => [findSlot(probe, id, free)]),
    ...fillSlot(probe, id, place),
  ]
  const build = { slots: "i32", entryIds: "i32", record: "i32" } as const
  module.function("build", { parameters: build, result: "none" }, ({ slots, entryIds, record }, scope) => {
    const probe = probeIn(scope)
    const [place, id] = [scope.local("i32"), scope.local("i32")]
    const from = i32.load(record.get, PIECE.from)
    const size = i32.load(record.get, PIECE.size)
    return [
      ...beginProbe(probe, slots.get, from, record, id),
      memoryFill(probe.table.get, i32.const(FREE), i32.add(probe.last.get, i32.const(1 << SLOT_SHIFT))),
      whileLoop(i32.ltU(place.get, size), [
        id.set(i32.load(itemAddress(entryIds.get, i32.add(from, place.get), 2))),
        ...insert(probe, slots, record, id, place.get),
        increment(place),
      ]),
      i32.store(record.get, size, PIECE.indexed),
    ]
  })
  const find = { slots: "i32", record: "i32", id: "i32" } as const
  module.function("find", { parameters: find, result: "i32" }, ({ slots, record, id }, scope) => {
    const probe = probeIn(scope)
    return [
      ...beginProbe(probe, slots.get, i32.load(record.get, PIECE.from), record, id),
      block((free) => [findSlot(probe, id, free), returns(placeInSlot(probe))]),
      i32.const(-1),
    ]
  })
  const add = { ...find, place: "i32" } as const
  return module.function("add", { parameters: add, result: "none" }, ({ slots, record, id, place }, scope) => [
    ...insert(probeIn(scope), slots, record, id, place.get),
    i32.store(record.get, i32.add(place.get, i32.const(1)), PIECE.indexed),
  ])
}
