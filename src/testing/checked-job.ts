/** A job as tests give it, checked for programs that the compiler has not seen. */
import { nameHint } from "../base/did-you-mean.ts"
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import type { ColumnTypes, Schema } from "../batch/schema.ts"
import type { Job } from "../stream/job.ts"
import type { ParamsOfColumns } from "../stream/params.ts"

/** The parameters of a job that a test gives. */
export type ParamsOfJob<J> = J extends { readonly paramsSchema: Schema<infer C extends ColumnTypes> }
  ? ParamsOfColumns<C>
  : never

/**
 * The job, which need not be bound: a bound one has connectors that a test does not want.
 *
 * @param where begins the message: `"runOnRows(...)"`.
 * @throws TidemarkError `invalid-options`.
 */
export function checkJob<J extends Job>(where: string, job: J): J {
  const given: unknown = job
  const isJob = typeof given === "object" && given !== null && "plan" in given && "inputSchemas" in given
  if (isJob) return job
  throw new TidemarkError("invalid-options", `${where} is given ${shownValue(given)} that is not a job.`, {
    hint: "Give it what job({ ... }) gives, not bound with .with(...).",
  })
}

/** Refuses an input that the job does not have. */
export function checkInputName(job: Job, input: string): void {
  const names = Object.keys(job.inputSchemas)
  if (names.includes(input)) return
  throw new TidemarkError("unbound-input", `The job ${job.name} has no input ${JSON.stringify(input)}.`, {
    hint: nameHint(input, names, "inputs"),
  })
}
