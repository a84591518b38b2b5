/**
 * FlatBuffers, written: what Arrow's metadata is in (https://flatbuffers.dev/internals/). `flat-table.ts` reads it.
 *
 * A buffer is written from its end to its start, so that what is pointed to is there before what points to it. Places are counted
 * from the end.
 */

/** A field of a table: its number, and its value. Scalars that are their default are left out by whoever writes. */
export type FlatField =
  | { readonly slot: number; readonly kind: "uint8" | "int16" | "int32"; readonly value: number }
  | { readonly slot: number; readonly kind: "int64"; readonly value: number }
  /** What is written already, by its place. */
  | { readonly slot: number; readonly kind: "place"; readonly value: number }

const WIDTHS = { uint8: 1, int16: 2, int32: 4, int64: 8, place: 4 } as const
const encoder = new TextEncoder()

/** Writes one buffer. */
export class FlatWriter {
  #bytes = new Uint8Array(1024)
  #view = new DataView(this.#bytes.buffer)
  /** How many bytes are written, at the end of `#bytes`. */
  #length = 0

  /** The buffer with this table as its root; its length is a multiple of eight. */
  finish(root: number): Uint8Array {
    this.#align(8, 4)
    this.#word(4, this.#length + 4 - root)
    return this.#bytes.slice(this.#bytes.length - this.#length)
  }

  text(value: string): number {
    const bytes = encoder.encode(value)
    this.#align(4, bytes.length + 1)
    this.#raw(Uint8Array.of(0))
    this.#raw(bytes)
    return this.#word(4, bytes.length)
  }

  /** A vector of what is written already, by places. */
  places(places: readonly number[]): number {
    this.#align(4, places.length * 4)
    for (let index = places.length - 1; index >= 0; index--) this.#word(4, this.#length + 4 - places[index]!)
    return this.#word(4, places.length)
  }

  /** A vector of structs: numbers of the widths given, again and again, aligned to eight bytes. */
  structs(widths: readonly (4 | 8)[], values: readonly number[]): number {
    const bytes = widths.reduce<number>((sum, width) => sum + width, 0)
    const count = values.length / widths.length
    this.#align(8, count * bytes)
    for (let index = values.length - 1; index >= 0; index--) this.#word(widths[index % widths.length]!, values[index]!)
    return this.#word(4, count)
  }

  /** A table. */
  table(fields: readonly FlatField[]): number {
    const slots = fields.reduce((most, { slot }) => Math.max(most, slot + 1), 0)
    const places = new Array<number>(slots).fill(0)
    const start = this.#length
    for (const { slot, kind, value } of fields) {
      this.#align(WIDTHS[kind], WIDTHS[kind])
      places[slot] = this.#word(WIDTHS[kind], kind === "place" ? this.#length + 4 - value : value)
    }
    this.#align(4, 4)
    const table = this.#word(4, 0)
    const vtableBytes = 4 + slots * 2
    this.#align(2, vtableBytes)
    for (let slot = slots - 1; slot >= 0; slot--) this.#word(2, places[slot] === 0 ? 0 : table - places[slot]!)
    this.#word(2, table - start)
    const vtable = this.#word(2, vtableBytes)
    this.#view.setInt32(this.#bytes.length - table, vtable - table, true)
    return table
  }

  /** Makes what has so many bytes begin at a multiple, counted from the end: the whole buffer's length is one of eight. */
  #align(multiple: number, bytes: number): void {
    const padding = (multiple - ((this.#length + bytes) % multiple)) % multiple
    if (padding > 0) this.#raw(new Uint8Array(padding))
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#length += bytes.length
    this.#bytes.set(bytes, this.#bytes.length - this.#length)
  }

  /** Writes a number of that width, and gives its place. */
  #word(width: number, value: number): number {
    this.#reserve(width)
    this.#length += width
    const at = this.#bytes.length - this.#length
    if (width === 1) this.#view.setUint8(at, value)
    else if (width === 2) this.#view.setInt16(at, value, true)
    else if (width === 4) this.#view.setInt32(at, value, true)
    else this.#view.setBigInt64(at, BigInt(value), true)
    return this.#length
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes))
    grown.set(this.#bytes.subarray(this.#bytes.length - this.#length), grown.length - this.#length)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}
