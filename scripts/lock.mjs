/**
 * A lock between processes on one checkout, made of nothing but files, so that `npm start` and `npm test` may be
 * started at once. Node's standard library only: it runs before anything is installed.
 *
 * The directory holds files `lock.<n>`. The greatest `n` is the lock: its text is "free", or the ids of the processes
 * that work under it. Whoever wants the lock creates `lock.<n+1>`, which the file system lets only one process do.
 * The holder touches its file every second; a holder that died stops touching it, and the next process takes over.
 *
 * Invariants:
 * - H1 At most one process holds the lock, also where several find a dead holder at the same moment. Numbers only
 *   grow and the file with the greatest number is never removed, so a process that was slow to see the last holder go
 *   finds a greater number than its own and steps back.
 * - H2 The lock of a process that died is taken over: after `QUIET_DEAD_MS` without a touch where none of its
 *   processes lives, and after `QUIET_ALIVE_MS` where one seems to (its id may since belong to a stranger).
 * - H3 A child that outlives its killed parent still counts as the holder: its id is in the file, too.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

const POLL_MS = 200
const TOUCH_MS = 1_000
const QUIET_DEAD_MS = 4_000
const QUIET_ALIVE_MS = 120_000
const REMINDER_MS = 15_000

/**
 * Runs `work` while holding the lock of `directory`.
 *
 * @param {string} directory made where it does not exist
 * @param {(message: string) => void} say is told, in a sentence, what is waited for
 * @param {(registerChild: (pid: number | undefined) => void) => Promise<void>} work is given a function to call with
 *   the id of each child process it starts (H3)
 */
export async function withLock(directory, say, work) {
  mkdirSync(directory, { recursive: true })
  const file = await acquire(directory, say)
  const pids = [process.pid]
  writeFileSync(file, pids.join(" "))
  const touching = setInterval(() => touch(file), TOUCH_MS)
  try {
    await work((pid) => {
      if (pid === undefined) return
      pids.push(pid)
      writeFileSync(file, pids.join(" "))
    })
  } finally {
    clearInterval(touching)
    writeFileSync(file, "free")
  }
}

async function acquire(directory, say) {
  const watch = { number: -1, touchedMs: 0, quietSinceMs: 0 }
  let sayAtMs = 0
  for (;;) {
    const number = greatestNumber(directory)
    const holder = number === 0 ? { state: "free", touchedMs: 0 } : readHolder(lockFile(directory, number))
    const nowMs = performance.now()
    if (watch.number !== number || watch.touchedMs !== holder.touchedMs) {
      Object.assign(watch, { number, touchedMs: holder.touchedMs, quietSinceMs: nowMs })
    }
    const patienceMs = holder.state === "alive" ? QUIET_ALIVE_MS : QUIET_DEAD_MS
    if (holder.state === "free" || nowMs - watch.quietSinceMs >= patienceMs) {
      const mine = tryCreate(directory, number + 1)
      if (mine !== undefined) return mine
      continue
    }
    if (nowMs >= sayAtMs) {
      say(`waiting for process ${holder.pids.join(", ") || "?"}, which is installing or building here …`)
      sayAtMs = nowMs + REMINDER_MS
    }
    await sleep(POLL_MS)
  }
}

/** The path of the new lock file, or `undefined` where another process was faster (H1). */
function tryCreate(directory, number) {
  const file = lockFile(directory, number)
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" })
  } catch (error) {
    if (error.code === "EEXIST") return undefined
    throw error
  }
  if (greatestNumber(directory) > number) {
    rmSync(file, { force: true })
    return undefined
  }
  for (const older of numbers(directory)) if (older < number) rmSync(lockFile(directory, older), { force: true })
  return file
}

/** A file that is empty was just created and is being written: it counts as held by nobody who lives, yet. */
function readHolder(file) {
  try {
    const touchedMs = statSync(file).mtimeMs
    const text = readFileSync(file, "utf8").trim()
    if (text === "free") return { state: "free", touchedMs, pids: [] }
    const pids = text.split(" ").filter((pid) => /^\d+$/.test(pid))
    return { state: pids.some((pid) => isAlive(Number(pid))) ? "alive" : "dead", touchedMs, pids }
  } catch (error) {
    if (error.code === "ENOENT") return { state: "dead", touchedMs: 0, pids: [] }
    throw error
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === "EPERM"
  }
}

/** Whoever removed the file by hand wanted the lock gone: nothing to touch then. */
function touch(file) {
  try {
    utimesSync(file, new Date(), new Date())
  } catch (error) {
    if (error.code !== "ENOENT") throw error
  }
}

function numbers(directory) {
  return readdirSync(directory)
    .map((name) => /^lock\.(\d+)$/.exec(name))
    .filter((match) => match !== null)
    .map((match) => Number(match[1]))
}

function greatestNumber(directory) {
  return Math.max(0, ...numbers(directory))
}

function lockFile(directory, number) {
  return join(directory, `lock.${number}`)
}
