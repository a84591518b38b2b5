/**
 * Makes a failing scenario smaller while it still fails: fewer faults, generations, files and lines, plainer settings.
 * Greedy: each smaller variant that still fails is the new start, until none does or the budget is used up.
 */
import type { Fault } from "./faults.ts"
import type { Scenario } from "./scenario.ts"

/** A scenario with the faults that strike it. */
export interface FailingCase<S = Scenario> {
  readonly scenario: S
  readonly faults: readonly Fault[]
}

/** The smallest failing case of files that was found within `budget` tries. */
export async function shrink(
  failing: FailingCase,
  stillFails: (candidate: FailingCase) => Promise<boolean>,
  budget?: number,
): Promise<FailingCase> {
  return await shrinkCase(failing, smallerScenarios, stillFails, budget)
}

/** The same of scenarios of any kind, of which `smaller` gives the smaller ones. */
export async function shrinkCase<S>(
  failing: FailingCase<S>,
  smaller: (scenario: S) => Iterable<S>,
  stillFails: (candidate: FailingCase<S>) => Promise<boolean>,
  budget = 400,
): Promise<FailingCase<S>> {
  let smallest = failing
  let tries = 0
  for (let hasShrunk = true; hasShrunk;) {
    hasShrunk = false
    for (const candidate of smallerCases(smallest, smaller)) {
      if (++tries > budget) return smallest
      if (!(await stillFails(candidate))) continue
      smallest = candidate
      hasShrunk = true
      break
    }
  }
  return smallest
}

/** A failing case as text. */
export function formatCase({ scenario, faults }: FailingCase): string {
  const { generations, stopAfterCommits, ...settings } = scenario
  const lines = [
    `settings  ${JSON.stringify(settings)}`,
    `stops     ${JSON.stringify(stopAfterCommits)}`,
    ...faults.map(({ step, occurrence, kind }) => `fault     ${kind} at call ${occurrence} of ${step}`),
  ]
  generations.forEach((chunks, generation) => {
    for (const { file, lines: content } of chunks) {
      lines.push(`generation ${generation}, ${file}:`, ...content.map(({ text }) => `  ${text.slice(0, 160)}`))
    }
  })
  return lines.join("\n")
}

function* smallerCases<S>(
  { scenario, faults }: FailingCase<S>,
  smaller: (scenario: S) => Iterable<S>,
): Generator<FailingCase<S>> {
  for (const index of faults.keys()) yield { scenario, faults: faults.toSpliced(index, 1) }
  for (const candidate of smaller(scenario)) yield { scenario: candidate, faults }
}

function* smallerScenarios(scenario: Scenario): Generator<Scenario> {
  const { generations, stopAfterCommits, resetAt } = scenario
  if (resetAt !== undefined) yield { ...scenario, resetAt: undefined }
  if (generations.length > 1 && resetAt !== generations.length - 1) {
    yield { ...scenario, generations: generations.slice(0, -1) }
  }
  for (const [index, stop] of stopAfterCommits.entries()) {
    if (stop > 0) yield { ...scenario, stopAfterCommits: stopAfterCommits.with(index, 0) }
  }
  const plain = {
    ...{ batchRows: 64, snapshotMinBytes: 1_000_000, rollBytes: 1_000_000, compile: "off" },
    ...{ sinkBufferBytes: 4 << 20, logBufferBytes: 1 << 20, spoilsLog: false, pauseMicrosMax: 0, calls: undefined },
    stateMemoryBytes: Infinity,
  } as const
  for (const [name, value] of Object.entries(plain)) {
    if (scenario[name as keyof typeof plain] !== value) yield { ...scenario, [name]: value }
  }
  for (const [generation, chunks] of generations.entries()) {
    for (const [index, { file, lines }] of chunks.entries()) {
      if (chunks.length > 1)
        yield { ...scenario, generations: generations.with(generation, chunks.toSpliced(index, 1)) }
      for (let size = Math.max(1, lines.length >> 1); size >= 1; size >>= 1) {
        for (let from = 0; from + size <= lines.length; from += size) {
          const fewer = chunks.with(index, { file, lines: lines.toSpliced(from, size) })
          yield { ...scenario, generations: generations.with(generation, fewer) }
        }
      }
    }
  }
}
