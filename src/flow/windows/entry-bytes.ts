/**
 * Entries of pieces as bytes of state, in the form that `window-state.ts` names: by a generated kernel (`state-code.ts`), and
 * in JavaScript where entries are few, where there is none, as for texts, or the arena has no room for a block to write to.
 */
import type { ByteWriter } from "../../base/bytes.ts"
import type { Arena, Block } from "../../batch/arena.ts"
import {
  changedBytesMax,
  keyedBytesMax,
  stateBytesMin,
  stateFunctions,
  type StateFunctions,
} from "./kernels/state-code.ts"
import type { ValueTexts } from "./value-texts.ts"
import { CONTROL } from "./kernels/window-control.ts"
import type { WindowKeys } from "./keys/window-keys.ts"
import type { WindowMemory } from "./window-memory.ts"
import type { WindowShape } from "./kernels/window-shape.ts"

/** Kernels write so many bytes before they are copied on: they lie in a cache until then. */
const BLOCK_BYTES = 1 << 16
/** Pieces of fewer bytes are written to a block that is kept: to take one and give it back costs more than they do. */
const PIECE_BLOCK_BYTES = 1 << 12
/** Fewer entries are not worth a kernel's block and call. */
const KERNEL_ENTRIES_MIN = 16

/** What entries are made of. */
export interface EntryBytesParts {
  readonly arena: Arena
  readonly shape: WindowShape
  readonly memory: WindowMemory
  readonly texts: ValueTexts
}

/** See the head of this file. */
export class EntryBytes {
  readonly #parts: EntryBytesParts
  readonly #code: StateFunctions | undefined
  /** The arena's memory. */
  readonly #bytes: Uint8Array
  /** Taken when pieces are first written. */
  #pieceBlock: Block | undefined

  constructor(parts: EntryBytesParts) {
    this.#parts = parts
    this.#code = stateFunctions(parts.shape, parts.arena.memory)
    this.#bytes = new Uint8Array(parts.arena.buffer)
  }

  /**
   * Writes how many of the entries `from` … `end − 1` have changed, and each of them: its place behind `from`, its fields.
   * They count as unchanged afterwards.
   */
  writeChanged(from: number, end: number, out: ByteWriter): void {
    const code = this.#code
    const block = code === undefined ? undefined : this.#blockFor(end - from)
    if (block === undefined) {
      this.writeChangedSlowly(from, end, out)
      return
    }
    const { memory, shape } = this.#parts
    const control = memory.controlAddress
    const count = code!.countChanged(control, from, end)
    out.varint(count)
    out.makeRoom(count * changedBytesMax(shape))
    for (let at = from; at < end && count > 0;) {
      const start = startIn(block, out)
      at = code!.writeChanged(control, from, at, end, start, block.offset + block.bytes)
      this.#copy(start, out)
    }
    this.#parts.arena.free(block)
  }

  /** Does the same in JavaScript: its slow twin. */
  writeChangedSlowly(from: number, end: number, out: ByteWriter): void {
    const dirty = this.#parts.memory.entryDirty.u8
    const changed: number[] = []
    for (let entry = from; entry < end; entry++) {
      if (dirty[entry] === 0) continue
      dirty[entry] = 0
      changed.push(entry)
    }
    out.varint(changed.length)
    for (const entry of changed) {
      out.varint(entry - from)
      this.#writeFields(entry, out)
    }
  }

  /** Writes entries `from` … `end − 1`, each with its key. */
  writeKeyed(keys: WindowKeys, from: number, end: number, out: ByteWriter): void {
    const write = this.#code?.writeKeyed
    const block = write === undefined ? undefined : this.#blockFor(end - from)
    if (block === undefined) {
      this.writeKeyedSlowly(keys, from, end, out)
      return
    }
    const { memory, shape } = this.#parts
    memory.setAt(CONTROL.keyWords, keys.wordsAddress)
    out.makeRoom((end - from) * keyedBytesMax(shape))
    for (let at = from; at < end;) {
      const start = startIn(block, out)
      at = write!(memory.controlAddress, at, end, start, block.offset + block.bytes)
      this.#copy(start, out)
    }
    this.#parts.arena.free(block)
  }

  /** Does the same in JavaScript: its slow twin. */
  writeKeyedSlowly(keys: WindowKeys, from: number, end: number, out: ByteWriter): void {
    const ids = this.#parts.memory.entryIds.i32
    for (let entry = from; entry < end; entry++) {
      keys.writeState(ids[entry]!, out)
      this.#writeFields(entry, out)
    }
  }

  /**
   * How many pieces in order of time have changed, of those whose last window ends at `floorEnd` or later, where they can be
   * written by `writePieces`; else `undefined`.
   */
  countPieces(floorEnd: number): number | undefined {
    if (this.#code?.writePieces === undefined) return undefined
    return this.#code.countPieces(this.#parts.memory.controlAddress, floorEnd)
  }

  /** Writes those of these pieces from `at` on that are small enough, and gives the place of the first that was not looked at. */
  writePieces(keys: WindowKeys, at: number, floorEnd: number, out: ByteWriter): number {
    const { memory, arena } = this.#parts
    const block = (this.#pieceBlock ??= arena.tryAllocate(PIECE_BLOCK_BYTES))
    if (block === undefined) return at
    memory.setAt(CONTROL.keyWords, keys.wordsAddress)
    let [from, end] = [at, at]
    do {
      from = end
      const start = startIn(block, out)
      end = this.#code!.writePieces!(memory.controlAddress, from, floorEnd, start, block.offset + block.bytes)
      this.#copy(start, out)
    } while (end > from)
    return end
  }

  /** Gives its memory back. */
  release(): void {
    if (this.#pieceBlock !== undefined) this.#parts.arena.free(this.#pieceBlock)
    this.#pieceBlock = undefined
  }

  /** A block for a kernel to write so many entries to, or `undefined` where they are few or there is no room. */
  #blockFor(entries: number): Block | undefined {
    if (entries < KERNEL_ENTRIES_MIN) return undefined
    const { arena, shape } = this.#parts
    return arena.tryAllocate(Math.max(BLOCK_BYTES, WORD_BYTES + stateBytesMin(shape)))
  }

  /** Takes over what a kernel wrote from an address on. */
  #copy(start: number, out: ByteWriter): void {
    out.raw(this.#bytes.subarray(start, this.#parts.memory.get(CONTROL.stateEnd) >>> 0))
  }

  #writeFields(entry: number, out: ByteWriter): void {
    const { shape, memory, texts } = this.#parts
    for (let index = 0; index < shape.entryFields.length; index++) {
      const array = memory.entryFields[index]!
      const input = shape.textInputOf(index)
      if (input === undefined) {
        // As words: a double would not carry all bits that an integer has.
        out.halves(array.i32[entry * 2]!, array.i32[entry * 2 + 1]!)
      } else out.bytes(this.#isUnset(entry, index) ? NO_TEXT : texts.dictionary(input).bytes(Number(array.i64[entry]!)))
    }
  }

  /** Whether an entry's text was never set: its dictionary may be empty. */
  #isUnset(entry: number, field: number): boolean {
    const { shape, memory, texts } = this.#parts
    return Number(memory.entryFields[field]!.i64[entry]!) >= texts.dictionary(shape.textInputOf(field)!).size
  }
}

/**
 * Where a kernel begins in a block: as far behind a multiple of a word as the bytes will lie there. What comes from shared
 * memory is copied byte by byte where that differs.
 */
function startIn({ offset }: Block, out: ByteWriter): number {
  return offset + (out.length % WORD_BYTES)
}

const WORD_BYTES = 8
const NO_TEXT = new Uint8Array(0)
