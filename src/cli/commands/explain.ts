/** `tidemark explain FILE`: shows the plan of a job, and runs nothing. */
import { nodeScopes } from "../../env/node/scopes.ts"
import { explain, formatExplain } from "../../observe/explain.ts"
import { EXIT } from "../exit-codes.ts"
import { loadJob } from "../load-job.ts"
import { errorText } from "../report.ts"

/** Runs the command; gives the exit code. */
export async function explainCommand(file: string, options: { readonly json?: boolean }): Promise<number> {
  try {
    const explained = explain(await loadJob(file), { compile: { mode: "auto", proof: nodeScopes() } })
    const text = options.json === true ? JSON.stringify(explained, null, 2) : formatExplain(explained)
    process.stdout.write(`${text}\n`)
    return EXIT.finished
  } catch (error) {
    process.stderr.write(errorText(error))
    return EXIT.usage
  }
}
