/** Packed numbers as bytes, and back: what all lanes are made of. */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { bitsOf, unpackBits, wordsOf } from "./bit-packing.ts"
import type { Frame } from "./lane-arithmetic.ts"
import type { LaneScratch } from "./lane-scratch.ts"

/** Appends a width, and `count` numbers less a base in so many bits each. */
export function writePacked(
  out: ByteWriter,
  values: Int32Array,
  count: number,
  frame: Frame,
  { arithmetic, packed }: LaneScratch,
): void {
  const { width } = frame
  out.uint8(width)
  if (width === 0) return
  arithmetic.pack(values, count, frame, packed)
  out.raw(new Uint8Array(packed.buffer, packed.byteOffset, wordsOf(count, width) * 4))
}

/** Appends numbers from 0 on. */
export function writeSmall(
  out: ByteWriter,
  values: Int32Array,
  count: number,
  greatest: number,
  scratch: LaneScratch,
): void {
  writePacked(out, values, count, { base: 0, width: bitsOf(greatest) }, scratch)
}

/**
 * Reads what `writePacked` wrote.
 *
 * @throws RangeError where it is no such thing.
 */
export function readPacked(
  from: ByteReader,
  values: Int32Array,
  count: number,
  base: number,
  { packed }: LaneScratch,
): void {
  const width = from.uint8()
  if (width > 32) throw new RangeError(`numbers have ${width} bits`)
  const bytes = from.raw(wordsOf(count, width) * 4)
  new Uint8Array(packed.buffer, packed.byteOffset, bytes.length).set(bytes)
  unpackBits(packed, count, base, width, values)
}

/** Reads a count of what there is at least one of, and at most `most`. */
export function readCount(from: ByteReader, most: number): number {
  const count = from.varint()
  if (count < 1 || count > most) throw new RangeError(`there are ${count}, where 1 to ${most} may be`)
  return count
}
