import { expect, test } from "vitest"
import { EXPLAINED_SURVIVORS, lateMutantOf } from "./explained-survivors.ts"
import { FaultMatrix } from "./faults.ts"
import { formatMutant, parseMutant } from "./mutation.ts"
import { PROTOCOL_STEPS } from "./protocol-steps.ts"
import { mutantsOf, replayCommand, runSeeds, scoutSeeds, traceSeed } from "./runner.ts"

test("every step that changes the disk has its mutants, and reads have none", async () => {
  const { matrix } = await runSeeds(1, 3)
  const mutants = mutantsOf(matrix).map(formatMutant)
  for (const step of ["log.commit.write", "log.commit.sync", "sink.publish.rename", "log.roll.sync-directory"]) {
    expect(mutants).toContain(`drop ${step}`)
    expect(mutants).toContain(`swap ${step}`)
  }
  expect(mutants.join()).not.toContain("source.")
  expect(mutants.join()).not.toContain("log.recover.read")
})

test("jobs call steps of the closed lists, and the matrix names those that they do not", async () => {
  const scouted = await scoutSeeds(1, 10)
  const matrix = new FaultMatrix()
  for (const { rows } of scouted) matrix.add(rows)
  const called = matrix.rows.map(({ step }) => step).filter((step) => !/^(disk|file|env|spill)\./.test(step))
  expect(PROTOCOL_STEPS).toEqual(expect.arrayContaining(called))
  expect(called.length).toBeGreaterThan(40)
  expect(matrix.gaps(["no.such.step", ...PROTOCOL_STEPS])[0]).toBe("no.such.step: never called")
})

test("survivors are explained once each, in a sentence, with a step that comes too late", () => {
  const names = EXPLAINED_SURVIVORS.map(({ kind, step }) => `${kind} ${step}`)
  expect(new Set(names).size).toBe(names.length)
  for (const survivor of EXPLAINED_SURVIVORS) {
    expect(survivor.reason).toMatch(/^[A-Z].{40,}\.$/s)
    const { step, behind } = lateMutantOf(survivor)
    expect(PROTOCOL_STEPS).toEqual(expect.arrayContaining([step, behind]))
  }
})

test("mutants are written and read as text", () => {
  for (const text of ["drop log.commit.sync", "swap sink.create", "late sink.checkpoint.sync behind log.roll.rename"]) {
    const mutant = parseMutant(text)!
    expect(formatMutant(mutant)).toBe(text)
    expect(replayCommand(7, mutant)).toBe(
      `npm run sim -- --seeds 1 --from 7 --scenario files --verbose --mutant "${text}"`,
    )
  }
  for (const text of ["", "drop", "drop a behind b", "late a", "skip a"]) expect(parseMutant(text)).toBeUndefined()
})

test("a seed's trace tells of processes, faults and calls", async () => {
  const trace = await traceSeed(1)
  expect(trace).toMatch(/process 1 +boot/)
  expect(trace).toMatch(/fault .* at \S+ \d+/)
  expect(trace).toMatch(/call +log\.commit\.sync sync \/state\//)
})
