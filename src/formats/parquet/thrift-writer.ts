/**
 * Thrift's compact protocol, written: what Parquet's headers and footers are in
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). `thrift.ts` reads it.
 */
import { ByteWriter } from "../../base/bytes.ts"

const TYPE = { true: 1, false: 2, i8: 3, i16: 4, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const
type ElementType = "i32" | "binary" | "struct"

/** Writes structs, fields in ascending order of their ids. */
export class ThriftWriter {
  readonly out = new ByteWriter()
  #last = 0
  readonly #outer: number[] = []

  bool(id: number, value: boolean): void {
    this.#field(id, value ? TYPE.true : TYPE.false)
  }

  i8(id: number, value: number): void {
    this.#field(id, TYPE.i8)
    this.out.uint8(value & 0xff)
  }

  i32(id: number, value: number): void {
    this.#field(id, TYPE.i32)
    this.#zigzag(value)
  }

  i64(id: number, value: number): void {
    this.#field(id, TYPE.i64)
    this.#zigzag(value)
  }

  text(id: number, value: string): void {
    this.#field(id, TYPE.binary)
    this.out.text(value)
  }

  bytes(id: number, value: Uint8Array): void {
    this.#field(id, TYPE.binary)
    this.out.bytes(value)
  }

  /** A field that is a struct. */
  struct(id: number, write: () => void): void {
    this.#field(id, TYPE.struct)
    this.element(write)
  }

  /** A field that is a list of so many elements, which follow. */
  list(id: number, type: ElementType, count: number, write: () => void): void {
    this.#field(id, TYPE.list)
    if (count < 15) this.out.uint8((count << 4) | TYPE[type])
    else {
      this.out.uint8(0xf0 | TYPE[type])
      this.out.varint(count)
    }
    write()
  }

  /** A struct by itself, or as an element of a list. */
  element(write: () => void): void {
    this.#outer.push(this.#last)
    this.#last = 0
    write()
    this.out.uint8(0)
    this.#last = this.#outer.pop()!
  }

  /** A number as an element of a list. */
  number(value: number): void {
    this.#zigzag(value)
  }

  #field(id: number, type: number): void {
    const delta = id - this.#last
    if (delta > 0 && delta < 16) this.out.uint8((delta << 4) | type)
    else {
      this.out.uint8(type)
      this.#zigzag(id)
    }
    this.#last = id
  }

  #zigzag(value: number): void {
    this.out.varint(value < 0 ? -2 * value - 1 : 2 * value)
  }
}
