/**
 * FlatBuffers, as far as Arrow's metadata needs them (https://flatbuffers.dev/internals): tables whose fields are found by
 * number through a table of offsets, vectors, and texts.
 *
 *      table    at: how far back its vtable starts (int32)
 *      vtable   at: its bytes (uint16), the table's bytes (uint16), then for each field where it is in the table, 0 for none
 *      vector   at: how many elements (uint32), then these; tables and texts are offsets from where they stand (uint32)
 *
 * Invariant:
 * - FT1 Nothing outside the bytes is read: what points there is `Malformed`.
 */
import { demand } from "../parquet/malformed.ts"

/** No vector of tables has more. */
const TABLES_MAX = 100_000

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** A table of a buffer. */
export class FlatTable {
  readonly #view: DataView
  readonly #at: number
  readonly #vtable: number
  readonly #vtableBytes: number

  private constructor(view: DataView, at: number) {
    this.#view = view
    this.#at = at
    this.#vtable = at - int32(view, at)
    this.#vtableBytes = uint16(view, this.#vtable)
  }

  /** The table that a buffer is. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return new FlatTable(view, uint32(view, 0))
  }

  /** A whole number of eight bits. */
  uint8(field: number, missing: number): number {
    const at = this.#find(field)
    return at === 0 ? missing : this.#view.getUint8(inside(this.#view, at, 1))
  }

  int16(field: number, missing: number): number {
    const at = this.#find(field)
    return at === 0 ? missing : this.#view.getInt16(inside(this.#view, at, 2), true)
  }

  int32(field: number, missing: number): number {
    const at = this.#find(field)
    return at === 0 ? missing : int32(this.#view, at)
  }

  /** A size or place: a whole number of 64 bits that is safe and not below 0. */
  size(field: number): number {
    const at = this.#find(field)
    return at === 0 ? 0 : size(this.#view, at)
  }

  /** A number that only has to be told from others. */
  id(field: number): bigint {
    const at = this.#find(field)
    return at === 0 ? 0n : this.#view.getBigInt64(inside(this.#view, at, 8), true)
  }

  text(field: number): string | undefined {
    const at = this.#find(field)
    if (at === 0) return undefined
    const start = at + uint32(this.#view, at)
    const length = uint32(this.#view, start)
    const from = inside(this.#view, start + 4, length)
    try {
      return decoder.decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + from, length))
    } catch {
      demand(false, "a name is not valid UTF-8")
      return undefined
    }
  }

  table(field: number): FlatTable | undefined {
    const at = this.#find(field)
    return at === 0 ? undefined : new FlatTable(this.#view, at + uint32(this.#view, at))
  }

  tables(field: number): FlatTable[] {
    const { start, count } = this.#vector(field, 4)
    demand(count <= TABLES_MAX, `its metadata has a vector of ${count} tables`)
    return Array.from({ length: count }, (_, index) => {
      const at = start + index * 4
      return new FlatTable(this.#view, at + uint32(this.#view, at))
    })
  }

  /** A vector of sizes, so many of them an element. */
  sizes(field: number, width: number): number[] {
    const { start, count } = this.#vector(field, 8 * width)
    return Array.from({ length: count * width }, (_, index) => size(this.#view, start + index * 8))
  }

  #vector(field: number, elementBytes: number): { readonly start: number; readonly count: number } {
    const at = this.#find(field)
    if (at === 0) return { start: 0, count: 0 }
    const from = at + uint32(this.#view, at)
    const count = uint32(this.#view, from)
    return { start: inside(this.#view, from + 4, count * elementBytes), count }
  }

  /** Where a field stands, or 0. */
  #find(field: number): number {
    const entry = 4 + field * 2
    if (entry + 2 > this.#vtableBytes) return 0
    const offset = uint16(this.#view, this.#vtable + entry)
    return offset === 0 ? 0 : this.#at + offset
  }
}

function inside(view: DataView, at: number, bytes: number): number {
  demand(at >= 0 && at + bytes <= view.byteLength, "its metadata points outside of itself")
  return at
}

function uint16(view: DataView, at: number): number {
  return view.getUint16(inside(view, at, 2), true)
}

function uint32(view: DataView, at: number): number {
  return view.getUint32(inside(view, at, 4), true)
}

function int32(view: DataView, at: number): number {
  return view.getInt32(inside(view, at, 4), true)
}

function size(view: DataView, at: number): number {
  const value = Number(view.getBigInt64(inside(view, at, 8), true))
  demand(Number.isSafeInteger(value) && value >= 0, "a size in its metadata is no size")
  return value
}
