/**
 * A scenario: a job, its source files and how it is to be run, as plain data drawn from a seed. Being data, it can be
 * printed, replayed and made smaller.
 *
 * Files come in generations: those of one generation are there together, and the next generation appears when the job
 * has read all of the last to its end.
 */
import { Prng } from "../base/prng.ts"

/** A line of a source file, and what it is meant to be. */
export interface SourceLine {
  readonly text: string
  /** The row that the line holds, or `undefined` where it is broken on purpose. */
  readonly row: SourceRow | undefined
}

/** A row of the source. */
export interface SourceRow {
  /** Unique in the scenario. */
  readonly id: number
  readonly key: string
  readonly value: number | null
  /** Microseconds since 1970; unique in the scenario. */
  readonly at: number
  /** Ballast, so that some epochs are too large for the commit record. */
  readonly note: string
}

/** Lines that appear at the end of a file, which they make where it is not yet there. */
export interface SourceChunk {
  readonly file: string
  readonly lines: readonly SourceLine[]
}

/** What the job computes. */
export type JobShape =
  /** Rows go through filters and a derivation, without state. */
  | { readonly kind: "filter" }
  /** Rows are aggregated by key and window. All lengths in microseconds; without a slide, windows tumble. */
  | {
      readonly kind: "windows"
      readonly sizeMicros: number
      readonly slideMicros: number | undefined
      readonly outOfOrderMicros: number
    }

/** How the job asks about its rows: answers take virtual time, and some never come. */
export interface CallShape {
  readonly order: "input" | "completion"
  readonly inFlight: number
  /** An attempt is answered after less than this. */
  readonly latencyMicrosMax: number
}

/** The formats of files. */
export type FileFormatName = "csv" | "jsonl"

/** A job, its input and how it is run. */
export interface Scenario {
  readonly seed: number
  readonly shape: JobShape
  readonly inputFormat: FileFormatName
  readonly outputFormat: FileFormatName
  /** Whether the outputs' directories lie in one directory, or each in one of its own. Neither is there before the job. */
  readonly outputsLie: "together" | "apart"
  readonly generations: readonly (readonly SourceChunk[])[]
  readonly batchRows: number
  /** Run number `i` cuts an epoch after so many rows; the list is gone through again and again. */
  readonly epochRows: readonly number[]
  /** Parts of at least so many bytes are published. */
  readonly rollBytes: number
  /** And parts whose first row is so old: virtual time, of which a run takes a few tenths of a second. */
  readonly rollAfter: "15m" | "20ms"
  /** A snapshot is due after so many bytes of epochs. */
  readonly snapshotMinBytes: number
  /** A sink moves so many bytes to its staging area within an epoch. */
  readonly sinkBufferBytes: number
  /** The log writes so many bytes without waiting for a sync. */
  readonly logBufferBytes: number
  /** Run number `i` is stopped after so many commits; 0 where it is not. */
  readonly stopAfterCommits: readonly number[]
  /** The job starts anew when this generation appears; `undefined` where it never does. */
  readonly resetAt: number | undefined
  /** Whether the log is damaged before that, so that a reset is the only way on. */
  readonly spoilsLog: boolean
  readonly compile: "auto" | "off"
  /** How many threads decode, beside the one that computes: none where it is 1. */
  readonly parallelism: number
  /** The length of a morsel: short ones are read by threads, and take turns where there are several files. */
  readonly morselBytes: number
  /** Rows are asked about where they would be derived, or before they are windowed; `undefined` where nothing is asked. */
  readonly calls: CallShape | undefined
  /** Where rows are filtered and not asked about: whether each is kept in state until a timer of its own is due. */
  readonly waitsForTimers: boolean
  /** How many bytes of keys may be in memory; `Infinity` where all may. */
  readonly stateMemoryBytes: number
  /** Records are waited for before every other read, up to so long; 0 where all are there. */
  readonly pauseMicrosMax: number
}

/**
 * A scenario as the life of a job between two resets sees it: what was there at the reset is one generation.
 *
 * @param from the generation with which that life begins; `to` the one before which it ends.
 */
export function lifeOf(scenario: Scenario, from: number, to: number): Scenario {
  const merged = new Map<string, SourceLine[]>()
  for (const { file, lines } of scenario.generations.slice(0, from + 1).flat()) {
    merged.set(file, [...(merged.get(file) ?? []), ...lines])
  }
  const first = [...merged].map(([file, lines]) => ({ file, lines }))
  return { ...scenario, generations: [first, ...scenario.generations.slice(from + 1, to)] }
}

/** Rows with such an id make the job's lambda throw. */
export const THROWING_ID_MODULUS = 29
/** Of rows with such an id all attempts fail, where the job asks about them and has no windows: the truth of these is plainer. */
export const UNANSWERED_ID_MODULUS = 23

/** 2024-01-01T00:00:00Z. */
const START_MICROS = 1_704_067_200_000_000
const SECOND = 1_000_000

/** Draws a scenario. */
export function drawScenario(seed: number): Scenario {
  const prng = new Prng(seed)
  const shape = drawShape(prng)
  const inputFormat = prng.pick(["csv", "jsonl"] as const)
  const bulk = shape.kind === "filter" ? prng.float() : 1
  const isBulky = bulk < 0.1
  const lines = new LineWriter(prng.fork(), {
    inputFormat,
    shape,
    noteLength: bulk < 0.008 ? 400_000 : isBulky ? 20_000 : 0,
  })
  const generations: SourceChunk[][] = []
  const generationCount = 2 + prng.below(2)
  for (let generation = 0; generation < generationCount; generation++) {
    const chunks: SourceChunk[] = []
    const known = generations.flat().map(({ file }) => file)
    const fileCount = 1 + prng.below(3)
    for (let index = 0; index < fileCount; index++) {
      const candidates = known.filter((file) => !chunks.some((chunk) => chunk.file === file))
      const grows = candidates.length > 0 && prng.chance(0.3)
      const file = grows
        ? prng.pick(candidates)
        : `in/${prng.pick(["a", "b", "z"])}${generation}${index}.${inputFormat}`
      chunks.push({ file, lines: lines.draw(generation, generation === 0 ? 8 + prng.below(14) : 3 + prng.below(8)) })
    }
    generations.push(chunks)
  }
  const total = generations.flat().reduce((sum, chunk) => sum + chunk.lines.length, 0)
  const scenario: Scenario = {
    seed,
    shape,
    inputFormat,
    outputFormat: prng.pick(["csv", "jsonl"] as const),
    generations,
    batchRows: prng.pick([1, 2, 3, 7, 64]),
    epochRows: [isBulky ? Math.ceil(total / 4) : 2 + prng.below(Math.ceil(total / 5))],
    rollBytes: prng.pick([1, 200, 1000, 1_000_000]),
    rollAfter: prng.pick(["15m", "20ms"] as const),
    snapshotMinBytes: prng.pick([1, 600, 2000, 1_000_000]),
    stopAfterCommits: Array.from({ length: 6 }, () => (prng.chance(0.3) ? 1 + prng.below(4) : 0)),
    resetAt: prng.chance(0.15) ? 1 + prng.below(generationCount - 1) : undefined,
    compile: prng.chance(0.1) ? "auto" : "off",
    sinkBufferBytes: prng.pick([1, 300, 4 << 20, 4 << 20, 4 << 20]),
    logBufferBytes: prng.pick([50, 400, 1 << 20, 1 << 20]),
    spoilsLog: prng.chance(0.4),
    outputsLie: prng.chance(0.7) ? "together" : "apart",
    ...drawThreads(seed),
    ...drawPauses(seed),
    calls: drawCalls(seed),
    waitsForTimers: drawWaits(seed),
    stateMemoryBytes: drawStateMemory(seed),
  }
  const isHasty = !isBulky && prng.chance(shape.kind === "filter" ? 0.4 : 0.1)
  return isHasty ? hastened(scenario, total, prng) : scenario
}

/**
 * Every other process has shorter epochs and stops soon: then it publishes parts in which the process before it, that died
 * in a long epoch, has left more than is committed.
 */
function hastened(scenario: Scenario, rows: number, prng: Prng): Scenario {
  return {
    ...scenario,
    batchRows: 1 + prng.below(2),
    epochRows: [2 + prng.below(Math.ceil(rows / 5)), 2],
    sinkBufferBytes: 1,
    rollBytes: prng.pick([300, 1000, 1_000_000]),
    stopAfterCommits: Array.from({ length: 30 }, (_, run) => (run % 2 === 0 ? 0 : 1 + prng.below(2))),
  }
}

/** From chances of their own, so that the rest of a scenario does not depend on them. */
function drawThreads(seed: number): { parallelism: number; morselBytes: number } {
  const prng = new Prng(seed + 2 ** 24)
  const parallelism = prng.chance(0.5) ? 1 : 2 + prng.below(2)
  return { parallelism, morselBytes: parallelism === 1 ? 256 * 1024 : prng.pick([100, 300, 1000]) }
}

/** From chances of their own, too. The shortest epoch of a job is 10 ms. */
function drawPauses(seed: number): { pauseMicrosMax: number } {
  const prng = new Prng(seed + 2 ** 25)
  return { pauseMicrosMax: prng.chance(0.6) ? 0 : prng.pick([1_000, 20_000, 60_000]) }
}

/** From chances of their own, too. */
function drawStateMemory(seed: number): number {
  return new Prng(seed + 2 ** 28).pick([0, 200, 1000, Infinity])
}

/** From chances of their own, again. */
function drawCalls(seed: number): CallShape | undefined {
  const prng = new Prng(seed + 2 ** 26)
  if (prng.chance(0.6)) return undefined
  return {
    order: prng.chance(0.7) ? "input" : "completion",
    inFlight: prng.pick([1, 2, 5, 100]),
    latencyMicrosMax: prng.pick([1, 2_000, 40_000]),
  }
}

/** From chances of their own, once more. */
function drawWaits(seed: number): boolean {
  return new Prng(seed + 2 ** 27).chance(0.6)
}

function drawShape(prng: Prng): JobShape {
  if (prng.chance(0.3)) return { kind: "filter" }
  const sizeMicros = prng.pick([10, 30, 60]) * SECOND
  const outOfOrderMicros = prng.pick([0, 1, 5, 40]) * SECOND
  const slideMicros = prng.chance(0.5) ? undefined : prng.pick([sizeMicros / 2, sizeMicros / 5, sizeMicros * 0.7])
  return { kind: "windows", sizeMicros, slideMicros, outOfOrderMicros }
}

/** Draws lines: mostly ascending event times, with some disorder, some far too late, some broken. */
class LineWriter {
  readonly #prng: Prng
  readonly #options: { inputFormat: FileFormatName; shape: JobShape; noteLength: number }
  readonly #edges = new Set<number>()
  #nextId = 1

  constructor(prng: Prng, options: { inputFormat: FileFormatName; shape: JobShape; noteLength: number }) {
    this.#prng = prng
    this.#options = options
  }

  draw(generation: number, count: number): SourceLine[] {
    const prng = this.#prng
    let clock = START_MICROS + (generation * 200 + prng.below(40)) * SECOND
    const lines: SourceLine[] = []
    for (let index = 0; index < count; index++) {
      clock += prng.below(8 * SECOND)
      if (prng.chance(0.1)) lines.push({ text: this.#brokenLine(), row: undefined })
      else lines.push(this.#goodLine(prng.chance(0.08) ? clock - prng.below(300 * SECOND) : this.#jitter(clock)))
    }
    return lines
  }

  #jitter(clock: number): number {
    const { shape } = this.#options
    const disorder = shape.kind === "windows" ? shape.outOfOrderMicros : 3 * SECOND
    return this.#prng.chance(0.5) ? clock : clock - this.#prng.below(disorder + 2 * SECOND)
  }

  #goodLine(near: number): SourceLine {
    const prng = this.#prng
    const id = this.#nextId++
    // The id in the last digits makes every time unique. Times at the very edge of a window are worth meeting often.
    const edge = Math.floor(near / SECOND / 10) * 10 * SECOND - (id % 2)
    const at = prng.chance(0.1) && !this.#edges.has(edge) ? edge : near - (near % 1000) + id + 1
    this.#edges.add(edge)
    const key = prng.pick(["k1", "k2", "k3", "key of some length"])
    const value = prng.chance(0.1) ? null : prng.below(2000) - 1000
    const note = "n".repeat(this.#options.noteLength)
    const row = { id, key, value, at, note }
    return { text: this.#options.inputFormat === "csv" ? csvLine(row) : JSON.stringify(row), row }
  }

  #brokenLine(): string {
    const { inputFormat, shape } = this.#options
    const id = this.#nextId++
    const row = { id, key: "k1", value: 1, at: START_MICROS + id, note: shape.kind }
    if (inputFormat === "csv") {
      return this.#prng.pick([csvLine({ ...row, id: "not a number" }), csvLine({ ...row, value: "1.5" }), `${id},k1`])
    }
    const text = JSON.stringify(row)
    return this.#prng.pick([text.slice(0, -2), JSON.stringify({ ...row, value: "1x" }), `[${id}]`, `${text} ${text}`])
  }
}

/** The columns of a source line. */
export const SOURCE_COLUMNS = ["id", "key", "value", "at", "note"] as const

function csvLine(row: Readonly<Record<(typeof SOURCE_COLUMNS)[number], string | number | null>>): string {
  return SOURCE_COLUMNS.map((name) => String(row[name] ?? "")).join(",")
}
