/** What the file source does beyond the contract of sources: patterns, growing files, many files. */
import { describe, expect, test } from "vitest"
import { grouped } from "../../base/counted.ts"
import { TidemarkError } from "../../base/errors.ts"
import { Arena } from "../../batch/arena.ts"
import { START, type Position } from "../../batch/position.ts"
import type { PartitionReader, Source } from "../../connect/source.ts"
import { runProcess } from "../../connect/world.conformance.ts"
import type { Disk, DiskFile, Env } from "../../env/env.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { csvFormat } from "./csv-format.ts"
import { FileSource } from "./file-source.ts"
import { MAX_OPEN_FILES } from "./reader-pool.ts"
import { BASE_DIRECTORY, withBaseDirectory, installText, SOURCE_SCHEMA } from "./file-world.conformance.ts"
import { FILE_SOURCE_STEPS } from "./steps.ts"

const arena = new Arena({ maxBytes: 1 << 24 })

function sourceOf(env: Env, globs: readonly string[]): FileSource {
  const context = { env, arena, schema: SOURCE_SCHEMA, input: "trips", baseDirectory: BASE_DIRECTORY }
  return new FileSource(context, csvFormat({ maxRecordBytes: 10_000 }), globs)
}

function worldWith(files: Readonly<Record<string, string>>): SimWorld {
  const world = withBaseDirectory(new SimWorld({ seed: 1 }))
  for (const [path, text] of Object.entries(files)) installText(world, `${BASE_DIRECTORY}/${path}`, text)
  return world
}

async function inProcess<T>(world: SimWorld, program: (env: Env) => Promise<T>): Promise<T> {
  const result = await runProcess(world, program)
  return result!.value
}

async function failure(world: SimWorld, program: (env: Env) => Promise<unknown>): Promise<TidemarkError> {
  const error: unknown = await inProcess(world, program).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(TidemarkError)
  return error as TidemarkError
}

async function readIds(reader: PartitionReader): Promise<{ ids: unknown[]; next: Position }> {
  const ids: unknown[] = []
  for (;;) {
    const taken = await reader.read({ rows: 65_536, untilOffset: Infinity })
    ids.push(...(taken.batch?.toRows() ?? []).map(({ id }) => id), ...taken.bad.map(({ reason }) => reason))
    taken.release()
    if (taken.end) return { ids, next: taken.next }
  }
}

/** Opens the only partition. */
async function openOnly(source: Source, position = START, identity?: string): Promise<PartitionReader> {
  const partitions = await source.partitions()
  expect(partitions).toHaveLength(1)
  return source.open(partitions[0]!, 0, position, identity)
}

const HEADER = "id,text\n"

describe("finding files", () => {
  const files = { "a/1.csv": `${HEADER}1,one\n`, "a/2.csv": `${HEADER}2,two\n`, "b/1.csv": `${HEADER}1,one\n` }

  async function ids(globs: readonly string[]): Promise<string[]> {
    return inProcess(worldWith(files), async (env) => (await sourceOf(env, globs).partitions()).map(({ id }) => id))
  }

  test("files of several patterns are partitions, each once, in the order of their names", async () => {
    expect(await ids(["b/*", "a/*.csv", "**/1.csv"])).toEqual(["a/1.csv", "a/2.csv", "b/1.csv"])
  })

  test("ids are as the pattern is: relative or absolute", async () => {
    expect(await ids(["./a/../a/1.csv"])).toEqual(["a/1.csv"])
    expect(await ids(["/work/a/*"])).toEqual(["/work/a/1.csv", "/work/a/2.csv"])
    expect(await ids(["/work/a/*", "a/1.csv"])).toEqual(["/work/a/1.csv", "/work/a/2.csv"])
  })

  test("files with the same content tie, whatever their names; others do not", async () => {
    const partitions = await inProcess(worldWith(files), (env) => sourceOf(env, ["**"]).partitions())
    const [one, two, copy] = partitions
    expect(copy!.tieBreak).toBe(one!.tieBreak)
    expect(two!.tieBreak).not.toBe(one!.tieBreak)
    expect(partitions.map(({ size }) => size)).toEqual([14, 14, 14])
  })

  test.each([
    ["nothing/*.csv", "source-missing", /No file matches "nothing\/\*\.csv" of the input trips, in \/work/],
    ["a/3.csv", "source-missing", /No file matches "a\/3\.csv"/],
    ["a", "source-unreadable", /The file "a" of the input trips is a directory/],
  ])("refuses %s: %s", async (glob, code, message) => {
    const error = await failure(worldWith(files), (env) => sourceOf(env, ["b/*", glob]).partitions())
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
    expect(error.hint).toBeDefined()
  })
})

describe("a file that goes on", () => {
  async function readAndChange(before: string, after: string): Promise<{ ids: unknown[] }> {
    const world = worldWith({ "a.csv": before })
    const first = await inProcess(world, async (env) => {
      const source = sourceOf(env, ["a.csv"])
      const identity = (await source.partitions())[0]!.identity
      return { identity, next: (await readIds(await openOnly(source))).next }
    })
    world.image.remove("/work/a.csv")
    installText(world, "/work/a.csv", after)
    return inProcess(world, async (env) =>
      readIds(await openOnly(sourceOf(env, ["a.csv"]), first.next, first.identity)),
    )
  }

  test("whole lines that are appended are read in the next run", async () => {
    const before = `${HEADER}1,one\n`
    expect((await readAndChange(before, `${before}2,two\n3,three`)).ids).toEqual([2, 3])
    expect((await readAndChange(before, before)).ids).toEqual([])
    expect((await readAndChange("", `${HEADER}1,one\n`)).ids).toEqual([1])
  })

  test("O4 a record that ended with the file must not go on", async () => {
    const before = `${HEADER}1,one\n2,tw`
    const error: unknown = await readAndChange(before, `${before}o\n3,three\n`).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: "source-changed" })
    expect((error as Error).message).toContain("at byte 18, where a record ended with the file")
    expect((await readAndChange(before, before)).ids).toEqual([])
    for (const lineEnd of ["\n", "\r\n"]) {
      expect((await readAndChange(before, `${before}${lineEnd}3,three\n`)).ids).toEqual([3])
    }
  })

  test("lines that are appended while it is read belong to the run", async () => {
    const world = worldWith({ "a.csv": `${HEADER}1,one\n` })
    const { ids } = await inProcess(world, async (env) => {
      const reader = await openOnly(sourceOf(env, ["a.csv"]))
      world.image.remove("/work/a.csv")
      return readIds(reader)
    })
    expect(ids).toEqual([1])
    const growing = worldWith({ "a.csv": `${HEADER}1,one\n` })
    const grown = await inProcess(growing, async (env) => {
      const reader = await openOnly(sourceOf(env, ["a.csv"]))
      const file = (await env.disk.open("/work/a.csv", "update", "test"))!
      await file.write(Buffer.from("2,two\n"), 14, "test")
      return readIds(reader)
    })
    expect(grown.ids).toEqual([1, 2])
  })

  test("O4 a file that becomes shorter while it is read is refused", async () => {
    const lines = Array.from({ length: 60_000 }, (_, id) => `${id},some text\n`).join("")
    const world = worldWith({ "a.csv": HEADER + lines })
    const error = await failure(world, async (env) => {
      const reader = await openOnly(sourceOf(env, ["a.csv"]))
      const taken = await reader.read({ rows: 10, untilOffset: Infinity })
      taken.release()
      const file = (await env.disk.open("/work/a.csv", "update", "test"))!
      await file.truncate(400_000, "test")
      await readIds(reader)
    })
    expect(error.code).toBe("source-changed")
    expect(error.message).toContain("became shorter while it was read")
  })

  test("O4 a file that was cut behind its head, before what was read, is refused", async () => {
    const text = HEADER + Array.from({ length: 20_000 }, (_, id) => `${id},some text\n`).join("")
    const error: unknown = await readAndChange(text, text.slice(0, 100_000)).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: "source-changed" })
    expect((error as Error).message).toContain(
      `it has 100,000 bytes, but ${grouped(text.length)} bytes of it were read`,
    )
  })

  test("a file ends in the middle of a quoted field: a bad record", async () => {
    const world = worldWith({ "a.csv": `${HEADER}1,one\n2,"two\n3,three\n` })
    const { ids } = await inProcess(world, async (env) => readIds(await openOnly(sourceOf(env, ["a.csv"]))))
    expect(ids).toEqual([1, "the last field is quoted and the quote is never closed"])
  })

  test("a header that lacks a column stops the job, naming file and column", async () => {
    const world = worldWith({ "a.csv": "id,words\n1,one\n" })
    const error = await failure(world, async (env) => openOnly(sourceOf(env, ["a.csv"])))
    expect(error.code).toBe("source-unreadable")
    expect(error.message).toContain('the file "a.csv" of the input trips has no column "text"')
  })
})

/** Counts the files that are open. */
class CountingDisk {
  open = 0
  openMax = 0
  readonly steps = new Set<string>()

  wrap(env: Env): Env {
    const { disk } = env
    const open: Disk["open"] = async (path, mode, at) => {
      this.steps.add(at)
      const file = await disk.open(path, mode, at)
      if (file === undefined) return undefined
      this.openMax = Math.max(this.openMax, ++this.open)
      return this.#count(file)
    }
    const counting: Disk = {
      open,
      stat: (path) => disk.stat(path),
      isThereNow: (path) => disk.isThereNow(path),
      list: (path) => disk.list(path),
      makeDirectory: (path, at) => disk.makeDirectory(path, at),
      rename: (from, to, at) => disk.rename(from, to, at),
      remove: (path, at) => disk.remove(path, at),
      syncDirectory: (path, at) => disk.syncDirectory(path, at),
    }
    const { clock, timers, scopes, threads, turns } = env
    const randomUint32 = (): number => env.randomUint32()
    const lockDirectory: Env["lockDirectory"] = (path) => env.lockDirectory(path)
    return { clock, timers, scopes, threads, turns, randomUint32, disk: counting, lockDirectory }
  }

  #count(file: DiskFile): DiskFile {
    return {
      read: (target, position, at) => {
        this.steps.add(at)
        return file.read(target, position, at)
      },
      write: (source, position, at) => file.write(source, position, at),
      readNow: (target, position, at) => file.readNow(target, position, at),
      writeNow: (source, position, at) => file.writeNow(source, position, at),
      sync: (at) => file.sync(at),
      writeDurably: (source, position, at) => file.writeDurably(source, position, at),
      truncate: (length, at) => file.truncate(length, at),
      size: () => file.size(),
      fileId: () => file.fileId(),
      close: async () => {
        this.open--
        await file.close()
      },
    }
  }
}

describe("many files", () => {
  const COUNT = MAX_OPEN_FILES + 9

  function manyFiles(): SimWorld {
    const files: Record<string, string> = {}
    for (let file = 0; file < COUNT; file++) {
      const lines = Array.from({ length: 5 }, (_, line) => `${file * 100 + line},text\n`)
      files[`${String(file).padStart(3, "0")}.csv`] = HEADER + lines.join("")
    }
    return worldWith(files)
  }

  test("O7, O8 are read in turn with few of them open, and none in the end; every step is in the list", async () => {
    const counting = new CountingDisk()
    const seen = await inProcess(manyFiles(), async (env) => {
      const source = sourceOf(counting.wrap(env), ["*.csv"])
      const readers: PartitionReader[] = []
      for (const [index, partition] of (await source.partitions()).entries()) {
        readers.push(await source.open(partition, index, START))
      }
      const rows: unknown[] = []
      for (let turn = 0; turn < 5; turn++) {
        for (const reader of readers) {
          const taken = await reader.read({ rows: 1, untilOffset: Infinity })
          rows.push(...taken.batch!.toRows().map(({ id }) => id))
          taken.release()
        }
      }
      expect(counting.open).toBe(MAX_OPEN_FILES)
      await source.close()
      return rows
    })
    const expected = Array.from({ length: 5 * COUNT }, (_, at) => (at % COUNT) * 100 + Math.floor(at / COUNT))
    expect(seen).toEqual(expected)
    expect(counting.openMax).toBeLessThanOrEqual(MAX_OPEN_FILES + 1)
    expect(counting.open).toBe(0)
    const known: ReadonlySet<string> = new Set(FILE_SOURCE_STEPS)
    expect([...counting.steps].filter((step) => !known.has(step))).toEqual([])
  })

  test("O7 a file that was replaced while it was parked is refused", async () => {
    const world = manyFiles()
    const error = await failure(world, async (env) => {
      const source = sourceOf(env, ["*.csv"])
      const readers: PartitionReader[] = []
      for (const [index, partition] of (await source.partitions()).entries()) {
        const reader = await source.open(partition, index, START)
        readers.push(reader)
        ;(await reader.read({ rows: 1, untilOffset: Infinity })).release()
      }
      world.image.remove("/work/000.csv")
      installText(world, "/work/000.csv", `${HEADER}other\n`.repeat(20))
      await readers[0]!.read({ rows: 1, untilOffset: Infinity })
    })
    expect(error.code).toBe("source-changed")
    expect(error.message).toContain('"000.csv"')
  })
})
