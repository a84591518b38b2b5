import { afterEach, describe, expect, test, vi } from "vitest"
import { DrawnFaults } from "./drawn-faults.ts"
import { huntLogicalMutant } from "./live/live-runner.ts"
import { FILE_MUTANTS } from "./logical-mutants.ts"
import { explainFinding, runSeeds, traceSeed } from "./runner.ts"

const SEEDS_MAX = 300

afterEach(() => vi.restoreAllMocks())

describe("a simulation finds out a job that", () => {
  test.each(FILE_MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    "%s",
    { timeout: 300_000 },
    async (_, mutant) => {
      const found = await huntLogicalMutant(mutant, 1, SEEDS_MAX)
      expect(found?.findings.join("\n")).toMatch(mutant.says)
    },
  )
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
    `replay: npm run sim -- --seeds 1 --from ${found.seed} --scenario files --verbose --mutant "drop log.commit.sync"`,
  )
  const [before, after] = told.split("shrunk to:").map((half) => half.match(/ at call /g)?.length ?? 0)
  expect(before).toBe(found.struck.length)
  expect(after).toBeLessThan(before!)
  expect(await traceSeed(found.seed, mutant)).toContain(`finding: ${found.findings[0]!}`)
})
