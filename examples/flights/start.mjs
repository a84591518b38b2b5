/**
 * The example behind `npm start`: prepares the feeds, runs the job, and shows its result.
 *
 *   npm start                 run, or go on where the last run left off
 *   npm start -- --reset      start anew
 *   npm start -- --kill       the same, killed with SIGKILL half-way and started again
 *   npm start -- --verify     recount everything with a plain loop and compare
 */
import { spawn } from "node:child_process"
import { rm } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { prepareFlights } from "./prepare.mjs"
import { showResult } from "./result.mjs"
import { verifyResult } from "./verify.mjs"

const here = dirname(fileURLToPath(import.meta.url))
const cli = join(here, "../../dist/cli/main.js")
const { values } = parseArgs({
  options: {
    reset: { type: "boolean" },
    kill: { type: "boolean" },
    verify: { type: "boolean" },
    help: { type: "boolean" },
  },
})

/** Runs the job; with `killAt`, kills the process with SIGKILL once that share of the input is read. */
function runJob(args, killAt) {
  const stdio = killAt === undefined ? "inherit" : ["ignore", "pipe", "inherit"]
  const flags = killAt === undefined ? [] : ["--json"]
  const child = spawn(process.execPath, [cli, "run", "delays.ts", ...flags, ...args], { cwd: here, stdio })
  let wasKilled = false
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    for (const line of text.split("\n")) {
      const share = /"inputRead":(\d+),"inputTotal":(\d+)/.exec(line)
      if (share === null || wasKilled || Number(share[1]) < killAt * Number(share[2])) continue
      wasKilled = child.kill("SIGKILL")
      console.log(`killed with SIGKILL after ${Math.floor((100 * share[1]) / share[2])} % of the input`)
    }
  })
  // Ctrl-C reaches the job as well: it commits and stops, and this process waits for it.
  process.on("SIGINT", () => undefined)
  return new Promise((resolve) => child.once("exit", (code) => resolve(wasKilled ? "killed" : (code ?? 1))))
}

if (values.help) {
  console.log("npm start [-- --reset | --kill | --verify]\n")
  console.log("  --reset   start anew; earlier output is moved aside")
  console.log("  --kill    start anew, kill the job with SIGKILL half-way, and start it again")
  console.log("  --verify  afterwards recount everything with a plain loop and compare")
  process.exit(0)
}

await prepareFlights(join(here, "data"), { say: (line) => console.log(line) })
if (values.kill) {
  await rm(join(here, "out"), { recursive: true, force: true })
  await rm(join(here, ".tidemark"), { recursive: true, force: true })
  if ((await runJob([], 0.5)) !== "killed") console.log("the job was done before it could be killed")
  console.log("starting it again …")
}
const code = await runJob(values.reset ? ["--reset"] : [])
if (code !== 0) process.exit(code)
await showResult(join(here, "out"), relative(process.cwd(), join(here, "out")))
if (values.verify) process.exit((await verifyResult(join(here, "data"), join(here, "out"))) ? 0 : 1)
