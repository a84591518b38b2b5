/** `tidemark savepoint DIR OUT`: a copy of what a job has committed, from which jobs can be begun. The job may run meanwhile. */
import { resolve } from "node:path"
import { TidemarkError } from "../../base/errors.ts"
import { nodeEnv } from "../../env/node/node-env.ts"
import { writeSavepoint } from "../../state/savepoint.ts"
import { EXIT } from "../exit-codes.ts"
import { errorText } from "../report.ts"

/** The options of `tidemark savepoint`, as the command line gives them. */
export interface SavepointCommandOptions {
  readonly json?: boolean
}

const USAGE_ERRORS: ReadonlySet<string> = new Set(["state-missing", "invalid-options"])

/** Runs the command; gives the exit code. */
export async function savepointCommand(
  directory: string,
  to: string,
  options: SavepointCommandOptions,
): Promise<number> {
  const env = nodeEnv()
  const id = [env.randomUint32(), env.randomUint32()].map((part) => part.toString(16).padStart(8, "0")).join("")
  try {
    const { state, bytes } = await writeSavepoint(env.disk, resolve(directory), resolve(to), id)
    const { job } = state.run
    const committed = new Date(state.wallMicros / 1000).toISOString()
    const told = { job, epoch: state.epoch, committed, savepoint: to, id, bytes }
    const text = `${job}: epoch ${state.epoch}, committed ${committed}, is kept in ${to} (${Math.ceil(bytes / 1024)} KiB)`
    process.stdout.write(`${options.json === true ? JSON.stringify(told) : text}\n`)
    return EXIT.finished
  } catch (error) {
    process.stderr.write(errorText(error))
    return error instanceof TidemarkError && USAGE_ERRORS.has(error.code) ? EXIT.usage : EXIT.failed
  }
}
