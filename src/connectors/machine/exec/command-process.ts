/**
 * One run of a command: what it writes, at most so much of it ahead of whoever reads, and how it ends.
 *
 * The command runs in a process group of its own, below a shell that waits for it and holds a pipe to this process: where this process ends,
 * however it does, the pipe breaks and the shell ends the group.
 *
 * Invariants:
 * - CP1 At most `HELD_BYTES_MAX` and one chunk of output are held: then the command waits, as its pipe is full.
 * - CP2 When `stop` has returned the command has ended, and that is three seconds later at most; two seconds after that, after its end, or after the death of this process,
 *   nothing of its group runs any more that could be asked to end.
 */
import { spawn, type ChildProcess } from "node:child_process"
import type { Timers } from "../../../env/env.ts"

/** So much may be held before the command must wait: bytes. */
export const HELD_BYTES_MAX = 1024 * 1024

/** So much of what it writes to standard error last is kept: characters. */
const ERROR_TEXT_MAX = 4096

/** How long a group that was asked to end may take, in seconds. */
const GRACE_SECONDS = 2

/**
 * Its standard input is a pipe from the job. The watcher reads it until it breaks; it ignores the signal that it sends, and holds no
 * pipe that anybody waits for.
 */
const GUARD = `
exec 3<&0 </dev/null
"$@" 3<&- &
command=$!
( trap '' TERM; read -r _ <&3; kill -TERM -$$; sleep ${GRACE_SECONDS}; kill -KILL -$$ ) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait $command
code=$?
kill -KILL $watcher 2>/dev/null
trap '' TERM
kill -TERM -$$ 2>/dev/null
exit $code
`

/** How a command is run. */
export interface CommandLine {
  readonly command: string
  readonly args: readonly string[]
  /** The directory that it runs in. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly showErrors: boolean
}

/** How a command has ended. */
export interface CommandEnd {
  /** Its exit code: 127 where there is no such command, 128 and the number of the signal that has ended it. */
  readonly code: number
  /** What it wrote to standard error last. */
  readonly errors: string
}

/** See the head of this file. */
export class CommandProcess {
  readonly #child: ChildProcess
  readonly #onNews: () => void
  #chunks: Uint8Array[] = []
  #held = 0
  #isStopping = false
  #errors = ""
  #end: CommandEnd | undefined
  readonly #closed: Promise<void>

  /** @param onNews is called when it has written something, or has ended. */
  constructor({ command, args, cwd, env, showErrors }: CommandLine, onNews: () => void) {
    this.#onNews = onNews
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const all = variables.length > 0 ? ["env", ...variables, command, ...args] : [command, ...args]
    this.#child = spawn("/bin/sh", ["-c", GUARD, "sh", ...all], {
      cwd,
      stdio: ["pipe", "pipe", showErrors ? "inherit" : "pipe"],
      detached: true,
    })
    const { stdin, stdout, stderr } = this.#child
    // It is there to break.
    stdin!.on("error", () => undefined)
    stdout!.on("data", (chunk: Uint8Array) => this.#take(chunk))
    stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-ERROR_TEXT_MAX)
    })
    this.#closed = new Promise((resolve) => {
      const end = (code: number, errors: string): void => {
        this.#end ??= { code, errors }
        resolve()
        onNews()
      }
      this.#child.once("error", (error) => end(127, error.message))
      this.#child.once("close", (code) => end(code ?? 128, this.#errors.trim()))
    })
  }

  /** Bytes that were written and not taken yet. */
  get heldBytes(): number {
    return this.#held
  }

  /** How it has ended, when all that it wrote was taken note of. */
  get end(): CommandEnd | undefined {
    return this.#end
  }

  /** Takes what was written since. */
  take(): readonly Uint8Array[] {
    const chunks = this.#chunks
    this.#chunks = []
    this.#held = 0
    this.#child.stdout!.resume()
    return chunks
  }

  /**
   * Ends the command and all that it has begun: it is asked to, and killed where it goes on for two seconds. What has left its group may hold its
   * output open for as long as it likes, and is not waited for.
   */
  async stop(timers: Timers): Promise<void> {
    this.#isStopping = true
    const { stdin, stdout, stderr, exitCode, signalCode } = this.#child
    stdin!.destroy()
    stdout!.resume()
    const isOver = exitCode !== null || signalCode !== null
    const ended = new AbortController()
    const patience = timers.sleep(isOver ? 0 : (GRACE_SECONDS + 1) * 1_000_000, ended.signal).then(() => {
      stdout!.destroy()
      stderr?.destroy()
    })
    await this.#closed
    ended.abort()
    await patience
  }

  #take(chunk: Uint8Array): void {
    if (this.#isStopping) return
    this.#chunks.push(chunk)
    this.#held += chunk.length
    if (this.#held >= HELD_BYTES_MAX) this.#child.stdout!.pause()
    this.#onNews()
  }
}
