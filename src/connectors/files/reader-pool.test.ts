import { describe, expect, it } from "vitest"
import { MAX_OPEN_FILES, ReaderPool, type PooledReader } from "./reader-pool.ts"

const MEBIBYTE = 1024 * 1024

/** A reader that says how much it holds, and notes that it was parked. */
function readerOf(pool: ReaderPool, heldBytes: number, isBusy = false): PooledReader & { isParked: boolean } {
  const reader = {
    isBusy,
    heldBytes,
    isParked: false,
    async park() {
      reader.isParked = true
      pool.leave(reader)
    },
    close: () => reader.park(),
  }
  return reader
}

async function enterAll(heldBytes: readonly number[]): Promise<(PooledReader & { isParked: boolean })[]> {
  const pool = new ReaderPool(() => 0)
  const readers = heldBytes.map((bytes) => readerOf(pool, bytes))
  for (const reader of readers) await pool.enter(reader)
  return readers
}

describe("O8", () => {
  it("parks the reader not used for longest where too many files are open", async () => {
    const readers = await enterAll(Array<number>(MAX_OPEN_FILES + 2).fill(0))
    expect(readers.map(({ isParked }) => isParked)).toEqual(readers.map((_, index) => index < 2))
  })

  it("parks readers that hold too much beside the one that is read", async () => {
    const readers = await enterAll([100 * MEBIBYTE, 200 * MEBIBYTE, 900 * MEBIBYTE])
    expect(readers.map(({ isParked }) => isParked)).toEqual([true, false, false])
  })

  it("leaves readers alone that are in the middle of a read", async () => {
    const pool = new ReaderPool(() => 0)
    const busy = readerOf(pool, 300 * MEBIBYTE, true)
    await pool.enter(busy)
    await pool.enter(readerOf(pool, 0))
    expect(busy.isParked).toBe(false)
  })
})

it("RA2 lets eight files read ahead with twelve places, and twelve do without", async () => {
  const pool = new ReaderPool(() => 12)
  const depths: number[] = []
  for (let file = 0; file < 12; file++) {
    await pool.enter(readerOf(pool, 0))
    depths.push(pool.depth())
  }
  expect(depths).toEqual([12, 6, 4, 3, 3, 2, 2, 2, 2, 2, 2, 1])
})
