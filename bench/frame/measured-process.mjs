/**
 * A process that measures on request: a line goes in, a line of JSON comes out. What is compared runs in processes of
 * its own, so that code, garbage and memory of one do not show in the numbers of another, and in turn, so that the
 * machine's moods strike all alike. A process that was not asked anything sleeps.
 */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"

/** The side that asks. */
export class MeasuredProcess {
  #child
  #label
  #waiting = []
  #error = ""
  #end

  constructor(label, command, args, options = {}) {
    this.#label = label
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], ...options })
    this.#child.stderr.on("data", (chunk) => (this.#error += chunk))
    this.#child.stdin.on("error", () => undefined)
    createInterface({ input: this.#child.stdout }).on("line", (line) =>
      this.#waiting.shift()?.resolve(JSON.parse(line)),
    )
    this.#end = new Promise((resolve) => {
      const end = (reason) => {
        const error = new Error(`${this.#label} ${reason}\n${this.#error}`)
        for (const { reject } of this.#waiting.splice(0)) reject(error)
        resolve(reason)
      }
      this.#child.on("error", (error) => end(`cannot be started: ${error.message}`))
      this.#child.on("close", (code, signal) => end(`ended with ${signal ?? code}.`))
    })
  }

  /** Sends a request and waits for the answer. */
  ask(request) {
    return new Promise((resolve, reject) => {
      if (this.#child.exitCode !== null) {
        reject(new Error(`${this.#label} has ended.\n${this.#error}`))
        return
      }
      this.#waiting.push({ resolve, reject })
      this.#child.stdin.write(`${request}\n`)
    })
  }

  /** Lets the process end. */
  async close() {
    this.#child.stdin.end()
    await this.#end
  }
}

/** The side that answers: `handlers` by the first word of a request; the others are their arguments. */
export async function answer(handlers) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...words] = line.split(" ")
    const reply = await handlers[name](...words)
    process.stdout.write(`${JSON.stringify(reply)}\n`)
  }
}

/** What sides answered must be what the loop answered, to the last bit. `where` begins the message. */
export function refuseOtherAnswers(where, answers) {
  const expected = JSON.stringify(answers.loop)
  for (const [side, found] of Object.entries(answers)) {
    if (JSON.stringify(found) === expected) continue
    throw new Error(`${where} ${side} answers ${JSON.stringify(found)}, and the loop ${expected}`)
  }
}
