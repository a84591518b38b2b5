/** Compressed files: the conformance suite of sources, and what else can be wrong with them. */
import { gunzipSync, gzipSync } from "node:zlib"
import { beforeAll, describe, expect, it, test } from "vitest"
import { forEachSeed } from "../../../test/seeds.ts"
import { TidemarkError } from "../../base/errors.ts"
import { Arena } from "../../batch/arena.ts"
import { START } from "../../batch/position.ts"
import { describeSourceConformance } from "../../connect/source.conformance.ts"
import { runProcess } from "../../connect/world.conformance.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { DecompressedFile } from "./decompressed-file.ts"
import { compressionOf, type Compression } from "./decompressor.ts"
import { csv, jsonl } from "./file-connector.ts"
import { FileSource } from "./file-source.ts"
import {
  BASE_DIRECTORY,
  fileSourceDriver,
  MAX_RECORD_BYTES,
  SOURCE_SCHEMA,
  withBaseDirectory,
} from "./file-world.conformance.ts"
import { jsonLinesFormat } from "./json-lines-format.ts"
import { gzipCode, zstdCode } from "./on-demand.ts"
import { bombFrame, REAL_FRAME, REAL_LINES, skippedFrame, storedFrame } from "./zstd-frame.fixture.ts"

// A library that is loaded while a world is simulated would take time that the world does not have.
beforeAll(async () => void (await Promise.all([gzipCode.get(), zstdCode.get()])))

const createWorld = (seed: number): SimWorld => new SimWorld({ seed })
const JSON_LINES = {
  extension: "jsonl",
  header: "",
  record: (id: number, text: string) => `${JSON.stringify({ id, text })}\n`,
  bad: ['{"id":"x","text":"y"}\n', "[1]\n", '{"id":1\n'],
}
const CSV = {
  extension: "csv",
  header: "text,ignored,id\n",
  record: (id: number, text: string) => `"${text.replaceAll('"', '""')}",x,${id}\n`,
  bad: ["text,x,notANumber\n", '"two\nlines",x,\n'],
}

describeSourceConformance(
  "jsonl, gzip",
  fileSourceDriver(createWorld, (pattern) => jsonl(pattern, { maxRecordBytes: MAX_RECORD_BYTES }), JSON_LINES, {
    ending: ".gz",
    pack: (bytes) => gzipSync(bytes),
    unpack: (bytes) => gunzipSync(bytes),
  }),
)

describeSourceConformance(
  "csv, zstd",
  fileSourceDriver(createWorld, (pattern) => csv(pattern, { maxRecordBytes: MAX_RECORD_BYTES }), CSV, {
    ending: ".zst",
    pack: storedFrame,
    unpack: unpackStored,
  }),
)

/** What `storedFrame` has packed. */
function unpackStored(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = []
  for (let at = 6; at < bytes.length;) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)
    parts.push(bytes.subarray(at + 3, at + 3 + (word >> 3)))
    at += 3 + (word >> 3)
  }
  return Buffer.concat(parts)
}

/** A file in memory, which counts what is read of it. */
function fileOf(bytes: Uint8Array) {
  return {
    read(target: Uint8Array, position: number): Promise<number> {
      const some = bytes.subarray(position, position + target.length)
      target.set(some)
      return Promise.resolve(some.length)
    },
    write: () => Promise.reject(new Error("is for reading")),
    readNow: () => {
      throw new Error("is read with time")
    },
    writeNow: () => {
      throw new Error("is for reading")
    },
    sync: () => Promise.reject(new Error("is for reading")),
    writeDurably: () => Promise.reject(new Error("is for reading")),
    truncate: () => Promise.reject(new Error("is for reading")),
    size: () => Promise.resolve(bytes.length),
    fileId: () => Promise.resolve("0"),
    close: () => Promise.resolve(),
  }
}

const open = (bytes: Uint8Array, compression: Exclude<Compression, "none">): Promise<DecompressedFile> =>
  DecompressedFile.open(fileOf(bytes), compression, "the file")

/** All that a file decompresses to, read in pieces. */
async function contentOf(bytes: Uint8Array, compression: Exclude<Compression, "none">): Promise<Buffer> {
  const file = await open(bytes, compression)
  const pieces: Uint8Array[] = []
  try {
    for (let at = 0; ;) {
      const piece = new Uint8Array(100_000)
      const count = await file.read(piece, at)
      if (count === 0) return Buffer.concat(pieces)
      pieces.push(piece.subarray(0, count))
      at += count
    }
  } finally {
    await file.close()
  }
}

async function failureOf(bytes: Uint8Array, compression: Exclude<Compression, "none">): Promise<TidemarkError> {
  const error: unknown = await contentOf(bytes, compression).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(TidemarkError)
  return error as TidemarkError
}

describe("compressions", () => {
  it("CF1 are told from names, unless they are said", () => {
    expect(["a.csv.gz", "A.GZ", "b.zst", "c.csv", "gz"].map((path) => compressionOf(path, undefined))).toEqual([
      "gzip",
      "gzip",
      "zstd",
      "none",
      "none",
    ])
    expect(compressionOf("a.gz", "none")).toBe("none")
  })

  it("are refused where they mean nothing, and for outputs", async () => {
    expect(() => jsonl("a", { compression: "lz4" as Compression })).toThrow(/compression is "lz4"/)
    const recovery = { checkpoint: undefined, staged: [], reset: false, fresh: true }
    const refused = runProcess(withBaseDirectory(createWorld(1)), (env) => {
      const arena = new Arena({ maxBytes: 1 << 20 })
      const context = {
        env,
        arena,
        schema: SOURCE_SCHEMA,
        job: "trial",
        output: "results",
        baseDirectory: BASE_DIRECTORY,
      }
      return jsonl("out", { compression: "gzip" }).openSink(context, recovery)
    })
    await expect(refused).rejects.toThrow(/cannot be an output that is compressed/)
  })
})

describe("gzip", () => {
  const text = Buffer.from(REAL_LINES.repeat(20))

  it("CF1 DF1 reads members one after the other, empty ones, and zeros behind them", async () => {
    const half = text.length >> 1
    const parts = [gzipSync(text.subarray(0, half)), gzipSync(""), gzipSync(text.subarray(half), { level: 0 })]
    expect((await contentOf(Buffer.concat(parts), "gzip")).equals(text)).toBe(true)
    const padded = Buffer.concat([parts[0]!, new Uint8Array(70_000), parts[2]!])
    expect((await contentOf(padded, "gzip")).equals(text)).toBe(true)
  })

  it("CF4 DF2 refuses files that are cut anywhere, damaged, or something else, with the byte", async () => {
    const whole = gzipSync(text)
    for (const length of [0, 1, 9, 10, 500, whole.length - 8, whole.length - 1]) {
      const { code, message } = await failureOf(whole.subarray(0, length), "gzip")
      expect([code, message]).toEqual([
        "source-unreadable",
        `The file cannot be decompressed as gzip: unexpected end of file. It was read up to byte ${length}.`,
      ])
    }
    const damaged = Buffer.from(whole)
    damaged[whole.length - 5]! ^= 1
    expect((await failureOf(damaged, "gzip")).message).toMatch(/incorrect data check/)
    expect((await failureOf(Buffer.concat([whole, Buffer.from("more")]), "gzip")).message).toMatch(/header check/)
    expect((await failureOf(text, "gzip")).message).toMatch(/header check/)
  })
})

describe("Zstandard", () => {
  it("CF1 DF1 reads what zstd has written, frames one after the other, and leaves out those to be skipped", async () => {
    expect((await contentOf(REAL_FRAME, "zstd")).toString()).toBe(REAL_LINES)
    const stored = storedFrame(Buffer.from("stored\n"))
    const frames = [skippedFrame(100_000), stored, storedFrame(new Uint8Array(0)), REAL_FRAME, skippedFrame(0)]
    expect((await contentOf(Buffer.concat(frames), "zstd")).toString()).toBe(`stored\n${REAL_LINES}`)
    expect(await contentOf(Buffer.concat(Array.from({ length: 9000 }, () => skippedFrame(0))), "zstd")).toHaveLength(0)
  })

  it("CF4 DF2 refuses files that are cut anywhere, damaged, or something else, with the byte", async () => {
    for (const length of [0, 3, 4, 6, 100, REAL_FRAME.length - 4, REAL_FRAME.length - 1]) {
      const { code, message } = await failureOf(REAL_FRAME.subarray(0, length), "zstd")
      expect([code, message]).toEqual([
        "source-unreadable",
        `The file cannot be decompressed as zstd: it ends within a frame. It was read up to byte ${length}.`,
      ])
    }
    const damaged = Buffer.from(REAL_FRAME)
    damaged[REAL_FRAME.length - 2]! ^= 1
    expect((await failureOf(damaged, "zstd")).message).toMatch(/make no sense/)
    expect((await failureOf(Buffer.concat([REAL_FRAME, Buffer.from("more")]), "zstd")).code).toBe("source-unreadable")
    expect((await failureOf(Buffer.from(REAL_LINES), "zstd")).message).toMatch(/make no sense/)
  })

  it("DF2 neither loops nor takes what is damaged for something else without a word", async () => {
    let refused = 0
    for (let at = 0; at < REAL_FRAME.length; at += 7) {
      const damaged = Buffer.from(REAL_FRAME)
      damaged[at]! ^= 0x55
      await contentOf(damaged, "zstd").then(
        () => undefined,
        (error: unknown) => void (refused += error instanceof TidemarkError ? 1 : 0),
      )
    }
    expect(refused).toBeGreaterThan(REAL_FRAME.length / 7 - 2)
  })
})

test("DF3 zstd counts the largest window of all frames, wherever their headers are cut", async () => {
  const small = storedFrame(Buffer.alloc(40_000, 97))
  // So many bytes of the header are in one read of 32 KiB, and the others in the next.
  for (const before of [0, 1, 5, 13, 14]) {
    const skipped = skippedFrame(2 * 32 * 1024 - small.length - 8 - before)
    const packed = Buffer.concat([small, skipped, storedFrame(Buffer.alloc(10), 16), small])
    const file = await open(packed, "zstd")
    const first = file.heldBytes
    await file.reaches(80_010)
    expect(file.heldBytes - first).toBe(64 << 20)
    await file.close()
  }
})

test("CF4 DF3 zstd refuses frames that would need more memory than any should", async () => {
  // Two GiB back; and one segment of a TiB, whose size has eight bytes.
  const far = storedFrame(Buffer.alloc(10), 21)
  const long = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 0x51, 0, 0, 97, 97, 97, 97])
  const before = process.memoryUsage().rss
  for (const frame of [far, long]) expect((await failureOf(frame, "zstd")).code).toBe("source-unreadable")
  expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20)
})

test.each(["gzip", "zstd"] as const)("CF3 DF1 %s reads what was asked for, in any order", async (compression) => {
  const text = Buffer.from(Array.from({ length: 90_000 }, (_, row) => `row ${row}\n`).join(""))
  const packed = compression === "gzip" ? gzipSync(text) : storedFrame(text)
  const wrong: number[] = []
  const prngs: Promise<void>[] = []
  forEachSeed(3, (prng) => {
    prngs.push(
      (async () => {
        const file = await open(packed, compression)
        for (let times = 0; times < 60; times++) {
          const at = prng.below(text.length + 10)
          const piece = new Uint8Array(1 + prng.below(prng.pick([10, 400_000])))
          const count = await file.read(piece, at)
          if (!text.subarray(at, at + piece.length).equals(piece.subarray(0, count))) wrong.push(at)
          const size = await file.size()
          if (size > text.length || (size < text.length && size <= at + count)) wrong.push(size)
        }
        await file.close()
      })(),
    )
  })
  await Promise.all(prngs)
  expect(wrong).toEqual([])
})

/** Reads the only file of a world from a position, as one read gives it. */
async function readOnce(world: SimWorld, name: string, position = START) {
  const result = await runProcess(world, async (env) => {
    const arena = new Arena({ maxBytes: 1 << 22 })
    const context = { env, arena, schema: SOURCE_SCHEMA, input: "trips", baseDirectory: BASE_DIRECTORY }
    const source = new FileSource(context, jsonLinesFormat({ maxRecordBytes: 10_000 }), [name])
    const [partition] = await source.partitions()
    const reader = await source.open(partition!, 0, position)
    const { batch, bad, next, end } = await reader.read({ rows: 10, untilOffset: Infinity })
    const offsets = [...(batch?.origin.offsets ?? [])]
    await source.close()
    return { offsets, bad, next, end, size: partition!.size }
  })
  return result!.value
}

function worldWith(name: string, bytes: Uint8Array): SimWorld {
  const world = withBaseDirectory(createWorld(1))
  world.image.install(`${BASE_DIRECTORY}/${name}`, bytes)
  return world
}

describe("compressed files of lines", () => {
  it("CF2 have the offsets of their decompressed bytes, and take whole members at their end", async () => {
    const line = '{"id":1,"text":"a"}\n'
    const first = gzipSync(line + line)
    const { offsets, next, size } = await readOnce(worldWith("a.gz", first), "a.gz")
    expect([offsets, next.offset, size]).toEqual([[0, line.length], 2 * line.length, undefined])
    const grown = Buffer.concat([first, gzipSync(line)])
    expect((await readOnce(worldWith("a.gz", grown), "a.gz", next)).offsets).toEqual([2 * line.length])
  })

  it("CF5 DF3 take no more memory where a bomb is one record that is too long", async () => {
    const gzipBomb = gzipSync(Buffer.alloc(300_000_000, 120), { level: 9 })
    const bombs = { "line.jsonl.gz": gzipBomb, "line.jsonl.zst": bombFrame(120, 3000) }
    for (const [name, bomb] of Object.entries(bombs)) {
      const world = worldWith(name, bomb)
      const before = process.memoryUsage()
      const { bad, next, end } = await readOnce(world, name)
      const after = process.memoryUsage()
      expect([bad.length, next.offset, end]).toEqual([1, 300_000_000, true])
      expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(32 << 20)
    }
  })
})
