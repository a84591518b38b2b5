/** Completion for zsh: a function for each command, which hands on to those below it. */
import { VERSION } from "../../runtime/version.ts"
import { allCommands, type ArgumentTable, type CommandTable, type OptionTable, type Values } from "./command-tables.ts"

/** The script. It can be a file `_tidemark` on the `fpath`, or be evaluated behind `compinit`. */
export function zshCompletion(root: CommandTable): string {
  return `#compdef tidemark
# zsh completion of tidemark ${VERSION}, made by: tidemark completion zsh

${allCommands(root).map(functionOf).join("\n\n")}

if [[ "\${funcstack[1]}" = _tidemark ]]; then
  _tidemark "$@"
else
  compdef _tidemark tidemark
fi
`
}

function functionName(path: readonly string[]): string {
  return ["_tidemark", ...path].join("__")
}

function functionOf(table: CommandTable): string {
  const { path, commands, options, arguments: args } = table
  const specs = options.flatMap(optionSpecs)
  const body = commands.length > 0 ? groupBody(table, specs) : call([...specs, ...args.map(argumentSpec)])
  return `${functionName(path)}() {\n${body}\n}`
}

function call(specs: readonly string[]): string {
  return `  _arguments -s -S : ${specs.map((spec) => `\\\n    ${spec}`).join(" ")}`
}

/** Of a command that has others: the next word is one of them, and the rest is theirs. */
function groupBody({ commands }: CommandTable, specs: readonly string[]): string {
  const described = commands.map(({ path, description }) =>
    quoted(`${escaped(path.at(-1)!, ":")}:${escaped(description, ":")}`),
  )
  const cases = commands.map(({ path }) => `    ${path.at(-1)}) ${functionName(path)} ;;`)
  return `  local curcontext="$curcontext" state line
  typeset -A opt_args
  local -a commands
  commands=(
    ${described.join("\n    ")}
  )
  _arguments -C -s -S : ${specs.map((spec) => `\\\n    ${spec}`).join(" ")} \\
    '1: :->command' \\
    '*:: :->rest'
  case $state in
  command) _describe -t commands command commands ;;
  rest)
    curcontext="\${curcontext%:*:*}:tidemark-$line[1]:"
    case $line[1] in
${cases.join("\n")}
    esac
    ;;
  esac`
}

/** One for each name; of an option that is given once, the others are left out when one is there. */
function optionSpecs({ names, description, isRepeatable, value }: OptionTable): string[] {
  const before = isRepeatable ? "*" : names.length > 1 ? `(${names.join(" ")})` : ""
  return names.map((name) => {
    const follows = value !== undefined && name.startsWith("--") ? "=" : ""
    const text = `[${escaped(description, "[]:")}]`
    return quoted(`${before}${name}${follows}${text}${value === undefined ? "" : valueSpec(value)}`)
  })
}

function valueSpec({ name, isOptional, values }: NonNullable<OptionTable["value"]>): string {
  return `${isOptional ? "::" : ":"}${escaped(name, ":")}:${action(values)}`
}

function argumentSpec({ name, values }: ArgumentTable, index: number): string {
  return quoted(`${index + 1}:${escaped(name, ":")}:${action(values)}`)
}

function action(values: Values): string {
  switch (values.kind) {
    case "choices":
      return `(${values.choices.join(" ")})`
    case "files":
      return "_files"
    case "directories":
      return "_files -/"
    case "anything":
      return " "
  }
}

function escaped(text: string, characters: string): string {
  return [...text].map((character) => (characters.includes(character) ? `\\${character}` : character)).join("")
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
