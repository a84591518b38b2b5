import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import type { DiskFile } from "../env/env.ts"
import { SimWorld } from "../sim/sim-env.ts"
import { COMMIT_LOG } from "./log-kind.ts"
import { readLog, type LogVisitor } from "./log-reader.ts"
import { Log } from "./log.ts"
import { SEGMENT_HEADER_BYTES } from "./record.ts"
import { SegmentBytes } from "./segment-bytes.ts"

/** A file that is `bytes`, of which a read may give fewer than are asked for where it has been cut. */
function fileOf(bytes: Uint8Array): DiskFile {
  const read = (into: Uint8Array, position: number) => {
    const found = bytes.subarray(position, position + into.length)
    into.set(found)
    return Promise.resolve(found.length)
  }
  return { read } as unknown as DiskFile
}

test("SB1 pieces are the bytes of the segment, wherever the next one is asked for, also where the file is shorter by now", async () => {
  for (let seed = 0; seed < 300; seed++) {
    const prng = new Prng(seed)
    const length = prng.below(600)
    const bytes = Uint8Array.from({ length: SEGMENT_HEADER_BYTES + length }, () => prng.below(256))
    const there = prng.chance(0.2) ? prng.below(length + 1) : length
    const startOffset = prng.below(1000)
    const segment = {
      startOffset,
      generation: 1,
      previousGeneration: 0,
      previousEnd: 0,
      lastMicros: 0,
      path: "",
      size: 0,
    }
    const sizes = { pieceBytes: 1 + prng.below(100), leftBytesMax: prng.below(60) }
    const file = fileOf(bytes.subarray(0, SEGMENT_HEADER_BYTES + there))
    const pieces = new SegmentBytes(file, segment, startOffset + length, COMMIT_LOG.stepOf("recover.read"), sizes)
    const from = (at: number, count: number) =>
      bytes.subarray(SEGMENT_HEADER_BYTES + at, SEGMENT_HEADER_BYTES + Math.min(there, at + count))
    for (let at = 0; at < there;) {
      const piece = prng.chance(0.9) ? await pieces.next(startOffset + at) : await pieces.exactly(startOffset + at, 50)
      expect(piece.length).toBeGreaterThan(0)
      expect(piece).toEqual(from(at, piece.length))
      at += 1 + prng.below(piece.length)
    }
    await pieces.end()
  }
})

test("L2 SB1 records of all lengths are read back, those that are longer than a piece, too", async () => {
  const world = new SimWorld({ seed: 1 })
  world.image.installDirectory("/state")
  const env = world.boot()
  const lengths = [
    10,
    3 << 20,
    40 << 10,
    (1 << 20) - 17,
    1 << 20,
    33 << 10,
    5,
    2 << 20,
    2 << 20,
    900 << 10,
    200 << 10,
    1,
  ]
  const running = (async () => {
    const nobody: LogVisitor = { begin: () => undefined, record: () => undefined }
    const log = await Log.open(env.disk, "/state/log", nobody)
    for (const [index, length] of lengths.entries()) await log.append(1 + index, new Uint8Array(length).fill(index))
    await log.sync("commit")
    await log.close()
    const seen: [number, number, boolean][] = []
    await readLog(env.disk, "/state/log", () => ({
      begin: () => undefined,
      record: ({ type, payload }) => {
        seen.push([type, payload.length, payload.every((byte) => byte === type - 1)])
      },
    }))
    expect(seen).toEqual(lengths.map((length, index) => [1 + index, length, true]))
  })()
  running.catch(() => undefined)
  await world.run(running)
  await running
})
