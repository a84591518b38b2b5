/** Whole numbers of any length in state: their sign (0 or 1), and their absolute value as bytes, the least first. */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"

/** Appends a whole number. */
export function writeBigint(value: bigint, out: ByteWriter): void {
  out.uint8(value < 0n ? 1 : 0)
  const bytes: number[] = []
  for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 8n) bytes.push(Number(rest & 0xffn))
  out.bytes(Uint8Array.from(bytes))
}

/** Reads a whole number. */
export function readBigint(from: ByteReader): bigint {
  const isNegative = from.uint8() !== 0
  const value = from.bytes().reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  return isNegative ? -value : value
}
