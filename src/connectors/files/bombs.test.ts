/** Bytes that unpack to far more than they say: codecs of pages and buffers stop where a page was to end. */
import { gzipSync } from "node:zlib"
import { beforeAll, expect, it } from "vitest"
import { nodeCodecs } from "./parquet-format.ts"
import { bombFrame } from "./zstd-frame.fixture.ts"
import { loadUnzstd } from "./zstd.ts"

const BOMB_BYTES = 300_000_000
const SAID_BYTES = 100_000

beforeAll(async () => await loadUnzstd())

const BOMBS = {
  gunzip: () => gzipSync(new Uint8Array(BOMB_BYTES), { level: 9 }),
  unzstd: () => bombFrame(0, BOMB_BYTES / 100_000),
} as const

it.each(["gunzip", "unzstd"] as const)("CT3 %s unpacks no more than was said, and takes no more memory", (codec) => {
  const bomb = BOMBS[codec]()
  expect(bomb.length).toBeLessThan(BOMB_BYTES / 500)
  const held = (): number => process.memoryUsage().rss
  const before = held()
  let unpacked: Uint8Array | undefined
  try {
    unpacked = nodeCodecs[codec](bomb, SAID_BYTES)
  } catch {
    // To throw is one of the two ways to say so; the other is to give something of another length, which the reader of pages refuses.
  }
  expect(unpacked?.length ?? 0).not.toBe(SAID_BYTES)
  expect(unpacked?.length ?? 0).toBeLessThan(SAID_BYTES)
  expect(held() - before).toBeLessThan(32 << 20)
})
