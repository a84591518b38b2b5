/**
 * `npm run check`: all that must hold before a change is merged, two steps at a time, each with its output where it
 * fails. `npm run check -- --only lint,layers` runs some steps, `-- --skip tests` leaves some out.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { ROOT, StepFailed, prepare, runMain } from "./bootstrap.mjs"

const AT_ONCE = 2

const tool = (...path) => join(ROOT, "node_modules", ...path)
const own = (name) => join(ROOT, "scripts", name)

/** Each step: what it looks at, and the Node program that does it. The slowest stand first, the tests alone at the end. */
const STEPS = [
  { name: "lint", what: "ESLint's rules, purity among them", run: [tool("eslint", "bin", "eslint.js"), "."] },
  { name: "types", what: "all TypeScript compiles", run: [tool("typescript", "bin", "tsc"), "-p", "tsconfig.json"] },
  {
    name: "pure-types",
    what: "pure layers compile without Node's types",
    run: [tool("typescript", "bin", "tsc"), "-p", "tsconfig.pure.json"],
  },
  {
    name: "script-types",
    what: "the scripts' JavaScript type-checks",
    run: [tool("typescript", "bin", "tsc"), "-p", "tsconfig.scripts.json"],
  },
  { name: "fences", what: "every ts fence of docs and comments compiles", run: [own("fences.mjs")] },
  { name: "api", what: "the public surface is the one committed in api/", run: [own("api-report.mjs")] },
  { name: "public-docs", what: "every published symbol has a comment and an example", run: [own("public-docs.mjs")] },
  {
    name: "layers",
    what: "imports follow layers.mjs",
    run: [
      tool("dependency-cruiser", "bin", "dependency-cruise.mjs"),
      ...["--config", ".dependency-cruiser.mjs", "--output-type", "err-long", "src"],
    ],
  },
  { name: "dead-code", what: "no file, export or dependency is unused (knip)", run: [tool("knip", "bin", "knip.js")] },
  {
    name: "format",
    what: "prettier's format",
    run: [tool("prettier", "bin", "prettier.cjs"), "--check", "--log-level", "warn", "."],
  },
  { name: "tidy", what: "names, openings, error pages, spec rules, links", run: [own("tidy.mjs")] },
  { name: "publint", what: "package.json fits what is packed", run: [tool("publint", "src", "cli.js"), "--strict"] },
  {
    name: "attw",
    what: "types resolve for users of the package",
    run: [tool("@arethetypeswrong", "cli", "dist", "index.js"), "--pack", ".", "--profile", "esm-only"],
  },
  { name: "tests", what: "all tests", run: [tool("vitest", "vitest.mjs"), "run"], isAlone: true },
]

function choose(steps) {
  const { values } = parseArgs({ options: { only: { type: "string" }, skip: { type: "string" } } })
  const named = [values.only, values.skip].flatMap((list) => list?.split(",") ?? [])
  const unknown = named.filter((name) => !steps.some((step) => step.name === name))
  if (unknown.length > 0) {
    const known = steps.map((step) => step.name).join(", ")
    throw new StepFailed(`there is no step ${unknown.join(", ")}; the steps are ${known}.`, 2)
  }
  const only = values.only?.split(",") ?? steps.map((step) => step.name)
  const skipped = values.skip?.split(",") ?? []
  return steps.filter(({ name }) => only.includes(name) && !skipped.includes(name))
}

/** Runs a step and prints its line, and its output where it fails; gives whether it passed. */
async function runStep(step) {
  const started = performance.now()
  const environment = { ...process.env, NODE_ENV: "test", NO_COLOR: "1", FORCE_COLOR: undefined }
  const child = spawn(process.execPath, step.run, { cwd: ROOT, env: environment, stdio: ["ignore", "pipe", "pipe"] })
  const output = []
  child.stdout.on("data", (chunk) => output.push(chunk))
  child.stderr.on("data", (chunk) => output.push(chunk))
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve))
  const passed = code === 0
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${passed ? "ok  " : "FAIL"} ${step.name.padEnd(12)} ${seconds.padStart(6)} s  ${step.what}`)
  if (!passed) console.log(`${Buffer.concat(output).toString().trimEnd()}\n`)
  return passed
}

async function runSteps(steps, atOnce) {
  const waiting = [...steps]
  const failed = []
  const worker = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      if (!(await runStep(step))) failed.push(step.name)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return failed
}

await runMain(async () => {
  const steps = choose(STEPS)
  await prepare()
  const failed = [
    ...(await runSteps(
      steps.filter((step) => !step.isAlone),
      AT_ONCE,
    )),
    ...(await runSteps(
      steps.filter((step) => step.isAlone),
      1,
    )),
  ]
  if (failed.length > 0)
    throw new StepFailed(`${failed.length} of ${steps.length} steps failed: ${failed.join(", ")}.`, 1)
  console.log(`all ${steps.length} steps passed`)
})
