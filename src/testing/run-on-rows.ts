/**
 * `runOnRows`: a job on arrays of rows, in any test runner, without files or a broker.
 *
 * Every job runs twice: with its lambdas compiled and in one batch, and as closures and in small batches. Both must give
 * the same, so that each test of a job is also a test of the compiler on the job's own lambdas. What is asked outside is asked
 * once: the answers of the first run serve the second.
 */
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import { nodeEnv } from "../env/node/node-env.ts"
import type { Plan } from "../flow/plan.ts"
import type { InputRows, Job, OutputRows } from "../stream/job.ts"
import type { AsyncCall } from "../stream/async-map-options.ts"
import { completeParams } from "../stream/params.ts"
import { checkInputName, checkJob, type ParamsOfJob } from "./checked-job.ts"
import { isSame } from "./rows-diff.ts"
import { checkedRows, runPlan, type FailedTestRow, type PlainRow, type PlanResult } from "./run-plan.ts"

const WHOLE_BATCH_ROWS = 65_536
const SMALL_BATCH_ROWS = 3
const FAILED_ROWS = "failedRows"

/**
 * What `runOnRows` takes.
 *
 * @example
 * ```ts
 * import { job, schema, t } from "tidemark"
 * import type { RowsOfJob } from "tidemark/testing"
 *
 * const fares = job({
 *   name: "fares",
 *   inputs: { trips: schema({ fare: t.float64 }) },
 *   flow: ({ trips }) => ({ paid: trips.filter((trip) => trip.fare > 0) }),
 * })
 * const rows: RowsOfJob<typeof fares> = { inputs: { trips: [{ fare: 12.5 }, { fare: 0 }] } }
 * ```
 */
export interface RowsOfJob<J extends Job> {
  /** The rows of each input, in the order in which they arrive. */
  readonly inputs: InputRows<J>
  /** Values of the job's parameters; those with a default may be left out. */
  readonly params?: ParamsOfJob<J>
}

/**
 * Runs a job on arrays of rows, to their end: all open windows fire. Gives the rows of each output by name, and in
 * `failedRows` those whose lambda threw or gave a wrong type.
 *
 * Event time comes from the rows alone; each input is one partition. Functions of `asyncMap` are called in earnest, once for
 * each attempt: give the job others in a test, as a parameter of the function that makes it.
 *
 * @example
 * ```ts
 * import { count, fromIso, job, schema, t, tumbling } from "tidemark"
 * import { runOnRows } from "tidemark/testing"
 *
 * const clicks = job({
 *   name: "clicks",
 *   inputs: { clicks: schema({ at: t.timestamp(), page: t.string }) },
 *   flow: ({ clicks }) => ({
 *     perMinute: clicks
 *       .eventTime("at", { outOfOrder: "5s" })
 *       .keyBy("page")
 *       .window(tumbling("1m"))
 *       .aggregate({ clicks: count() }, { id: "per-minute" }),
 *   }),
 * })
 *
 * const { perMinute, failedRows } = await runOnRows(clicks, {
 *   inputs: { clicks: [{ at: fromIso("2024-05-01T12:00:07Z"), page: "/" }] },
 * })
 * console.log(perMinute[0]?.clicks, failedRows.length)
 * ```
 *
 * @throws TidemarkError `invalid-options` naming input, row and field where a row does not fit its schema;
 * `invalid-params` where a parameter does not.
 */
export function runOnRows<J extends Job>(
  job: J,
  rows: RowsOfJob<J>,
): Promise<OutputRows<J> & { readonly failedRows: readonly FailedTestRow[] }> {
  return Promise.resolve().then(async () => {
    const compiled = await runBothWays(
      checkJob("runOnRows(...)", job),
      checkOptions("runOnRows(...)", rows, ["inputs", "params"]),
    )
    // The plan's outputs are the job's outputs by construction; their rows have the types that the builder recorded.
    return { ...compiled.outputs, [FAILED_ROWS]: compiled.failed } as OutputRows<J> & {
      readonly failedRows: readonly FailedTestRow[]
    }
  })
}

async function runBothWays(job: Job, rows: Readonly<Record<string, unknown>>): Promise<PlanResult> {
  const { plan, paramsSchema, inputSchemas } = job
  if (plan.outputs.some(({ name }) => name === FAILED_ROWS)) {
    throw new TidemarkError("invalid-options", `The job ${job.name} has an output named ${FAILED_ROWS}.`, {
      hint: "runOnRows gives failed rows under that name: give the output another.",
    })
  }
  const given = checkInputs(job, rows["inputs"])
  const inputs = Object.entries(inputSchemas).map(([name, schema]) => {
    const input = given[name]
    if (!Array.isArray(input)) {
      const problem = input === undefined ? "has no rows" : `is given ${shownValue(input)}, which is no array of rows`
      throw new TidemarkError("unbound-input", `The input ${name} of the job ${job.name} ${problem}.`, {
        hint: `Give inputs: { ${name}: [{ ... }] }, or an empty array.`,
      })
    }
    return { name, schema, rows: checkedRows(name, schema, input) }
  })
  const params = completeParams(`The job ${job.name}`, paramsSchema, rows["params"] as PlainRow | undefined)
  const env = nodeEnv()
  const run = { plan: answeringOnce(plan), paramsSchema, params, inputs, env }
  const compiled = await runPlan({ ...run, compile: { mode: "auto", proof: env.scopes }, batchRows: WHOLE_BATCH_ROWS })
  const closures = await runPlan({ ...run, compile: { mode: "off", proof: undefined }, batchRows: SMALL_BATCH_ROWS })
  const isOrdered = !plan.nodes.some((node) => node.kind === "asyncMap" && node.policy.order === "completion")
  refuseDifference(job.name, compiled, closures, isOrdered)
  return compiled
}

/** The plan, in which an attempt of a call that was made before is answered as it was then. */
function answeringOnce(plan: Plan): Plan {
  const nodes = plan.nodes.map((node) => {
    if (node.kind !== "asyncMap") return node
    const given = new Map<string, unknown>()
    const ask = node.lambda as (row: unknown, params: unknown, call: AsyncCall) => unknown
    const lambda = (row: unknown, params: unknown, call: AsyncCall): unknown => {
      const place = `${call.key} ${call.attempt}`
      if (!given.has(place))
        given.set(
          place,
          Promise.resolve().then(() => ask(row, params, call)),
        )
      return given.get(place)
    }
    return { ...node, lambda }
  })
  return { ...plan, nodes }
}

/** What is given for the inputs, by name, none of them unknown. */
function checkInputs(job: Job, inputs: unknown): Readonly<Record<string, unknown>> {
  const given = typeof inputs === "object" && inputs !== null ? { ...inputs } : {}
  for (const name of Object.keys(given)) checkInputName(job, name)
  return given
}

/** Throws where the two ways disagree: a defect of Tidemark, or a lambda that is not a function of its row. */
function refuseDifference(job: string, compiled: PlanResult, closures: PlanResult, isOrdered: boolean): void {
  const inOrder = (rows: readonly PlainRow[]) =>
    isOrdered ? rows : [...rows].sort((one, other) => (shown(one) < shown(other) ? -1 : 1))
  for (const [name, rows] of Object.entries(compiled.outputs)) {
    refuseOtherRows(`the output ${name} of ${job}`, inOrder(rows), inOrder(closures.outputs[name]!))
  }
  // Which of two operators' rows fail first depends on batches.
  const [failed, others] = [compiled, closures].map((result) =>
    result.failed
      .map(({ operator, row }) => ({ operator, row }))
      .sort((one, other) => (shown(one) < shown(other) ? -1 : 1)),
  )
  refuseOtherRows(`the failed rows of ${job}`, failed!, others!)
}

function refuseOtherRows(what: string, rows: readonly PlainRow[], others: readonly PlainRow[]): void {
  for (let at = 0; at < Math.max(rows.length, others.length); at++) {
    if (isSame(rows[at], others[at])) continue
    throw new TidemarkError(
      "invalid-plan",
      `Row [${at}] of ${what} is ${shown(rows[at])} with compiled lambdas and ${shown(others[at])} with closures.`,
      {
        hint: "A lambda may depend only on its row and the parameters. If yours do, this is a defect: please report it.",
      },
    )
  }
}

function shown(row: PlainRow | undefined): string {
  if (row === undefined) return "missing"
  return JSON.stringify(row, (_key, value: unknown) => (typeof value === "bigint" ? `${value}n` : value))
}
