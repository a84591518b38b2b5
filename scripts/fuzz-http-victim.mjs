/** The process of the job that `fuzz-http.mjs` sends to, and what it tells of itself. */
import { fork } from "node:child_process"
import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { StepFailed } from "./bootstrap.mjs"
import { TOKEN, TOKEN_VARIABLE } from "./fuzz-http-limits.mjs"

const JOB = fileURLToPath(new URL("./fuzz-http-job.mjs", import.meta.url))

/** See the head of this file. */
export class Victim {
  #child
  #ended
  /** @type {(told?: any) => void} */
  #heard = () => undefined
  #read = 0
  hasEnded = false
  url = ""
  rssMaxBytes = 0
  keptBytesAtFirst = 0

  constructor(directory) {
    const env = { ...process.env, [TOKEN_VARIABLE]: TOKEN }
    const stdio = /** @type {any} */ (["ignore", "inherit", "inherit", "ipc"])
    const child = fork(JOB, [directory], { execArgv: ["--expose-gc"], env, stdio })
    this.#child = child
    this.#ended = once(child, "exit").then(([code, signal]) => {
      this.hasEnded = true
      this.#heard()
      return signal ?? code
    })
    child.on("message", (/** @type {any} */ told) => {
      if (told.kind === "listening") [this.url, this.keptBytesAtFirst] = [told.url, told.keptBytes]
      if (told.kind === "sample") {
        this.rssMaxBytes = Math.max(this.rssMaxBytes, told.rss)
        this.#read = told.read
      }
      this.#heard(told)
    })
  }

  async #hear(kind) {
    while (!this.hasEnded) {
      const told = await new Promise((resolve) => (this.#heard = resolve))
      if (told?.kind === kind) return told
    }
    throw new StepFailed(`the job has ended (${await this.#ended})`, 1)
  }

  listening() {
    return this.#hear("listening")
  }

  /** Waits until the job has read all that it was sent: nothing more comes. */
  async readAll() {
    for (let before = -1; before !== this.#read;) {
      before = this.#read
      await this.#hear("sample")
      await sleep(1000)
    }
  }

  async kept() {
    this.#child.send("kept")
    return (await this.#hear("kept")).keptBytes
  }

  async stop() {
    this.#child.send("stop")
    const code = await this.#ended
    if (code !== 0) throw new StepFailed(`the job has failed (${code})`, 1)
  }
}
