/**
 * The database of one output, which may be away for a while: what is to be done there is tried until it is done.
 *
 * Waits grow from a tenth of a second to five. Whoever watches the job is told once when it begins to wait, and once when it goes on. Nothing is
 * tried again that did not fail for want of the database (`sql-failure.ts`), and what is tried again is so made that it may be (PG3).
 *
 * Invariants:
 * - PD1 A connection on which something has failed is used no more.
 * - PD2 When the job is asked to stop, nothing waits any more, and what is under way has ten seconds.
 */
import { TidemarkError } from "../../base/errors.ts"
import type { Env } from "../../env/env.ts"
import type { JobEvent } from "../../trace/events.ts"
import { DatabaseError, type Connect, type Session } from "./session.ts"
import { remedyFor, type SqlFailure } from "./sql-failure.ts"

const [FIRST_WAIT_MICROS, LAST_WAIT_MICROS] = [100_000, 5_000_000] as const
const STOP_GRACE_MICROS = 10_000_000
/** A transaction that had to give way to another is tried again without a word. */
const SILENT_FAILURES = 2

/** What it is made of. */
export interface PatientDatabaseParts {
  readonly connect: Connect
  readonly env: Env
  readonly output: string
  readonly stopping: AbortSignal | undefined
  readonly onEvent: ((event: JobEvent) => void) | undefined
  /** What each connection begins with. */
  readonly prepare: (session: Session) => Promise<void>
}

/** See the head of this file. */
export class PatientDatabase {
  readonly #parts: PatientDatabaseParts
  #session: Session | undefined
  #waitsFor: string | undefined

  constructor(parts: PatientDatabaseParts) {
    this.#parts = parts
  }

  /** Why it waits, as a clause. */
  get waitsFor(): string | undefined {
    return this.#waitsFor
  }

  /**
   * Does something there.
   *
   * @param limitMicros how long it may be tried.
   * @returns `undefined` where the job is to stop and it could not be done.
   * @throws TidemarkError what the attempt throws, `sink-unreachable` and `sink-failed`.
   */
  async run<T>(
    attempt: (session: Session) => Promise<T>,
    limitMicros = Infinity,
  ): Promise<{ readonly value: T } | undefined> {
    const { env, stopping } = this.#parts
    const startMicros = env.clock.monotonicMicros()
    for (let failures = 0; ;) {
      const outcome = await this.#try(attempt)
      if ("value" in outcome) {
        this.#goOn(env.clock.monotonicMicros() - startMicros)
        return outcome
      }
      const { failure } = outcome
      if (remedyFor(failure) !== "wait") throw refused(failure)
      if (env.clock.monotonicMicros() - startMicros >= limitMicros) throw unreachable(failure)
      if (stopping?.aborted === true) return this.#giveUp(failure)
      if (++failures >= SILENT_FAILURES) this.#tell(failure)
      const longest = Math.min(LAST_WAIT_MICROS, FIRST_WAIT_MICROS * 2 ** (failures - 1))
      await env.timers.sleep(longest / 2 + (env.randomUint32() / 2 ** 32) * (longest / 2), stopping)
      if (isAborted(stopping)) return this.#giveUp(failure)
    }
  }

  async close(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    if (session === undefined) return
    // A server that is gone without a word does not answer to a farewell.
    const over = new AbortController()
    const limit = async (): Promise<void> => {
      await this.#parts.env.timers.sleep(STOP_GRACE_MICROS, over.signal)
      if (!over.signal.aborted) session.destroy()
    }
    void limit()
    await session.close()
    over.abort()
  }

  async #try<T>(
    attempt: (session: Session) => Promise<T>,
  ): Promise<{ readonly value: T } | { readonly failure: SqlFailure }> {
    const { env, stopping, connect, prepare } = this.#parts
    const over = new AbortController()
    const limit = async (): Promise<void> => {
      await env.timers.sleep(STOP_GRACE_MICROS, over.signal)
      if (!over.signal.aborted) this.#drop()
    }
    const onStop = (): void => void limit()
    if (stopping?.aborted === true) onStop()
    else stopping?.addEventListener("abort", onStop)
    try {
      if (this.#session === undefined) {
        this.#session = await connect()
        await prepare(this.#session)
      }
      return { value: await attempt(this.#session) }
    } catch (error) {
      this.#drop()
      if (error instanceof DatabaseError) return { failure: error.failure }
      throw error
    } finally {
      over.abort()
      stopping?.removeEventListener("abort", onStop)
    }
  }

  #drop(): void {
    this.#session?.destroy()
    this.#session = undefined
  }

  #tell({ message }: SqlFailure): void {
    if (this.#waitsFor === undefined) {
      this.#parts.onEvent?.({ kind: "output-waiting", output: this.#parts.output, reason: message })
    }
    this.#waitsFor = message
  }

  /** The job is to stop: it stays known why something is left. */
  #giveUp({ message }: SqlFailure): undefined {
    this.#waitsFor = message
  }

  #goOn(waitedMicros: number): void {
    if (this.#waitsFor === undefined) return
    this.#waitsFor = undefined
    this.#parts.onEvent?.({ kind: "output-resumed", output: this.#parts.output, waitedMicros })
  }
}

/** After a wait it may have become so. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

function unreachable({ message }: SqlFailure): TidemarkError {
  return new TidemarkError("sink-unreachable", `The database cannot be reached: ${message}.`, {
    hint: "Look whether the server runs, and whether its address is right. A job that runs already waits for it; one that starts waits half a minute.",
  })
}

function refused(failure: SqlFailure): TidemarkError {
  const { code = "", message } = failure
  const isLogin = /^28|^3D|^57P04/.test(code)
  return new TidemarkError(
    isLogin ? "sink-unreachable" : "sink-failed",
    `The database refuses ${isLogin ? "the connection" : "what the output needs"}: ${message} (${code}).`,
    {
      hint: isLogin
        ? "Mend the user, the password or the database that the connection names."
        : "The message is the server's: grant the right that is missing, or put back what is not there any more. Nothing that was committed is lost: the next run writes it.",
    },
  )
}
