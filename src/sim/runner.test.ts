import { expect, test } from "vitest"
import { EXPLAINED_SURVIVORS } from "./explained-survivors.ts"
import { mutantsOf, runSeeds, traceSeed } from "./runner.ts"

test("every step that changes the disk has its mutants, and reads have none", async () => {
  const { matrix } = await runSeeds(1, 3)
  const mutants = mutantsOf(matrix).map(({ kind, step }) => `${kind} ${step}`)
  for (const step of ["log.commit.write", "log.commit.sync", "sink.publish.rename", "log.roll.sync-directory"]) {
    expect(mutants).toContain(`drop ${step}`)
    expect(mutants).toContain(`swap ${step}`)
  }
  expect(mutants.join()).not.toContain("source.")
  expect(mutants.join()).not.toContain("log.recover.read")
})

test("survivors are explained once each, in a sentence", () => {
  const names = EXPLAINED_SURVIVORS.map(({ kind, step }) => `${kind} ${step}`)
  expect(new Set(names).size).toBe(names.length)
  for (const { reason } of EXPLAINED_SURVIVORS) expect(reason).toMatch(/^[A-Z].{40,}\.$/s)
})

test("a seed's trace tells of processes, faults and calls", async () => {
  const trace = await traceSeed(1)
  expect(trace).toMatch(/process 1 +boot/)
  expect(trace).toMatch(/fault .* at \S+ \d+/)
  expect(trace).toMatch(/call +log\.commit\.sync sync \/state\//)
})
