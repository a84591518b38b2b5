/**
 * The state of a window operator as bytes (format 2, named in the operator's signature).
 *
 * One call of `writeChanges` or `writeAll` writes nothing where nothing has changed, else:
 *
 *     float64   the watermark: windows that end at it + 1 or earlier have fired, and pieces without others are gone
 *     varint    rows that came late for all their windows
 *     varint    number of pieces that follow, each:
 *       float64   start of its slice
 *       float64   the end of the first window in which its records count
 *       varint    number of entries that were written before
 *       varint    number of those that have changed, each: varint place, its fields
 *       varint    number of new entries, each: its key, its fields
 *
 * A piece that has nothing of the last two, and more entries that were written before than there are, is void: it has fired before all that is
 * still to be applied has been. What follows of it is read over (`window-slices.ts`).
 *
 * Entries are numbered in order of first appearance, so their place says which they are. Keys are written as values, not
 * as ids (KT2): how, is said in `key-table.ts`. A field is the 8 bytes that it has in memory; one that holds the code of a
 * text is that text, as varint length and UTF-8. What windows share is not written: it is found anew from the pieces.
 *
 * Invariants:
 * - F3 Applying all that was written since the beginning, in order, gives the same state.
 * - WS1 No bytes make `applyChanges` do anything but restore or throw `state-corrupt`.
 * - WS2 No piece is void any more when the operator goes on.
 */
import { assert } from "../../base/assert.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { EntryBytes, type EntryBytesParts } from "./entry-bytes.ts"
import { EntryFields } from "./entry-fields.ts"
import type { SliceBounds, Slices } from "./kernels/slices.ts"
import { PIECE } from "./kernels/window-control.ts"
import type { WindowKeys } from "./keys/window-keys.ts"
import type { PiecePlace, WindowPieces } from "./window-pieces.ts"
import type { StateSlices } from "../operator.ts"
import { takeChanges } from "../taken-changes.ts"
import { WindowSlices } from "./window-slices.ts"

/** Changes of a window's state with another number of late rows. */
export function withLateRows(changes: Uint8Array, lateRows: number): Uint8Array {
  const from = new ByteReader(changes)
  const out = new ByteWriter()
  out.float64(from.float64())
  from.varint()
  out.varint(lateRows)
  out.raw(changes.subarray(changes.length - from.remaining))
  return out.view()
}

/** What the state is made of. */
export interface WindowStateParts extends EntryBytesParts {
  readonly operator: string
  readonly slices: Slices
  readonly pieces: WindowPieces
}

/** See the head of this file. */
export class WindowState {
  readonly #parts: WindowStateParts
  readonly #bytes: EntryBytes
  readonly #fields: EntryFields
  keys: WindowKeys
  #watermark = -Infinity
  /** The end of the first window that has not fired. */
  #floorEnd = -Infinity
  #lateRows = 0
  #hasChanged = false
  /** The ends of the last windows of pieces that are void, by piece. */
  readonly #void = new Map<string, number>()

  constructor(parts: WindowStateParts, keys: WindowKeys) {
    this.#parts = parts
    this.#bytes = new EntryBytes(parts)
    this.#fields = new EntryFields(parts)
    this.keys = keys
  }

  /** Windows with ends up to this + 1 have fired. */
  get watermark(): number {
    return this.#watermark
  }

  set watermark(watermark: number) {
    if (watermark <= this.#watermark) return
    this.#watermark = watermark
    this.#floorEnd = this.#parts.slices.firstWindowEndBehind(watermark + 1)
    this.#hasChanged = true
  }

  /** The end of the first window that has not fired; −∞ before the first. */
  get floorEnd(): number {
    return this.#floorEnd
  }

  /** Takes note that the window that ends at `end` has fired. */
  passWindow(end: number): void {
    this.#floorEnd = end + this.#parts.slices.slide
    this.#hasChanged = true
  }

  get lateRows(): number {
    return this.#lateRows
  }

  addLateRows(count: number): void {
    this.#lateRows += count
    this.#hasChanged = true
  }

  /** Takes note that pieces have changed, which say so themselves. */
  touch(): void {
    this.#hasChanged = true
  }

  /** Gives its memory back, but for the keys. */
  release(): void {
    this.#bytes.release()
  }

  writeChanges(out: ByteWriter): void {
    if (!this.#hasChanged) return
    this.#expectNoVoid()
    const { pieces } = this.#parts
    const count = this.#bytes.countPieces(this.#floorEnd)
    const slowly = count === undefined ? pieces.changed(this.#floorEnd) : pieces.changedJoining(this.#floorEnd)
    this.#writeHead(out, (count ?? 0) + slowly.length)
    if (count !== undefined && count > 0) this.#writeInOrder(out)
    for (const place of slowly) this.#writeChangesOf(place, out)
    pieces.onWritten()
    this.#hasChanged = false
  }

  /** Writes what has changed of pieces in order of time: by a kernel those that fit the block that it writes to. */
  #writeInOrder(out: ByteWriter): void {
    const { memory, pieces } = this.#parts
    for (let index = memory.head; index < memory.tail; index++) {
      index = this.#bytes.writePieces(this.keys, index, this.#floorEnd, out)
      if (index < memory.tail && pieces.isChanged(index, this.#floorEnd)) {
        this.#writeChangesOf({ list: memory.pieces, index }, out)
      }
    }
  }

  #writeChangesOf(place: PiecePlace, out: ByteWriter): void {
    const { list, index } = place
    const written = list.get(index, PIECE.written)
    this.#writePiece(place, written, out)
    const [from, size] = [list.get(index, PIECE.from), list.get(index, PIECE.size)]
    this.#parts.memory.entryDirty.u8.fill(0, from + written, from + size)
    list.set(index, PIECE.written, size)
    list.set(index, PIECE.dirty, 0)
  }

  writeAll(out: ByteWriter): void {
    const places = this.#open()
    if (this.#watermark === -Infinity && this.#lateRows === 0 && places.length === 0) return
    this.#writeHead(out, places.length)
    for (const place of places) this.#writePiece(place, 0, out)
  }

  beginSlices(): StateSlices {
    this.#expectNoVoid()
    return new WindowSlices({
      pieces: this.#parts.pieces,
      entries: this.#bytes,
      writeHead: (out) => {
        out.float64(this.#watermark)
        out.varint(this.#lateRows)
      },
      keys: () => this.keys,
      floorEnd: () => this.#floorEnd,
    })
  }

  #open(): PiecePlace[] {
    return this.#parts.pieces.open(this.#floorEnd)
  }

  #writeHead(out: ByteWriter, pieceCount: number): void {
    out.float64(this.#watermark)
    out.varint(this.#lateRows)
    out.varint(pieceCount)
  }

  /** Writes a piece: those of the entries before `written` that have changed, and all others. */
  #writePiece({ list, index }: PiecePlace, written: number, out: ByteWriter): void {
    const from = list.get(index, PIECE.from)
    const size = list.get(index, PIECE.size)
    out.float64(list.time(index, PIECE.start))
    out.float64(list.time(index, PIECE.countsFrom))
    out.varint(written)
    this.#bytes.writeChanged(from, from + written, out)
    out.varint(size - written)
    this.#bytes.writeKeyed(this.keys, from + written, from + size, out)
  }

  applyChanges(changes: ByteReader): void {
    takeChanges(this.#parts.operator, changes, (each) => {
      this.#apply(each)
    })
  }

  #apply(changes: ByteReader): void {
    const watermark = changes.float64()
    if (watermark !== -Infinity && !Number.isFinite(watermark)) refuse(`${watermark} as watermark`)
    if (watermark < this.#watermark) refuse("a watermark that goes back")
    if (watermark > this.#watermark) this.watermark = watermark
    this.#parts.pieces.drop(this.#floorEnd)
    for (const [piece, lastEnd] of this.#void) if (lastEnd < this.#floorEnd) this.#void.delete(piece)
    this.#lateRows = changes.varint()
    const pieceCount = changes.varint()
    for (let index = 0; index < pieceCount; index++) this.#readPiece(changes)
    this.#hasChanged = false
  }

  #readPiece(changes: ByteReader): void {
    const [start, countsFrom] = [changes.float64(), changes.float64()]
    const bounds = this.#boundsOf(start, countsFrom)
    const [written, changedCount] = [changes.varint(), changes.varint()]
    const piece = `${start} ${countsFrom}`
    if (this.#void.has(piece)) return this.#passOver(changedCount, changes)
    const found = this.#parts.pieces.find(start, countsFrom)
    const size = found === undefined ? 0 : found.list.get(found.index, PIECE.size)
    if (written > size && changedCount === 0 && changes.varint() === 0) {
      this.#void.set(piece, bounds.lastWindowEnd)
      return
    }
    if (written !== size) refuse("a piece of another size")
    this.#readEntries(found ?? this.#parts.pieces.at(bounds, countsFrom), changedCount, changes)
  }

  #readEntries({ list, index }: PiecePlace, changedCount: number, changes: ByteReader): void {
    const [from, size] = [list.get(index, PIECE.from), list.get(index, PIECE.size)]
    this.#fields.onMoved()
    for (let each = 0; each < changedCount; each++) {
      const place = changes.varint()
      if (place >= size) refuse("an entry that is not there")
      this.#fields.read(from + place, changes)
    }
    const newCount = changes.varint()
    if (newCount > 0) this.#readNew({ list, index }, newCount, changes)
    if (list.get(index, PIECE.size) === 0) refuse("a piece without records")
    list.set(index, PIECE.written, list.get(index, PIECE.size))
  }

  /** Reads so many entries that follow those of a piece. */
  #readNew(place: PiecePlace, count: number, changes: ByteReader): void {
    const { memory, pieces } = this.#parts
    const fields = this.#fields
    if (count * fields.bytesMin > changes.remaining) refuse("room for fewer entries than are announced")
    const from = pieces.prepareEntries(place, count)
    fields.onMoved()
    const ids = memory.entryIds.i32
    for (let entry = from; entry < from + count; entry++) {
      ids[entry] = this.keys.readState(changes)
      fields.read(entry, changes)
    }
    memory.reserveKeys(this.keys.size)
    if (!pieces.appendEntries(place, count)) refuse("a key twice in a piece")
  }

  /** Reads over what is said of a void piece. */
  #passOver(changedCount: number, changes: ByteReader): void {
    for (let left = changedCount; left > 0; left--) {
      changes.varint()
      this.#fields.passOver(changes)
    }
    for (let left = changes.varint(); left > 0; left--) {
      this.keys.readState(changes)
      this.#fields.passOver(changes)
    }
    this.#parts.memory.reserveKeys(this.keys.size)
  }

  #expectNoVoid(): void {
    for (const lastEnd of this.#void.values()) assert(lastEnd < this.#floorEnd, "what was void has fired")
  }

  /** The bounds of the slice with that start, checked to be those of a piece. */
  #boundsOf(start: number, countsFrom: number): SliceBounds {
    const { slices } = this.#parts
    if (!Number.isSafeInteger(start)) refuse(`${start} as a slice's start`)
    const bounds = slices.of(start)
    const { firstWindowEnd, lastWindowEnd } = bounds
    const isCounted = countsFrom >= firstWindowEnd && countsFrom <= lastWindowEnd
    if (bounds.start !== start || !isCounted || (lastWindowEnd - countsFrom) % slices.slide !== 0) {
      refuse("a slice with other edges than its windows")
    }
    if (lastWindowEnd - 1 <= this.#watermark) refuse("a slice whose windows have all fired")
    return bounds
  }
}

function refuse(what: string): never {
  throw new RangeError(`there is ${what}`)
}
