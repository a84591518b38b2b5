/** `tidemark explain FILE`: shows the plan of a job, and runs nothing. */
import { nodeScopes } from "../../env/node/scopes.ts"
import { explain, formatExplain, formatMermaid } from "../../observe/explain.ts"
import type { Explanation } from "../../observe/explanation.ts"
import { EXIT } from "../exit-codes.ts"
import { loadJob } from "../load-job.ts"
import { withParams } from "../param-options.ts"
import { errorText } from "../report.ts"

/** The options of `tidemark explain`, as the command line gives them. */
export interface ExplainCommandOptions {
  readonly json?: boolean
  readonly mermaid?: boolean
  /** Each as `name=value`. */
  readonly param?: readonly string[]
}

/** Runs the command; gives the exit code. */
export async function explainCommand(file: string, options: ExplainCommandOptions): Promise<number> {
  try {
    const job = withParams(await loadJob(file), options.param ?? [])
    const explained = explain(job, { compile: { mode: "auto", proof: nodeScopes() } })
    process.stdout.write(`${textOf(explained, options)}\n`)
    return EXIT.finished
  } catch (error) {
    process.stderr.write(errorText(error))
    return EXIT.usage
  }
}

function textOf(explained: Explanation, { json, mermaid }: ExplainCommandOptions): string {
  if (json === true) return JSON.stringify(explained, null, 2)
  return mermaid === true ? formatMermaid(explained) : formatExplain(explained)
}
