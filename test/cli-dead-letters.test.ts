/** `tidemark dead-letters` on what real runs have left. */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"

const CLI = resolve("dist/cli/main.js")

/** `STRICT` is what is mended in between: whether a shop may be missing, and whether the lambda can take it. */
const JOB = `
import { job, schema, t } from "tidemark"
import { csv, jsonl } from "tidemark/files"

export default job({
  name: "sales",
  inputs: { sales: schema({ shop: t.string, amount: t.float64 }) },
  flow: ({ sales }) => ({
    all: sales.filter((sale) => {
      if (STRICT && sale.amount > 900) throw new Error("too much: " + sale.amount)
      return true
    }),
  }),
}).with({ inputs: { sales: csv("in/*.csv") }, outputs: { all: jsonl("out/all") } })
`

let directory = ""

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-letters-"))
  mkdirSync(join(directory, "in"))
  writeFileSync(join(directory, "job.ts"), `const STRICT = true\n${JOB}`)
  writeFileSync(join(directory, "in/a.csv"), "shop,amount\na,1\nb,oops\nc,950\nd,none\ne,2\n")
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function tidemark(...args: string[]) {
  const env = { ...process.env, NO_COLOR: "1" }
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: directory,
    encoding: "utf8",
    env,
  })
  return { status, stdout, stderr }
}

function shops(): unknown[] {
  const out = join(directory, "out/all")
  const parts = existsSync(out) ? readdirSync(out).filter((name) => name.startsWith("part-")) : []
  const lines = parts.sort().flatMap((part) => readFileSync(join(out, part), "utf8").split("\n").filter(Boolean))
  return lines.map((line) => (JSON.parse(line) as { shop: string }).shop)
}

describe("tidemark dead-letters", () => {
  test("list groups by operator and reason; filters choose; --json is for machines", () => {
    tidemark("run", "job.ts")
    const { stdout, status } = tidemark("dead-letters", "list", ".tidemark/sales")
    expect(stdout).toMatch(/^3 dead letters in .*dead-letters\n/)
    expect(stdout).toMatch(/ 2 {2}records that could not be read, input sales, field amount\n/)
    expect(stdout).toContain("first in/a.csv:3, last in/a.csv:5")
    expect(stdout).toMatch(
      / 1 {2}rows that sales\/filter failed at, input sales\n +the lambda threw Error: too much: 950\n +in\/a\.csv:4\n/,
    )
    expect(status).toBe(0)
    const json = tidemark("dead-letters", "list", ".tidemark/sales/dead-letters", "--reason", "too much", "--json")
    expect(JSON.parse(json.stdout)).toMatchObject({
      operator: "sales/filter",
      count: 1,
      reason: "the lambda threw Error: too much: 950",
    })
    expect(tidemark("dead-letters", "list", "nowhere")).toMatchObject({ status: 2, stdout: "" })
  })

  test(
    "RP1 RP2 replay after mending: each record counts once, however often it is replayed and run",
    { timeout: 240_000 },
    () => {
      tidemark("run", "job.ts")
      expect(shops()).toEqual(["a", "e"])
      const dry = tidemark("dead-letters", "replay", ".tidemark/sales", "--into", "in/replayed.csv", "--dry-run")
      expect(dry.stdout).toBe("3 records would be written to in/replayed.csv\n")
      writeFileSync(join(directory, "job.ts"), `const STRICT = false\n${JOB}`)
      const failed = ["--operator", "sales/filter", "--into", "in/failed.csv"]
      expect(tidemark("dead-letters", "replay", ".tidemark/sales", ...failed).stdout).toBe(
        "1 record written to in/failed.csv\n",
      )
      expect(readFileSync(join(directory, "in/failed.csv"), "utf8")).toBe("shop,amount\nc,950\n")
      tidemark("run", "job.ts")
      expect(shops()).toEqual(["a", "e", "c"])
      // Those whose data was at fault are mended elsewhere, and moved.
      expect(tidemark("dead-letters", "replay", ".tidemark/sales", "--into", "mend.csv").stdout).toMatch(
        /^2 records written to mend\.csv\n1 letter left out/,
      )
      const mended = readFileSync(join(directory, "mend.csv"), "utf8").replace("oops", "3").replace("none", "4")
      expect(mended).toBe("shop,amount\nb,3\nd,4\n")
      writeFileSync(join(directory, "in/mended.csv"), mended)
      tidemark("run", "job.ts")
      expect(shops()).toEqual(["a", "e", "c", "b", "d"])
      const again = tidemark("dead-letters", "replay", ".tidemark/sales", "--into", "in/again.csv")
      expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining("nothing to replay") as string })
      expect(existsSync(join(directory, "in/again.csv"))).toBe(false)
      // Anew, the mended job can take the record that its lambda failed at, and so must not be given it twice. Letters of bad
      // data come again; they are in the input, mended, and stay replayed.
      rmSync(join(directory, "in/failed.csv"))
      tidemark("run", "job.ts", "--reset")
      expect(shops().sort()).toEqual(["a", "b", "c", "d", "e"])
      expect(tidemark("dead-letters", "replay", ".tidemark/sales", "--into", "in/more.csv").stdout).toContain(
        "nothing to replay",
      )
    },
  )

  test("says where letters are that are not in the job's directory, and refuses what has no meaning", () => {
    const text = readFileSync(join(directory, "job.ts"), "utf8")
    writeFileSync(
      join(directory, "job.ts"),
      text.replace('jsonl("out/all") }', 'jsonl("out/all") }, deadLetter: csv("bad")'),
    )
    tidemark("run", "job.ts")
    const elsewhere = tidemark("dead-letters", "list", ".tidemark/sales")
    expect(elsewhere.stderr).toContain(
      'They go to csv("bad"), which may be relative to where the job was started: give that path.',
    )
    expect(elsewhere.status).toBe(2)
    expect(tidemark("dead-letters", "list", "bad").stdout).toMatch(/^3 dead letters/)
    const there = tidemark("dead-letters", "replay", "bad", "--into", "in/a.csv")
    expect(there.stderr).toContain("error invalid-options: There is a file")
    expect(there.status).toBe(2)
    expect(tidemark("dead-letters", "replay", "bad").stderr).toContain("required option '--into <file>' not specified")
    writeFileSync(join(directory, "in/a.csv"), "")
    expect(tidemark("dead-letters", "replay", "bad", "--into", "in/b.csv").stderr).toContain(
      "The first line of in/a.csv cannot be read.",
    )
  })
})
