/** Gives a job the values of its secrets, when it is about to run. */
import { TidemarkError } from "../base/errors.ts"
import { secretParams, UNKNOWN_SECRET } from "../batch/secret-params.ts"
import type { ExecutableJob } from "./executable-job.ts"

/** Reads the secret that a variable has; `undefined` where there is none. A problem is a clause, and has nothing of a value in it. */
export type ReadSecret = (variable: string) => { readonly value: string } | { readonly problem: string } | undefined

/**
 * The job with the values of those secrets that its program has not given.
 *
 * @throws TidemarkError `invalid-params` where one is missing or cannot be read.
 */
export function withKnownSecrets(job: ExecutableJob, read: ReadSecret): ExecutableJob {
  const unknown = secretParams(job.paramsSchema).filter(({ name }) => job.params[name] === UNKNOWN_SECRET)
  if (unknown.length === 0) return job
  const values = unknown.map(({ name, variable, isNullable }): [string, string | null] => {
    const found = read(variable)
    if (found !== undefined && "value" in found) return [name, found.value]
    if (found === undefined && isNullable) return [name, null]
    const problem = found?.problem ?? `neither ${variable} nor ${variable}_FILE is set`
    const message = `The job ${job.name} is not given the secret ${JSON.stringify(name)}: ${problem}.`
    throw new TidemarkError("invalid-params", message, {
      hint: `Set ${variable} to it, or ${variable}_FILE to the path of a file that has it. The command line takes no secrets.`,
    })
  })
  return { ...job, params: Object.freeze({ ...job.params, ...Object.fromEntries(values) }) }
}
