/**
 * The options of a script: read, checked, and told by `--help`. A wrong one ends the process with exit code 2 and says what
 * is wrong. Node's standard library only.
 */
import { parseArgs } from "node:util"

const WIDTH = 96

/**
 * Reads the options of the process.
 *
 * @param {object} script
 * @param {string} script.command how the script is called, such as `npm run sim --`
 * @param {string} script.what what it does, in a sentence or more
 * @param {Record<string, any>} script.options by name: `{ help, kind?, value?, default?, choices?, least? }`. Of kind `flag`
 *   (what it is without a `value`), `text`, `number` (a whole number, `least` or more), `numbers` or `texts` (separated by
 *   commas); `value` is how `--help` shows it. What is not given has its `default`, or is `undefined`.
 * @returns {Record<string, any>} the values by name
 */
export function readOptions(script) {
  const named = { ...script.options, help: { help: "Says this." } }
  /** @type {Record<string, { type: "boolean" | "string" }>} */
  const options = {}
  for (const [name, { value }] of Object.entries(named))
    options[name] = { type: value === undefined ? "boolean" : "string" }
  try {
    const { values } = parseArgs({ options })
    if (values.help === true) {
      process.stdout.write(helpText(script.command, script.what, named))
      process.exit(0)
    }
    return Object.fromEntries(
      Object.entries(script.options).map(([name, option]) => [name, read(name, option, values[name])]),
    )
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error
    process.stderr.write(`tidemark: ${error.message.split("\n")[0]}\nSee ${script.command} --help.\n`)
    process.exit(2)
  }
}

function read(name, option, text) {
  if (option.value === undefined) return text ?? false
  if (text === undefined) return option.default
  const items = option.kind === "numbers" || option.kind === "texts" ? text.split(",") : [text]
  const wrong = items.find((item) => option.choices !== undefined && !option.choices.includes(item))
  if (wrong !== undefined) throw new RangeError(`--${name} is one of ${option.choices.join(", ")}, and not "${wrong}".`)
  if (option.kind === "texts") return items
  if (option.kind !== "number" && option.kind !== "numbers") return text
  const numbers = items.map((item) => (item.trim() === "" ? NaN : Number(item)))
  const least = option.least ?? 0
  const bad = numbers.findIndex((number) => !Number.isSafeInteger(number) || number < least)
  if (bad !== -1) throw new RangeError(`--${name} takes a whole number from ${least} on, and not "${items[bad]}".`)
  return option.kind === "numbers" ? numbers : numbers[0]
}

function helpText(command, what, options) {
  const rows = Object.entries(options).map(([name, { help, value, default: preset }]) => {
    const shown = String(preset ?? "")
    const ending = shown === "" ? "" : ` Default: ${shown}.`
    return [`  --${name}${value === undefined ? "" : ` ${value}`}`, help + ending]
  })
  const left = Math.max(...rows.map(([option]) => option.length)) + 2
  const lines = rows.flatMap(([option, help]) =>
    wrapped(help, WIDTH - left).map((line, index) => (index === 0 ? option : "").padEnd(left) + line),
  )
  return `Usage: ${command} [options]\n\n${wrapped(what, WIDTH).join("\n")}\n\nOptions:\n${lines.join("\n")}\n`
}

function wrapped(text, width) {
  const lines = [""]
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== "" && last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`
  }
  return lines
}
