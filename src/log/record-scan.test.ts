import { expect, test } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { ByteWriter } from "../base/bytes.ts"
import { decodeRecord, encodeRecord, type ReadRecord } from "./record.ts"
import { RecordScan } from "./record-scan.ts"

test("RS1 stops at the records that are decoded one by one, in whole bytes and in damaged ones", () => {
  forEachSeed(300, (prng) => {
    const [generation, offset] = [1 + prng.below(5), prng.pick([0, 77, 2 ** 32 - 20, 2 ** 39])]
    const out = new ByteWriter()
    out.raw(new Uint8Array(prng.below(9)))
    const begin = out.length
    for (let count = prng.below(6); count > 0; count--) {
      const payload = Uint8Array.from({ length: prng.pick([0, 3, 8, 40, 700]) }, () => prng.below(256))
      const place = { generation, offset: offset + out.length - begin, syncedThrough: prng.pick([0, offset]) }
      encodeRecord(out, place, 1 + prng.below(7), payload)
    }
    if (prng.chance(0.5)) out.raw(new Uint8Array(prng.below(60)))
    const bytes = out
      .finish()
      .subarray(begin, prng.chance(0.3) ? begin + prng.below(out.length - begin + 1) : undefined)
    if (bytes.length > 0 && prng.chance(0.5)) bytes[prng.below(bytes.length)]! ^= 1 << prng.below(8)

    const scan = new RecordScan(bytes, generation, offset)
    let at = 0
    const expected = (): ReadRecord | undefined => decodeRecord(bytes, at, generation, offset + at)
    for (let record = expected(); record !== undefined; record = expected()) {
      expect(scan.next()).toBe(true)
      expect(scan.lsn).toEqual({ generation, offset: offset + at })
      expect([scan.offset, scan.endOffset]).toEqual([offset + at, offset + at + record.bytes])
      expect([scan.type, scan.syncedThrough]).toEqual([record.type, record.syncedThrough])
      expect(scan.payload).toEqual(record.payload)
      if (record.payload.length >= 8) {
        const { payload } = record
        expect(scan.payloadFrom(5)).toEqual(payload.subarray(5))
        const int64 = new DataView(payload.buffer, payload.byteOffset).getBigInt64(0, true)
        expect(scan.leadingInt64).toBe(Number(int64 >> 32n) * 2 ** 32 + Number(int64 & 0xffffffffn))
      }
      at += record.bytes
    }
    expect(scan.next()).toBe(false)
    expect(scan.next()).toBe(false)
    expect(scan.endOffset).toBe(offset + at)
  })
})
