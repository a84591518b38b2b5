/**
 * Runs seeds: draws a scenario for each, simulates it, and gathers what was found and what was hit. `scripts/sim.mjs` is
 * its command line; it may run several ranges of seeds in threads of their own.
 */
import { assert } from "../base/assert.ts"
import { FaultMatrix, isWeighty, type Fault, type StepCounts } from "./faults.ts"
import { formatMutant, MUTABLE_OPERATIONS, type Mutant, type MutationKind } from "./mutation.ts"
import { drawScenario, type Scenario } from "./scenario.ts"
import { formatCase, shrink, type FailingCase } from "./shrink.ts"
import { formatTraceEvent } from "./sim-trace.ts"
import { MIN_FAULTS, simulate, type SimulationResult } from "./simulation.ts"

/** Every run has at least so many epochs. */
const MIN_EPOCHS = 3

/** Every so many seeds, the same seed is run again and must give the same trace. */
export const REPEAT_EVERY = 50

/** Every so many seeds, the output is compared byte by byte with that of an undisturbed run. */
const COMPARE_EVERY = 8

/** What seeds are drawn to: jobs over files, or jobs that are sent records and write into tables. */
export type ScenarioKind = "files" | "live"

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
  readonly scenario: ScenarioKind
  readonly findings: readonly string[]
  readonly struck: readonly Fault[]
}

/** Runs the seeds `[from, from + count)`, of a job that is as it should be or of a mutant. */
export async function runSeeds(from: number, count: number, mutant?: Mutant): Promise<SeedsSummary> {
  const matrix = new FaultMatrix()
  const found: SeedFinding[] = []
  let epochs = 0
  let processes = 0
  let faults = 0
  for (let seed = from; seed < from + count; seed++) {
    const scenario = drawScenario(seed)
    const result = await simulate(scenario, { faults: "drawn", mutant })
    matrix.add(result.matrix.rows)
    epochs += result.epochs
    processes += result.processes
    faults += result.struck.length
    const findings = [...result.findings]
    if (findings.length === 0 && mutant === undefined) findings.push(...(await findFurther(scenario, result)))
    if (findings.length > 0) found.push({ seed, scenario: "files", findings, struck: result.struck })
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
  const undisturbed = { ...scenario, batchRows: 64, epochRows: [1_000_000], stopAfterCommits: [], pauseMicrosMax: 0 }
  const { findings, content } = await simulate(undisturbed, { faults: [] })
  // Which file was passed over as it had no record at the moment (E18), and whose turn it was when a call failed, or was answered
  // out of turn, is seen in the order of rows, and in nothing else.
  const isOrderKept = (directory: string) =>
    scenario.pauseMicrosMax === 0 &&
    (scenario.calls === undefined || (scenario.calls.order === "input" && !directory.includes("bad")))
  const shown = (directory: string, text = "") => (isOrderKept(directory) ? text : text.split("\n").sort().join("\n"))
  const differing = [...content].filter(
    ([directory, text]) => shown(directory, result.content.get(directory)) !== shown(directory, text),
  )
  const differences = differing.map(([directory]) => `${directory} differs from that of an undisturbed run`)
  return [...findings.map((finding) => `undisturbed: ${finding}`), ...differences]
}

/** Shrinks a finding and tells all about it. */
export async function explainFinding(found: SeedFinding, mutant?: Mutant): Promise<string> {
  const lines = [formatFinding(found, mutant)]
  const start: FailingCase = { scenario: drawScenario(found.seed), faults: found.struck }
  const stillFails = async ({ scenario, faults }: FailingCase): Promise<boolean> =>
    (await simulate(scenario, { faults, mutant })).findings.length > 0
  if (!(await stillFails(start))) return [...lines, "(the listed faults alone do not show it)"].join("\n")
  const smallest = await shrink(start, stillFails)
  const { findings } = await simulate(smallest.scenario, { faults: smallest.faults, mutant })
  return [...lines, "shrunk to:", ...findings.map((finding) => `  ${finding}`), formatCase(smallest)].join("\n")
}

/** A finding with what struck it and the command that shows it again. */
export function formatFinding({ seed, scenario, findings, struck }: SeedFinding, mutant?: Mutant): string {
  const faults = struck.map(({ step, occurrence, kind }) => `  ${kind} at call ${occurrence} of ${step}`)
  const told = [`seed ${seed}:`, ...findings.map((finding) => `  ${finding}`)]
  return [...told, "faults:", ...faults, `replay: ${replayCommand(seed, mutant, scenario)}`].join("\n")
}

/** The command that runs a seed again and shows every event. */
export function replayCommand(seed: number, mutant?: Mutant, scenario: ScenarioKind = "files"): string {
  const option = mutant === undefined ? "" : ` --mutant ${JSON.stringify(formatMutant(mutant))}`
  return `npm run sim -- --seeds 1 --from ${seed} --scenario ${scenario} --verbose${option}`
}

/** Every event of a seed's run, as text. */
export async function traceSeed(seed: number, mutant?: Mutant): Promise<string> {
  return formatTrace(await simulate(drawScenario(seed), { faults: "drawn", keepsTrace: true, mutant }))
}

/** Every event of a run, as text, and what was found. */
export function formatTrace({ trace, findings }: SimulationResult): string {
  return [...trace.map(formatTraceEvent), ...findings.map((finding) => `finding: ${finding}`)].join("\n")
}

/** The mutants that the steps of a matrix allow: each step's calls dropped, and swapped. */
export function mutantsOf(rows: readonly StepCounts[]): Mutant[] {
  const steps = rows.filter(({ operation }) => MUTABLE_OPERATIONS.has(operation)).map(({ step }) => step)
  return steps.flatMap((step) => (["drop", "swap"] satisfies MutationKind[]).map((kind) => ({ step, kind })))
}

/** The steps that a range of seeds calls: a mutant of another step changes nothing about those seeds. */
export async function scoutSeeds(from: number, count: number): Promise<{ seed: number; rows: StepCounts[] }[]> {
  const scouted: { seed: number; rows: StepCounts[] }[] = []
  for (let seed = from; seed < from + count; seed++) {
    const { findings, matrix } = await simulate(drawScenario(seed), { faults: "drawn" })
    assert(findings.length === 0, `seed ${seed} finds something without any mutant: ${findings.join("; ")}`)
    scouted.push({ seed, rows: matrix.rows })
  }
  return scouted
}

/** How a mutant fared. */
export interface MutantFate {
  readonly mutant: Mutant
  /** The seed that killed it, and how; `undefined` where it survived. */
  readonly killedBy: { readonly seed: number; readonly finding: string } | undefined
  /** How many calls were dropped, swapped or put off. */
  readonly hits: number
}

/** Runs seeds with a mutant until one kills it. */
export async function huntMutant(mutant: Mutant, seeds: Iterable<number>): Promise<MutantFate> {
  let hits = 0
  for (const seed of seeds) {
    const result = await simulate(drawScenario(seed), { faults: "drawn", mutant })
    hits += result.mutantHits
    const [finding] = result.findings
    if (finding !== undefined) return { mutant, killedBy: { seed, finding: finding.split("\n")[0]! }, hits }
  }
  return { mutant, killedBy: undefined, hits }
}
