/**
 * The buffers of a record batch: parts of them as they lie in the file, or of what they unpack to.
 *
 *      packed buffer   bytes unpacked (int64; -1: they follow as they are), an LZ4 frame or a Zstandard frame
 *
 * A packed buffer must be unpacked whole, and is kept until another record batch is read.
 */
import type { WantedBytes } from "../container.ts"
import { demand, Malformed } from "../parquet/malformed.ts"
import { unpackLz4 } from "./lz4.ts"
import type { ByteRange, RecordBatchMessage } from "./messages.ts"

/** A buffer may unpack to so many bytes. */
const UNPACKED_BYTES_MAX = 512 * 1024 * 1024
const PREFIX_BYTES = 8

/** Unpacks a frame of Zstandard that has at most `lengthMax` bytes then. It throws where it is none, or has more. */
export type Unzstd = (bytes: Uint8Array, lengthMax: number) => Uint8Array

/** Reads buffers of one column. */
export class BodyReader {
  readonly #unzstd: Unzstd
  #message: RecordBatchMessage | undefined
  /** By where it starts in the file: a buffer that was unpacked. */
  readonly #unpacked = new Map<number, Uint8Array>()

  constructor(unzstd: Unzstd) {
    this.#unzstd = unzstd
  }

  get heldBytes(): number {
    let bytes = 0
    for (const unpacked of this.#unpacked.values()) bytes += unpacked.length
    return bytes
  }

  /** How many bytes a buffer has, unpacked. */
  *sizeOf(message: RecordBatchMessage, buffer: ByteRange): Generator<WantedBytes, number> {
    if (message.compression === undefined) return buffer.bytes
    return (yield* this.#unpack(message, buffer)).length
  }

  /** Asks for a part of a buffer, and gives a copy of it. */
  *part(
    message: RecordBatchMessage,
    buffer: ByteRange,
    start: number,
    bytes: number,
  ): Generator<WantedBytes, Uint8Array> {
    if (message.compression === undefined) {
      demand(start + bytes <= buffer.bytes, TOO_SHORT)
      return yield* bytesAt(buffer.start + start, bytes)
    }
    const unpacked = yield* this.#unpack(message, buffer)
    demand(start + bytes <= unpacked.length, TOO_SHORT)
    return unpacked.slice(start, start + bytes)
  }

  *#unpack(message: RecordBatchMessage, buffer: ByteRange): Generator<WantedBytes, Uint8Array> {
    if (message !== this.#message) this.#unpacked.clear()
    this.#message = message
    const known = this.#unpacked.get(buffer.start)
    if (known !== undefined) return known
    const unpacked = buffer.bytes === 0 ? new Uint8Array(0) : yield* this.#unpackNew(message, buffer)
    this.#unpacked.set(buffer.start, unpacked)
    return unpacked
  }

  *#unpackNew(message: RecordBatchMessage, buffer: ByteRange): Generator<WantedBytes, Uint8Array> {
    demand(buffer.bytes >= PREFIX_BYTES, "a packed buffer is cut short")
    const prefix = yield* bytesAt(buffer.start, PREFIX_BYTES)
    const length = Number(new DataView(prefix.buffer).getBigInt64(0, true))
    const packedBytes = buffer.bytes - PREFIX_BYTES
    demand(length >= -1 && length <= UNPACKED_BYTES_MAX, `a buffer unpacks to ${length} bytes`)
    demand(packedBytes <= UNPACKED_BYTES_MAX, `a packed buffer has ${packedBytes} bytes`)
    const packed = yield* bytesAt(buffer.start + PREFIX_BYTES, packedBytes)
    if (length === -1) return packed
    return message.compression === "LZ4" ? unpackLz4(packed, length) : this.#unpackZstd(packed, length)
  }

  #unpackZstd(packed: Uint8Array, length: number): Uint8Array {
    // Some libraries take "no more than nothing" for "as much as there is".
    if (length === 0) return new Uint8Array(0)
    let unpacked: Uint8Array
    try {
      unpacked = this.#unzstd(packed, length)
    } catch (error) {
      throw new Malformed(`a buffer cannot be unpacked (${error instanceof Error ? error.message : String(error)})`)
    }
    demand(unpacked.length === length, "a buffer unpacks to another length than it says")
    return unpacked
  }
}

const TOO_SHORT = "a buffer is shorter than its values"

function* bytesAt(offset: number, bytes: number): Generator<WantedBytes, Uint8Array> {
  const target = new Uint8Array(bytes)
  if (bytes > 0) yield { offset, target }
  return target
}
