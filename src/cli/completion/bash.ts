/**
 * Completion for bash, from 3.2 on.
 *
 * The script walks the words before the cursor: those that name commands make up the path, and an option that takes a
 * value waits for the next word. What may come then is looked up by the path.
 */
import { VERSION } from "../../runtime/version.ts"
import { allCommands, type CommandTable, type Values } from "./command-tables.ts"

/** What is the same whatever commands there are. */
const WALK = `_tidemark_offer() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$prefix$line"); done
}

_tidemark_offer_values() {
  case "$takes" in
  choices) _tidemark_offer < <(compgen -W "$choices" -- "$cur") ;;
  files) compopt -o filenames 2>/dev/null; _tidemark_offer < <(compgen -f -- "$cur") ;;
  directories) compopt -o filenames 2>/dev/null; _tidemark_offer < <(compgen -d -- "$cur") ;;
  esac
}

_tidemark() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path="" takes="" choices="" commands="" options="" prefix=""
  local index word waits="" isOptional="" count=0 isPlain=""
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    # bash makes three words of --dir=x; where it was told not to, it is one, and waits for no other.
    if [[ $word == "=" ]]; then continue; fi
    if [[ -n $waits && ! ( -n $isOptional && $word == -* ) ]]; then waits=""; continue; fi
    waits=""
    if [[ -n $isPlain ]]; then ((count++)); continue; fi
    if [[ $word == -- ]]; then isPlain=1; continue; fi
    if [[ $word == -* ]]; then
      _tidemark_value "$word"
      isOptional=""
      if [[ $takes == "?"* ]]; then isOptional=1; fi
      if [[ -n $takes ]]; then waits=$word; fi
      continue
    fi
    if ((count == 0)) && _tidemark_is_command "\${path:+$path }$word"; then
      path="\${path:+$path }$word"
    else
      ((count++))
    fi
  done
  if [[ $cur == "=" ]]; then cur=""; fi
  if [[ $cur == --*=* ]]; then waits=\${cur%%=*} prefix="$waits=" cur=\${cur#*=}; fi
  if [[ -n $waits ]]; then
    _tidemark_value "$waits"
    takes=\${takes#"?"}
    _tidemark_offer_values
    if [[ -z $isOptional || -n $prefix ]]; then return; fi
  fi
  _tidemark_command "$count"
  if [[ $cur == -* && -z $isPlain ]]; then
    _tidemark_offer < <(compgen -W "$options" -- "$cur")
    return
  fi
  if [[ -n $waits ]]; then return; fi
  if ((count == 0)) && [[ -n $commands ]]; then _tidemark_offer < <(compgen -W "$commands" -- "$cur"); fi
  _tidemark_offer_values
}

`

/** The script. */
export function bashCompletion(root: CommandTable): string {
  const tables = allCommands(root)
  const paths = tables.filter(({ path }) => path.length > 0).map(({ path }) => `"${path.join(" ")}"`)
  return `# bash completion of tidemark ${VERSION}, made by: tidemark completion bash
_tidemark_is_command() {
  case "$1" in
  ${paths.join(" | ")}) return 0 ;;
  esac
  return 1
}

# What an option of the command at the path takes: sets takes, and choices where it has some.
_tidemark_value() {
  takes="" choices=""
  case "$path $1" in
${tables.flatMap(optionCases).join("\n")}
  esac
}

# What the command at the path may be followed by: sets commands, options, and takes of its argument number $1.
_tidemark_command() {
  commands="" options="" takes="" choices=""
  case "$path" in
${tables.map(commandCase).join("\n")}
  esac
}

${WALK}complete -F _tidemark tidemark
`
}

/** What each option of a command takes; an optional value is marked. */
function optionCases({ path, options }: CommandTable): string[] {
  return options.flatMap(({ names, value }) => {
    if (value === undefined) return []
    const patterns = names.map((name) => `"${[path.join(" "), name].join(" ")}"`)
    return [`  ${patterns.join(" | ")}) ${taken(value.values, value.isOptional ? "?" : "")} ;;`]
  })
}

function commandCase({ path, commands, options, arguments: args }: CommandTable): string {
  const names = commands.map((command) => command.path.at(-1))
  const lines = [
    `  "${path.join(" ")}")`,
    `    commands="${names.join(" ")}"`,
    `    options="${options.flatMap((option) => option.names).join(" ")}"`,
    ...args.map(({ values }, index) => `    if [[ $1 == ${index} ]]; then ${taken(values, "")}; fi`),
    "    ;;",
  ]
  return lines.join("\n")
}

function taken(values: Values, mark: string): string {
  const choices = values.kind === "choices" ? ` choices="${values.choices.join(" ")}"` : ""
  return `takes="${mark}${values.kind}"${choices}`
}
