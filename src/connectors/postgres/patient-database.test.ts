/** What is tried again, how often and how long: in a simulated world, with a database that fails as it is told to. */
import { describe, expect, test } from "vitest"
import type { Env } from "../../env/env.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import type { JobEvent } from "../../trace/events.ts"
import { PatientDatabase } from "./patient-database.ts"
import { DatabaseError, type Session } from "./session.ts"

const refusal = (code: string): DatabaseError =>
  new DatabaseError(Object.assign(new Error(`fails with ${code}`), { code }))

/** A database whose calls fail so often, and what has become of it. */
class FailingDatabase {
  readonly events: JobEvent[] = []
  readonly stop = new AbortController()
  readonly database: PatientDatabase
  connections = 0
  closed = 0
  calls = 0

  constructor(env: Env, failures: number, code: string) {
    const end = (): void => {
      this.closed++
    }
    const session: Session = {
      query: () => Promise.resolve([]),
      copyIn: () => Promise.resolve(),
      close: () => Promise.resolve(end()),
      destroy: end,
    }
    this.database = new PatientDatabase({
      connect: () => {
        this.connections++
        return Promise.resolve(session)
      },
      env,
      output: "results",
      stopping: this.stop.signal,
      onEvent: (event) => void this.events.push(event),
      prepare: () => Promise.resolve(),
    })
    this.run = (limitMicros) =>
      this.database.run(() => {
        if (this.calls++ < failures) throw refusal(code)
        return Promise.resolve("done")
      }, limitMicros)
  }

  readonly run: (limitMicros?: number) => Promise<{ value: string } | undefined>
}

/** Runs in a simulated process, and says how long it took there. */
async function simulated<T>(
  program: (env: Env) => Promise<T>,
): Promise<{ outcome: PromiseSettledResult<T>; seconds: number }> {
  const world = new SimWorld({ seed: 1 })
  const env = world.boot()
  const start = env.clock.monotonicMicros()
  const promise = program(env)
  await world.run(promise.catch(() => undefined))
  const [outcome] = await Promise.allSettled([promise])
  return { outcome, seconds: (env.clock.monotonicMicros() - start) / 1_000_000 }
}

describe("a database that is away", () => {
  test.each(["ECONNREFUSED", "08006", "57P01", "57P03", "53300", "53100", "25006", "40001", "40P01", "55P03", "58030"])(
    "PG3 PD1 is tried again by a new connection, and told once: %s",
    async (code) => {
      let failing: FailingDatabase | undefined
      const { outcome } = await simulated((env) => (failing = new FailingDatabase(env, 9, code)).run())
      expect(outcome).toMatchObject({ status: "fulfilled", value: { value: "done" } })
      expect(failing).toMatchObject({ connections: 10, closed: 9, calls: 10 })
      expect(failing!.events.map(({ kind }) => kind)).toEqual(["output-waiting", "output-resumed"])
      expect(failing!.database.waitsFor).toBe(undefined)
    },
  )

  test("PG3 is not told where the second attempt succeeds", async () => {
    let failing: FailingDatabase | undefined
    await simulated((env) => (failing = new FailingDatabase(env, 1, "40001")).run())
    expect(failing!.events).toEqual([])
  })

  test("PG3 is waited for as long as is said, by attempts that are at most five seconds apart", async () => {
    let failing: FailingDatabase | undefined
    const { outcome, seconds } = await simulated((env) =>
      (failing = new FailingDatabase(env, Infinity, "ETIMEDOUT")).run(30_000_000),
    )
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "sink-unreachable" } })
    expect(seconds).toBeGreaterThanOrEqual(30)
    expect(seconds).toBeLessThan(36)
    expect(failing!.calls).toBeGreaterThan(8)
  })

  test("PG3 PD2 is waited for no longer when the job is to stop, and it stays known why", async () => {
    let failing: FailingDatabase | undefined
    const { outcome, seconds } = await simulated(async (env) => {
      failing = new FailingDatabase(env, Infinity, "ECONNREFUSED")
      const running = failing.run()
      await env.timers.sleep(60_000_000)
      failing.stop.abort()
      return await running
    })
    expect(outcome).toEqual({ status: "fulfilled", value: undefined })
    expect(seconds).toBeLessThan(61)
    expect(failing!.database.waitsFor).toBe("fails with ECONNREFUSED")
  })

  test.each([
    ["28P01", "sink-unreachable"],
    ["3D000", "sink-unreachable"],
    ["42501", "sink-failed"],
    ["42P01", "sink-failed"],
    ["23505", "sink-failed"],
  ])("is not tried again where that would not help: %s", async (code, expected) => {
    let failing: FailingDatabase | undefined
    const { outcome } = await simulated((env) => (failing = new FailingDatabase(env, Infinity, code)).run())
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: expected } })
    expect(failing).toMatchObject({ calls: 1, closed: 1 })
  })
})
