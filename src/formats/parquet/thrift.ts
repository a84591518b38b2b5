/**
 * Reads Thrift's compact protocol (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md),
 * in which Parquet writes page headers and footers.
 *
 * A struct is fields and a zero byte. A field is a byte, its high half the step from the last field's id (0: the id
 * follows as a zigzag varint), its low half the type; then the value:
 *
 *   1, 2 true, false    3 a byte    4, 5, 6 a zigzag varint    7 eight bytes    8 a varint length and so many bytes
 *   9, 10 a byte (high half the length, 15: a varint follows; low half the type), then the elements    12 a struct
 *
 * Invariant:
 * - TH1 No bytes make it loop, nest more than 16 deep, or allocate; whoever reads on, reads what has been seen whole.
 */
import { CutShort, demand } from "./malformed.ts"

const STOP = 0
const [BYTE, I16, I64, DOUBLE, BINARY, LIST, SET] = [3, 4, 6, 7, 8, 9, 10]
/** The types of the fields that are read. */
export const [TRUE, FALSE, I32, STRUCT] = [1, 2, 5, 12]

const DEPTH_MAX = 16
/** The most bytes of a varint: 64 bits, seven in a byte. */
const VARINT_BYTES_MAX = 10

/** Reads one struct after the other. */
export class ThriftReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  /** Where the next byte is read. */
  at: number
  /** How many values were read so far. */
  values = 0
  /** The id of the field whose header was read last. */
  fieldId = 0

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes
    this.at = at
    this.#end = end
  }

  /** Reads the next field's header: its type, or 0 at the struct's end. `fieldId` is its id. */
  nextField(): number {
    const byte = this.#byte()
    const type = byte & 0x0f
    if (type === STOP) return STOP
    const step = byte >> 4
    this.fieldId = step === 0 ? this.int() : this.fieldId + step
    return type
  }

  /** Reads the fields of a struct: `take` reads those that it knows and says whether it has. */
  struct(take: (id: number, type: number) => boolean, depth = 0): void {
    demand(depth < DEPTH_MAX, "structs are nested too deep")
    const outerId = this.fieldId
    this.fieldId = 0
    for (let type = this.nextField(); type !== STOP; type = this.nextField()) {
      const id = this.fieldId
      if (!take(id, type)) this.skip(type, depth + 1)
      this.fieldId = id
    }
    this.fieldId = outerId
  }

  /** A whole number, of which 53 bits must be enough. */
  int(): number {
    let value = 0
    let factor = 1
    for (let count = 1; ; count++) {
      const byte = this.#byte()
      demand(count <= VARINT_BYTES_MAX, "a number has too many bytes")
      value += (byte & 0x7f) * factor
      if (byte < 0x80) break
      factor *= 128
    }
    this.values++
    demand(value <= Number.MAX_SAFE_INTEGER, "a number is too great")
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** A boolean field's value: it is in the type. */
  bool(type: number): boolean {
    this.values++
    return type === TRUE
  }

  /** A string of bytes, as a view. */
  binary(): Uint8Array {
    const length = this.#length("a string of bytes")
    this.at += length
    return this.#bytes.subarray(this.at - length, this.at)
  }

  /** Passes over a value. */
  skip(type: number, depth = 0): void {
    demand(depth < DEPTH_MAX, "structs are nested too deep")
    this.values++
    if (type === TRUE || type === FALSE) return
    if (type === BYTE) this.#advance(1)
    else if (type === I16 || type === I32 || type === I64) this.#skipVarint()
    else if (type === DOUBLE) this.#advance(8)
    else if (type === BINARY) this.binary()
    else if (type === LIST || type === SET) this.#skipList(depth)
    else if (type === STRUCT) this.struct(() => false, depth)
    else demand(false, `a field has the unknown type ${type}`)
  }

  #skipList(depth: number): void {
    const byte = this.#byte()
    const type = byte & 0x0f
    const count = byte >> 4 === 15 ? this.#varint() : byte >> 4
    demand(count <= this.#end - this.at, "a list is longer than what holds it")
    // In lists a boolean is a byte of its own.
    const elementType = type === TRUE || type === FALSE ? BYTE : type
    for (let index = 0; index < count; index++) this.skip(elementType, depth + 1)
  }

  #skipVarint(): void {
    for (let count = 1; this.#byte() >= 0x80; count++) demand(count < VARINT_BYTES_MAX, "a number has too many bytes")
  }

  /** An unsigned varint of at most 32 bits. */
  #varint(): number {
    let value = 0
    for (let count = 0, factor = 1; ; count++, factor *= 128) {
      const byte = this.#byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) break
      demand(count < 4, "a length has too many bytes")
    }
    demand(value < 2 ** 32, "a length is too great")
    return value
  }

  #length(what: string): number {
    const length = this.#varint()
    if (length > this.#end - this.at) throw new CutShort(what)
    return length
  }

  #advance(count: number): void {
    if (count > this.#end - this.at) throw new CutShort("a value")
    this.at += count
  }

  #byte(): number {
    if (this.at >= this.#end) throw new CutShort("a struct")
    return this.#bytes[this.at++]!
  }
}
