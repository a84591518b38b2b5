/**
 * A lane of bits, least significant first in its bytes. A byte says which: 0 none is set, 1 all are, 2 the bytes of the bits follow, those
 * behind the last one 0.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"

const NONE = 0
const ALL = 1
const SOME = 2

/** Copies the bits of some rows, or of all up to `count`, and gives how many of them are set. */
export function gatherBits(from: Uint8Array, rows: Int32Array | null, count: number, to: Uint8Array): number {
  let set = 0
  to.fill(0, 0, (count + 7) >> 3)
  for (let index = 0; index < count; index++) {
    const row = rows === null ? index : rows[index]!
    const bit = (from[row >> 3]! >> (row & 7)) & 1
    to[index >> 3]! |= bit << (index & 7)
    set += bit
  }
  return set
}

/** Appends bits as `gatherBits` gives them, so many of which are set. */
export function writeBitLane(out: ByteWriter, bits: Uint8Array, count: number, set: number): void {
  out.uint8(set === 0 ? NONE : set === count ? ALL : SOME)
  if (set > 0 && set < count) out.raw(bits.subarray(0, (count + 7) >> 3))
}

/**
 * Reads `count` bits; gives whether all are set.
 *
 * @throws RangeError where the bytes are no such lane.
 */
export function readBitLane(from: ByteReader, bits: Uint8Array, count: number): boolean {
  const way = from.uint8()
  if (way > SOME) throw new RangeError(`a lane of bits is written in way ${way}`)
  const bytes = (count + 7) >> 3
  if (way === SOME) bits.set(from.raw(bytes))
  else bits.fill(way === ALL ? 0xff : 0, 0, bytes)
  return way === ALL
}
