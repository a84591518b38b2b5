/** A growing array of bytes that encoders write to. */
import type { OutputBuffer } from "./decoder.ts"

const INITIAL_BYTES = 256
const encoder = new TextEncoder()

/** Bytes in memory. */
export class ByteOutput implements OutputBuffer {
  length = 0
  bytes: Uint8Array = new Uint8Array(INITIAL_BYTES)

  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }
}

/** Appends text as UTF-8. ASCII, as most of it is, goes without another array. */
export function writeText(text: string, out: OutputBuffer): void {
  const { length } = text
  out.reserve(length)
  const target = out.bytes
  let to = out.length
  let unit = 0
  for (let at = 0; at < length && (unit = text.charCodeAt(at)) < 0x80; at++) target[to++] = unit
  if (unit < 0x80) out.length = to
  else writeBytes(encoder.encode(text), out)
}

/** Appends bytes. */
export function writeBytes(bytes: Uint8Array, out: OutputBuffer): void {
  out.reserve(bytes.length)
  out.bytes.set(bytes, out.length)
  out.length += bytes.length
}

/** Appends a few bytes for which there is room. */
export function copyBytes(source: Uint8Array, out: OutputBuffer): void {
  const target = out.bytes
  let to = out.length
  for (let at = 0; at < source.length; at++) target[to++] = source[at]!
  out.length = to
}
