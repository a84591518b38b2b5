/** One process of the job of `chaos.mjs`, from its start to its end or its death. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { found, noteFault, steps } from "./chaos-findings.mjs"

const CHILD = fileURLToPath(new URL("./chaos-child.mjs", import.meta.url))
/** A child that has not ended by then has a defect of its own. */
const CHILD_SECONDS_MAX = 120
/** How long another process may take to be refused: who holds a directory has three seconds to say so. */
const REFUSAL_MS_MAX = 15_000

/**
 * Runs one: how it ended and what it told.
 *
 * @param {object} options what it must know
 * @param {object} fate
 * @param {number} [fate.killAfterMs] how long after its first call it is killed; it may kill itself before
 * @param {{ afterMs: number, forMs: number, isTried: boolean }} [fate.pause] when it is stopped and for how long, and whether another process is
 *   started beside it meanwhile, which must be refused
 */
export function runChild(options, { killAfterMs, pause }) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CHILD, JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "pipe"],
    })
    const told = {
      isReset: false,
      atPoint: false,
      isHunted: false,
      errors: "",
      rows: [],
    }
    let trying = Promise.resolve()
    // Where another process is tried it would have the directory if this one were dead.
    const kill = () => void trying.then(() => child.kill("SIGKILL"))
    let timer = setTimeout(kill, CHILD_SECONDS_MAX * 1000)
    let pauseTimer
    const isAlive = () => child.exitCode === null && child.signalCode === null && !told.atPoint
    const stopAWhile = async () => {
      if (!isAlive()) return
      child.kill("SIGSTOP")
      noteFault("the job was stopped for a while")
      if (pause.isTried) trying = tryBeside(options, isAlive)
      await Promise.all([sleep(pause.forMs), trying])
      child.kill("SIGCONT")
    }
    let isStarted = false
    // The time runs from the job's first call: before it there is nothing to spoil.
    const startClock = () => {
      if (isStarted) return
      isStarted = true
      if (pause !== undefined) pauseTimer = setTimeout(stopAWhile, pause.afterMs)
      if (killAfterMs === undefined) return
      clearTimeout(timer)
      timer = setTimeout(kill, killAfterMs + (pause?.forMs ?? 0))
      told.isHunted = true
    }
    child.stderr.on("data", (bytes) => (told.errors += bytes))
    createInterface({ input: child.stdout }).on("line", (line) => {
      startClock()
      if (line.startsWith("{") || line.startsWith("rows ")) told.rows.push(line)
      if (line === "reset") told.isReset = true
      if (line === "thread died") found.threadDeaths++
      if (line === "clock set") noteFault("the job's clock was set")
      if (line === "at point") told.atPoint = true
      if (line.startsWith("step ") && !steps.has(line.slice(5))) steps.set(line.slice(5), { tries: 0, kills: 0 })
    })
    child.on("close", async (code, signal) => {
      clearTimeout(timer)
      clearTimeout(pauseTimer)
      await trying
      const wasKilled = signal === "SIGKILL" && (told.isHunted || told.atPoint)
      if (signal === "SIGKILL" && !wasKilled) told.errors = "it did not end in time"
      resolve({ ...told, code, wasKilled })
    })
  })
}

/** Starts another process of the job beside one that is stopped: it must be refused, unless the other has died before it was. */
async function tryBeside(options, isOtherAlive) {
  const child = spawn(process.execPath, [CHILD, JSON.stringify({ ...options, point: undefined })], {
    stdio: ["ignore", "ignore", "pipe"],
  })
  let errors = ""
  child.stderr.on("data", (bytes) => (errors += bytes))
  const timer = setTimeout(() => child.kill("SIGKILL"), REFUSAL_MS_MAX)
  const code = await new Promise((resolve) => child.on("close", resolve))
  clearTimeout(timer)
  if (!isOtherAlive()) return
  if (code === 1 && errors.includes("state-locked"))
    noteFault("another process was refused beside one that was stopped")
  else found.problems.push(`another process was not refused beside one that was stopped (${code}): ${errors}`)
}
