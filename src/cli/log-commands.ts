/** The commands for logs, their options and their help. */
import type { Command } from "commander"
import {
  catLogCommand,
  trimLogCommand,
  verifyLogCommand,
  type CatLogOptions,
  type TrimLogOptions,
} from "./commands/log.ts"
import { EXIT } from "./exit-codes.ts"

const DIRECTORY = "the directory of the log, as openLog was given it"

const LOG_HELP = `
Examples:
  tidemark log cat orders.log                          all records, a line each
  tidemark log cat orders.log --since 2026-11-27T09:00:00Z --count 10
  tidemark log cat orders.log --follow --json | jq .text
  tidemark log verify orders.log                       are all checksums right?
  tidemark log trim orders.log --older-than 2026-11-01T00:00:00Z

A place in a log is written as generation and offset, 3:4096; "cat --json" has that
of each record. Records are shown once they are durable. cat and verify change
nothing, and a process may append meanwhile; trim needs the log for itself.

Exit codes: ${EXIT.finished} done, ${EXIT.failed} damaged, in use or unreadable, ${EXIT.usage} wrong command line, or no log there.`

/** Adds the group of commands for logs. */
export function addLog(root: Command): void {
  const group = root
    .command("log")
    .description("Look at the records of a log, check them, and let old ones go.")
    .addHelpText("after", LOG_HELP)
  group
    .command("cat")
    .description("Print records, oldest first.")
    .argument("<directory>", DIRECTORY)
    .option("--from <lsn>", "from this place on")
    .option("--since <time>", "from the first record on that was appended then or later, in ISO 8601")
    .option("--until <lsn>", "up to this place")
    .option("--count <records>", "so many at most")
    .option("--follow", "wait for more, until Ctrl-C or the log is sealed")
    .option("--around-damage", "tell what is damaged, and go on behind it")
    .option("--json", "a JSON object a line, with place and time")
    .addHelpText("after", LOG_HELP)
    .action(async (directory: string, options: CatLogOptions) => {
      process.exitCode = await catLogCommand(directory, options)
    })
  group
    .command("verify")
    .description("Read all records and tell what is damaged.")
    .argument("<directory>", DIRECTORY)
    .addHelpText("after", LOG_HELP)
    .action(async (directory: string) => {
      process.exitCode = await verifyLogCommand(directory)
    })
  group
    .command("trim")
    .description("Let go what lies before a place or a time.")
    .argument("<directory>", DIRECTORY)
    .option("--before <lsn>", "what lies before this place")
    .option("--older-than <time>", "what was appended before then, in ISO 8601")
    .addHelpText("after", LOG_HELP)
    .action(async (directory: string, options: TrimLogOptions) => {
      process.exitCode = await trimLogCommand(directory, options)
    })
}
