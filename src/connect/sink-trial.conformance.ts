/**
 * Plays the runtime for one sink: what the conformance suite of sinks, and tests of sinks that are broken on purpose, are
 * made of.
 *
 * Numbered rows are written in epochs by a script, while what the log would keep is kept (checkpoint, staged bytes, how
 * many rows are committed). A trial lets the process die at some call, recovers from the log in a new process, writes
 * again what is not committed, and compares what readers see with the rows written. At every moment in between, what
 * readers see must be the first so many committed rows (K1).
 *
 * Rows hold text with line ends, quotes and letters beyond ASCII; some are large, so that a sink's bulk path is taken.
 */
import { expect } from "vitest"
import { assert } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"
import { Arena } from "../batch/arena.ts"
import { batchOfRows } from "../batch/batch.ts"
import { schema, type RowOf } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { Env } from "../env/env.ts"
import type { Sink, SinkBinding, SinkRecovery } from "./sink.ts"
import { FaultAt, noFaults, runProcess, type ConformanceFault, type ConformanceWorld } from "./world.conformance.ts"

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
  published(world: W): ConformanceRow[] | Promise<ConformanceRow[]>
  /** A reader takes all that is published away. */
  takeAway(world: W): void | Promise<void>
  /** What was published and later set aside by resets, by `id`. Absent where the target is nobody's: any job may write to it, and none clears it. */
  setAside?(world: W): ConformanceRow[] | Promise<ConformanceRow[]>
}

/** What the log knows of the sink. */
export interface Log {
  checkpoint: Uint8Array | undefined
  staged: Uint8Array[]
  /** How many rows are committed. */
  rows: number
  /** How many of the first rows a reader has taken away. */
  taken: number
}

/** One epoch of a script. */
export interface Epoch {
  /** Rows to write, in pieces; the sink is flushed between them. */
  readonly pieces: readonly number[]
  /** Pieces of the next epoch that are written, and flushed, between this epoch's `stage` and its `apply`. */
  readonly early?: readonly number[]
  readonly final?: boolean
  /** `"beside"`: it is waited for only when the next epoch has been applied. */
  readonly checkpoint?: boolean | "beside"
  /** How often it is applied. */
  readonly applies?: number
}

/** Small and large epochs, empty ones, rows before `apply`, checkpoints: what a sink meets. */
export const SCRIPT: readonly Epoch[] = [
  { pieces: [3] },
  { pieces: [] },
  { pieces: [2, 3], applies: 2 },
  { pieces: [1], early: [2] },
  { pieces: [4], checkpoint: true },
  { pieces: [12, 8] },
  { pieces: [2], early: [1, 1], applies: 2 },
  { pieces: [0, 5], checkpoint: "beside" },
  { pieces: [25], applies: 2 },
  { pieces: [1], checkpoint: "beside" },
  { pieces: [] },
  { pieces: [2], final: true },
]

/** How the rest is written after a recovery. */
const REST_EPOCHS: readonly Epoch[] = [{ pieces: [1] }, { pieces: [2, 1], checkpoint: true }, { pieces: [3] }]

/** One for all runs: making a memory takes longer than a run. */
const ARENA = new Arena({ maxBytes: 1 << 22 })

/** How many rows there are. */
export const TOTAL_ROWS = rowsOf(SCRIPT)

/** How many rows an earlier job has published, where one has. */
export const OCCUPYING_ROWS = 60

/** Rows whose text is so long that an epoch with it does not fit into a commit record. */
const LARGE_ROWS: ReadonlySet<number> = new Set([21, 40])

function rowsOf(epochs: readonly Epoch[]): number {
  return epochs.flatMap(({ pieces, early = [] }) => [...pieces, ...early]).reduce((sum, count) => sum + count, 0)
}

/** Row `id`: a function of its number, so that a lost, repeated or changed row is seen. */
function rowOf(id: number): ConformanceRow {
  const words = ["plain", 'with "quotes", commas', "two\nlines", "naïve 水 🦉", ""]
  const text = `${words[id % words.length]!} ${"x".repeat((id * 37) % 120)}`
  return { id, text: LARGE_ROWS.has(id) ? text + "y".repeat(300_000) : text }
}

/** All rows, in order. */
const ROWS = Array.from({ length: TOTAL_ROWS }, (_, id) => rowOf(id))

/** Plays the runtime for one sink in one process. */
export class Runtime<W extends ConformanceWorld> {
  readonly #world: W
  readonly #driver: SinkConformanceDriver<W>
  readonly #log: Log
  readonly #sink: Sink
  #written: number
  /** A checkpoint that was asked for, and how many staged records it makes superfluous. */
  #asked: { readonly checkpoint: Promise<Uint8Array>; readonly staged: number } | undefined

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
    this.#log.staged.push(staged.slice())
    this.#log.rows = rows
    if (epoch.early !== undefined) {
      await this.writePieces(epoch.early)
      await this.#sink.flush()
    }
    for (let count = 0; count < (epoch.applies ?? 1); count++) await this.#sink.apply(staged)
    await this.#expectPrefix()
    await this.#takeCheckpoint()
    if (epoch.checkpoint === undefined || epoch.checkpoint === false) return
    const checkpoint = this.#sink.checkpoint()
    checkpoint.catch(() => undefined)
    this.#asked = { checkpoint, staged: this.#log.staged.length }
    if (epoch.checkpoint === true) await this.#takeCheckpoint()
  }

  async #takeCheckpoint(): Promise<void> {
    if (this.#asked === undefined) return
    const { checkpoint, staged } = this.#asked
    this.#log.checkpoint = (await checkpoint).slice()
    this.#log.staged = this.#log.staged.slice(staged)
    this.#asked = undefined
  }

  /** Writes all that is not committed, and ends. */
  async finish(): Promise<void> {
    for (let at = 0; this.#written < TOTAL_ROWS; at++) await this.play(REST_EPOCHS[at % REST_EPOCHS.length]!)
    await this.play({ pieces: [], final: true })
    await this.#sink.close()
  }

  /** Readers never see anything but the first so many committed rows (K1). */
  async #expectPrefix(): Promise<void> {
    expectPrefix(await this.#driver.published(this.#world), this.#log)
  }
}

function openSink(driver: SinkConformanceDriver, env: Env, recovery: SinkRecovery): Promise<Sink> {
  const { baseDirectory } = driver
  const stateDirectory = `${baseDirectory}/state`
  const place = { job: "trial", output: "results", baseDirectory, stateDirectory }
  const context = { env, arena: ARENA, schema: CONFORMANCE_SCHEMA, ...place }
  return driver.binding.openSink(context, recovery)
}

/** Throws unless readers see the first so many committed rows, less those that were taken away (K1). */
function expectPrefix(seen: readonly ConformanceRow[], { rows, taken }: Log): void {
  if (seen.length > rows - taken) throw new Error(`Readers see ${seen.length} rows of ${rows - taken} committed ones.`)
  expectRows(seen, taken, taken + seen.length)
}

/** Throws unless the rows are those numbered from `from` up to `to`: compared by hand, since texts may be long. */
export function expectRows(seen: readonly ConformanceRow[], from: number, to: number): void {
  seen.forEach(({ id, text }, index) => {
    if (id === from + index && text === ROWS[id]!.text) return
    const ids = seen.map((row) => row.id).join(" ")
    throw new Error(`Readers see the row ${id}, where the row ${from + index} should be: the rows are ${ids}.`)
  })
  expect(seen.length).toBe(to - from)
}

/** The log of a job that has committed nothing. */
export function newLog(): Log {
  return { checkpoint: undefined, staged: [], rows: 0, taken: 0 }
}

/** Plays the script. After a failed call the sink does nothing more, and can be closed. */
export async function playScript<W extends ConformanceWorld>(
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

/** Recovers without faults, writes the rest, and looks at what readers see, also after a loss of power. */
export async function recoverAndFinish<W extends ConformanceWorld>(
  world: W,
  driver: SinkConformanceDriver<W>,
  log: Log,
): Promise<void> {
  world.faults = noFaults()
  await runProcess(world, async (env) => {
    const runtime = await Runtime.open(world, env, driver, log)
    expectPrefix(await driver.published(world), log)
    await runtime.finish()
  })
  losePower(world)
  expectRows(await driver.published(world), 0, TOTAL_ROWS)
}

/**
 * Plays the script with a fault at one call, then recovers and finishes.
 *
 * @returns `false` where the script makes fewer calls than that.
 */
export async function playWithFault<W extends ConformanceWorld>(
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
  expectPrefix(await driver.published(world), log)
  let hasStruckAgain = true
  if (recovery !== undefined) {
    const again = new FaultAt(recovery.call, recovery.kind)
    world.faults = again
    await runProcess(world, (env) => Runtime.open(world, env, driver, log)).catch(ignoreDiskFailure)
    hasStruckAgain = again.hasStruck
    expectPrefix(await driver.published(world), log)
  }
  await recoverAndFinish(world, driver, log)
  return hasStruckAgain
}

function ignoreDiskFailure(error: unknown): void {
  if (error instanceof TidemarkError && (error.code === "disk-failed" || error.code === "disk-full")) return
  throw error
}

/** Runs a trial and names it where it fails, so that it can be run alone. */
export async function trial<T>(name: string, run: () => Promise<T>): Promise<T> {
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

/** A world in which another job has published the first `OCCUPYING_ROWS` rows. */
export async function occupiedWorld<W extends ConformanceWorld>(
  driver: SinkConformanceDriver<W>,
  seed: number,
): Promise<W> {
  const world = driver.createWorld(seed)
  await runProcess(world, async (env) => {
    const runtime = await Runtime.open(world, env, driver, newLog())
    await runtime.play({ pieces: [OCCUPYING_ROWS / 2] })
    await runtime.play({ pieces: [OCCUPYING_ROWS / 2], final: true })
  })
  return world
}

/**
 * Resets a target that holds the output of an earlier job, with a fault at one call, then recovers and finishes.
 *
 * @returns `false` where a reset and an epoch make fewer calls than that.
 */
export async function resetWithFault<W extends ConformanceWorld>(
  driver: SinkConformanceDriver<W>,
  seed: number,
  fault: { call: number; kind: ConformanceFault },
): Promise<boolean> {
  const world = await occupiedWorld(driver, seed)
  const faults = new FaultAt(fault.call, fault.kind)
  const log = newLog()
  const start = async (env: Env): Promise<void> => {
    const runtime = await Runtime.open(world, env, driver, log, { reset: true })
    // The first epoch, which ends the reset, may have no rows.
    if (seed % 2 === 0) await runtime.play({ pieces: [] })
    else await runtime.play({ pieces: [30], final: true })
  }
  world.faults = faults
  await runProcess(world, start)
  world.faults = noFaults()
  // The runtime resets again until an epoch is committed.
  if (log.staged.length === 0) await runProcess(world, start)
  losePower(world)
  await recoverAndFinish(world, driver, log)
  // A rename that a crash cut short may have left a file under both its names: then it was set aside twice.
  assert(driver.setAside !== undefined, "a target that is somebody's is set aside")
  const aside = new Map((await driver.setAside(world)).map((row) => [row.id, row]))
  expectRows([...aside.values()], 0, OCCUPYING_ROWS)
  return faults.hasStruck
}
