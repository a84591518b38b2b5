import { describe, expect, it, vi } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { AssertionError } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"
import type { Prng } from "../base/prng.ts"
import { Arena, type Block } from "./arena.ts"

const KIB = 1024

/** Sizes as columns ask for them: mostly small, now and then large, rarely a power of two. */
function randomBytes(prng: Prng, maxBytes: number): number {
  return prng.below(Math.max(2, maxBytes / 2 ** prng.below(12)))
}

function overlaps(block: Block, others: Iterable<Block>): boolean {
  for (const other of others) {
    if (block.offset < other.offset + other.bytes && other.offset < block.offset + block.bytes) return true
  }
  return false
}

/** Every size that a new arena of the same bound has room for, largest first. */
function fill(arena: Arena): number[] {
  const sizes: number[] = []
  const blocks: Block[] = []
  for (let bytes = 2 ** 31; bytes >= KIB;) {
    const block = arena.tryAllocate(bytes)
    if (block === undefined) bytes /= 2
    else {
      sizes.push(block.bytes)
      blocks.push(block)
    }
  }
  for (const block of blocks) arena.free(block)
  return sizes
}

describe("the arena", () => {
  it("A1 A2 A4 A5 hands out separate, aligned, bounded blocks, and is as good as new when all are freed", () => {
    forEachSeed(40, (prng) => {
      const maxBytes = (2 + prng.below(900)) * KIB + prng.below(KIB)
      const arena = new Arena({ maxBytes })
      const live: Block[] = []
      let used = 0
      let peak = 0
      for (let step = 0; step < 300; step++) {
        if (live.length > 0 && prng.chance(0.45)) {
          const [block] = live.splice(prng.below(live.length), 1)
          arena.free(block!)
          used -= block!.bytes
        } else {
          const bytes = randomBytes(prng, maxBytes)
          const block = arena.tryAllocate(bytes)
          if (block === undefined) continue
          expect(block.bytes).toBeGreaterThanOrEqual(bytes)
          expect(block.offset % 64).toBe(0)
          expect(block.offset).toBeGreaterThan(0)
          expect(block.offset + block.bytes).toBeLessThanOrEqual(arena.buffer.byteLength)
          expect(overlaps(block, live)).toBe(false)
          live.push(block)
          used += block.bytes
          peak = Math.max(peak, used)
        }
        expect(arena.usedBytes).toBe(used)
        expect(used).toBeLessThanOrEqual(maxBytes)
      }
      expect(arena.peakBytes).toBe(peak)
      for (const block of live) arena.free(block)
      expect(arena.usedBytes).toBe(0)
      expect(fill(arena)).toEqual(fill(new Arena({ maxBytes })))
    })
  })

  it("A2 A5 can be filled to its bound but for the first KiB, whatever the bound", () => {
    for (const maxBytes of [KIB, 3 * KIB, 100 * KIB, 1000 * KIB + 5]) {
      const total = fill(new Arena({ maxBytes })).reduce((sum, bytes) => sum + bytes, 0)
      expect(total).toBe((Math.floor(maxBytes / KIB) - 1) * KIB)
    }
  })

  it("A3 hands out the block of a size that was freed last, and halves a larger one only where there is none", () => {
    const arena = new Arena({ maxBytes: 64 * KIB })
    const blocks = Array.from({ length: 8 }, () => arena.allocate(KIB))
    const [, first, , second] = blocks as [Block, Block, Block, Block]
    arena.free(first)
    arena.free(second)
    expect(arena.allocate(KIB).offset).toBe(second.offset)
    expect(arena.allocate(KIB).offset).toBe(first.offset)
    expect(arena.allocate(KIB).offset).toBe(9 * KIB)
  })

  it("A4 takes large blocks again after it was full of small ones, and the other way round", () => {
    const arena = new Arena({ maxBytes: 256 * KIB })
    for (const bytes of [KIB, 128 * KIB, 7 * KIB, 64 * KIB, 1]) {
      const blocks: Block[] = []
      for (let block = arena.tryAllocate(bytes); block !== undefined; block = arena.tryAllocate(bytes))
        blocks.push(block)
      // But for the block of the size that would have the first KiB.
      expect((blocks.length + 1) * blocks[0]!.bytes).toBe(256 * KIB)
      for (const block of blocks) arena.free(block)
    }
  })

  it("says with words that it is full", () => {
    const arena = new Arena({ maxBytes: 8 * KIB })
    for (const bytes of [3 * KIB, 2 * KIB, 1]) arena.allocate(bytes)
    expect(arena.tryAllocate(1)).toBeUndefined()
    expect(() => arena.allocate(KIB)).toThrow(TidemarkError)
    const empty = new Arena({ maxBytes: 4 * KIB })
    for (const bytes of [2 ** 32, 2 ** 42 + 1, 2 ** 53]) expect(() => empty.allocate(bytes)).toThrow(TidemarkError)
  })

  it("says with words that the process has no address space for it", () => {
    const memory = vi.spyOn(WebAssembly, "Memory").mockImplementation(() => {
      throw new RangeError("could not allocate memory")
    })
    try {
      expect(() => new Arena({ maxBytes: 1 << 30 })).toThrow(
        expect.objectContaining({ code: "arena-exhausted", message: expect.stringContaining("1073741824") as string }),
      )
    } finally {
      memory.mockRestore()
    }
  })

  it("takes back only its own live blocks, once", () => {
    const [arena, other] = [new Arena({ maxBytes: 4 * KIB }), new Arena({ maxBytes: 4 * KIB })]
    const block = arena.allocate(KIB)
    expect(() => other.free(block)).toThrow(AssertionError)
    arena.free(block)
    arena.allocate(KIB)
    expect(() => arena.free(block)).toThrow(AssertionError)
  })

  it("calls who waits once, at the next free", () => {
    const arena = new Arena({ maxBytes: 4 * KIB })
    const blocks = [arena.allocate(KIB), arena.allocate(KIB), arena.allocate(KIB)]
    const calls: string[] = []
    arena.onceFreed(() => {
      calls.push("first")
      arena.onceFreed(() => calls.push("second"))
    })
    expect(calls).toEqual([])
    arena.free(blocks[0]!)
    expect(calls).toEqual(["first"])
    arena.free(blocks[1]!)
    arena.free(blocks[2]!)
    expect(calls).toEqual(["first", "second"])
  })

  it("refuses bounds that make no sense", () => {
    for (const maxBytes of [0, 1023, 2 ** 32 + 1, NaN]) expect(() => new Arena({ maxBytes })).toThrow(AssertionError)
  })
})
