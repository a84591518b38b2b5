import { expect, test } from "vitest"
import { ByteWriter } from "../base/bytes.ts"
import { forEachSeed } from "../../test/seeds.ts"
import { wasSyncedBeyond } from "./later-sync.ts"
import { wasSyncedBeyondSlowly } from "./later-sync.reference.ts"
import { encodeRecord } from "./record.ts"

const GENERATION = 3

test("G2 agrees with looking for a record at every byte, whatever is damaged", () => {
  let found = 0
  forEachSeed(300, (prng) => {
    const start = prng.below(5000)
    const out = new ByteWriter()
    const records = 1 + prng.below(6)
    let synced = prng.below(start + 1)
    for (let index = 0; index < records; index++) {
      const offset = start + out.length
      if (prng.chance(0.3)) synced = offset - prng.below(40)
      const payload = Uint8Array.from({ length: prng.below(60) }, () => (prng.chance(0.5) ? 0 : prng.below(256)))
      encodeRecord(
        out,
        { generation: GENERATION, offset, syncedThrough: Math.max(0, synced) },
        1 + prng.below(3),
        payload,
      )
    }
    const bytes = out.finish()
    for (let hits = prng.below(4); hits > 0; hits--) bytes[prng.below(bytes.length)] = prng.below(256)
    const expected = wasSyncedBeyondSlowly(bytes, GENERATION, start)
    if (expected) found++
    expect(wasSyncedBeyond(bytes, GENERATION, start)).toBe(expected)
    expect(wasSyncedBeyond(bytes.subarray(1), GENERATION, start + 1)).toBe(
      wasSyncedBeyondSlowly(bytes.subarray(1), GENERATION, start + 1),
    )
  })
  expect(found).toBeGreaterThan(20)
})

test("G2 a record that claims more than can be is no proof", () => {
  const out = new ByteWriter()
  out.uint8(0)
  encodeRecord(out, { generation: 1, offset: 1001, syncedThrough: 1002 }, 1, new Uint8Array(5))
  expect(wasSyncedBeyond(out.finish(), 1, 1000)).toBe(false)
})

test("LS1 a tail made to look like records of all lengths takes no longer than its length", { timeout: 20_000 }, () => {
  const length = 1 << 20
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  // Each header claims to be synced a little further, and to reach to the end: one by one they are 30 GiB to check.
  for (let at = 1; at + 17 <= length; at += 17) {
    view.setUint32(at, length - at - 17, true)
    bytes[at + 8] = 1
    view.setUint32(at + 9, 1000 + at, true)
  }
  expect(wasSyncedBeyond(bytes, GENERATION, 1000)).toBe(false)
})
