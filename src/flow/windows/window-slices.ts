/**
 * The state of a window operator slice by slice, while it goes on: each slice is changes in the form that `window-state.ts` names.
 *
 * They have the pieces that were there when they were begun, with so many entries as each had then: an entry has one place and one key
 * for as long as its piece is there. What has come since, and all that has changed since, is in epochs: what they say of an entry is all of it.
 *
 * A piece may fire before its slice is due. Epochs speak of it until then, and its number of entries is told instead of them, so that
 * it is void, whatever they say.
 *
 * Invariants:
 * - WL1 A piece has, or misses as void, as many entries as when the slices were begun. So what epochs since say fits it.
 * - WL2 Entries show what they hold when their slice is written, which is what they held then or what an epoch since says (F4).
 */
import { ByteWriter } from "../../base/bytes.ts"
import type { StateSlices } from "../operator.ts"
import type { EntryBytes } from "./entry-bytes.ts"
import { PIECE } from "./kernels/window-control.ts"
import type { WindowKeys } from "./keys/window-keys.ts"
import type { WindowPieces } from "./window-pieces.ts"

/** About so many bytes has an entry: slices of more are somewhat longer. */
const ENTRY_BYTES = 16

/** What slices are made of. */
export interface WindowSlicesParts {
  readonly pieces: WindowPieces
  readonly entries: EntryBytes
  /** What stands before the number of pieces. */
  readonly writeHead: (out: ByteWriter) => void
  /** Those of this moment. */
  readonly keys: () => WindowKeys
  /** The end of the first window that has not fired. */
  readonly floorEnd: () => number
}

/** A piece as it was when slices were begun. */
interface SlicedPiece {
  readonly start: number
  readonly countsFrom: number
  readonly size: number
}

/** See the head of this file. */
export class WindowSlices implements StateSlices {
  readonly #parts: WindowSlicesParts
  readonly #head = new ByteWriter(32)
  readonly #body = new ByteWriter()
  readonly #pieces: readonly SlicedPiece[]
  /** The first piece that is not written whole, and how many of its entries are. */
  #at = 0
  #written = 0

  constructor(parts: WindowSlicesParts) {
    this.#parts = parts
    parts.writeHead(this.#head)
    this.#pieces = parts.pieces.open(parts.floorEnd()).map(({ list, index }) => ({
      start: list.time(index, PIECE.start),
      countsFrom: list.time(index, PIECE.countsFrom),
      size: list.get(index, PIECE.size),
    }))
  }

  next(out: ByteWriter, bytes: number): boolean {
    const body = this.#body
    body.recycle()
    let count = 0
    for (; this.#at < this.#pieces.length && body.length < bytes; count++) this.#writePiece(bytes - body.length)
    out.raw(this.#head.view())
    out.varint(count)
    out.raw(body.view())
    return this.#at < this.#pieces.length
  }

  /** Writes what is left of a piece, or some of it. */
  #writePiece(bytes: number): void {
    const { pieces, entries, keys, floorEnd } = this.#parts
    const { start, countsFrom, size } = this.#pieces[this.#at]!
    const body = this.#body
    body.float64(start)
    body.float64(countsFrom)
    const place = pieces.find(start, countsFrom)
    if (place === undefined || place.list.time(place.index, PIECE.lastWindowEnd) < floorEnd()) {
      for (const number of [size, 0, 0]) body.varint(number)
      this.#goOn()
      return
    }
    const from = place.list.get(place.index, PIECE.from)
    const end = Math.min(size, this.#written + Math.ceil(bytes / ENTRY_BYTES))
    body.varint(this.#written)
    body.varint(0)
    body.varint(end - this.#written)
    entries.writeKeyed(keys(), from + this.#written, from + end, body)
    this.#written = end
    if (end === size) this.#goOn()
  }

  #goOn(): void {
    this.#at++
    this.#written = 0
  }
}
