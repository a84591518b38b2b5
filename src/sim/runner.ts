/**
 * Runs seeds: draws a scenario for each, simulates it, and gathers what was found and what was hit. `scripts/sim.mjs` is
 * its command line; it may run several ranges of seeds in threads of their own.
 */
import { FaultMatrix, isWeighty, type Fault, type StepCounts } from "./faults.ts"
import { MUTABLE_OPERATIONS, type Mutant, type MutationKind } from "./mutation.ts"
import { drawScenario, type Scenario } from "./scenario.ts"
import { formatCase, shrink, type FailingCase } from "./shrink.ts"
import { formatTraceEvent } from "./sim-trace.ts"
import { MIN_FAULTS, simulate, type SimulationResult } from "./simulation.ts"

/** Every run has at least so many epochs. */
const MIN_EPOCHS = 3

/** Every so many seeds, the same seed is run again and must give the same trace. */
const REPEAT_EVERY = 50

/** Every so many seeds, the output is compared byte by byte with that of an undisturbed run. */
const COMPARE_EVERY = 8

/** What a range of seeds has shown. */
export interface SeedsSummary {
  readonly seeds: number
  readonly findings: readonly SeedFinding[]
  readonly matrix: readonly StepCounts[]
  readonly epochs: number
  readonly processes: number
  readonly faults: number
}

/** A seed that found something. */
export interface SeedFinding {
  readonly seed: number
  readonly findings: readonly string[]
  readonly struck: readonly Fault[]
}

/** Runs the seeds `[from, from + count)`. */
export async function runSeeds(
  from: number,
  count: number,
  onSeed?: (result: SimulationResult, seed: number) => void,
): Promise<SeedsSummary> {
  const matrix = new FaultMatrix()
  const found: SeedFinding[] = []
  let epochs = 0
  let processes = 0
  let faults = 0
  for (let seed = from; seed < from + count; seed++) {
    const scenario = drawScenario(seed)
    const result = await simulate(scenario, { faults: "drawn" })
    matrix.add(result.matrix.rows)
    epochs += result.epochs
    processes += result.processes
    faults += result.struck.length
    const findings = [...result.findings]
    if (findings.length === 0) findings.push(...(await findFurther(scenario, result)))
    if (findings.length > 0) found.push({ seed, findings, struck: result.struck })
    onSeed?.(result, seed)
  }
  return { seeds: count, findings: found, matrix: matrix.rows, epochs, processes, faults }
}

/** What a run without findings of its own may still be found guilty of. */
async function findFurther(scenario: Scenario, result: SimulationResult): Promise<string[]> {
  const { seed } = scenario
  const weighty = result.struck.filter(isWeighty).length
  const findings: string[] = []
  if (result.epochs < MIN_EPOCHS || weighty < MIN_FAULTS) {
    findings.push(`the scenario is too thin: ${result.epochs} epochs, ${weighty} faults`)
  }
  if (seed % REPEAT_EVERY === 0) {
    const again = await simulate(scenario, { faults: "drawn" })
    if (again.traceHash !== result.traceHash) findings.push("the same seed has given another trace")
    const listed = await simulate(scenario, { faults: result.struck })
    if (listed.traceHash !== result.traceHash) findings.push("the faults of a run, as a list, have given another trace")
  }
  if (seed % COMPARE_EVERY === 0) findings.push(...(await compareUndisturbed(scenario, result)))
  return findings
}

/** E7: neither batches nor epochs nor restarts show in the output, to the last byte. */
async function compareUndisturbed(scenario: Scenario, result: SimulationResult): Promise<string[]> {
  const undisturbed = { ...scenario, batchRows: 64, epochRows: 1_000_000, stopAfterCommits: [] }
  const { findings, content } = await simulate(undisturbed, { faults: [] })
  const differing = [...content].filter(([directory, text]) => result.content.get(directory) !== text)
  const differences = differing.map(([directory]) => `${directory} differs from that of an undisturbed run`)
  return [...findings.map((finding) => `undisturbed: ${finding}`), ...differences]
}

/** Shrinks a finding and tells all about it. */
export async function explainFinding(found: SeedFinding): Promise<string> {
  const lines = [`seed ${found.seed}:`, ...found.findings.map((finding) => `  ${finding}`)]
  const struck = found.struck.map(({ step, occurrence, kind }) => `  ${kind} at call ${occurrence} of ${step}`)
  lines.push("faults:", ...struck, `replay: npm run sim -- --seeds 1 --from ${found.seed} --verbose`)
  const start: FailingCase = { scenario: drawScenario(found.seed), faults: found.struck }
  const stillFails = async ({ scenario, faults }: FailingCase): Promise<boolean> =>
    (await simulate(scenario, { faults })).findings.length > 0
  if (!(await stillFails(start))) return [...lines, "(the listed faults alone do not show it)"].join("\n")
  const smallest = await shrink(start, stillFails)
  const { findings } = await simulate(smallest.scenario, { faults: smallest.faults })
  return [...lines, "shrunk to:", ...findings.map((finding) => `  ${finding}`), formatCase(smallest)].join("\n")
}

/** Every event of a seed's run, as text. */
export async function traceSeed(seed: number): Promise<string> {
  const { trace, findings } = await simulate(drawScenario(seed), { faults: "drawn", keepsTrace: true })
  return [...trace.map(formatTraceEvent), ...findings.map((finding) => `finding: ${finding}`)].join("\n")
}

/** The mutants that the steps of a matrix allow. */
export function mutantsOf(rows: readonly StepCounts[]): Mutant[] {
  const steps = rows.filter(({ operation }) => MUTABLE_OPERATIONS.has(operation)).map(({ step }) => step)
  return steps.flatMap((step) => (["drop", "swap"] satisfies MutationKind[]).map((kind) => ({ step, kind })))
}

/** How a mutant fared. */
export interface MutantFate {
  readonly mutant: Mutant
  /** The seed that killed it, and how; `undefined` where it survived. */
  readonly killedBy: { readonly seed: number; readonly finding: string } | undefined
  /** How many calls were dropped or swapped. */
  readonly hits: number
}

/** Runs seeds with a mutant until one kills it, at most `maxSeeds` in which its step is called. */
export async function huntMutant(mutant: Mutant, from: number, maxSeeds: number): Promise<MutantFate> {
  let hits = 0
  let seedsHit = 0
  for (let seed = from; seedsHit < maxSeeds && seed < from + maxSeeds * 3; seed++) {
    const scenario = drawScenario(seed)
    // A step of a reset is called in no other scenario.
    if (mutant.step.includes(".reset.") && scenario.resetAt === undefined) continue
    const result = await simulate(scenario, { faults: "drawn", mutant })
    hits += result.mutantHits
    if (result.mutantHits > 0) seedsHit++
    const [finding] = result.findings
    if (finding !== undefined) return { mutant, killedBy: { seed, finding: finding.split("\n")[0]! }, hits }
  }
  return { mutant, killedBy: undefined, hits }
}
