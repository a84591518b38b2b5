/** The built command line: a job is killed while a part is being written, and goes on with a program whose output has other columns. */
import { spawn, spawnSync } from "node:child_process"
import { tableFromIPC } from "apache-arrow"
import { DuckDBInstance } from "@duckdb/node-api"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join, resolve } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"

const CLI = resolve("dist/cli/main.js")
const ROWS = 240

let directory = ""
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "tidemark-columns-"))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Writes a program that copies numbered rows to an output. */
function program(file: string, output: string, columns: "id" | "all"): string {
  writeFileSync(
    join(directory, file),
    `
import { generate, job, schema, t } from "tidemark"
import { arrow, csv, jsonl, parquet } from "tidemark/files"

export default job({
  name: "copying",
  inputs: { rows: schema({ id: t.int32, name: t.string, side: t.string }) },
  flow: ({ rows }) => ({ out: ${columns === "all" ? "rows" : 'rows.select("id", "side")'} }),
}).with({
  inputs: {
    rows: generate({
      rows: ${ROWS},
      rowsPerSecond: 240,
      row: (id) => ({ id, name: "row, no. " + id, side: id % 2 === 0 ? "left" : "right" }),
    }),
  },
  outputs: { out: ${output} },
})
`,
  )
  return file
}

const tidemark = (...args: string[]) => {
  const options = { cwd: directory, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } } as const
  const { status, stderr } = spawnSync(process.execPath, [CLI, "run", ...args], options)
  return { status, stderr }
}

/** Paths below the output's directory. */
function files(): string[] {
  return (readdirSync(join(directory, "out"), { recursive: true }) as string[]).sort()
}

const parts = () => files().filter((path) => basename(path).startsWith("part-"))

/** Runs a program until parts of its output have more bytes than before, and ends it by that signal. */
async function endWithin(file: string, signal: "SIGKILL" | "SIGINT"): Promise<void> {
  // Bytes may come while it recovers, and before it runs it does not listen to signals: then it is for the next start to stop.
  while ((await endOnce(file, signal)) === "SIGINT");
}

/** The same; gives the signal that ended the process, where it did not end itself. */
async function endOnce(file: string, signal: "SIGKILL" | "SIGINT"): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, [CLI, "run", file], { cwd: directory })
  const exit = new Promise<NodeJS.Signals | null>((done) => child.once("exit", (_code, endedBy) => done(endedBy)))
  const bytes = () => {
    try {
      const written = files().filter((path) => basename(path).includes("part-"))
      return written.reduce((sum, path) => sum + statSync(join(directory, "out", path)).size, 0)
    } catch {
      return 0
    }
  }
  const before = bytes()
  for (let tries = 0; tries < 1000 && bytes() <= before; tries++) await new Promise((done) => setTimeout(done, 10))
  expect(bytes()).toBeGreaterThan(before)
  child.kill(signal)
  return await exit
}

const ALL = Array.from({ length: ROWS }, (_, id) => id)
const sorted = (ids: readonly number[]) => [...ids].sort((a, b) => a - b)
const textOf = (path: string) =>
  readFileSync(join(directory, "out", path), "utf8")
    .trimEnd()
    .split("\n")

/** The ids of all parts; each line must have as many fields as its part's first. */
function csvIds(delimiter: string, hasHeader = true): number[] {
  return parts().flatMap((path) => {
    const lines = textOf(path).map((line) => line.replace(/".*"/, "quoted").split(delimiter))
    expect(new Set(lines.map((fields) => fields.length)).size, path).toBe(1)
    return lines.slice(hasHeader ? 1 : 0).map(([id]) => Number(id))
  })
}

const headers = () => parts().map((path) => textOf(path)[0])

test("E13 CSV: what was begun is published with the old header, and rows go on in a part with the new one", async () => {
  await endWithin(program("old.ts", 'csv("out")', "id"), "SIGKILL")
  expect(parts()).toEqual([])
  const { status, stderr } = tidemark(program("new.ts", 'csv("out")', "all"))
  expect(stderr).toContain("the output out has other columns")
  expect(status).toBe(0)
  expect(headers()).toEqual(["id,side", "id,name,side"])
  expect(csvIds(",")).toEqual(ALL)
})

test("E13 CSV: back to the old program, which loses and repeats nothing", async () => {
  await endWithin(program("old.ts", 'csv("out")', "id"), "SIGKILL")
  await endWithin(program("new.ts", 'csv("out")', "all"), "SIGKILL")
  expect(tidemark("old.ts").status).toBe(0)
  expect(headers()[0]).toBe("id,side")
  expect(headers().at(-1)).toBe("id,side")
  expect(csvIds(",")).toEqual(ALL)
})

test("E13 CSV: another delimiter, or no header any more, begins a new part", async () => {
  await endWithin(program("old.ts", 'csv("out")', "id"), "SIGKILL")
  await endWithin(program("new.ts", 'csv("out", { delimiter: ";" })', "id"), "SIGKILL")
  expect(headers()).toEqual(["id,side"])
  expect(tidemark(program("bare.ts", 'csv("out", { header: false })', "id")).status).toBe(0)
  expect(headers().slice(0, 2)).toEqual(["id,side", "id;side"])
  expect(headers().at(-1)).toMatch(/^\d+,(left|right)$/)
  const ids = parts().flatMap((path) => textOf(path).filter((line) => /^\d/.test(line)))
  expect(ids.map((line) => Number(line.split(/[,;]/)[0]))).toEqual(ALL)
})

test("E13 CSV in partitions: each begun part keeps its header, and new ones begin", async () => {
  await endWithin(program("old.ts", 'csv("out", { partitionBy: "side" })', "id"), "SIGKILL")
  expect(tidemark(program("new.ts", 'csv("out", { partitionBy: "side" })', "all")).status).toBe(0)
  expect(new Set(headers())).toEqual(new Set(["id,side", "id,name,side"]))
  expect(sorted(csvIds(","))).toEqual(ALL)
})

test("E13 JSON lines go on in what was begun, as each says what it has", async () => {
  await endWithin(program("old.ts", 'jsonl("out")', "id"), "SIGKILL")
  const { status, stderr } = tidemark(program("new.ts", 'jsonl("out")', "all"))
  expect(stderr).not.toContain("the output out has other columns")
  expect(status).toBe(0)
  expect(parts()).toHaveLength(1)
  const rows = textOf(parts()[0]!).map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(rows.map(({ id }) => id)).toEqual(ALL)
  expect([rows[0]!["name"], rows.at(-1)!["name"]]).toEqual([undefined, `row, no. ${ROWS - 1}`])
})

test.each(["parquet", "arrow"])(
  "E13 %s: it is refused, until the old program has published what it began",
  async (format) => {
    await endWithin(program("old.ts", `${format}("out")`, "id"), "SIGKILL")
    program("new.ts", `${format}("out")`, "all")
    const before = files()
    for (let again = 0; again < 2; again++) {
      const { status, stderr } = tidemark("new.ts")
      expect(stderr).toContain("state-foreign: The output out has other columns than when the job ran last")
      expect(stderr).toContain("They were id int32, side string, and are id int32, name string, side string.")
      expect(stderr).toContain("Start the earlier program once more and stop it (Ctrl-C or SIGTERM)")
      expect(status).not.toBe(0)
    }
    expect(files()).toEqual(before)
    await endWithin("old.ts", "SIGINT")
    expect(parts()).toHaveLength(1)
    expect(tidemark("new.ts").status).toBe(0)
    expect(parts()).toHaveLength(2)
    expect(await idsOf(format)).toEqual(ALL)
  },
)

async function idsOf(format: string): Promise<number[]> {
  if (format === "arrow") {
    const tables = parts().map((path) => tableFromIPC(readFileSync(join(directory, "out", path))))
    return sorted(tables.flatMap((table) => table.toArray().map(({ id }: { id: number }) => id)))
  }
  const connection = await (await DuckDBInstance.create()).connect()
  const pattern = join(directory, "out/part-*.parquet")
  const reader = await connection.runAndReadAll(`select id from read_parquet('${pattern}', union_by_name = true)`)
  return sorted(reader.getRowObjectsJS().map(({ id }) => id as number))
}
