/** Runs seeds of live scenarios, as `runner.ts` runs those of files. */
import { FaultMatrix } from "../faults.ts"
import { FILE_MUTANTS, type LogicalMutant } from "../logical-mutants.ts"
import type { Mutant } from "../mutation.ts"
import { formatFinding, formatTrace, REPEAT_EVERY, runSeeds, type SeedFinding, type SeedsSummary } from "../runner.ts"
import { shrinkCase, type FailingCase } from "../shrink.ts"
import type { SimulationResult } from "../simulation.ts"
import { HOOK_MUTANTS } from "./hook-mutants.ts"
import { LIVE_MUTANTS } from "./live-mutants.ts"
import { drawLiveScenario, plainerLiveScenarios, type LiveScenario } from "./live-scenario.ts"
import { simulateLive } from "./live-simulation.ts"

/** Runs the seeds `[from, from + count)`, of a job that is as it should be or of a mutant. */
export async function runLiveSeeds(from: number, count: number, mutant?: Mutant): Promise<SeedsSummary> {
  const matrix = new FaultMatrix()
  const found: SeedFinding[] = []
  let [epochs, processes, faults] = [0, 0, 0]
  for (let seed = from; seed < from + count; seed++) {
    const scenario = drawLiveScenario(seed)
    const result = await simulateLive(scenario, { faults: "drawn", mutant })
    matrix.add(result.matrix.rows)
    epochs += result.epochs
    processes += result.processes
    faults += result.struck.length
    const findings = [...result.findings]
    if (findings.length === 0 && mutant === undefined && seed % REPEAT_EVERY === 0)
      findings.push(...(await repeat(scenario, result)))
    if (findings.length > 0) found.push({ seed, scenario: "live", findings, struck: result.struck })
  }
  return { seeds: count, findings: found, matrix: matrix.rows, epochs, processes, faults }
}

async function repeat(scenario: LiveScenario, { struck, traceHash }: SimulationResult): Promise<string[]> {
  const again = await simulateLive(scenario, { faults: "drawn" })
  const listed = await simulateLive(scenario, { faults: struck })
  return [
    ...(again.traceHash === traceHash ? [] : ["the same seed has given another trace"]),
    ...(listed.traceHash === traceHash ? [] : ["the faults of a run, as a list, have given another trace"]),
  ]
}

/** Shrinks a finding and tells all about it. */
export async function explainLiveFinding(found: SeedFinding, mutant?: Mutant): Promise<string> {
  const told = formatFinding(found, mutant)
  const start: FailingCase<LiveScenario> = { scenario: drawLiveScenario(found.seed), faults: found.struck }
  const simulate = ({ scenario, faults }: FailingCase<LiveScenario>) => simulateLive(scenario, { faults, mutant })
  const stillFails = async (candidate: FailingCase<LiveScenario>): Promise<boolean> =>
    (await simulate(candidate)).findings.length > 0
  if (!(await stillFails(start))) return `${told}\n(the listed faults alone do not show it)`
  const smallest = await shrinkCase(start, plainerLiveScenarios, stillFails)
  const { findings } = await simulate(smallest)
  const faults = smallest.faults.map(
    ({ step, occurrence, kind }) => `fault     ${kind} at call ${occurrence} of ${step}`,
  )
  const lines = findings.map((finding) => `  ${finding}`)
  return [told, "shrunk to:", ...lines, `settings  ${JSON.stringify(smallest.scenario)}`, ...faults].join("\n")
}

/** Every event of a seed's run, as text. */
export async function traceLiveSeed(seed: number, mutant?: Mutant): Promise<string> {
  return formatTrace(await simulateLive(drawLiveScenario(seed), { faults: "drawn", mutant, keepsTrace: true }))
}

/** All logical mutants. */
export const LOGICAL_MUTANTS: readonly LogicalMutant[] = [...FILE_MUTANTS, ...LIVE_MUTANTS, ...HOOK_MUTANTS]

/** The first of some seeds that finds a logical mutant, and what it says; `undefined` where none does. */
export async function huntLogicalMutant(
  { scenario, plant }: LogicalMutant,
  from: number,
  count: number,
): Promise<SeedFinding | undefined> {
  const takeBack = plant()
  try {
    for (let seed = from; seed < from + count; seed++) {
      const { findings } = await (scenario === "files" ? runSeeds : runLiveSeeds)(seed, 1)
      if (findings[0] !== undefined) return findings[0]
    }
    return undefined
  } finally {
    takeBack()
  }
}
