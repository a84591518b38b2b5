/** The options of `testDriver`, and what it gives beside the job's own rows. */
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import type { DeadLetter } from "../runtime/dead-letters.ts"
import type { Job } from "../stream/job.ts"
import { fromIso } from "../time/iso.ts"
import { isTimestamp, type Timestamp } from "../time/timestamp.ts"
import { checkInputName, checkJob, type ParamsOfJob } from "./checked-job.ts"

/**
 * A dead letter: a record that could not be read, or a row that failed.
 *
 * @example
 * ```ts
 * import type { DeadLetterRow } from "tidemark/testing"
 *
 * const describe = ({ operator, reason, raw }: DeadLetterRow): string => `${operator ?? "unreadable"}: ${reason}: ${raw}`
 * ```
 */
export type DeadLetterRow = DeadLetter

/**
 * How a driven job runs. Its results do not depend on it: a test may say so by varying it.
 *
 * @example
 * ```ts
 * import type { TestRunOptions } from "tidemark/testing"
 *
 * const small: TestRunOptions = { batchRows: 1, compile: "off", parallelism: 1 }
 * ```
 */
export interface TestRunOptions {
  /** At most so many rows a batch, 1 to 65,536. */
  readonly batchRows?: number | undefined
  /** `"off"` runs lambdas as the closures that they are, so that breakpoints and coverage work. Default `"auto"`. */
  readonly compile?: "auto" | "off" | undefined
  /**
   * How many threads compute, 1 to 64, where the plan allows it and one partition is open; with 1 the job's own does. Default 1.
   */
  readonly parallelism?: number | undefined
}

/**
 * How a driven job goes on: `restore` and `restart` take it.
 *
 * @example
 * ```ts
 * import { job, schema, t } from "tidemark"
 * import { testDriver, type TestRestartOptions } from "tidemark/testing"
 *
 * const paid = (least: number) =>
 *   job({
 *     name: "paid",
 *     inputs: { trips: schema({ fare: t.float64 }) },
 *     flow: ({ trips }) => ({ paid: trips.filter((trip) => trip.fare >= least) }),
 *   })
 * const driver = await testDriver(paid(1))
 * const revised: TestRestartOptions<ReturnType<typeof paid>> = { job: paid(2) }
 * await driver.restart(revised)
 * ```
 */
export interface TestRestartOptions<J extends Job> extends TestRunOptions {
  /** Another program of the same name, inputs and outputs: it takes over the state, as after a deployment. */
  readonly job?: J
}

/**
 * What `testDriver` takes beside the job.
 *
 * @example
 * ```ts
 * import { fromIso, job, schema, t } from "tidemark"
 * import { testDriver, type TestDriverOptions } from "tidemark/testing"
 *
 * const fares = job({
 *   name: "fares",
 *   params: schema({ least: t.float64 }),
 *   inputs: { trips: schema({ fare: t.float64 }) },
 *   flow: ({ trips }) => ({ paid: trips.filter((trip, params) => trip.fare >= params.least) }),
 * })
 * const options: TestDriverOptions<typeof fares> = {
 *   params: { least: 2.5 },
 *   startAt: fromIso("2024-05-01T12:00:00Z"),
 *   commits: "by-hand",
 *   partitions: { trips: 2 },
 * }
 * const driver = await testDriver(fares, options)
 * await driver.push("trips", [{ fare: 12.5 }], { partition: 1 })
 * ```
 */
export interface TestDriverOptions<J extends Job> extends TestRunOptions {
  /** Values of the job's parameters; those with a default may be left out. */
  readonly params?: ParamsOfJob<J>
  /** Where the virtual clock begins. Default 2024-01-01T00:00:00Z. */
  readonly startAt?: Timestamp
  /**
   * `"each-push"`: whatever a call of the driver leads to is committed when it resolves. `"by-hand"`: nothing is until `commit()`
   * (or the job ends), so that a crash loses it and the job must do it again. Default `"each-push"`.
   */
  readonly commits?: "each-push" | "by-hand"
  /** How many partitions the inputs have; those not named have one. */
  readonly partitions?: { readonly [N in keyof J["inputSchemas"]]?: number }
}

/** The options, checked and complete. */
export interface CheckedDriverOptions extends TestRunOptions {
  readonly params: Readonly<Record<string, unknown>>
  readonly startAt: number
  readonly commits: "each-push" | "by-hand"
  /** By input. */
  readonly partitions: ReadonlyMap<string, number>
}

const DEFAULT_START = fromIso("2024-01-01T00:00:00Z")
const PARTITIONS_MAX = 1000

/** @throws TidemarkError `invalid-options` or `unbound-input`. */
export function checkDriverOptions(job: Job, options: unknown): CheckedDriverOptions {
  const known = ["params", "startAt", "commits", "partitions", "batchRows", "compile", "parallelism"]
  const given = checkOptions("testDriver(...)", options, known)
  const { startAt = DEFAULT_START, commits = "each-push", partitions = {}, params = {} } = given
  if (!isTimestamp(startAt)) throw wrong("startAt", startAt, 'a timestamp: fromIso("2024-05-01T12:00:00Z")')
  if (commits !== "each-push" && commits !== "by-hand") throw wrong("commits", commits, '"each-push" or "by-hand"')
  const counts = new Map(Object.keys(job.inputSchemas).map((name) => [name, 1]))
  for (const [name, count] of Object.entries(partitions as Record<string, unknown>)) {
    checkInputName(job, name)
    if (!Number.isInteger(count) || (count as number) < 1 || (count as number) > PARTITIONS_MAX)
      throw wrong(`partitions.${name}`, count, `a whole number, 1 to ${PARTITIONS_MAX}`)
    counts.set(name, count as number)
  }
  const { batchRows, compile, parallelism } = given
  const run = checkTestRunOptions("testDriver(...)", { batchRows, compile, parallelism })
  return { ...run, params: params as Readonly<Record<string, unknown>>, startAt, commits, partitions: counts }
}

/** @throws TidemarkError `invalid-options`. */
function checkTestRunOptions(where: string, options: unknown): TestRunOptions {
  const { batchRows, compile, parallelism } = checkOptions(where, options, ["batchRows", "compile", "parallelism"])
  if (!isCount(batchRows, 65_536)) throw wrong("batchRows", batchRows, "a whole number, 1 to 65,536", where)
  if (!isCount(parallelism, 64)) throw wrong("parallelism", parallelism, "a whole number, 1 to 64", where)
  if (compile !== undefined && compile !== "auto" && compile !== "off")
    throw wrong("compile", compile, '"auto" or "off"', where)
  return { batchRows, compile, parallelism }
}

function isCount(value: unknown, most: number): value is number | undefined {
  return value === undefined || (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most)
}

/**
 * The options, and the job that goes on in the place of `running`.
 *
 * @throws TidemarkError `invalid-options`.
 */
export function checkTestRestart(
  where: string,
  options: unknown,
  running: Job,
): TestRunOptions & { readonly job: Job } {
  const { job: given = running, ...run } = checkOptions(where, options, ["job", "batchRows", "compile", "parallelism"])
  const job = checkJob(where, given as Job)
  const ports = ({ inputSchemas, outputs }: Job): string => {
    const inputs = Object.entries(inputSchemas).map(([name, { label }]) => `${name}: ${label}`)
    return `the inputs ${inputs.join(", ")}, and the outputs ${Object.keys(outputs).join(", ")}`
  }
  if (ports(job) === ports(running)) return { ...checkTestRunOptions(where, run), job }
  throw new TidemarkError("invalid-options", `${where} is given a job that has ${ports(job)}.`, {
    hint: `The one that ran has ${ports(running)}: what was pushed and what came of it are of these.`,
  })
}

function wrong(option: string, value: unknown, wanted: string, where = "testDriver(...)"): TidemarkError {
  return new TidemarkError("invalid-options", `${where}: ${option} is ${shownValue(value)}.`, {
    hint: `Give ${wanted}.`,
  })
}
