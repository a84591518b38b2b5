/** Runs the lambdas of the corpus both ways, with the real proof, and says what came of them as JSON. */
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { nodeScopes } from "../src/env/node/scopes.ts"
import type { CompileOptions } from "../src/expr/compile.ts"
import { CLOSURES, PARAMS, project, select, TRIP, type Outcome, type TripLambda } from "../src/expr/lambda.fixture.ts"
import type { LambdaForm } from "../src/expr/lambda.ts"
import { portSchema } from "../src/flow/plan.ts"
import { job } from "../src/stream/job.ts"
import type * as corpus from "./lambda-corpus.fixture.ts"

/** What came of one lambda. */
export interface CorpusOutcome {
  readonly form: LambdaForm["kind"]
  readonly reason: string | undefined
  /** What the form gives, and what the closure gives, as text. */
  readonly given: string
  readonly twin: string
}

/** What came of all lambdas, by group and name, and of a job that is made of them. */
export interface CorpusOutcomes {
  readonly lambdas: Readonly<Record<string, CorpusOutcome>>
  /** The schema of the job's output. */
  readonly schema: string
}

const TARGETS = schema({ net: t.float64, label: t.string })
const PROVEN: CompileOptions = { mode: "auto", proof: nodeScopes() }

/** Runs all lambdas of the corpus, as some tool has rewritten it. */
export function runCorpus(rewritten: typeof corpus): CorpusOutcomes {
  const lambdas: Record<string, CorpusOutcome> = {}
  const run = (name: string, outcomeOf: (options: CompileOptions) => Outcome): void => {
    const { form, ...given } = outcomeOf(PROVEN)
    const { rows, failures } = outcomeOf(CLOSURES)
    const reason = form.kind === "closure" ? form.reason : undefined
    lambdas[name] = { form: form.kind, reason, given: textOf(given), twin: textOf({ rows, failures }) }
  }
  for (const group of ["compiledPredicates", "closurePredicates"] as const) {
    for (const [name, lambda] of Object.entries(rewritten[group])) {
      run(`${group}.${name}`, (options) => select(lambda as TripLambda, options))
    }
  }
  for (const [name, lambda] of Object.entries(rewritten.compiledProjections)) {
    run(`compiledProjections.${name}`, (options) => project(lambda, TARGETS, options))
  }
  return { lambdas, schema: schemaOfJob(rewritten) }
}

/** The schema of what a job gives that filters and maps by lambdas of the corpus. */
function schemaOfJob({ compiledPredicates, compiledProjections }: typeof corpus): string {
  const { plan } = job({
    name: "corpus",
    params: PARAMS,
    inputs: { trips: TRIP },
    flow: ({ trips }) => {
      const filtered = trips.filter(compiledPredicates["params"] as never)
      const columns = { net: t.float64, label: t.string }
      return { priced: filtered.map(columns, compiledProjections["object"] as never) }
    },
  })
  const [output] = plan.outputs
  return portSchema(plan, output!.node, output!.port).label
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === "bigint") return `${each}n`
    if (typeof each === "number" && (!Number.isFinite(each) || Object.is(each, -0)))
      return Object.is(each, -0) ? "-0" : String(each)
    return each
  })
}
