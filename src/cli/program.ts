/** The commands, their options and their help. */
import { Command, CommanderError } from "commander"
import { VERSION } from "../runtime/version.ts"
import { explainCommand } from "./commands/explain.ts"
import { runCommand, type RunCommandOptions } from "./commands/run.ts"
import { EXIT } from "./exit-codes.ts"

const HELP = `
Exit codes:
  ${EXIT.finished}    the job read all its input and committed
  ${EXIT.failed}    the job failed; what was committed before stays
  ${EXIT.usage}    the command line or the job file is wrong; nothing was run
  ${EXIT.interrupted}  stopped by SIGINT (Ctrl-C) after a commit; run again to go on
  ${EXIT.terminated}  stopped by SIGTERM after a commit; run again to go on

Examples:
  tidemark run revenue.ts             run to the end of the input; run again for new files
  tidemark run revenue.ts --reset     start anew; earlier output is moved aside
  tidemark explain revenue.ts         what the job computes, and how each lambda runs`

/** Runs what the command line says, and sets the exit code of the process. */
export async function runProgram(args: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(args, { from: "user" })
  } catch (error) {
    // Commander has told what is wrong, or the help.
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? EXIT.finished : EXIT.usage
  }
}

function program(): Command {
  const root = new Command("tidemark")
    .description("Exactly-once stream processing for TypeScript.")
    .version(VERSION)
    .addHelpText("after", HELP)
    .exitOverride()

  root
    .command("run")
    .description("Run the job that FILE exports as default, from where its last run left off.")
    .argument("<file>", "a TypeScript or JavaScript file: export default myJob.with({ … })")
    .option("--dir <directory>", "where the job's state lies (default: .tidemark/<job>)")
    .option("--drain", "fire open windows also when the job is stopped by a signal")
    .option("--no-drain", "leave windows open even at the end of the input, for files that come later")
    .option("--reset", "start anew: earlier state is void, what was published is moved aside")
    .option("--no-compile", "run every lambda as its closure, for breakpoints and coverage")
    .option("--json", "tell events, status and result as JSON lines on standard output")
    .addHelpText("after", "\nProgress goes to standard error. Ctrl-C commits and stops; run again to go on.")
    .action(async (file: string, options: RunCommandOptions, command: Command) => {
      const given = (name: string) => command.getOptionValueSource(name) === "cli"
      const { drain, compile, ...rest } = options
      process.exitCode = await runCommand(file, {
        ...rest,
        ...(given("drain") && drain !== undefined && { drain }),
        ...(given("compile") && compile !== undefined && { compile }),
      })
    })

  root
    .command("explain")
    .description("Show what the job in FILE computes: operators, types, ids, how each lambda runs, guarantees.")
    .argument("<file>", "a TypeScript or JavaScript file: export default myJob.with({ … })")
    .option("--json", "as JSON")
    .action(async (file: string, options: { json?: boolean }) => {
      process.exitCode = await explainCommand(file, options)
    })
  return root
}
