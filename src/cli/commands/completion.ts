/** `tidemark completion SHELL`: a script by which a shell completes commands, options and what they take. */
import type { Command } from "commander"
import { bashCompletion } from "../completion/bash.ts"
import { commandTable, type CommandTable } from "../completion/command-tables.ts"
import { fishCompletion } from "../completion/fish.ts"
import { zshCompletion } from "../completion/zsh.ts"
import { EXIT } from "../exit-codes.ts"

const SCRIPTS: Readonly<Record<string, (root: CommandTable) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

/** The shells that there is a script for. */
export const SHELLS = Object.keys(SCRIPTS)

/** Prints the script; gives the exit code. */
export function completionCommand(shell: string, root: Command): number {
  process.stdout.write(SCRIPTS[shell]!(commandTable(root)))
  return EXIT.finished
}
