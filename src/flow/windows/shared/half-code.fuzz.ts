/** The halves of windows against the runs that they are made of, added up one by one. */
import { expect, it } from "vitest"
import { Prng } from "../../../base/prng.ts"
import { Arena } from "../../../batch/arena.ts"
import { t } from "../../../batch/types.ts"
import { WasmModule } from "../../../base/wasm-module.ts"
import { hopping, PlanFixture } from "../../plan-fixture.reference.ts"
import { PlanRun } from "../../plan-run.fixture.ts"
import { writeHalves } from "./half-code.ts"
import { RANGE_WORDS } from "./merge-code.ts"
import { MergedRuns } from "./merged-runs.ts"
import { RUNS, writeRuns } from "./run-code.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
/** Slices of the grid on either side of its origin. */
const REACH = 600

/** What keys have, in the order of the list. */
type Entries = ReadonlyMap<number, number>

interface Record {
  readonly at: number
  readonly key: number
  readonly x: number
}

/** Each is added behind those before it. */
function merged(lists: readonly Entries[]): Entries {
  const all = new Map<number, number>()
  for (const list of lists) for (const [key, x] of list) all.set(key, all.has(key) ? all.get(key)! + x : x)
  return all
}

/** Each is added before those behind it; keys come in the order of the last list, then of the one before it. */
function mergedBackwards(lists: readonly Entries[]): Entries {
  const all = new Map<number, number>()
  for (const list of [...lists].reverse()) {
    for (const [key, x] of list) all.set(key, all.has(key) ? x + all.get(key)! : x)
  }
  return all
}

class SlowHalves {
  readonly #slices = new Map<number, Map<number, number>>()

  constructor(records: readonly Record[]) {
    for (const { at, key, x } of records) {
      let slice = this.#slices.get(at)
      if (slice === undefined) this.#slices.set(at, (slice = new Map<number, number>()))
      slice.set(key, slice.has(key) ? slice.get(key)! + x : x)
    }
  }

  #run(first: number, length: number): Entries {
    if (length === 1) return this.#slices.get(first) ?? new Map()
    return merged([0, 1, 2, 3].map((part) => this.#run(first + (part * length) / 4, length / 4)))
  }

  #runs(from: number, end: number): Entries[] {
    const runs: Entries[] = []
    for (let first = from; first < end;) {
      let length = 1
      while (first % (length * 4) === 0 && first + length * 4 <= end) length *= 4
      runs.push(this.#run(first, length))
      first += length
    }
    return runs
  }

  of(from: number, end: number): Entries[] {
    // Of each power of two, its multiples in the window: of the greatest that has some, the first.
    const inWindow = Array.from({ length: end - from }, (_, place) => from + place)
    const powers = Array.from({ length: 12 }, (_, exponent) => 2 ** exponent)
    const middle = powers.flatMap((power) => inWindow.find((each) => each % power === 0) ?? []).at(-1)!
    const halves = [mergedBackwards(this.#runs(from, middle)), merged(this.#runs(middle, end))]
    return halves.filter(({ size }) => size > 0)
  }
}

type LookUpHalves = (runs: number, first: bigint, end: bigint) => number

/** Slices of one microsecond with these records, which are in order of time, and the halves of any stretch of them. */
class FastHalves {
  readonly #run: PlanRun
  readonly #arena: Arena
  readonly #runs: MergedRuns
  readonly #lookUpHalves: LookUpHalves
  /** How often there was no room. */
  full = 0

  constructor(records: readonly Record[]) {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source({ at: t.timestamp(), key: t.int32, x: t.float64 }), 0)
    // No window is due.
    const size = 4 * REACH
    fixture.output("results", fixture.window(timed, hopping(size, 1), ["key"], { sum: ["sum", "x"] }))
    this.#arena = new Arena({ maxBytes: 1 << 26 })
    this.#run = new PlanRun(fixture.plan, this.#arena).open()
    this.#run.push(records.map((record) => ({ ...record })))
    const { stored } = this.#run.window
    this.#runs = new MergedRuns(this.#arena, stored, () => -Infinity)
    this.#runs.begin()
    const module = new WasmModule()
    writeRuns(module, stored.shape)
    writeHalves(module, stored.shape)
    this.#lookUpHalves = module.instantiate<{ lookUpHalves: LookUpHalves }>(this.#arena.memory).lookUpHalves
  }

  of(from: number, end: number): Entries[] {
    const control = this.#runs.controlAddress
    let bytes = this.#lookUpHalves(control, BigInt(from), BigInt(end))
    while (bytes === -1) {
      this.full++
      this.#runs.makeRoom()
      bytes = this.#lookUpHalves(control, BigInt(from), BigInt(end))
    }
    const words = new Int32Array(this.#arena.buffer)
    const doubles = new Float64Array(this.#arena.buffer)
    const word = (offset: number) => words[(control + offset) >> 2]!
    return Array.from({ length: bytes / 4 / RANGE_WORDS }, (_, range) => {
      const at = (word(RUNS.halves) >> 2) + range * RANGE_WORDS
      const table = word(words[at] === 1 ? RUNS.runEntries : RUNS.sliceEntries) >> 2
      const entries = new Map<number, number>()
      for (let entry = words[at + 1]!; entry < words[at + 2]!; entry++) {
        entries.set(words[(words[table]! >> 2) + entry]!, doubles[(words[table + 1]! >> 3) + entry]!)
      }
      return entries
    })
  }

  forget(): void {
    this.#runs.forgetAll()
  }

  release(): void {
    this.#runs.release()
    this.#run.release()
  }
}

/** Keys are numbered as they come: here each has its number. Some slices have no records. */
function recordsOf(prng: Prng, keys: number): Record[] {
  const first = Array.from({ length: keys }, (_, key) => ({ at: -REACH, key, x: prng.float() }))
  const rest: Record[] = []
  for (let at = 1 - REACH; at < REACH; at++) {
    for (let left = prng.pick([0, 1, 1, 2, 5]); left > 0; left--)
      rest.push({ at, key: prng.below(keys), x: prng.float() })
  }
  return [...first, ...rest]
}

it("W24 are added up from the middle back and from the middle on, whichever halves are known", () => {
  let full = 0
  for (let seed = 0; seed < 12 * SCALE; seed++) {
    const prng = new Prng(seed)
    const records = recordsOf(prng, prng.pick([1, 7, 300, 1500]))
    const [slow, fast] = [new SlowHalves(records), new FastHalves(records)]
    let [from, end] = [-REACH, 1 - REACH]
    for (let each = 0; each < 300; each++) {
      // Windows that start together, end together, or are anywhere.
      if (prng.chance(0.4)) end += prng.below(4)
      else if (prng.chance(0.5)) from += prng.below(4)
      else [from, end] = [prng.below(2 * REACH) - REACH, prng.below(2 * REACH) - REACH]
      from = Math.min(from, REACH - 1)
      end = Math.max(from + 1, Math.min(end, REACH))
      const entriesOf = (halves: readonly Entries[]) => halves.map((half) => [...half])
      expect(entriesOf(fast.of(from, end)), `seed ${seed}: [${from}, ${end})`).toEqual(entriesOf(slow.of(from, end)))
      if (prng.chance(0.02)) fast.forget()
    }
    full += fast.full
    fast.release()
  }
  expect(full).toBeGreaterThan(12 * SCALE)
}, 120_000)
