import { describe, expect, test } from "vitest"
import { explainFinding, huntMutant, runSeeds } from "./runner.ts"
import { drawScenario } from "./scenario.ts"
import { simulate } from "./simulation.ts"

const SEEDS_FOR_MUTANTS = Array.from({ length: 100 }, (_, index) => index + 1)
const SEEDS = Math.ceil(40 * Number(process.env.TIDEMARK_FUZZ_SCALE ?? 1))

test("whole jobs lose and repeat nothing, whatever fails and whenever they die", async () => {
  const { findings, epochs, faults } = await runSeeds(1, SEEDS)
  const told = await Promise.all(findings.slice(0, 1).map((found) => explainFinding(found)))
  expect(told.join()).toBe("")
  expect(epochs).toBeGreaterThanOrEqual(3 * SEEDS)
  expect(faults).toBeGreaterThanOrEqual(2 * SEEDS)
})

describe("a simulation", () => {
  test("X1 of the same seed is the same, event by event", async () => {
    for (const seed of [1, 2, 3]) {
      const first = await simulate(drawScenario(seed), { faults: "drawn", keepsTrace: true })
      const second = await simulate(drawScenario(seed), { faults: "drawn", keepsTrace: true })
      expect(second.trace).toEqual(first.trace)
      expect(second.traceHash).toBe(first.traceHash)
    }
  })

  test("J1 is replayed by the list of the faults that struck", async () => {
    for (const seed of [4, 5, 6]) {
      const drawn = await simulate(drawScenario(seed), { faults: "drawn" })
      const listed = await simulate(drawScenario(seed), { faults: drawn.struck })
      expect(listed.traceHash).toBe(drawn.traceHash)
    }
  })

  test.each([
    ["log.commit.sync", "drop"],
    ["log.roll.sync-directory", "drop"],
    ["log.commit.write", "swap"],
    ["sink.publish.sync", "drop"],
    ["sink.publish.rename", "drop"],
    ["sink.create.sync-directory", "drop"],
    ["log.trim.remove", "drop"],
  ] as const)("finds out when a job does %s wrongly (%s)", async (step, kind) => {
    const { killedBy } = await huntMutant({ step, kind }, SEEDS_FOR_MUTANTS)
    expect(killedBy).toBeDefined()
  })
})
