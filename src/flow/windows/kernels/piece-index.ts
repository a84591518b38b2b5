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
import { assert } from "../../../base/assert.ts"
import type { LinearMemory } from "../../../base/linear-memory.ts"
import type { Arena } from "../../../batch/arena.ts"
import { LinearArray } from "../../../batch/linear-array.ts"
import { compiledModule } from "../../../expr/compiled-module.ts"
import { block, branchIf, i32, i64, loop, memoryFill, returns, whileLoop } from "../../../base/wasm-code.ts"
import type { Code, Label, Local } from "../../../base/wasm-code.ts"
import { WasmModule, type FunctionScope } from "../../../base/wasm-module.ts"
import { increment, itemAddress } from "./code-places.ts"
import { PIECE } from "./window-control.ts"

/** Slots are 8 bytes: an id, and a place. */
const SLOT_SHIFT = 3
const SLOT_BYTES = 1 << SLOT_SHIFT
const PLACE_AT = 4
const SLOTS_PER_ENTRY = 2
const HASH_FACTOR = 0x9e3779b1
const FREE = -1

/** The functions. `slots` and `entryIds` are addresses of arrays, `record` that of the piece's record. */
interface PieceIndexFunctions {
  /** Makes the table empty. */
  readonly clear: (slots: number, record: number) => void
  /** Adds the entries that are not in it; 1, or 0 where it has the key of one of them. */
  readonly addNew: (slots: number, entryIds: number, record: number) => number
  /** The place of a key's entry in the piece, or -1. */
  readonly find: (slots: number, record: number, id: number) => number
}

/** Tables of the pieces of one operator. */
export class PieceIndex {
  readonly #slots: LinearArray
  readonly #code: PieceIndexFunctions

  constructor(arena: Arena) {
    // New slots are free: a table that nobody has built is empty, and no search in it goes round for ever.
    this.#slots = new LinearArray(arena, 8, 16, BigInt(FREE))
    this.#code = functionsOf(arena.memory)
  }

  get address(): number {
    return this.#slots.address
  }

  /** Up to which entry there is room for tables. */
  get capacity(): number {
    return Math.floor(this.#slots.capacity / SLOTS_PER_ENTRY)
  }

  /** The bits that a hash of an id is shifted by in a piece with room for so many entries. */
  static shiftOf(capacity: number): number {
    return Math.clz32(capacity)
  }

  /** Whether a table for so many entries is not too full to be fast. */
  static hasRoom(capacity: number, size: number): boolean {
    return size * 4 <= 2 ** (32 - PieceIndex.shiftOf(capacity)) * 3
  }

  /** Makes room for the tables of pieces whose entries end at `capacity`, and gives whether all tables are lost for it. */
  reserve(capacity: number): boolean {
    return this.#slots.renew(capacity * SLOTS_PER_ENTRY)
  }

  /** Moves the tables of entries to those of others. */
  move(from: number, to: number, count: number): void {
    const { i64 } = this.#slots
    i64.copyWithin(to * SLOTS_PER_ENTRY, from * SLOTS_PER_ENTRY, (from + count) * SLOTS_PER_ENTRY)
  }

  /** Makes a piece's table anew. */
  build(entryIds: number, record: number): void {
    this.#code.clear(this.address, record)
    assert(this.addNew(entryIds, record), "a piece has each key once")
  }

  /** Adds the entries behind the first `indexed`; `false` where one has the key of another. */
  addNew(entryIds: number, record: number): boolean {
    return this.#code.addNew(this.address, entryIds, record) === 1
  }

  /** The place of a key's entry in a piece, or -1. */
  find(record: number, id: number): number {
    return this.#code.find(this.address, record, id)
  }

  release(): void {
    this.#slots.release()
  }
}

/** The variables of a search in a table. */
export interface Probe {
  /** Bytes from `table` to the slot at hand. */
  readonly slot: Local<"i32">
  /** The address of the piece's first slot, and how many bytes its slots have. */
  readonly table: Local<"i32">
  readonly bytes: Local<"i32">
}

export function probeIn(scope: FunctionScope): Probe {
  return { slot: scope.local("i32"), table: scope.local("i32"), bytes: scope.local("i32") }
}

/** The address of the table of a piece whose first entry is `from`. */
export function tableAddress(slots: Code<"i32">, from: Code<"i32">): Code<"i32"> {
  return i32.add(slots, i32.mul(from, i32.const(SLOTS_PER_ENTRY * SLOT_BYTES)))
}

/** How many bytes the table of a piece has. */
export function tableBytes(record: Local<"i32">): Code<"i32"> {
  const last = i32.shrU(i32.const(-1), i32.load(record.get, PIECE.shift))
  return i32.mul(i32.add(last, i32.const(1)), i32.const(SLOT_BYTES))
}

/** Code that frees `count` slots. */
export function freeSlots(table: Code<"i32">, count: Code<"i32">): Code<"none"> {
  return memoryFill(table, i32.const(FREE), i32.mul(count, i32.const(SLOT_BYTES)))
}

/** The slot that is the id's own: the highest bits of its hash. */
export function firstSlot({ bytes }: Probe, id: Local<"i32">): Code<"i32"> {
  const hash = i64.extendU(i32.mul(id.get, i32.const(HASH_FACTOR)))
  const product = i64.shrU(i64.mul(hash, i64.extendU(bytes.get)), i64.const(32n))
  return i32.and(i32.wrap(product), i32.const(-SLOT_BYTES))
}

/** The address of the slot at hand. */
function slotAddress({ table, slot }: Probe): Code<"i32"> {
  return i32.add(table.get, slot.get)
}

/**
 * Code that goes on until the slot has the id, or to `free` where it is in none; then the slot is where it would go. As
 * most keys are in their own slots, these are looked at outside the loop.
 */
export function findSlot(probe: Probe, id: Local<"i32">, free: Label): Code<"none"> {
  const { slot, bytes } = probe
  const hasId = i32.eq(i32.load(slotAddress(probe)), id.get)
  return block((found) => [
    branchIf(found, hasId),
    loop((again) => [
      branchIf(free, i32.eq(i32.load(slotAddress(probe)), i32.const(FREE))),
      slot.set(i32.and(i32.add(slot.get, i32.const(SLOT_BYTES)), i32.sub(bytes.get, i32.const(SLOT_BYTES)))),
      branchIf(again, i32.eqz(hasId)),
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
  const clear = { slots: "i32", record: "i32" } as const
  module.function("clear", { parameters: clear, result: "none" }, ({ slots, record }) => [
    freeSlots(
      tableAddress(slots.get, i32.load(record.get, PIECE.from)),
      i32.shrU(tableBytes(record), i32.const(SLOT_SHIFT)),
    ),
    i32.store(record.get, i32.const(0), PIECE.indexed),
  ])
  writeAddNew(module)
  const find = { slots: "i32", record: "i32", id: "i32" } as const
  return module.function("find", { parameters: find, result: "i32" }, ({ slots, record, id }, scope) => {
    const probe = probeIn(scope)
    return [
      ...beginPiece(probe, slots, record),
      probe.slot.set(firstSlot(probe, id)),
      block((free) => [findSlot(probe, id, free), returns(placeInSlot(probe))]),
      i32.const(-1),
    ]
  })
}

/** Code that says where the piece's table is. */
function beginPiece(probe: Probe, slots: Local<"i32">, record: Local<"i32">): Code<"none">[] {
  return [
    probe.table.set(tableAddress(slots.get, i32.load(record.get, PIECE.from))),
    probe.bytes.set(tableBytes(record)),
  ]
}

function writeAddNew(module: WasmModule): void {
  const parameters = { slots: "i32", entryIds: "i32", record: "i32" } as const
  module.function("addNew", { parameters, result: "i32" }, ({ slots, entryIds, record }, scope) => {
    const probe = probeIn(scope)
    const [place, size, id] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    return [
      ...beginPiece(probe, slots, record),
      entryIds.set(itemAddress(entryIds.get, i32.load(record.get, PIECE.from), 2)),
      place.set(i32.load(record.get, PIECE.indexed)),
      size.set(i32.load(record.get, PIECE.size)),
      whileLoop(i32.ltU(place.get, size.get), [
        id.set(i32.load(itemAddress(entryIds.get, place.get, 2))),
        probe.slot.set(firstSlot(probe, id)),
        block((free) => [findSlot(probe, id, free), returns(i32.const(0))]),
        ...fillSlot(probe, id, place.get),
        increment(place),
      ]),
      i32.store(record.get, size.get, PIECE.indexed),
      i32.const(1),
    ]
  })
}
