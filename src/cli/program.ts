/** The commands, their options and their help. */
import { Argument, Command, CommanderError, Option } from "commander"
import { VERSION } from "../runtime/version.ts"
import { completionCommand, SHELLS } from "./commands/completion.ts"
import {
  listLettersCommand,
  replayLettersCommand,
  type ListLettersOptions,
  type ReplayLettersOptions,
} from "./commands/dead-letters.ts"
import { explainCommand, type ExplainCommandOptions } from "./commands/explain.ts"
import { initCommand } from "./commands/init.ts"
import { runCommand, type RunCommandOptions } from "./commands/run.ts"
import { savepointCommand, type SavepointCommandOptions } from "./commands/savepoint.ts"
import { statusCommand, type StatusCommandOptions } from "./commands/status.ts"
import { EXIT } from "./exit-codes.ts"
import { addLog } from "./log-commands.ts"
import { LOG_LEVELS } from "./log-level.ts"

const FILE = "a TypeScript or JavaScript file: export default myJob.with({ ... })"

const PARAM = [
  "--param <name=value>",
  "a value of a parameter of the job, instead of the file's own; may be repeated",
  (value: string, before: readonly string[] = []) => [...before, value],
] as const

const ROOT_HELP = `
A job is a file that ends with
  export default job({ name, inputs, flow }).with({ inputs, outputs })
The package's README.md has a whole one. Relative paths in it start from the
working directory; what the job must remember lies in .tidemark/<job> there.

Examples:
  tidemark init my-project              a new project: a job, its test, and data
  tidemark explain revenue.ts           look at the plan; nothing is read
  tidemark run revenue.ts               run to the end of the input
  tidemark run revenue.ts               again: only what is new is read
  tidemark run revenue.ts --reset       start anew; earlier output is moved aside
  tidemark status                       how far it is, and what it waits for
  tidemark savepoint DIR OUT            keep what it has committed, to begin from it
  tidemark dead-letters list DIR        what could not be read, and why
  tidemark log cat DIR                  the records of a log that a program keeps
  tidemark run --help                   all options of a command
  tidemark completion --help            how your shell completes all this

Exit codes:
  ${EXIT.finished}    done: the job read all its input and committed
  ${EXIT.failed}    the job failed; what was committed before stays
  ${EXIT.usage}    the command line or the job file is wrong; nothing was run
  ${EXIT.interrupted}  stopped by SIGINT (Ctrl-C) after a commit; run again to go on
  ${EXIT.terminated}  stopped by SIGTERM after a commit; run again to go on

An error begins with its code: docs/errors/<code>.md in the package says what
happened, why, and what to do.`

const INIT_HELP = `
Examples:
  tidemark init my-project     makes the directory, too
  tidemark init                in this one

Makes a project that runs at once: a job in TypeScript that counts requests by
path and ten minutes, data for it, and its test. "npm install" and "npm start" are
what comes next; its README.md says what you see then.

Makes package.json, tsconfig.json, .gitignore, README.md, src/requests.ts,
src/requests.test.ts and data/requests.csv. Where there is one of them already,
none is made, and nothing changes.

Exit codes: ${EXIT.finished} made, ${EXIT.failed} the disk refused, ${EXIT.usage} wrong command line, or the directory has such files.`

const RUN_HELP = `
Examples:
  tidemark run revenue.ts                       to the end of the input
  tidemark run revenue.ts --param maxFare=200   another value than the file gives
  tidemark run revenue.ts --no-drain            more files of these hours will come
  tidemark run revenue.ts --dir /var/lib/rev    keep the state elsewhere
  tidemark run revenue.ts --json > run.jsonl    for machines
  tidemark run revenue.ts --serve               curl localhost:9464/metrics
  tidemark run revenue.ts --log json            for collectors of logs, on standard error

Run again, and the job goes on from its last commit: after a crash, a Ctrl-C, or
when new files have come. Nothing is lost or repeated.

Progress goes to standard error: live on a terminal, else a line every 2 s.
Ctrl-C commits and stops. A second one ends the process at once, which loses
nothing either.

Parameters are written as in a CSV file, by their type in the job's params
schema: numbers and texts as they are, true or false, times in ISO 8601 with an
offset, objects as JSON; null where that is allowed.

Exit codes: ${EXIT.finished} done, ${EXIT.failed} failed, ${EXIT.usage} wrong command line or job file, \
${EXIT.interrupted} SIGINT, ${EXIT.terminated} SIGTERM.`

const EXPLAIN_HELP = `
Examples:
  tidemark explain revenue.ts
  tidemark explain revenue.ts --json | jq .warnings
  tidemark explain revenue.ts --mermaid > plan.mmd     a drawing, for documents

Lambdas marked with ✓ are compiled to loops over columns; those marked with ○
run as the functions they are, with the reason and what to write instead. Both
give the same answer. Lines that begin with ! are warnings.

Exit codes: ${EXIT.finished} explained, ${EXIT.usage} wrong command line or job file.`

const STATUS_HELP = `
Examples:
  tidemark status                       all jobs in .tidemark of this directory
  tidemark status .tidemark/revenue     one of them
  tidemark status --watch               again every second
  tidemark status --json | jq .eventTimes

A window fires when the watermark has come to its end, and the watermark is that
of the partition that is the least far. So status names that partition, how far
it is behind the others, and since when; and of each window how many are open and
when the next one fires.

Only what is committed is told. The job's directory is read and not touched: its
job may run meanwhile.

Exit codes: ${EXIT.finished} shown, ${EXIT.failed} the state cannot be read, ${EXIT.usage} no state of a job there.`

const SAVEPOINT_HELP = `
Examples:
  tidemark savepoint .tidemark/revenue before-upgrade
  tidemark run revenue.ts --from-savepoint before-upgrade --dir .tidemark/trial
  tidemark run revenue.ts --from-savepoint before-upgrade --reset      back to it

A savepoint has all that the job remembers at its last commit: how far each input
was read, windows, state, timers. It lies in a directory of its own, and may be
copied, kept and begun from as often as you like. The job may run meanwhile; it is
not touched.

A run that begins from a savepoint reads on behind it, and its outputs begin anew:
give them places of their own, or --reset, which moves what is there aside. The next
run with the same --from-savepoint goes on from where that one was.

Exit codes: ${EXIT.finished} made, ${EXIT.failed} the state cannot be read or the disk refused, ${EXIT.usage} no state of a job there, or something is at OUT.`

const LETTERS = "where a job's state lies, or the directory of its dead letters"

const DEAD_LETTERS_HELP = `
Examples:
  tidemark dead-letters list .tidemark/revenue
  tidemark dead-letters list out/bad --reason "not a number" --json
  tidemark dead-letters replay .tidemark/revenue --into trips/mended-1.csv --dry-run
  tidemark dead-letters replay .tidemark/revenue --into trips/mended-1.csv
  tidemark run revenue.ts               reads the new file, as trips/*.csv matches it

Where the job was at fault, mend it and replay into its input. Where the data was,
replay into a file elsewhere, mend that, and move it to the input. What was replayed
is remembered beside the letters: no record goes into two files. Rows of windows
that have fired are late, as those of any file that comes later are.

Letters are there once they are published: when the job has stopped, or after a
while. Exit codes: ${EXIT.finished} done, ${EXIT.failed} failed, ${EXIT.usage} wrong command line, or no letters there.`

const COMPLETION_HELP = `
Put the line of your shell into its configuration:
  bash   eval "$(tidemark completion bash)"      in ~/.bashrc
  zsh    eval "$(tidemark completion zsh)"       in ~/.zshrc, behind compinit
  fish   tidemark completion fish | source       in ~/.config/fish/config.fish

It completes the command "tidemark", where that is on the path: commands, options,
the choices that an option has, files and directories.

Exit codes: ${EXIT.finished} printed, ${EXIT.usage} wrong command line.`

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
    .addHelpText("after", ROOT_HELP)
    .exitOverride()
  addInit(root)
  addRun(root)
  addExplain(root)
  addStatus(root)
  addSavepoint(root)
  addDeadLetters(root)
  addLog(root)
  addCompletion(root)
  return root
}

function addInit(root: Command): void {
  root
    .command("init")
    .description("Make a project that runs at once: a job, its test, and data.")
    .argument("[directory]", "where; it is made where there is none", ".")
    .addHelpText("after", INIT_HELP)
    .action(async (directory: string) => {
      process.exitCode = await initCommand(directory)
    })
}

function addRun(root: Command): void {
  root
    .command("run")
    .description("Run the job that FILE exports as default, from where its last run left off.")
    .argument("<file>", FILE)
    .option(...PARAM)
    .option("--dir <directory>", "where the job's state lies; without it in .tidemark/<job>")
    .option("--drain", "fire open windows also when a signal stops the job, not only at the end of the input")
    .option("--no-drain", "leave windows open even at the end of the input, for files that come later")
    .option("--reset", "start anew: earlier state is void; what was published is moved aside, not deleted")
    .option("--from-savepoint <directory>", "begin from what 'tidemark savepoint' has kept there; outputs begin anew")
    .option("--no-compile", "run every lambda as its closure, for breakpoints and coverage")
    .option("--parallelism <threads>", "how many threads decode the input; without it as many as there are processors")
    .option("--state-memory <size>", "how much memory keys of process may take, as 512M or 4G; the rest is spilled")
    .option("--serve [address]", "serve health, status and metrics by HTTP: [host:]port; without it 127.0.0.1:9464")
    .option("--json", "tell events, status and result as JSON lines on standard output")
    .addOption(
      new Option("--log <format>", "how standard error is told: text, or a JSON object a line").choices([
        "text",
        "json",
      ]),
    )
    .addOption(new Option("--log-level <level>", "how much of it is told; without it info").choices(LOG_LEVELS))
    .addHelpText("after", RUN_HELP)
    .action(async (file: string, options: RunCommandOptions, command: Command) => {
      const given = (name: string) => command.getOptionValueSource(name) === "cli"
      const { drain, compile, ...rest } = options
      process.exitCode = await runCommand(file, {
        ...rest,
        ...(given("drain") && drain !== undefined && { drain }),
        ...(given("compile") && compile !== undefined && { compile }),
      })
    })
}

function addExplain(root: Command): void {
  root
    .command("explain")
    .description(
      "Show what the job in FILE computes, and run nothing: operators, types, ids, how each lambda runs, guarantees.",
    )
    .argument("<file>", FILE)
    .option(...PARAM)
    .option("--json", "as JSON on standard output")
    .addOption(new Option("--mermaid", "as a Mermaid flowchart on standard output").conflicts("json"))
    .addHelpText("after", EXPLAIN_HELP)
    .action(async (file: string, options: ExplainCommandOptions) => {
      process.exitCode = await explainCommand(file, options)
    })
}

function addStatus(root: Command): void {
  root
    .command("status")
    .description("Show how far jobs are, running or not, and why their windows have not fired.")
    .argument("[directory]", "where a job's state lies; without it all jobs in .tidemark of the working directory")
    .option("--json", "as JSON on standard output: one line a job")
    .option("--watch", "again every second, until Ctrl-C")
    .addHelpText("after", STATUS_HELP)
    .action(async (directory: string | undefined, options: StatusCommandOptions) => {
      process.exitCode = await statusCommand(directory, options)
    })
}

function addSavepoint(root: Command): void {
  root
    .command("savepoint")
    .description("Keep what a job has committed, so that it, or another version of it, can be begun from there.")
    .argument("<directory>", "where the job's state lies: .tidemark/<job>, or what --dir named")
    .argument("<to>", "the directory to make; there must be nothing")
    .option("--json", "tell what was made as JSON on standard output")
    .addHelpText("after", SAVEPOINT_HELP)
    .action(async (directory: string, to: string, options: SavepointCommandOptions) => {
      process.exitCode = await savepointCommand(directory, to, options)
    })
}

/** The options by which letters are chosen. */
function withFilters(command: Command): Command {
  return command
    .option("--input <name>", "only letters of this input")
    .option("--partition <path>", "only letters of records of this file")
    .option("--operator <id>", "only letters of rows that this operator failed at")
    .option("--reason <text>", "only letters with this text in their reason")
}

function addDeadLetters(root: Command): void {
  const group = root
    .command("dead-letters")
    .description("Look at the records that could not be read and the rows that failed, and replay them.")
    .addHelpText("after", DEAD_LETTERS_HELP)
  withFilters(
    group
      .command("list")
      .description("Show dead letters by operator and reason: how many, the first and the last.")
      .argument("<directory>", LETTERS),
  )
    .option("--json", "one JSON object for each group on standard output")
    .addHelpText("after", DEAD_LETTERS_HELP)
    .action(async (directory: string, options: ListLettersOptions) => {
      process.exitCode = await listLettersCommand(directory, options)
    })
  withFilters(
    group
      .command("replay")
      .description("Write the records of dead letters, each once, to a new file for a job to read.")
      .argument("<directory>", LETTERS)
      .requiredOption("--into <file>", "the file to make; it must not be there"),
  )
    .option(
      "--base <directory>",
      "where the job was started, which the paths of its files are relative to; default: here",
    )
    .option("--no-header", "for a .csv or .tsv file: without the first line of the files that the letters are of")
    .option("--dry-run", "tell what would be written, and write nothing")
    .addHelpText("after", DEAD_LETTERS_HELP)
    .action(async (directory: string, options: ReplayLettersOptions) => {
      process.exitCode = await replayLettersCommand(directory, options)
    })
}

function addCompletion(root: Command): void {
  root
    .command("completion")
    .description("Print a script by which a shell completes the command line.")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .addHelpText("after", COMPLETION_HELP)
    .action((shell: string) => {
      process.exitCode = completionCommand(shell, root)
    })
}
