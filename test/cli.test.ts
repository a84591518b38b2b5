/** The built command line on real files: what it does, says and exits with. */
import { spawn, spawnSync } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"

const CLI = resolve("dist/cli/main.js")
const START = Date.UTC(2024, 0, 1)

const JOB = `
import { count, job, schema, sum, t, tumbling } from "tidemark"
import { csv, jsonl } from "tidemark/files"

interface Named { name: string }
const named: Named = { name: "sales" }

export default job({
  name: named.name,
  inputs: { sales: schema({ at: t.timestamp(), shop: t.string, amount: t.float64 }) },
  flow: ({ sales }) => {
    const perMinute = sales
      .filter((sale) => sale.amount > 0)
      .eventTime("at", { outOfOrder: "5s" })
      .keyBy("shop")
      .window(tumbling("1m"))
      .aggregate({ sales: count(), total: sum("amount") }, { id: "per-minute" })
    return { perMinute, late: perMinute.late }
  },
}).with({
  inputs: { sales: csv("in/*.csv") },
  outputs: { perMinute: jsonl("out/per-minute"), late: jsonl("out/late") },
})
`

let directory = ""

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-cli-"))
  mkdirSync(join(directory, "in"))
  writeFileSync(join(directory, "job.ts"), JOB)
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function writeSales(name: string, from: number, count: number, extra = ""): void {
  let text = "at,shop,amount\n"
  for (let index = from; index < from + count; index++) {
    text += `${new Date(START + index * 100).toISOString()},shop-${index % 7},${(index % 50) + 0.5}\n`
  }
  writeFileSync(join(directory, "in", name), text + extra)
}

function tidemark(...args: string[]) {
  // Continuous integration has colours on, whatever the output is.
  const env = { ...process.env, NO_COLOR: "1" }
  const options = { cwd: directory, encoding: "utf8", env } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], options)
  return { status, stdout, stderr }
}

function published(output: string): Record<string, unknown>[] {
  const target = join(directory, output)
  const parts = existsSync(target) ? readdirSync(target).filter((name) => /^part-\d+\.jsonl$/.test(name)) : []
  return parts.sort().flatMap((part) => {
    const lines = readFileSync(join(target, part), "utf8").split("\n").filter(Boolean)
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  })
}

const totalSales = () => published("out/per-minute").reduce((sum, { sales }) => sum + Number(sales), 0)

describe("tidemark run", () => {
  test("runs to the end of the input, shows the result and exits with 0", () => {
    writeSales("a.csv", 0, 5000, "not a time,shop-1,1\n")
    const { status, stderr } = tidemark("run", "job.ts")
    expect(stderr).toContain("finished")
    expect(stderr).toMatch(/bad record: in\/a\.csv, record 5002/)
    expect(status).toBe(0)
    expect(totalSales()).toBe(5000)
    expect(published(".tidemark/sales/dead-letters")).toMatchObject([
      { partition: "in/a.csv", record: 5002, field: "at" },
    ])
  })

  test("run again says that nothing is new, and picks up files that have come", () => {
    writeSales("a.csv", 0, 1000)
    expect(tidemark("run", "job.ts").status).toBe(0)
    const again = tidemark("run", "job.ts")
    expect(again).toMatchObject({ status: 0, stderr: expect.stringContaining("nothing new") as string })
    expect(totalSales()).toBe(1000)
    writeSales("b.csv", 5000, 1000)
    expect(tidemark("run", "job.ts").status).toBe(0)
    expect(totalSales()).toBe(2000)
  })

  test("tells everything as JSON lines with --json", () => {
    writeSales("a.csv", 0, 100)
    const { status, stdout } = tidemark("run", "job.ts", "--json")
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.at(-1)).toMatchObject({ type: "result", outcome: "finished", status: { rowsIn: 100 } })
    expect(lines).toContainEqual(expect.objectContaining({ type: "event", kind: "committed" }))
    expect(status).toBe(0)
  })

  test("stops on SIGINT after a commit with 130, and goes on from there", async () => {
    for (let file = 0; file < 12; file++) writeSales(`f${file}.csv`, 0, 60_000)
    const child = spawn(process.execPath, [CLI, "run", "job.ts", "--json"], { cwd: directory })
    let text = ""
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk
      // Once: a second signal ends the process at once.
      if (!child.killed && text.includes('"committed"')) child.kill("SIGINT")
    })
    const code = await new Promise((resolveExit) => child.once("exit", resolveExit))
    expect(code).toBe(130)
    expect(text).toContain('"outcome":"stopped"')
    expect(tidemark("run", "job.ts").status).toBe(0)
    expect(totalSales()).toBe(12 * 60_000)
  })

  test("--reset starts anew and moves earlier output aside", () => {
    writeSales("a.csv", 0, 100)
    tidemark("run", "job.ts")
    const { status, stderr } = tidemark("run", "job.ts", "--reset")
    expect(status).toBe(0)
    expect(stderr).toContain("starting anew")
    expect(totalSales()).toBe(100)
    expect(readdirSync(join(directory, "out"))).toContain("per-minute.superseded-1")
  })

  test("refuses state of a changed window with words, a hint and 1", () => {
    writeSales("a.csv", 0, 100)
    tidemark("run", "job.ts")
    writeFileSync(join(directory, "job.ts"), JOB.replace('tumbling("1m")', 'tumbling("2m")'))
    const { status, stderr } = tidemark("run", "job.ts")
    expect(status).toBe(1)
    const page = /^ {2}(\/.*\/docs\/errors\/state-foreign\.md)$/m.exec(stderr)?.[1]
    expect(readFileSync(page!, "utf8")).toContain("# state-foreign")
    expect(stderr).toMatch(
      /state-foreign: .*per-minute has changed: its window was tumbling 1m and is now tumbling 2m\.$/m,
    )
    expect(stderr).toContain("--reset")
  })

  test("refuses a file that was read to its end and is another now, shorter or not", () => {
    writeSales("a.csv", 0, 100)
    tidemark("run", "job.ts")
    for (const [from, rows] of [
      [0, 50],
      [7000, 100],
      [7000, 200],
    ] as const) {
      writeSales("a.csv", from, rows)
      const { status, stderr } = tidemark("run", "job.ts")
      expect(stderr).toContain("source-changed")
      expect(status).toBe(1)
    }
    expect(totalSales()).toBe(100)
  })

  test("refuses to read what the job writes", () => {
    writeSales("a.csv", 0, 100)
    writeFileSync(join(directory, "job.ts"), JOB.replace('jsonl("out/late")', 'csv("in")'))
    const { status, stderr } = tidemark("run", "job.ts")
    expect(stderr).toContain(
      'invalid-options: The input sales matches in/a.csv, within csv("in"), where the output late',
    )
    expect(status).toBe(2)
  })

  test("refuses outputs, state and inputs within each other, before it makes anything", () => {
    writeSales("a.csv", 0, 100)
    const refusals = [
      ["out/late", "out/per-minute/late", [], "The output late would go to"],
      ["out/late", ".tidemark/sales/late", [], "within the job's state directory"],
      ["out/late", "out/late", ["--dir", "out/late/state"], "The job's state directory"],
    ] as const
    for (const [from, to, options, words] of refusals) {
      writeFileSync(join(directory, "job.ts"), JOB.replace(from, to))
      const { status, stderr } = tidemark("run", "job.ts", ...options)
      expect(stderr).toContain("invalid-options")
      expect(stderr).toContain(words)
      expect(status).toBe(2)
    }
    expect(existsSync(join(directory, "out"))).toBe(false)
    expect(existsSync(join(directory, ".tidemark/sales"))).toBe(false)
  })

  test("refuses directories by columns that rows do not have with 2, and before a reset costs anything", () => {
    writeSales("a.csv", 0, 100)
    tidemark("run", "job.ts")
    const by = 'jsonl("out/late", { partitionBy: "region" })'
    writeFileSync(join(directory, "job.ts"), JOB.replace('jsonl("out/late")', by))
    const { status, stderr } = tidemark("run", "job.ts", "--reset")
    expect(stderr).toContain("invalid-options: The output late cannot be partitioned by region: it has no such column.")
    expect(status).toBe(2)
    writeFileSync(join(directory, "job.ts"), JOB)
    expect(tidemark("run", "job.ts").stderr).toContain("nothing new")
    expect(totalSales()).toBe(100)
  })

  test("--reset sets no other job's output aside, and costs nothing where it is refused", () => {
    writeSales("a.csv", 0, 100)
    tidemark("run", "job.ts")
    writeFileSync(
      join(directory, "other.ts"),
      JOB.replace("named.name,", '"other",').replace('jsonl("out/late")', 'jsonl("out/other-late")'),
    )
    expect(tidemark("run", "other.ts")).toMatchObject({ status: 1 })
    const { status, stderr } = tidemark("run", "other.ts", "--reset")
    expect(stderr).toMatch(/sink-occupied: \S+\/out\/per-minute holds output of the job sales\./)
    expect(status).toBe(1)
    expect(readdirSync(join(directory, "out"))).not.toContain("per-minute.superseded-1")
    writeSales("b.csv", 7000, 50)
    expect(tidemark("run", "job.ts").status).toBe(0)
    expect(totalSales()).toBe(150)
  })

  test("a job whose output another state of it has set aside mixes nothing into what is there now", () => {
    writeSales("a.csv", 0, 100)
    tidemark("run", "job.ts")
    expect(tidemark("run", "job.ts", "--dir", "elsewhere", "--reset")).toMatchObject({ status: 0 })
    writeSales("b.csv", 7000, 50)
    const { status, stderr } = tidemark("run", "job.ts")
    expect(stderr).toMatch(
      /sink-occupied: \S+ is written to by another state of the job sales since this one ran last\./,
    )
    expect(status).toBe(1)
    expect(totalSales()).toBe(100)
    expect(tidemark("run", "job.ts", "--dir", "elsewhere")).toMatchObject({ status: 0 })
    expect(totalSales()).toBe(150)
  })

  test("--reset without input costs nothing", () => {
    writeSales("a.csv", 0, 100)
    tidemark("run", "job.ts")
    renameSync(join(directory, "in"), join(directory, "elsewhere"))
    expect(tidemark("run", "job.ts", "--reset")).toMatchObject({ status: 1 })
    renameSync(join(directory, "elsewhere"), join(directory, "in"))
    expect(tidemark("run", "job.ts").stderr).toContain("nothing new")
    expect(totalSales()).toBe(100)
  })

  test("--param overrules the job file, and a change since the last run is told", () => {
    const params = "name: named.name,\n  params: schema({ least: t.float64.default(0) }),"
    const text = JOB.replace("name: named.name,", params)
    writeFileSync(
      join(directory, "job.ts"),
      text.replace("(sale) => sale.amount > 0", "(sale, p) => sale.amount > p.least"),
    )
    writeSales("a.csv", 0, 100)
    expect(tidemark("run", "job.ts", "--param", "least=24.5").status).toBe(0)
    expect(totalSales()).toBe(50)
    writeSales("b.csv", 5000, 100)
    expect(tidemark("run", "job.ts", "--param=least=48.5").stderr).toContain(
      "parameters have changed since the last run: least was 24.5 and is now 48.5.",
    )
    expect(totalSales()).toBe(52)
    expect(tidemark("explain", "job.ts", "--param", "least=3").stdout).toContain("param least: float64 = 3")
    const wrong = tidemark("run", "job.ts", "--param", "lest=1")
    expect(wrong.stderr).toMatch(/invalid-params: The job sales has no parameter "lest"\.\n {2}Did you mean "least"/)
    expect(wrong.status).toBe(2)
  })

  test("warns of a lambda that reads what there is not, in run and in explain", () => {
    writeSales("a.csv", 0, 100)
    writeFileSync(
      join(directory, "job.js"),
      JOB.replace(/interface.*/, "")
        .replace(": Named", "")
        .replace("sale.amount", "sale.amuont"),
    )
    const words = "reads sale.amuont, which is no column of its rows: it is always undefined."
    const { status, stderr } = tidemark("run", "job.js")
    expect(stderr.split(words)).toHaveLength(2)
    expect(stderr).toMatch(/^warning: sales\/filter reads sale\.amuont.*\n {2}Did you mean "amount"\?/)
    expect(status).toBe(0)
    expect(tidemark("explain", "job.js").stdout).toContain(`! sales/filter ${words}\n  Did you mean "amount"?`)
  })

  test("warns of directories that a pattern matches, and refuses links that lead nowhere", () => {
    writeFileSync(join(directory, "job.ts"), JOB.replace("in/*.csv", "in/*"))
    mkdirSync(join(directory, "in/archive"))
    const nothing = tidemark("run", "job.ts")
    expect(nothing.stderr).toContain('No file matches "in/*" of the input sales')
    expect(nothing.stderr).toContain("only in/archive, which is no file.")
    expect(nothing.stderr).toContain('as in "in/archive/*"')
    writeSales("a.csv", 0, 100)
    const { status, stderr } = tidemark("run", "job.ts")
    expect(stderr).toContain('warning: The input sales passes over 1 directory, at "in/*": in/archive.\n')
    expect(status).toBe(0)
    expect(totalSales()).toBe(100)
    symlinkSync("gone.csv", join(directory, "in/b.csv"))
    const refused = tidemark("run", "job.ts")
    expect(refused.stderr).toContain(
      'error source-missing: The file "in/b.csv" of the input sales is a link that leads nowhere.',
    )
    expect(refused.status).toBe(1)
  })

  test("--no-drain leaves windows open for later files", () => {
    writeSales("a.csv", 0, 100)
    const { stderr } = tidemark("run", "job.ts", "--no-drain")
    expect(stderr).toContain("1 window is open; later records complete it, or a run without --no-drain fires it")
    expect(totalSales()).toBe(0)
    writeSales("b.csv", 100, 100)
    tidemark("run", "job.ts")
    expect(totalSales()).toBe(200)
  })

  test.each([
    ["a file that is not there", "nothing.ts", "", "There is no file nothing.ts"],
    ["a directory", "in", "", "in is not a file"],
    ["a file that does not compile", "bad.ts", "export default {", "bad.ts:1:17"],
    ["a file without a job", "none.ts", "export default 5", "is no job"],
    ["an unknown door", "door.ts", 'import "tidemark/nothing"\nexport default 1', "no entry point"],
  ])("exits with 2 and says why for %s", (_, file, text, words) => {
    if (text !== "") writeFileSync(join(directory, file), text)
    const { status, stderr } = tidemark("run", file)
    expect(stderr).toContain("job-file-invalid")
    expect(stderr).toContain(words)
    expect(status).toBe(2)
  })

  test("tells what a job file threw when it was loaded, and where", () => {
    writeFileSync(join(directory, "boom.ts"), 'const no: string = "sugar"\nthrow new Error(`no ${no}`)\n')
    const { status, stderr } = tidemark("run", "boom.ts")
    expect(stderr).toContain("error job-file-invalid: boom.ts cannot be loaded: Error: no sugar")
    expect(stderr).toContain("boom.ts:2:7")
    expect(stderr).not.toContain("load-job")
    expect(status).toBe(2)
  })

  test.each([
    ["ends the process", "process.exit(0)"],
    ["waits for ever", "await new Promise(() => {})\nexport default 1"],
  ])("exits with 2 where the job file %s", (_, text) => {
    writeFileSync(join(directory, "odd.ts"), text)
    const { status, stderr } = tidemark("run", "odd.ts")
    expect(stderr).toContain("job-file-invalid: odd.ts cannot be loaded: the process ended before it was loaded.")
    expect(status).toBe(2)
  })

  test("ends although the job file has left a timer running", () => {
    writeSales("a.csv", 0, 100)
    writeFileSync(
      join(directory, "timer.ts"),
      'export { default } from "./job.ts"\nsetInterval(() => undefined, 1000)\n',
    )
    const { status, stderr } = tidemark("run", "timer.ts")
    expect(stderr).toContain("sales finished: 100 rows")
    expect(stderr).toContain("warning: something that the job file has started keeps the process alive; it is ended.")
    expect(status).toBe(0)
  })

  test("runs in a directory whose name looks like a pattern", () => {
    const odd = join(directory, "a[1]{b}")
    mkdirSync(join(odd, "in"), { recursive: true })
    writeFileSync(join(odd, "job.ts"), JOB)
    writeFileSync(join(odd, "in/a.csv"), "at,shop,amount\nbroken,x,1\n2024-01-01T00:00:00Z,x,1\n")
    const { status, stderr } = spawnSync(process.execPath, [CLI, "run", "job.ts"], { cwd: odd, encoding: "utf8" })
    expect(stderr).toContain("1 bad record")
    expect(status).toBe(0)
    expect(readdirSync(join(odd, ".tidemark/sales/dead-letters"))).toContain("part-00000.jsonl")
  })

  test("a first run that failed binds nothing: the job may be mended in any way", () => {
    writeSales("a.csv", 0, 100)
    writeFileSync(join(directory, "job.ts"), JOB.replace("out/late", "job.ts/late"))
    expect(tidemark("run", "job.ts").stderr).toContain("sink-failed")
    writeFileSync(join(directory, "job.ts"), JOB)
    expect(tidemark("run", "job.ts")).toMatchObject({ status: 0 })
    expect(totalSales()).toBe(100)
  })

  test("explains and runs where nothing can be written to the working directory", () => {
    writeSales("a.csv", 0, 100)
    // A file in the place of the directory cannot be written to by anybody, root included.
    writeFileSync(join(directory, ".tidemark"), "")
    expect(tidemark("explain", "job.ts")).toMatchObject({ status: 0 })
    expect(tidemark("run", "job.ts", "--dir", "state")).toMatchObject({ status: 0 })
    expect(totalSales()).toBe(100)
    const { status, stderr } = tidemark("run", "job.ts")
    expect(stderr).toMatch(/disk-failed: .*\/\.tidemark is not a directory, so .*\/\.tidemark\/sales cannot be made\./)
    expect(status).toBe(1)
  })

  test.skipIf(!existsSync("/dev/full"))("SS2 goes on where what it tells cannot be written, and says so once", () => {
    writeSales("a.csv", 0, 1000)
    const full = (command: string) => {
      const line = `"${process.execPath}" "${CLI}" ${command} > /dev/full; echo "rc $?" >&2`
      return spawnSync("bash", ["-c", line], { cwd: directory, encoding: "utf8" }).stderr.split("\n")
    }
    const told = [
      "warning: standard output cannot be written: no space left on device (ENOSPC).",
      "  What is told there is lost from here on. A running job goes on and commits all the same.",
      "rc 1",
      "",
    ]
    expect(full("run job.ts --json")).toEqual(told)
    expect(totalSales()).toBe(1000)
    expect(full("explain job.ts")).toEqual(told)
    expect(full("--help")).toEqual(told)
    expect(full("run nothing.ts --json").slice(2)).toEqual(["rc 2", ""])
  })

  test.skipIf(!existsSync("/dev/full"))("SS1 goes on where nobody can be told of progress", () => {
    writeSales("a.csv", 0, 1000)
    const line = `"${process.execPath}" "${CLI}" run job.ts 2> /dev/full; echo "rc $?"`
    const { stdout } = spawnSync("bash", ["-c", line], { cwd: directory, encoding: "utf8" })
    expect(stdout).toBe("rc 0\n")
    expect(totalSales()).toBe(1000)
  })

  test("SS1 goes on where nobody reads what it tells", () => {
    writeSales("a.csv", 0, 1000)
    const command = `"${process.execPath}" "${CLI}" run job.ts --json | true; echo "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync("bash", ["-c", command], { cwd: directory, encoding: "utf8" })
    expect({ stdout, stderr }).toEqual({ stdout: "0\n", stderr: "" })
  })

  test("exits with 1 where there is no input", () => {
    expect(tidemark("run", "job.ts")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("in/*.csv") as string,
    })
  })
})

describe("tidemark", () => {
  test("exits with 2 for a wrong command line", () => {
    expect(tidemark("run").status).toBe(2)
    expect(tidemark("walk").status).toBe(2)
    expect(tidemark("run", "job.ts", "--fast").status).toBe(2)
  })

  test("--help teaches commands, exit codes and examples", () => {
    const { status, stdout } = tidemark("--help")
    expect(stdout).toContain("Exit codes")
    expect(stdout).toContain("tidemark run revenue.ts")
    expect(status).toBe(0)
    for (const command of ["run", "explain"]) {
      const help = tidemark(command, "--help")
      expect(help.stdout).toContain("Examples:")
      expect(help.stdout).toContain("Exit codes:")
      expect(help.stdout).toContain("--param <name=value>")
      expect(help.status).toBe(0)
    }
  })

  test("explain shows the plan and runs nothing", () => {
    const { status, stdout } = tidemark("explain", "job.ts")
    expect(status).toBe(0)
    expect(stdout).toContain("per-minute")
    expect(stdout).toContain("tumbling 1m")
    expect(existsSync(join(directory, ".tidemark/sales"))).toBe(false)
  })

  test("explain --mermaid draws the plan, and takes no --json beside it", () => {
    const { status, stdout } = tidemark("explain", "job.ts", "--mermaid")
    expect(status).toBe(0)
    expect(stdout).toMatch(/^%% job sales, plan [0-9a-f]{16}\nflowchart TD\n {2}n0\(\["input sales<br\/>/)
    expect(stdout).toMatch(/ {2}n3\{\{"window #91;per-minute#93; keeps state<br\/>tumbling 1m of at/)
    expect(stdout).toMatch(/ {2}n3 -->\|"late rows"\| out1\n/)
    expect(tidemark("explain", "job.ts", "--mermaid", "--json")).toMatchObject({ status: 2, stdout: "" })
  })
})
