/** Completion for fish: rules by the path of commands, which a function finds in the words before the cursor. */
import { VERSION } from "../../runtime/version.ts"
import { allCommands, type CommandTable, type OptionTable, type Values } from "./command-tables.ts"

/** The script. */
export function fishCompletion(root: CommandTable): string {
  const tables = allCommands(root)
  const commands = tables.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(" ")))
  const waiting = tables.flatMap(({ path, options }) =>
    options
      .filter(({ value }) => value?.isOptional === false)
      .flatMap(({ names }) => names.map((name) => quoted([...path, name].join(" ")))),
  )
  return `# fish completion of tidemark ${VERSION}, made by: tidemark completion fish
# The commands before the cursor, such as "dead-letters list".
function __tidemark_path
  set -l path
  set -l waits 0
  for word in (commandline -opc)[2..-1]
    if test $waits = 1
      set waits 0
      continue
    end
    switch (string join ' ' -- $path $word)
      case ${commands.join(" ")}
        set -a path $word
      case ${waiting.join(" ")}
        set waits 1
    end
  end
  string join ' ' -- $path
end

function __tidemark_at
  test (__tidemark_path | string collect -a) = "$argv"
end

complete -c tidemark -f
${tables.flatMap(rulesOf).join("\n")}
`
}

function rulesOf({ path, commands, options, arguments: args }: CommandTable): string[] {
  const rule = `complete -c tidemark -n ${quoted(`__tidemark_at ${path.join(" ")}`.trim())}`
  return [
    ...commands.map(({ path: below, description }) => `${rule} -a ${below.at(-1)} -d ${quoted(description)}`),
    ...args.filter(({ values }) => values.kind !== "anything").map(({ values }) => `${rule}${valueRule(values)}`),
    ...options.map((option) => `${rule}${optionRule(option)}`),
  ]
}

function optionRule({ names, description, value }: OptionTable): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  // fish knows of no values that may be left out: such an option is completed as one without.
  // With -x no files are offered beside what is said.
  const takes = value?.values.kind === "files" ? "-r" : "-x"
  const values = value === undefined || value.isOptional ? "" : ` ${takes}${valueRule(value.values)}`
  return ` ${flags.join(" ")} -d ${quoted(description)}${values}`
}

function valueRule(values: Values): string {
  switch (values.kind) {
    case "choices":
      return ` -a ${quoted(values.choices.join(" "))}`
    case "files":
      return " -F"
    case "directories":
      return " -a '(__fish_complete_directories)'"
    case "anything":
      return ""
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`
}
