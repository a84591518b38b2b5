/**
 * What completions know of the command line, read off the commands themselves: there is no second list that could differ.
 *
 * What a value is, is told by its name: `<file>` and `<path>` are completed as files, `<directory>` as directories, others
 * not at all, unless the option or argument has choices.
 */
import type { Argument, Command, Option } from "commander"

/** What may stand for a value. */
export type Values =
  | { readonly kind: "files" | "directories" | "anything" }
  | { readonly kind: "choices"; readonly choices: readonly string[] }

/** The value of an option. */
export interface OptionValue {
  readonly name: string
  readonly isOptional: boolean
  readonly values: Values
}

/** An option. */
export interface OptionTable {
  /** As they are written: `["-h", "--help"]`. */
  readonly names: readonly string[]
  readonly description: string
  readonly isRepeatable: boolean
  /** `undefined` where it takes none. */
  readonly value: OptionValue | undefined
}

/** What follows a command by its place. */
export interface ArgumentTable {
  readonly name: string
  readonly values: Values
}

/** A command. */
export interface CommandTable {
  /** The words that lead to it: none for the program itself. */
  readonly path: readonly string[]
  readonly description: string
  /** What may follow it as the next word of a path. */
  readonly commands: readonly CommandTable[]
  readonly options: readonly OptionTable[]
  readonly arguments: readonly ArgumentTable[]
}

/** The table of a command, with those of all below it. */
export function commandTable(
  command: Command,
  path: readonly string[] = [],
  siblings: readonly string[] = [],
): CommandTable {
  // What help shows: with "help" and "--help", which commander adds itself.
  const help = command.createHelp()
  const shown = help.visibleCommands(command)
  const names = shown.map((each) => each.name())
  return {
    path,
    description: command.description(),
    commands: shown.map((each) => commandTable(each, [...path, each.name()], names)),
    options: help.visibleOptions(command).map(optionTable),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      values: argument.name() === "command" ? { kind: "choices", choices: siblings } : valuesOf(argument),
    })),
  }
}

/** A command and all below it, in the order of help. */
export function allCommands(table: CommandTable): CommandTable[] {
  return [table, ...table.commands.flatMap(allCommands)]
}

function optionTable(option: Option): OptionTable {
  const { short, long, description, required, optional, parseArg } = option
  const names = [short, long].filter((name) => name !== undefined)
  const name = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1] ?? ""
  const value = required || optional ? { name, isOptional: optional, values: valuesOf(option, name) } : undefined
  // An option that gathers its values has a function that does.
  return { names, description, isRepeatable: parseArg !== undefined && option.argChoices === undefined, value }
}

function valuesOf(from: Option | Argument, name = from.name()): Values {
  if (from.argChoices !== undefined) return { kind: "choices", choices: from.argChoices }
  if (name === "file" || name === "path") return { kind: "files" }
  return { kind: name === "directory" ? "directories" : "anything" }
}
