/**
 * The conformance suite of sinks: K1 to K5 of `sink.ts`, under crashes between any two calls to the world.
 *
 * The suite plays the runtime. It writes numbered rows in epochs by a script, keeps what the log would keep (checkpoint,
 * staged bytes, how many rows are committed), lets the process die at each call in turn, recovers from the log in a new
 * process, writes what is not committed again, and compares what readers see with the rows written. At every moment in
 * between, what readers see must be the first so many committed rows.
 *
 * A driver brings a sink, a world for it and a reader for its target. Rows hold text with line ends, quotes and letters
 * beyond ASCII; some are large, so that a sink's bulk path is taken too.
 */
import { describe, expect, test } from "vitest"
import { Arena } from "../batch/arena.ts"
import { batchOfRows } from "../batch/batch.ts"
import { schema, type RowOf } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { TidemarkError } from "../base/errors.ts"
import type { Env } from "../env/env.ts"
import type { Sink, SinkBinding, SinkRecovery } from "./sink.ts"
import {
  DEATHS,
  FaultAt,
  noFaults,
  runProcess,
  type ConformanceFault,
  type ConformanceWorld,
} from "./world.conformance.ts"

/** The rows that the suite writes. */
export const CONFORMANCE_SCHEMA = schema({ id: t.int32, text: t.string })

/** A row that the suite writes. */
export type ConformanceRow = RowOf<typeof CONFORMANCE_SCHEMA>

/** A sink to be tested. */
export interface SinkConformanceDriver<W extends ConformanceWorld = ConformanceWorld> {
  /** A world with an empty target. The seed decides what crashes leave. */
  createWorld(seed: number): W
  /** The directory that relative paths are relative to. */
  readonly baseDirectory: string
  /** The sink, rolling so that output is published every 1,000 bytes or so. */
  readonly binding: SinkBinding
  /** What readers of the target see now, in order; it throws where they see what is not a whole row. */
  published(world: W): ConformanceRow[]
  /** A reader takes all that is published away. */
  takeAway(world: W): void
  /** What was published and later set aside by a reset, in order of setting aside. */
  setAside(world: W): ConformanceRow[]
}

/** What the log knows of the sink. */
interface Log {
  checkpoint: Uint8Array | undefined
  staged: Uint8Array[]
  /** How many rows are committed. */
  rows: number
  /** How many of the first rows a reader has taken away. */
  taken: number
}

/** One epoch of a script. */
interface Epoch {
  /** Rows to write, in pieces; the sink is flushed between them. */
  readonly pieces: readonly number[]
  /** Pieces of the next epoch that are written, and flushed, between this epoch's `stage` and its `apply`. */
  readonly early?: readonly number[]
  readonly final?: boolean
  readonly checkpoint?: boolean
  /** How often it is applied. */
  readonly applies?: number
}

/** Small and large epochs, empty ones, rows before `apply`, checkpoints: what a sink meets. */
const SCRIPT: readonly Epoch[] = [
  { pieces: [3] },
  { pieces: [] },
  { pieces: [2, 3], applies: 2 },
  { pieces: [1], early: [2] },
  { pieces: [4], checkpoint: true },
  { pieces: [12, 8] },
  { pieces: [2], early: [1, 1], applies: 2 },
  { pieces: [0, 5], checkpoint: true },
  { pieces: [25], applies: 2 },
  { pieces: [1], checkpoint: true },
  { pieces: [] },
  { pieces: [2], final: true },
]

/** How the rest is written after a recovery. */
const REST_EPOCHS: readonly Epoch[] = [{ pieces: [1] }, { pieces: [2, 1], checkpoint: true }, { pieces: [3] }]

/** One for all runs: making a memory takes longer than a run. */
const ARENA = new Arena({ maxBytes: 1 << 22 })

const TOTAL_ROWS = rowsOf(SCRIPT)

/** Rows whose text is so long that an epoch with it does not fit into a commit record. */
const LARGE_ROWS: ReadonlySet<number> = new Set([21, 40])

function rowsOf(epochs: readonly Epoch[]): number {
  return epochs.flatMap(({ pieces, early = [] }) => [...pieces, ...early]).reduce((sum, count) => sum + count, 0)
}

/** Row `id`: a function of its number, so that a lost, repeated or changed row is seen. */
function rowOf(id: number): ConformanceRow {
  const words = ["plain", 'with "quotes", commas', "two\nlines", "naïve 水 🦉", ""]
  const text = `${words[id % words.length]!} ${"x".repeat((id * 37) % 120)}`
  return { id, text: LARGE_ROWS.has(id) ? text + "y".repeat(70_000) : text }
}

/** All rows, in order. */
const ROWS = Array.from({ length: TOTAL_ROWS }, (_, id) => rowOf(id))

/** Plays the runtime for one sink in one process. */
class Runtime<W extends ConformanceWorld> {
  readonly #world: W
  readonly #driver: SinkConformanceDriver<W>
  readonly #log: Log
  readonly #sink: Sink
  #written: number

  private constructor(world: W, driver: SinkConformanceDriver<W>, log: Log, sink: Sink) {
    this.#world = world
    this.#driver = driver
    this.#log = log
    this.#sink = sink
    this.#written = log.rows
  }

  static async open<W extends ConformanceWorld>(
    world: W,
    env: Env,
    driver: SinkConformanceDriver<W>,
    log: Log,
    start: { reset: boolean } = { reset: false },
  ): Promise<Runtime<W>> {
    const { checkpoint, staged, rows } = log
    const fresh = start.reset || (checkpoint === undefined && staged.length === 0 && rows === 0)
    const recovery: SinkRecovery = { checkpoint, staged: [...staged], reset: start.reset, fresh }
    return new Runtime(world, driver, log, await openSink(driver, env, recovery))
  }

  get sink(): Sink {
    return this.#sink
  }

  /** Writes rows, up to the last one that there is. */
  write(count: number): void {
    const rows = ROWS.slice(this.#written, this.#written + count)
    if (rows.length === 0) return
    this.#written += rows.length
    const { batch, release } = batchOfRows(ARENA, CONFORMANCE_SCHEMA, rows)
    this.#sink.write(batch)
    release()
  }

  async writePieces(pieces: readonly number[]): Promise<void> {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await this.#sink.flush()
      this.write(piece)
    }
  }

  /** Writes, stages, commits and applies one epoch. */
  async play(epoch: Epoch): Promise<void> {
    await this.writePieces(epoch.pieces)
    const rows = this.#written
    const staged = await this.#sink.stage(epoch.final ?? false)
    this.#expectPrefix()
    this.#log.staged.push(staged.slice())
    this.#log.rows = rows
    if (epoch.early !== undefined) {
      await this.writePieces(epoch.early)
      await this.#sink.flush()
    }
    for (let count = 0; count < (epoch.applies ?? 1); count++) await this.#sink.apply(staged)
    this.#expectPrefix()
    if (epoch.checkpoint !== true) return
    const checkpoint = await this.#sink.checkpoint()
    this.#log.checkpoint = checkpoint.slice()
    this.#log.staged = []
  }

  /** Writes all that is not committed, and ends. */
  async finish(): Promise<void> {
    for (let at = 0; this.#written < TOTAL_ROWS; at++) await this.play(REST_EPOCHS[at % REST_EPOCHS.length]!)
    await this.play({ pieces: [], final: true })
    await this.#sink.close()
  }

  /** Readers never see anything but the first so many committed rows (K1). */
  #expectPrefix(): void {
    expectPrefix(this.#driver.published(this.#world), this.#log)
  }
}

function openSink(driver: SinkConformanceDriver, env: Env, recovery: SinkRecovery): Promise<Sink> {
  const context = { env, schema: CONFORMANCE_SCHEMA, output: "results", baseDirectory: driver.baseDirectory }
  return driver.binding.openSink(context, recovery)
}

/** Throws unless readers see the first so many committed rows, less those that were taken away (K1). */
function expectPrefix(seen: readonly ConformanceRow[], { rows, taken }: Log): void {
  if (seen.length > rows - taken) throw new Error(`Readers see ${seen.length} rows of ${rows - taken} committed ones.`)
  expectRows(seen, taken, taken + seen.length)
}

/** Throws unless the rows are those numbered from `from` up to `to`: compared by hand, since texts may be long. */
function expectRows(seen: readonly ConformanceRow[], from: number, to: number): void {
  seen.forEach(({ id, text }, index) => {
    if (id === from + index && text === ROWS[id]!.text) return
    const ids = seen.map((row) => row.id).join(" ")
    throw new Error(`Readers see the row ${id}, where the row ${from + index} should be: the rows are ${ids}.`)
  })
  expect(seen.length).toBe(to - from)
}

function newLog(): Log {
  return { checkpoint: undefined, staged: [], rows: 0, taken: 0 }
}

/** Plays the script. After a failed call the sink does nothing more, and can be closed. */
async function playScript<W extends ConformanceWorld>(
  world: W,
  env: Env,
  driver: SinkConformanceDriver<W>,
  log: Log,
): Promise<void> {
  const runtime = await Runtime.open(world, env, driver, log)
  try {
    for (const epoch of SCRIPT) await runtime.play(epoch)
  } catch (error) {
    await expect(runtime.sink.stage(false)).rejects.toBe(error)
    throw error
  } finally {
    await runtime.sink.close()
  }
}

/** The machine loses power: what is published must be durable. */
function losePower(world: ConformanceWorld): void {
  world.boot()
  world.crash()
}

async function recoverAndFinish<W extends ConformanceWorld>(
  world: W,
  driver: SinkConformanceDriver<W>,
  log: Log,
): Promise<void> {
  world.faults = noFaults()
  await runProcess(world, async (env) => {
    const runtime = await Runtime.open(world, env, driver, log)
    expectPrefix(driver.published(world), log)
    await runtime.finish()
  })
  losePower(world)
  expectRows(driver.published(world), 0, TOTAL_ROWS)
}

/**
 * Plays the script with a fault at one call, then recovers and finishes.
 *
 * @returns `false` where the script makes fewer calls than that.
 */
async function playWithFault<W extends ConformanceWorld>(
  driver: SinkConformanceDriver<W>,
  seed: number,
  fault: { call: number; kind: ConformanceFault },
  recovery?: { call: number; kind: ConformanceFault },
): Promise<boolean> {
  const world = driver.createWorld(seed)
  const log = newLog()
  const faults = new FaultAt(fault.call, fault.kind)
  world.faults = faults
  await runProcess(world, (env) => playScript(world, env, driver, log)).catch(ignoreDiskFailure)
  if (!faults.hasStruck) return false
  expectPrefix(driver.published(world), log)
  let hasStruckAgain = true
  if (recovery !== undefined) {
    const again = new FaultAt(recovery.call, recovery.kind)
    world.faults = again
    await runProcess(world, (env) => Runtime.open(world, env, driver, log)).catch(ignoreDiskFailure)
    hasStruckAgain = again.hasStruck
    expectPrefix(driver.published(world), log)
  }
  await recoverAndFinish(world, driver, log)
  return hasStruckAgain
}

function ignoreDiskFailure(error: unknown): void {
  if (error instanceof TidemarkError && (error.code === "disk-failed" || error.code === "disk-full")) return
  throw error
}

/** Runs a trial and names it where it fails, so that it can be run alone. */
async function trial<T>(name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** How many calls the script makes without a fault. */
export async function countCalls<W extends ConformanceWorld>(driver: SinkConformanceDriver<W>): Promise<number> {
  const world = driver.createWorld(0)
  const faults = noFaults()
  world.faults = faults
  await runProcess(world, (env) => playScript(world, env, driver, newLog()))
  return faults.calls
}

/**
 * Plays the script with a death at every call, for some seeds of what the death leaves; throws at the first lost,
 * repeated or early row. It is the heart of the suite, for use with sinks that are broken on purpose, too.
 */
export async function dieAtEveryCall<W extends ConformanceWorld>(
  driver: SinkConformanceDriver<W>,
  options: { seeds: number; kinds?: readonly ConformanceFault[] },
): Promise<void> {
  const calls = await countCalls(driver)
  for (let call = 0; call < calls; call++) {
    for (const kind of options.kinds ?? DEATHS) {
      for (let seed = 0; seed < options.seeds; seed++) {
        await trial(`seed ${seed}, ${kind} call ${call}`, () => playWithFault(driver, seed, { call, kind }))
      }
    }
  }
}

/** Declares the tests that every sink must pass. `scale` multiplies how many outcomes of crashes are tried. */
export function describeSinkConformance<W extends ConformanceWorld>(
  name: string,
  driver: SinkConformanceDriver<W>,
  scale = 1,
): void {
  describe(`${name} as a sink`, () => {
    describePlainRuns(driver)
    describeDeaths(driver, scale)
    describeForeignOutput(driver)
  })
}

function describePlainRuns<W extends ConformanceWorld>(driver: SinkConformanceDriver<W>): void {
  test("publishes every row once, in order", async () => {
    const world = driver.createWorld(1)
    await runProcess(world, (env) => playScript(world, env, driver, newLog()))
    expectRows(driver.published(world), 0, TOTAL_ROWS)
  })

  test("K1 shows nothing of what was written, flushed and staged", async () => {
    const world = driver.createWorld(2)
    await runProcess(world, async (env) => {
      const runtime = await Runtime.open(world, env, driver, newLog())
      await runtime.writePieces([30, 30])
      await runtime.sink.flush()
      expect(driver.published(world)).toEqual([])
      const staged = await runtime.sink.stage(true)
      expect(driver.published(world)).toEqual([])
      await runtime.sink.apply(staged)
      expectRows(driver.published(world), 0, 60)
    })
  })

  test("counts what it holds in memory, until it is flushed or staged", async () => {
    const world = driver.createWorld(3)
    await runProcess(world, async (env) => {
      const runtime = await Runtime.open(world, env, driver, newLog())
      const { sink } = runtime
      expect(sink.bufferedBytes).toBe(0)
      runtime.write(10)
      const held = sink.bufferedBytes
      expect(held).toBeGreaterThan(10)
      runtime.write(10)
      expect(sink.bufferedBytes).toBeGreaterThan(held)
      await sink.flush()
      expect(sink.bufferedBytes).toBe(0)
      runtime.write(1)
      await sink.stage(false)
      expect(sink.bufferedBytes).toBe(0)
    })
  })

  test("K2 puts the rows into an epoch that were written before `stage` was called, not those written while it runs", async () => {
    const world = driver.createWorld(4)
    const log = newLog()
    await runProcess(world, async (env) => {
      const runtime = await Runtime.open(world, env, driver, log)
      runtime.write(5)
      const staging = runtime.sink.stage(true)
      runtime.write(5)
      log.staged.push((await staging).slice())
      log.rows = 5
    })
    await recoverAndFinish(world, driver, log)
  })

  test("K3 changes nothing that is visible where it applies a run of records again", async () => {
    const world = driver.createWorld(5)
    await runProcess(world, async (env) => {
      const log = newLog()
      const runtime = await Runtime.open(world, env, driver, log)
      for (const epoch of SCRIPT) {
        await runtime.play({ ...epoch, checkpoint: false })
        const before = driver.published(world).length
        for (let from = 0; from < log.staged.length; from++) {
          for (const staged of log.staged.slice(from)) await runtime.sink.apply(staged)
        }
        expectRows(driver.published(world), 0, before)
      }
      expectRows(driver.published(world), 0, TOTAL_ROWS)
    })
  })

  test("K4 recovers again and again from the same records", async () => {
    const world = driver.createWorld(6)
    const log = newLog()
    for (const epoch of SCRIPT.slice(0, 9)) {
      await runProcess(world, async (env) => (await Runtime.open(world, env, driver, log)).play(epoch))
      await runProcess(world, async (env) => Runtime.open(world, env, driver, log))
    }
    await recoverAndFinish(world, driver, log)
  })

  test("K4 does not publish again what a reader has taken away", async () => {
    const world = driver.createWorld(7)
    const log = newLog()
    await runProcess(world, async (env) => {
      const runtime = await Runtime.open(world, env, driver, log)
      await runtime.play({ pieces: [20] })
      await runtime.play({ pieces: [20], final: true })
    })
    expectRows(driver.published(world), 0, 40)
    driver.takeAway(world)
    log.taken = 40
    await runProcess(world, async (env) => (await Runtime.open(world, env, driver, log)).finish())
    expectRows(driver.published(world), 40, TOTAL_ROWS)
  })

  test("publishes nothing where nothing was written", async () => {
    const world = driver.createWorld(8)
    const log = newLog()
    await runProcess(world, async (env) => {
      const runtime = await Runtime.open(world, env, driver, log)
      await runtime.play({ pieces: [], checkpoint: true })
      await runtime.play({ pieces: [], final: true })
    })
    expect(driver.published(world)).toEqual([])
  })
}

function describeDeaths<W extends ConformanceWorld>(driver: SinkConformanceDriver<W>, scale: number): void {
  for (const kind of DEATHS) {
    test(`K2, K4, K5 loses and repeats nothing: ${kind} any call`, async () => {
      await dieAtEveryCall(driver, { seeds: Math.ceil(2 * scale), kinds: [kind] })
    })
  }

  test("K4 loses and repeats nothing where recovery dies too, at any call", async () => {
    const calls = await countCalls(driver)
    for (let call = 0; call < calls; call += 3) {
      const kind = DEATHS[call % DEATHS.length]!
      for (let again = 0, isMore = true; isMore; again++) {
        const recovery = { call: again, kind: DEATHS[again % DEATHS.length]! }
        const name = `seed ${call}, ${kind} call ${call}, then ${recovery.kind} call ${again} of recovery`
        isMore = await trial(name, () => playWithFault(driver, call, { call, kind }, recovery))
      }
    }
  })

  test("loses and repeats nothing where any call fails, and does nothing more after it", async () => {
    const calls = await countCalls(driver)
    for (let call = 0; call < calls; call++) {
      for (const kind of ["eio", "enospc"] as const) {
        await trial(`seed ${call}, ${kind} call ${call}`, () => playWithFault(driver, call, { call, kind }))
      }
    }
  })
}

function describeForeignOutput<W extends ConformanceWorld>(driver: SinkConformanceDriver<W>): void {
  /** A world in which another job has published the first 60 rows. */
  async function occupiedWorld(seed: number): Promise<W> {
    const world = driver.createWorld(seed)
    await runProcess(world, async (env) => {
      const runtime = await Runtime.open(world, env, driver, newLog())
      await runtime.play({ pieces: [30] })
      await runtime.play({ pieces: [30], final: true })
    })
    return world
  }

  test("refuses a target that holds the output of another job", async () => {
    const world = await occupiedWorld(20)
    const opening = runProcess(world, (env) => Runtime.open(world, env, driver, newLog()))
    await expect(opening).rejects.toMatchObject({ code: "sink-occupied" })
    expectRows(driver.published(world), 0, 60)
  })

  test("refuses a target that another sink writes to now", async () => {
    const world = driver.createWorld(21)
    await runProcess(world, async (env) => {
      await Runtime.open(world, env, driver, newLog())
      await expect(Runtime.open(world, env, driver, newLog())).rejects.toMatchObject({ code: "sink-occupied" })
    })
  })

  test("a reset sets the output aside and starts anew, also where it dies at any call", async () => {
    for (let call = 0, isMore = true; isMore; call++) {
      const kind = DEATHS[call % DEATHS.length]!
      isMore = await trial(`seed ${call}, ${kind} call ${call}`, () => resetWithDeath(call, kind))
    }
  })

  async function resetWithDeath(call: number, kind: ConformanceFault): Promise<boolean> {
    const world = await occupiedWorld(call)
    const faults = new FaultAt(call, kind)
    const log = newLog()
    world.faults = faults
    const start = async (env: Env): Promise<void> => {
      const runtime = await Runtime.open(world, env, driver, log, { reset: true })
      await runtime.play({ pieces: [30], final: true })
    }
    await runProcess(world, start)
    world.faults = noFaults()
    // The runtime resets again until an epoch is committed.
    if (log.rows === 0) await runProcess(world, start)
    losePower(world)
    await recoverAndFinish(world, driver, log)
    expectRows(driver.setAside(world), 0, 60)
    return faults.hasStruck
  }
}
