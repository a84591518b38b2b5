import { describe, expect, it } from "vitest"
import { Prng } from "../base/prng.ts"
import { Arena } from "./arena.ts"
import { LinearArray } from "./linear-array.ts"

/** An arena all of whose bytes are set, as blocks come with unspecified content. */
function staleArena(): Arena {
  const arena = new Arena({ maxBytes: 1 << 20 })
  new Uint8Array(arena.buffer).fill(0xa5)
  return arena
}

describe("arrays in linear memory", () => {
  it.each([
    [1, 0n, [0]],
    [1, 7n, [7]],
    [4, 0n, [0, 0, 0, 0]],
    [4, 255n, [255, 255, 255, 255]],
    [8, -1n, [255, 255, 255, 255, 255, 255, 255, 255]],
    // The bits of −0, and of −2⁶³: the same.
    [8, -(2n ** 63n), [0, 0, 0, 0, 0, 0, 0, 128]],
    [64, 3n, Array.from({ length: 64 }, () => 3)],
  ] as const)(
    "LA1 items of %i bytes hold the filler %s from the beginning and after each growth",
    (itemBytes, filler, item) => {
      const arena = staleArena()
      const array = new LinearArray(arena, itemBytes, 5, filler)
      const expected: number[] = []
      const check = () => {
        while (expected.length < array.capacity * itemBytes) expected.push(...item)
        expect(expected.findIndex((byte, at) => array.u8[at] !== byte)).toBe(-1)
      }
      check()
      for (let growth = 0; growth < 4; growth++) {
        // The last item and one in the middle are the caller's; whatever comes behind is filled.
        for (const place of [array.capacity - 1, array.capacity >> 1]) {
          for (let byte = 0; byte < itemBytes; byte++) {
            array.u8[place * itemBytes + byte] = expected[place * itemBytes + byte] = growth + byte + 1
          }
        }
        expect(array.reserve(array.capacity + 1)).toBe(true)
        check()
      }
      array.release()
      expect(arena.usedBytes).toBe(0)
    },
  )

  it("LA1 keeps all items where it grows to many times its size at once", () => {
    const arena = staleArena()
    const array = new LinearArray(arena, 4, 256)
    const { capacity } = array
    for (let at = 0; at < capacity; at++) array.i32[at] = at * at
    array.reserve(20_000)
    expect(array.capacity).toBeGreaterThanOrEqual(20_000)
    const items = [...array.i32.subarray(0, array.capacity)]
    expect(items).toEqual(items.map((_, at) => (at < capacity ? at * at : 0)))
  })

  it("stays where it is while there is room, and moves to a block of at least twice the size where there is none", () => {
    const arena = staleArena()
    const array = new LinearArray(arena, 8, 100)
    expect(array.capacity).toBeGreaterThanOrEqual(100)
    const { address, capacity } = array
    expect(array.reserve(capacity)).toBe(false)
    expect([array.address, array.capacity]).toEqual([address, capacity])
    expect(array.reserve(capacity + 1)).toBe(true)
    expect(array.capacity).toBeGreaterThanOrEqual(2 * capacity)
    expect(arena.usedBytes).toBe(array.capacity * 8)
  })

  it("has views of the same bytes, which begin at its address", () => {
    const arena = staleArena()
    const before = new LinearArray(arena, 8, 1000)
    const array = new LinearArray(arena, 8, 100)
    expect(array.address).not.toBe(before.address)
    array.f64[3] = -0
    expect([array.i64[3], array.i32[6], array.i32[7], array.u8[31]]).toEqual([-(2n ** 63n), 0, -(2 ** 31), 128])
    expect(new DataView(arena.buffer).getFloat64(array.address + 24, true)).toBe(-0)
  })

  it("fills a part of the items and nothing else", () => {
    const arena = staleArena()
    for (const itemBytes of [1, 4, 8, 64] as const) {
      const array = new LinearArray(arena, itemBytes, 20, 1n)
      array.u8.fill(9)
      array.fill(3, 3)
      array.fill(5, 7)
      const filled = [...array.u8.keys()].filter((at) => array.u8[at] !== 9)
      expect(Math.min(...filled)).toBe(5 * itemBytes)
      expect(Math.max(...filled)).toBeLessThan(7 * itemBytes)
      expect(() => array.fill(0, array.capacity + 1)).toThrow("within the array")
      array.release()
    }
  })

  it("LA1 arrays that grow by turns keep out of each other's bytes, and an arena that is full changes none", () => {
    const prng = new Prng(1)
    const arena = new Arena({ maxBytes: 1 << 18 })
    const arrays = Array.from({ length: 4 }, (_, each) => ({
      array: new LinearArray(arena, 4, 10),
      items: [] as number[],
      mark: (each + 1) << 24,
    }))
    let refused = 0
    while (refused < 20) {
      const { array, items, mark } = prng.pick(arrays)
      try {
        array.reserve(items.length + 1 + prng.below(3000))
      } catch (error) {
        expect(error).toMatchObject({ code: "arena-exhausted" })
        refused++
      }
      while (items.length < array.capacity) {
        array.i32[items.length] = mark + items.length
        items.push(mark + items.length)
      }
      for (const other of arrays) {
        expect(other.items.findIndex((item, at) => other.array.i32[at] !== item)).toBe(-1)
      }
    }
    for (const { array } of arrays) array.release()
    expect(arena.usedBytes).toBe(0)
  })
})
