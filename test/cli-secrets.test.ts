/** Secrets of a job: they reach its lambdas, and nothing else. */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"

const CLI = resolve("dist/cli/main.js")
const SECRET = 'zebra/"quartz" 17&ok'
const FORMS = [SECRET, encodeURIComponent(SECRET), JSON.stringify(SECRET).slice(1, -1), "zebra", "quartz"]

const JOB = `
import { count, job, schema, t, tumbling } from "tidemark"
import { csv, jsonl } from "tidemark/files"

export default job({
  name: "prices",
  params: schema({ apiToken: t.secret, salt: t.secret.from("PEPPER").nullable() }),
  inputs: { prices: schema({ at: t.timestamp(), sku: t.string }) },
  flow: ({ prices }) => {
    const asked = prices
      .filter((row, p) => p.apiToken !== row.sku)
      .eventTime("at", { outOfOrder: "5s" })
      .asyncMap({ tokenLength: t.int32 }, async (row, p) => {
        if (row.sku === "bad") throw new Error("GET https://x/?key=" + encodeURIComponent(p.apiToken) + " as " + p.apiToken + " failed")
        return { tokenLength: p.apiToken.length }
      }, { id: "ask", retry: { attempts: 1 } })
      .derive({ hasSalt: t.bool }, (row, p) => ({ hasSalt: p.salt !== null }))
    const perMinute = asked.keyBy("sku").window(tumbling("1m"))
      .aggregate({ rows: count() }, { id: "per-minute" })
    return { asked, perMinute }
  },
}).with({
  inputs: { prices: csv("in.csv") },
  outputs: { asked: jsonl("out/asked"), perMinute: jsonl("out/per-minute") },
})
`

let directory = ""

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-secrets-"))
  writeFileSync(join(directory, "job.ts"), JOB)
  writeFileSync(
    join(directory, "in.csv"),
    "at,sku\n2026-01-01T00:00:00Z,a\n2026-01-01T00:00:01Z,bad\n2026-01-01T00:00:02Z,b\n",
  )
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

let told = ""

function tidemark(env: NodeJS.ProcessEnv, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: directory,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: directory, NO_COLOR: "1", ...env },
  })
  told += stdout + stderr
  return { status, stdout, stderr }
}

/** Whether anything of the secret is in some bytes. */
function shows(bytes: Buffer | string): string[] {
  return FORMS.filter((form) => bytes.includes(form))
}

function filesWithSecret(root: string): string[] {
  const names = readdirSync(root, { recursive: true, encoding: "utf8" })
  const files = names.filter((name) => statSync(join(root, name)).isFile())
  expect(files.length).toBeGreaterThan(3)
  return files.filter((name) => shows(readFileSync(join(root, name))).length > 0)
}

function rowsOf(output: string): Record<string, unknown>[] {
  const lines = readFileSync(join(directory, output, "part-00000.jsonl"), "utf8")
    .split("\n")
    .filter(Boolean)
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

test("a secret reaches lambdas, and is in no output, and in no file of the job's", () => {
  told = ""
  const env = { API_TOKEN: SECRET }
  const first = tidemark(env, "run", "job.ts", "--json", "--log", "json", "--log-level", "debug")
  expect(first.status).toBe(0)
  expect(rowsOf("out/asked")).toMatchObject([
    { sku: "a", tokenLength: SECRET.length, hasSalt: false },
    { sku: "b", tokenLength: SECRET.length, hasSalt: false },
  ])
  expect(rowsOf("out/per-minute")).toHaveLength(2)
  const reason = expect.stringContaining("GET https://x/?key=*** as *** failed") as string
  expect(rowsOf(".tidemark/prices/dead-letters")).toMatchObject([{ operator: "ask", reason }])
  expect(first.stderr).toContain("GET https://x/?key=*** as *** failed")

  expect(tidemark(env, "explain", "job.ts", "--json").status).toBe(0)
  expect(tidemark({}, "explain", "job.ts").stdout).toMatch(
    /^param apiToken: secret of API_TOKEN\nparam salt: secret\? of PEPPER$/m,
  )
  expect(tidemark(env, "status", "--json").status).toBe(0)
  expect(tidemark(env, "dead-letters", "list", ".tidemark/prices").stdout).toContain("***")
  // One that has changed is no other parameter: what it is, is not known.
  const rotated = tidemark({ API_TOKEN: "another" }, "run", "job.ts", "--log", "json")
  expect(rotated.stderr).toContain('"event":"finished"')
  expect(rotated.stderr).not.toContain("params-changed")

  writeFileSync(join(directory, "job.ts"), JOB.replace('name: "prices",', 'name: "prices", onError: "stop",'))
  const stopped = tidemark(env, "run", "job.ts", "--reset", "--log", "json")
  expect(stopped.status).toBe(1)
  expect(stopped.stderr).toContain('"event":"failed"')
  expect(stopped.stderr).toContain("GET https://x/?key=*** as *** failed")
  expect(shows(told)).toEqual([])
  expect(filesWithSecret(directory)).toEqual([])
})

test("a secret may be in a file, as containers have them", () => {
  told = ""
  mkdirSync(join(directory, "run-secrets"))
  writeFileSync(join(directory, "run-secrets/token"), `${SECRET}\n`)
  const env = { API_TOKEN_FILE: "run-secrets/token", PEPPER: "salt" }
  expect(tidemark(env, "run", "job.ts").status).toBe(0)
  expect(rowsOf("out/asked")[0]).toMatchObject({ tokenLength: SECRET.length, hasSalt: true })
  expect(shows(told)).toEqual([])
  expect(filesWithSecret(directory)).toEqual(["run-secrets/token"])
})

test("a secret that is not given, twice, or on the command line is refused, and not shown", () => {
  told = ""
  writeFileSync(join(directory, "empty"), "\n")
  const refused = (env: NodeJS.ProcessEnv, words: string, ...args: string[]) => {
    const { status, stderr } = tidemark(env, "run", "job.ts", ...args)
    expect(stderr).toContain("error invalid-params: ")
    expect(stderr).toContain(words)
    return status
  }
  expect(refused({}, 'not given the secret "apiToken": neither API_TOKEN nor API_TOKEN_FILE is set.')).toBe(1)
  expect(refused({ API_TOKEN: SECRET, API_TOKEN_FILE: "empty" }, "both API_TOKEN and API_TOKEN_FILE are set.")).toBe(1)
  expect(refused({ API_TOKEN_FILE: "empty" }, 'the file "empty" that API_TOKEN_FILE names is empty.')).toBe(1)
  expect(
    refused({ API_TOKEN_FILE: "none" }, 'the file "none" that API_TOKEN_FILE names cannot be read (ENOENT).'),
  ).toBe(1)
  expect(refused({}, 'The parameter "apiToken" of the job prices is a secret.', "--param", `apiToken=${SECRET}`)).toBe(
    2,
  )
  expect(shows(told)).toEqual([])
})
