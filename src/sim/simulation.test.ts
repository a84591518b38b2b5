import { afterEach, describe, expect, test, vi } from "vitest"
import { Outputs } from "../runtime/outputs.ts"
import { EpochStore } from "../state/epoch-store.ts"
import { RecoveryFold, type RecoveredState } from "../state/recovery-fold.ts"
import { DrawnFaults } from "./drawn-faults.ts"
import { explainFinding, runSeeds, traceSeed } from "./runner.ts"

const SEEDS_MAX = 300

afterEach(() => vi.restoreAllMocks())

/** Bugs that somebody might write, each as a change of a method of the real engine, and what the simulation says of it. */
const BUGS: readonly (readonly [name: string, says: RegExp, plant: () => void])[] = [
  [
    "publishes before the commit record is durable",
    /sink-occupied|repeats|nobody expects/,
    () => {
      const { stage } = Outputs.prototype
      vi.spyOn(Outputs.prototype, "stage").mockImplementation(async function (this: Outputs, final, progressOf) {
        const staged = await stage.call(this, final, progressOf)
        await this.apply(staged)
        return staged
      })
    },
  ],
  [
    "does not apply again what was staged",
    /sink-|lacks/,
    () => recoverWrongly(({ outputs }) => ({ outputs: mapped(outputs, (output) => ({ ...output, staged: [] })) })),
  ],
  [
    "restores the number of a record one too low",
    /nobody expects/,
    () => recoverWrongly(movedPartitions(({ ordinal }) => ({ ordinal: ordinal - 1 }))),
  ],
  [
    "restores a position one byte too far",
    /source-changed|lacks|nobody expects/,
    () => recoverWrongly(movedPartitions(({ offset }) => ({ offset: offset + 1 }))),
  ],
  [
    "forgets now and then how far it has read",
    /rowsIn|repeats/,
    () => {
      const { commit } = EpochStore.prototype
      vi.spyOn(EpochStore.prototype, "commit").mockImplementation(async function (this: EpochStore, record) {
        const partitions = record.partitions.filter(({ ended }) => ended || record.epoch % 2 === 1)
        await commit.call(this, { ...record, partitions })
      })
    },
  ],
  [
    "forgets what the last epoch has changed in its windows",
    /watermark|lacks|repeats|nobody expects|rows come from open partitions/,
    () => recoverWrongly(({ operators }) => ({ operators: mapped(operators, (changes) => changes.slice(0, -1)) })),
  ],
  ["begins to count anew when it recovers", /the counter rows/, () => recoverWrongly(() => ({ counters: new Map() }))],
  [
    "forgets slices of snapshots",
    /lacks|repeats|nobody expects|watermark|state-corrupt/,
    () => {
      const { appendSlice } = EpochStore.prototype
      let slices = 0
      vi.spyOn(EpochStore.prototype, "appendSlice").mockImplementation(async function (this: EpochStore, id, changes) {
        if (++slices % 2 === 1) await appendSlice.call(this, id, changes)
      })
    },
  ],
  [
    "leaves a part unpublished when it has finished",
    /lacks/,
    () => {
      const { stage } = Outputs.prototype
      vi.spyOn(Outputs.prototype, "stage").mockImplementation(function (this: Outputs, _final, progressOf) {
        return stage.call(this, false, progressOf)
      })
    },
  ],
  [
    "says that it has finished where the last part could not be published",
    /^sink\.\S+ failed, and the process went on as if it had not$/m,
    () => {
      const { apply } = Outputs.prototype
      vi.spyOn(Outputs.prototype, "apply").mockImplementation(function (this: Outputs, staged) {
        return apply.call(this, staged).catch(() => undefined)
      })
    },
  ],
  [
    "does not write down that it was reset",
    /epoch \d+ was recovered|epoch \d+ was committed|sink-/,
    () => {
      const { begin } = EpochStore.prototype
      vi.spyOn(EpochStore.prototype, "begin").mockImplementation(function (this: EpochStore, run) {
        return begin.call(this, run, false)
      })
    },
  ],
]

function recoverWrongly(change: (recovered: RecoveredState) => Partial<RecoveredState>): void {
  const { state } = RecoveryFold.prototype
  vi.spyOn(RecoveryFold.prototype, "state").mockImplementation(function (this: RecoveryFold) {
    const recovered = state.call(this)
    return { ...recovered, ...change(recovered) }
  })
}

type Progress = RecoveredState["partitions"] extends ReadonlyMap<number, infer P> ? P : never

function movedPartitions(change: (progress: Progress) => Partial<Progress>) {
  return ({ partitions }: RecoveredState): Partial<RecoveredState> => ({
    partitions: mapped(partitions, (progress) =>
      progress.ended || progress.offset === 0 ? progress : { ...progress, ...change(progress) },
    ),
  })
}

function mapped<K, V>(map: ReadonlyMap<K, V>, change: (value: V) => V): ReadonlyMap<K, V> {
  return new Map([...map].map(([key, value]) => [key, change(value)]))
}

describe("a simulation finds out a job that", () => {
  test.each(BUGS)("%s", { timeout: 300_000 }, async (_name, says, plant) => {
    plant()
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      const { findings } = await runSeeds(seed, 1)
      if (findings.length === 0) continue
      expect(findings[0]!.findings.join("\n")).toMatch(says)
      return
    }
    expect.fail(`${SEEDS_MAX} seeds find nothing`)
  })
})

test("a seed with fewer than three epochs or two faults is a finding", async () => {
  vi.spyOn(DrawnFaults.prototype, "strike").mockReturnValue(undefined)
  const calm = await runSeeds(1, 1)
  expect(calm.findings[0]!.findings.join()).toMatch(/^the scenario is too thin: \d+ epochs, 0 faults$/)
})

test("a finding tells the command that runs it again, and is shrunk to what shows it", async () => {
  const mutant = { step: "log.commit.sync", kind: "drop" } as const
  const found = (await runSeeds(1, 10, mutant)).findings[0]!
  const told = await explainFinding(found, mutant)
  expect(told).toContain(
    `replay: npm run sim -- --seeds 1 --from ${found.seed} --verbose --mutant "drop log.commit.sync"`,
  )
  const [before, after] = told.split("shrunk to:").map((half) => half.match(/ at call /g)?.length ?? 0)
  expect(before).toBe(found.struck.length)
  expect(after).toBeLessThan(before!)
  expect(await traceSeed(found.seed, mutant)).toContain(`finding: ${found.findings[0]!}`)
})
