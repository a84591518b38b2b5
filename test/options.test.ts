/** What scripts say of their options, by `--help` and where one is wrong. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"

const SCRIPTS = [
  "bench",
  "bench-kernels",
  "bench-lightsaber",
  "bench-postgres",
  "bench-versus",
  "bench-windows",
  "sim",
  "chaos",
  "soak",
  "check",
]
const root = join(import.meta.dirname, "..")

function run(script: string, ...options: readonly string[]) {
  return spawnSync(process.execPath, [join(root, "scripts", `${script}.mjs`), ...options], { encoding: "utf8" })
}

describe("options of scripts", () => {
  it.each(SCRIPTS)("%s tells what it does and takes, and does nothing", (script) => {
    const { status, stdout, stderr } = run(script, "--help")
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
    expect(stdout).toMatch(/^Usage: npm run \S+ -- \[options\]\n\n[A-Z][^]+\nOptions:\n(?: {2}--\S+.*\n)/)
  })

  it.each([
    ["sim", ["--seed", "1"], "Unknown option '--seed'"],
    ["sim", ["--seeds"], "Option '--seeds <value>' argument missing"],
    ["sim", ["--jobs", "0"], '--jobs takes a whole number from 1 on, and not "0".'],
    ["chaos", ["--kills", "ten"], '--kills takes a whole number from 0 on, and not "ten".'],
    [
      "chaos",
      ["--scenario", "windws"],
      '--scenario is one of windows, operators, follow, http, http-postgres, http-webhook, and not "windws".',
    ],
    ["chaos", ["--kills", "1", "2"], "Unexpected argument '2'"],
    ["bench-kernels", ["--keys", "10,-1"], '--keys takes a whole number from 1 on, and not "-1".'],
    ["bench-lightsaber", ["--query", "CM1,CM3"], "--query is one of CM1, CM2,"],
    ["soak", ["--leak-in", "stack"], '--leak-in is one of heap, buffers, malloc, and not "stack".'],
    ["bench-windows", ["--quick=yes"], "Option '--quick' does not take an argument"],
    ["check", ["--only", "lint,lnit"], "--only is one of lint, types,"],
  ] as const)("%s refuses %j in a sentence", (script, options, sentence) => {
    const { status, stdout, stderr } = run(script, ...options)
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" })
    expect(stderr).toContain(`tidemark: ${sentence}`)
    expect(stderr).toMatch(/\nSee npm run \S+ -- --help\.\n$/)
  })
})
