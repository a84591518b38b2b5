/** Programs whose state is kept otherwise than that of the program before them, whatever dies when. */
import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { DEATHS, FaultAt, noFaults } from "../connect/world.conformance.ts"
import { SimWorld } from "../sim/sim-env.ts"
import { job } from "../stream/job.ts"
import { eventTimer, listState, mapState, processingTimer, valueState } from "../stream/process-declarations.ts"
import { migration } from "../stream/state-migrations.ts"
import type { Timestamp } from "../time/timestamp.ts"
import type { JobEvent } from "../trace/events.ts"
import { ArrayTarget } from "./array-sink.fixture.ts"
import { arraySource } from "./array-source.fixture.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { runJob } from "./run-job.ts"
import type { RunJobOptions } from "./run-options.ts"

const Payment = schema({
  at: t.timestamp({ format: "us" }),
  account: t.string,
  euros: t.float64,
  shop: t.enum("a", "b"),
})
const SECOND = 1_000_000

const ROWS = Array.from({ length: 60 }, (_, index) => ({
  at: (index * SECOND) as Timestamp,
  account: `account ${index % 4}`,
  euros: (index % 7) + 0.25,
  shop: index % 3 === 0 ? ("a" as const) : ("b" as const),
}))

const emits = { account: t.string, told: t.string }

/** Tells all that it knows of an account, in cents, whichever version it is. */
const told = (count: number, cents: number, recent: readonly number[], shops: readonly (readonly [string, number])[]) =>
  JSON.stringify([count, cents, recent, shops])

/** Counts in small numbers, and euros as floats. */
const before = job({
  name: "accounts",
  inputs: { payments: Payment },
  flow: ({ payments }) => ({
    out: payments
      .eventTime("at", { outOfOrder: "0s" })
      .keyBy("account")
      .process(
        {
          emits,
          state: {
            count: valueState(t.int32.default(0)),
            euros: valueState(t.float64),
            recent: listState(t.int16),
            shops: mapState(t.enum("a", "b"), t.object({ n: t.int32 })),
          },
          timers: { quiet: eventTimer() },
          onRecord(row, { state, timers, emit }) {
            state.count.set(state.count.get() + 1)
            state.euros.set((state.euros.get() ?? 0) + row.euros)
            state.recent.add(Math.floor(row.euros))
            state.shops.set(row.shop, { n: (state.shops.get(row.shop)?.n ?? 0) + 1 })
            timers.quiet.set(row.at + 2 * SECOND)
            const shops = state.shops.entries().map(([shop, { n }]) => [shop, n] as const)
            emit({
              account: row.account,
              told: told(state.count.get(), Math.round(state.euros.get()! * 100), state.recent.values(), shops),
            })
          },
          onTimer: { quiet: ({ key, emit }) => emit({ account: key.account, told: "quiet" }) },
        },
        { id: "accounts" },
      ),
  }),
})

const Money = t.object({ cents: t.int53, currency: t.string })
const MIGRATE = [migration(t.float64, (euros) => ({ cents: Math.round(euros * 100), currency: "EUR" }))]

/** Counts in wide numbers, and money as cents; knows who was seen first, and has further timers. */
const afterwards = (migrate: typeof MIGRATE = MIGRATE) =>
  job({
    name: "accounts",
    inputs: { payments: Payment },
    flow: ({ payments }) => ({
      out: payments
        .eventTime("at", { outOfOrder: "0s" })
        .keyBy("account")
        .process(
          {
            emits,
            timers: { daily: processingTimer(), quiet: eventTimer() },
            state: {
              first: valueState(t.timestamp()),
              euros: valueState(Money, { migrate }),
              shops: mapState(t.string, t.object({ n: t.int53, note: t.string.nullable() })),
              count: valueState(t.int64.default(0n)),
              recent: listState(t.float64.nullable()),
            },
            onRecord(row, { state, timers, emit }) {
              state.count.set(state.count.get() + 1n)
              const { cents, currency } = state.euros.get() ?? { cents: 0, currency: "EUR" }
              state.euros.set({ cents: cents + Math.round(row.euros * 100), currency })
              state.recent.add(Math.floor(row.euros))
              state.shops.set(row.shop, { n: (state.shops.get(row.shop)?.n ?? 0) + 1, note: null })
              timers.quiet.set(row.at + 2 * SECOND)
              const shops = state.shops.entries().map(([shop, { n }]) => [shop, n] as const)
              const recent = state.recent.values().map(Number)
              emit({
                account: row.account,
                told: told(Number(state.count.get()), state.euros.get()!.cents, recent, shops),
              })
            },
            onTimer: {
              daily: () => undefined,
              quiet: ({ key, emit }) => emit({ account: key.account, told: "quiet" }),
            },
          },
          { id: "accounts" },
        ),
    }),
  })

class Machine {
  readonly world: SimWorld
  readonly target = new ArrayTarget("out")
  events: JobEvent[] = []

  constructor(seed = 1) {
    this.world = new SimWorld({ seed })
    this.world.image.installDirectory("/job")
  }

  /** Runs a program, over the rows that are there, until its end or its death; whether it came to its end. */
  async run(
    program: typeof before | ReturnType<typeof afterwards>,
    rows: number,
    { faults = noFaults(), ...options }: Partial<RunJobOptions> & { faults?: FaultAt } = {},
  ): Promise<boolean> {
    this.events = []
    const bound = program.with({
      inputs: { payments: arraySource({ p: ROWS.slice(0, rows) }) },
      outputs: { out: this.target.binding() },
    })
    const { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch } = bound
    const executable: ExecutableJob = {
      name,
      plan,
      paramsSchema,
      params,
      inputs,
      outputs,
      deadLetter,
      onError,
      maxBadRecords,
      epoch,
    }
    this.world.faults = faults
    const promise = runJob(executable, {
      env: this.world.boot(),
      directory: "/job/state",
      baseDirectory: "/job",
      epochRows: 4,
      drain: "never",
      onEvent: (event) => void this.events.push(event),
      ...options,
    }).then((handle) => handle.finished)
    promise.catch(() => undefined)
    const end = await this.world.run(promise)
    this.world.faults = noFaults()
    if (this.world.isAlive) this.world.kill()
    if (end === "died") return false
    await promise
    return true
  }
}

async function expectedRows() {
  const machine = new Machine()
  await machine.run(before, ROWS.length)
  expect(machine.target.rows.filter(({ told: text }) => text === "quiet").length).toBeGreaterThan(20)
  return machine.target.rows
}

test("P16 state goes over to a program that keeps it otherwise, and is told", async () => {
  const machine = new Machine()
  await machine.run(before, 33)
  await machine.run(afterwards(), ROWS.length)
  expect(machine.target.rows).toEqual(await expectedRows())
  expect(machine.events.find(({ kind }) => kind === "state-migrated")).toEqual({
    kind: "state-migrated",
    operator: "accounts",
    changes: [
      "its timers daily are new",
      "its state first is new, and empty",
      'the values of its state euros, which were float64, are migrated to object({ "cents": int53, "currency": string })',
      'the keys of its state shops, which were enum("a", "b"), are string from here on',
      'the values of its state shops, which were object({ "n": int32 }), are object({ "n": int53, "note": string? }) from here on',
      "the values of its state count, which were int32, are int64 from here on",
      "the values of its state recent, which were int16, are float64? from here on",
    ],
  })
  // It has gone over for good.
  await machine.run(afterwards([]), ROWS.length)
  expect(machine.events.map(({ kind }) => kind)).not.toContain("state-migrated")
  await expect(machine.run(before, ROWS.length)).rejects.toMatchObject({ code: "state-foreign" })
})

test("P16 E3 whatever dies while state goes over, it does so once", { timeout: 120_000 }, async () => {
  const expected = await expectedRows()
  let deaths = 0
  for (const snapshots of [false, true]) {
    const options = snapshots ? { snapshotPolicy: { minBytes: 1, growth: 0 } } : {}
    for (let call = 0, isDone = false; !isDone; call++) {
      for (const kind of DEATHS) {
        const machine = new Machine(call + 1)
        const rows = new Prng(call).pick([9, 20, 41])
        await machine.run(before, rows, options)
        const faults = new FaultAt(call, kind)
        if (!(await machine.run(afterwards(), rows + 6, { faults, ...options }))) deaths++
        isDone = !faults.hasStruck
        await machine.run(afterwards(), ROWS.length, options)
        expect(machine.target.rows, `${kind} at ${call}`).toEqual(expected)
      }
    }
  }
  expect(deaths).toBeGreaterThan(100)
})

test("P16 a savepoint goes over as well, and stays what it is", async () => {
  const { writeSavepoint } = await import("../state/savepoint.ts")
  const machine = new Machine()
  await machine.run(before, 33)
  const saving = writeSavepoint(machine.world.boot().disk, "/job/state", "/job/kept", "1234")
  await machine.world.run(saving)
  machine.world.kill()
  const before33 = machine.target.rows.length
  const expected = await expectedRows()
  for (const directory of ["/job/one", "/job/other"]) {
    const copy = new Machine()
    Object.assign(copy, { world: machine.world })
    await copy.run(afterwards(), ROWS.length, { directory, fromSavepoint: "/job/kept" })
    expect(copy.target.rows).toEqual(expected.slice(before33))
  }
  await machine.run(before, ROWS.length)
  expect(machine.target.rows).toEqual(expected)
})

test("P17 a migration that fails stops the job, and the earlier program can go on", async () => {
  const machine = new Machine()
  await machine.run(before, 33)
  const failing = [
    migration(t.float64, (euros) => {
      if (euros > 20) throw new Error("that is too much")
      return { cents: euros, currency: "EUR" }
    }),
  ]
  const refusal = machine.run(afterwards(failing), ROWS.length)
  await expect(refusal).rejects.toMatchObject({
    code: "lambda-failed",
    message: expect.stringMatching(
      /^The migration of the state euros of the operator accounts threw Error: that is too much, for the key \("account \d"\) and the value 2\d/,
    ) as string,
  })
  const wrong = [migration(t.float64, () => ({ cents: 0.5, currency: "EUR" }))]
  await expect(machine.run(afterwards(wrong), ROWS.length)).rejects.toThrow(
    /gave what is an object whose field "cents" is not a whole number/,
  )
  await machine.run(before, 40)
  await machine.run(afterwards(), ROWS.length)
  expect(machine.target.rows).toEqual(await expectedRows())
})

test("P16 what has no migration is refused, with what is missing", async () => {
  const machine = new Machine()
  await machine.run(before, 33)
  await expect(machine.run(afterwards([]), ROWS.length)).rejects.toMatchObject({
    code: "state-foreign",
    message: expect.stringContaining(
      'its operator accounts has changed: the values of its state euros were float64 and are now object({ "cents": int53, "currency": string })',
    ) as string,
    hint: expect.stringMatching(
      /^Say what becomes of them: valueState\(\.\.\., \{ migrate: \[migration\(float64, \(value\) => \.\.\.\)\] \}\)/,
    ) as string,
  })
})
