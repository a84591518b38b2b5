import { snappyCompress } from "hysnappy"
import { expect, it } from "vitest"
import { forEachSeed } from "../../../test/seeds.ts"
import type { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { Malformed } from "./malformed.ts"
import { unpackSnappyIn } from "./snappy-kernel.ts"
import { unpackSnappy } from "./snappy.ts"

const arena = new Arena({ maxBytes: 1 << 20 })

/** Bytes with repetitions, near and far, and without. */
function randomBytes(prng: Prng): Uint8Array {
  const bytes: number[] = []
  const length = prng.pick([0, 1, 70, 5000, 80_000])
  while (bytes.length < length) {
    if (bytes.length > 0 && prng.chance(0.6)) {
      const from = bytes.length - 1 - prng.below(Math.min(bytes.length, prng.pick([1, 9, 20, 70_000])))
      for (let count = 4 + prng.below(70), at = from; count > 0; count--) bytes.push(bytes[at++]!)
    } else for (let count = 1 + prng.below(prng.pick([3, 100])); count > 0; count--) bytes.push(prng.below(256))
  }
  return Uint8Array.from(bytes)
}

it("unpacks what Snappy packs, and refuses the rest as the slow way does", () => {
  const tally = { unpacked: 0, refused: 0 }
  forEachSeed(300, (prng) => {
    const bytes = randomBytes(prng)
    const packed = snappyCompress(bytes)
    for (let copy = 0; copy < 20; copy++) {
      const source = packed.slice()
      if (copy > 0 && source.length > 3) source[prng.below(source.length)]! ^= 1 << prng.below(8)
      const [fast, slow] = [new Uint8Array(bytes.length + 8), new Uint8Array(bytes.length + 8)]
      const end = prng.chance(0.9) ? source.length : prng.below(source.length)
      try {
        unpackSnappy(source, 0, end, slow, bytes.length)
      } catch (error) {
        expect(error).toBeInstanceOf(Malformed)
        expect(() => unpackSnappyIn(arena, source, 0, end, fast, bytes.length)).toThrow(Malformed)
        tally.refused++
        continue
      }
      unpackSnappyIn(arena, source, 0, end, fast, bytes.length)
      expect(Buffer.compare(fast, slow)).toBe(0)
      if (copy === 0 && end === source.length) expect(Buffer.compare(fast.subarray(0, bytes.length), bytes)).toBe(0)
      tally.unpacked++
    }
  })
  expect(tally.unpacked).toBeGreaterThan(100)
  expect(tally.refused).toBeGreaterThan(100)
  expect(arena.usedBytes).toBe(0)
})

it("unpacks where the arena has no room", () => {
  const bytes = new Uint8Array(2 << 20).fill(7)
  const target = new Uint8Array(bytes.length)
  const packed = snappyCompress(bytes)
  unpackSnappyIn(arena, packed, 0, packed.length, target, bytes.length)
  expect(Buffer.compare(target, bytes)).toBe(0)
})
