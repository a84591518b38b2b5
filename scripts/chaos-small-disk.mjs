/**
 * A small disk for a job's directory that is full for a while, again and again: a tmpfs, where this process may mount one, with a ballast that grows and
 * shrinks.
 *
 * Invariant:
 * - CS1 However the process ends, the disk is unmounted after it: a shell beside it sees to that.
 */
import { spawn, spawnSync } from "node:child_process"
import { cpSync, lstatSync, mkdirSync, statfsSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { found, noteFault } from "./chaos-findings.mjs"

/** More than a job needs. */
const SIZE_MIB = 64
/** It is full so long at most, and has room for so long at most. So many bytes may be left. */
const [FULL_MS, ROOMY_MS, LEFT_BYTES] = [1500, 2500, 300_000]
/** Unmounts when nobody holds its input any more, also what is still in use. */
const GUARD = 'cat >/dev/null; umount "$0" || umount -l "$0"'

/** See the head of this file. */
export class SmallDisk {
  #path
  #guard
  #isEnding = false
  #filling

  constructor(path, guard) {
    this.#path = path
    this.#guard = guard
    this.#filling = this.#fill()
  }

  /** Mounts one at a directory that is made; `undefined` where that is not permitted. */
  static mount(path) {
    mkdirSync(path, { recursive: true })
    const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE_MIB}m,mode=700`, "tidemark-chaos", path])
    if (status !== 0) return undefined
    const guard = spawn("sh", ["-c", GUARD, path], { stdio: ["pipe", "ignore", "ignore"], detached: true })
    return new SmallDisk(path, guard)
  }

  async end() {
    this.#isEnding = true
    await this.#filling
  }

  async close() {
    // What was found wrong may be looked at.
    const filter = (path) => !lstatSync(path).isSocket()
    if (found.problems.length > 0) cpSync(this.#path, `${this.#path}-kept`, { recursive: true, filter })
    const ended = new Promise((resolve) => this.#guard.once("exit", resolve))
    this.#guard.stdin.end()
    await ended
  }

  async #fill() {
    const ballast = join(this.#path, "ballast")
    for (;;) {
      await sleep(Math.random() * ROOMY_MS)
      if (this.#isEnding) return
      this.#growTo(ballast, Math.random() < 0.5 ? 0 : Math.random() * LEFT_BYTES)
      noteFault("the job's disk was full for a while")
      await sleep(Math.random() * FULL_MS)
      truncateSync(ballast, 0)
    }
  }

  /** Grows until so much is left. */
  #growTo(ballast, leftBytes) {
    const { bavail, bsize } = statfsSync(this.#path)
    try {
      writeFileSync(ballast, Buffer.alloc(Math.max(0, Math.ceil(bavail * bsize - leftBytes))))
    } catch (error) {
      // The job has taken it meanwhile.
      if (error.code !== "ENOSPC") throw error
    }
  }
}
