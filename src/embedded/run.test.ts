/** What `run` refuses of programs that the compiler has not seen, and what it warns of; and what needs real files. */
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { parquetWriteBuffer, type ColumnSource } from "hyparquet-writer"
import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { jsonl, parquet } from "../connectors/files/file-connector.ts"
import { job } from "../stream/job.ts"
import { run } from "./run.ts"

const fares = job({ name: "fares", inputs: { trips: schema({ fare: t.float64 }) }, flow: ({ trips }) => ({ trips }) })
const bound = fares.with({ inputs: { trips: jsonl("nowhere/*.jsonl") }, outputs: { trips: jsonl("out") } })

test.each<[options: unknown, message: string, hint: string]>([
  [{ drian: "never" }, 'run(...) has no option "drian".', 'Did you mean "drain"?'],
  ["state", 'run(...) takes an object of options, not "state".', '"directory"'],
  [{ drain: "end" }, 'run(...): drain is "end".', '"at-end", "always" or "never"'],
  [{ drain: true }, "run(...): drain is true.", '"at-end", "always" or "never"'],
  [{ reset: "yes" }, 'run(...): reset is "yes".', "true or false"],
  [{ directory: "" }, 'run(...): directory is "".', "a directory"],
  [{ baseDirectory: 5 }, "run(...): baseDirectory is 5.", "a directory"],
  [{ compile: false }, "run(...): compile is false.", '"auto" or "off"'],
  [{ batchRows: 0 }, "run(...): batchRows is 0.", "1 to 65,536"],
  [{ batchRows: NaN }, "run(...): batchRows is NaN.", "1 to 65,536"],
  [{ metrics: { port: 99_999 } }, "run(...): metrics.port is 99999.", "0 to 65,535"],
  [{ metrics: { port: 1, host: "" } }, 'run(...): metrics.host is "".', "perhaps a host"],
  [{ metrics: { port: 1, path: "/" } }, 'run(...): metrics.path is "/".', "{ port }"],
  [{ metrics: 9464 }, "run(...): metrics is 9464.", "{ port }"],
  [{ onEvent: console }, "run(...): onEvent is an object.", "a function"],
])("run with %o is refused", async (options, message, hint) => {
  await expect(run(bound, options as never)).rejects.toMatchObject({
    code: "invalid-options",
    message,
    hint: expect.stringContaining(hint) as string,
  })
})

test.each<[job: unknown, message: string]>([
  [undefined, "run(...) is given undefined."],
  [fares, "run(...) is given the job fares, which is not bound to connectors."],
])("run of %# is refused", async (given, message) => {
  await expect(run(given as never)).rejects.toMatchObject({ code: "invalid-options", message })
})

test("E13 a job whose directory was moved goes on, with the dead letters that it has", async () => {
  const home = await mkdtemp(join(tmpdir(), "tidemark-run-"))
  const go = async (directory: string, lines: string) => {
    await appendFile(join(directory, "in.jsonl"), lines)
    const job = fares.with({ inputs: { trips: jsonl("in.jsonl") }, outputs: { trips: jsonl("out") } })
    const running = await run(job, {
      directory: join(directory, "state"),
      baseDirectory: directory,
      onEvent: () => undefined,
    })
    return (await running.finished).status
  }
  try {
    const [before, now] = [join(home, "before"), join(home, "now")]
    await mkdir(before)
    await go(before, '{"fare":1}\nfirst\n')
    await rename(before, now)
    expect(await go(now, '{"fare":2}\nsecond\n')).toMatchObject({ rowsIn: 4, badRecords: 2 })
    const letters = join(now, "state", "dead-letters")
    const parts = (await readdir(letters)).filter((name) => name.startsWith("part-")).sort()
    const texts = await Promise.all(parts.map((name) => readFile(join(letters, name), "utf8")))
    const raw = texts.join("").split("\n").filter(Boolean)
    expect(raw.map((line) => (JSON.parse(line) as { raw: string }).raw)).toEqual(["first", "second"])
  } finally {
    await rm(home, { recursive: true })
  }
})

test.each([
  [1, "The input trips was read as a0.jsonl, and would now be read as followed files."],
  [2, "The input trips was read as a0.jsonl and others, one by one, and would now be read as followed files."],
])("an input of %i files that is followed from now on is refused with how it was read", async (count, message) => {
  const directory = await mkdtemp(join(tmpdir(), "tidemark-run-"))
  const go = async (follow: boolean) => {
    const trips = jsonl("*.jsonl", follow ? { follow } : {})
    const options = { directory: join(directory, "state"), baseDirectory: directory }
    return (await run(fares.with({ inputs: { trips }, outputs: { trips: jsonl("out") } }), options)).finished
  }
  try {
    for (let n = 0; n < count; n++) await writeFile(join(directory, `a${n}.jsonl`), '{"fare":1}\n')
    await go(false)
    await expect(go(true)).rejects.toMatchObject({ code: "source-changed", message })
  } finally {
    await rm(directory, { recursive: true })
  }
})

test("warnings are Node's where nobody listens to events", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tidemark-run-"))
  const warned: Error[] = []
  const onWarning = (warning: Error): void => void warned.push(warning)
  process.on("warning", onWarning)
  try {
    await writeFile(join(directory, "in.jsonl"), '{"fare":1}\n')
    const mistyped = job({
      name: "mistyped",
      inputs: { trips: schema({ fare: t.float64 }) },
      flow: ({ trips }) => ({ paid: trips.filter((trip) => (trip as unknown as { fair: number }).fair > 0) }),
    })
    const paid = mistyped.with({ inputs: { trips: jsonl("in.jsonl") }, outputs: { paid: jsonl("out") } })
    const where = { directory: join(directory, "state"), baseDirectory: directory }
    await (
      await run(paid, where)
    ).finished
    await (
      await run(paid, { ...where, onEvent: () => undefined })
    ).finished
    // Node emits warnings a tick later.
    await new Promise(setImmediate)
  } finally {
    process.off("warning", onWarning)
    await rm(directory, { recursive: true })
  }
  expect(warned.map(({ name, message }) => `${name}: ${message}`)).toEqual([
    "TidemarkWarning: trips/filter reads trip.fair, which is no column of its rows: it is always undefined.",
  ])
})

test("CF2 members that are appended to a file that was read to its end are read by the next run, once", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tidemark-run-"))
  const path = join(directory, "in.jsonl.gz")
  const trips = fares.with({ inputs: { trips: jsonl("in.jsonl.gz") }, outputs: { trips: jsonl("out") } })
  const runOnce = async () => {
    const { finished } = await run(trips, { directory: join(directory, "state"), baseDirectory: directory })
    const { isNothingNew, status } = await finished
    return [isNothingNew, status.rowsIn]
  }
  try {
    // Digits that compress badly, so that the head does not tell of what is appended.
    const lines = Array.from({ length: 20_000 }, (_, index) => `{"fare":${Math.sqrt(index)}}\n`).join("")
    await writeFile(path, gzipSync(lines))
    expect([await runOnce(), await runOnce()]).toEqual([
      [false, 20_000],
      [true, 20_000],
    ])
    await appendFile(path, gzipSync('{"fare":1}\n'))
    expect([await runOnce(), await runOnce()]).toEqual([
      [false, 20_001],
      [true, 20_001],
    ])
    await truncate(path, 80_000)
    await expect(runOnce()).rejects.toMatchObject({ code: "source-unreadable" })
  } finally {
    await rm(directory, { recursive: true })
  }
})

test("Tidemark can be bundled as CommonJS, where modules have no address", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tidemark-run-"))
  const outfile = join(directory, "bundle.cjs")
  const entry = join(import.meta.dirname, "run.ts")
  try {
    const logOverride = { "empty-import-meta": "silent" } as const
    await build({ entryPoints: [entry], bundle: true, platform: "node", format: "cjs", outfile, logOverride })
    expect(createRequire(import.meta.url)(outfile)).toMatchObject({ run: expect.any(Function) as unknown })
  } finally {
    await rm(directory, { recursive: true })
  }
})

test("PQ4 a row that is a bad record counts once among those read", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tidemark-run-"))
  try {
    const fare: ColumnSource = { name: "fare", data: [1.5, null, 2.5], type: "DOUBLE", nullable: true }
    await writeFile(join(directory, "in.parquet"), new Uint8Array(parquetWriteBuffer({ columnData: [fare] })))
    const trips = fares.with({ inputs: { trips: parquet("in.parquet") }, outputs: { trips: jsonl("out") } })
    const { finished } = await run(trips, { directory: join(directory, "state"), baseDirectory: directory })
    const { status } = await finished
    expect(status).toMatchObject({ rowsIn: 3, badRecords: 1, rowsOut: { trips: 2 } })
  } finally {
    await rm(directory, { recursive: true })
  }
})
