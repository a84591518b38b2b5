import { expect, test } from "vitest"
import { ByteWriter } from "../base/bytes.ts"
import type { Disk } from "../env/env.ts"
import { COMMIT_LOG } from "./log-kind.ts"
import { encodeRecord, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES } from "./record.ts"
import { SeenRecords, type LogPart } from "./seen-records.ts"

const PAYLOAD_BYTES = 100
const RECORD_BYTES = RECORD_HEADER_BYTES + PAYLOAD_BYTES

/** A segment with three records, of which each has bytes of its number. */
function segmentBytes(): Uint8Array {
  const out = new ByteWriter()
  for (let at = 0; at < 3; at++) {
    const place = { generation: 1, offset: at * RECORD_BYTES, syncedThrough: 0 }
    encodeRecord(out, place, 1, new Uint8Array(PAYLOAD_BYTES).fill(at))
  }
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES + out.length)
  bytes.set(out.view(), SEGMENT_HEADER_BYTES)
  return bytes
}

function seenIn(bytes: Uint8Array | undefined): SeenRecords {
  const read = (into: Uint8Array, position: number) => {
    const found = bytes!.subarray(position, position + into.length)
    into.set(found)
    return Promise.resolve(found.length)
  }
  const file = { read, close: () => Promise.resolve() }
  const disk = { open: () => Promise.resolve(bytes && file) } as unknown as Disk
  const header = { generation: 1, startOffset: 0, previousGeneration: 0, previousEnd: 0, lastMicros: 0 }
  const segment = { ...header, path: "/log/1.wal", size: SEGMENT_HEADER_BYTES + 3 * RECORD_BYTES }
  return new SeenRecords({ disk, kind: COMMIT_LOG }, [{ segment, endOffset: undefined }])
}

const partOf = (record: number): LogPart => ({
  place: { generation: 1, offset: record * RECORD_BYTES },
  recordBytes: RECORD_BYTES,
  from: 10,
  length: 20,
})

test("SR1 parts are read in any order", async () => {
  const seen = seenIn(segmentBytes())
  for (const record of [1, 2, 0, 2]) expect(await seen.read(partOf(record))).toEqual(new Uint8Array(20).fill(record))
  await seen.close()
})

test("P21 SR1 what has changed since it was seen, was cut off, or has gone is corruption, told by file and byte", async () => {
  const changed = segmentBytes()
  changed[SEGMENT_HEADER_BYTES + RECORD_BYTES + 50]! ^= 1
  const seen = seenIn(changed)
  expect(await seen.read(partOf(0))).toEqual(new Uint8Array(20))
  await expect(seen.read(partOf(1))).rejects.toMatchObject({
    code: "state-corrupt",
    message: expect.stringContaining(`/log/1.wal is damaged at byte ${SEGMENT_HEADER_BYTES + RECORD_BYTES}`) as string,
  })
  await expect(seenIn(segmentBytes().subarray(0, -1)).read(partOf(2))).rejects.toMatchObject({ code: "state-corrupt" })
  await expect(seenIn(undefined).read(partOf(0))).rejects.toMatchObject({ code: "state-corrupt" })
})
