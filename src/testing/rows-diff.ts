/**
 * What tells the rows that came from those that a test expects: a line a row, written as JSON sinks write it, so that moments are
 * read as ISO text and not as microseconds.
 *
 * Invariant:
 * - RD1 There is a difference where any value is another, as `Object.is` sees it, also where that does not show in the text.
 */
import { nameHint } from "../base/did-you-mean.ts"
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import type { Schema } from "../batch/schema.ts"
import { rowAsJson } from "../batch/written-row.ts"
import type { PlainRow } from "./run-plan.ts"

/** Rows that agree are shown up to so many before and behind those that do not. */
const CONTEXT_ROWS = 2
/** Where more pairs of rows would have to be compared, what lies between the first and the last difference is all different. */
const PAIRS_MAX = 1_000_000

type Step = { readonly mark: " " | "-" | "+"; readonly row: PlainRow }

/** The rows differ. Test runners show `actual` and `expected`. */
export class UnexpectedRows extends Error {
  override readonly name = "UnexpectedRows"
  readonly actual: string
  readonly expected: string

  constructor(message: string, schema: Schema, actual: readonly PlainRow[], expected: readonly PlainRow[]) {
    super(message)
    const text = (rows: readonly PlainRow[]): string => rows.map((row) => rowAsJson(schema, row)).join("\n")
    this.actual = text(actual)
    this.expected = text(expected)
  }
}

/** Whether two values of rows are the same. */
export function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null)
    return Object.is(one, other)
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => isSame((one as PlainRow)[name], (other as PlainRow)[name]))
  )
}

/**
 * Refuses expected rows that no row of the schema could be: a column that is missing or mistyped says nothing about the job.
 *
 * @throws TidemarkError `invalid-options`.
 */
export function checkExpected(output: string, schema: Schema, rows: readonly PlainRow[]): void {
  const names = schema.fields.map(({ name }) => name)
  rows.forEach((row, index) => {
    const where = `expect(...): row [${index}] of ${output}`
    const unknown = Object.keys(row).find((name) => !names.includes(name))
    if (unknown !== undefined) {
      const hint = nameHint(unknown, names, "columns")
      throw new TidemarkError("invalid-options", `${where} has no column ${JSON.stringify(unknown)}.`, { hint })
    }
    for (const { name, type } of schema.fields) {
      const problem = type.check(row[name])
      if (problem === undefined) continue
      const hint = `Its type is ${type.label}.`
      throw new TidemarkError("invalid-options", `${where} has a column ${JSON.stringify(name)} that is ${problem}.`, {
        hint,
      })
    }
  })
}

/** The lines that show how rows differ; none where they do not. */
export function rowsDiff(schema: Schema, actual: readonly PlainRow[], expected: readonly PlainRow[]): string[] {
  const steps = stepsBetween(actual, expected)
  if (steps.every(({ mark }) => mark === " ")) return []
  const lines: string[] = []
  for (let at = 0; at < steps.length;) {
    const [from, mark] = [at, steps[at]!.mark]
    while (at < steps.length && (steps[at]!.mark === " ") === (mark === " ")) at++
    const run = steps.slice(from, at)
    if (mark === " ") lines.push(...contextLines(schema, run, from === 0, at === steps.length))
    else lines.push(...changeLines(schema, run))
  }
  return lines
}

/** Rows that agree, but for those far from any that do not. */
function contextLines(schema: Schema, run: readonly Step[], isFirst: boolean, isLast: boolean): string[] {
  const lines = run.map(({ row }) => `  ${rowAsJson(schema, row)}`)
  const head = isFirst ? 0 : CONTEXT_ROWS
  const tail = isLast ? 0 : CONTEXT_ROWS
  const left = lines.length - head - tail
  if (left < 2) return lines
  return [...lines.slice(0, head), `  (${left} rows that agree)`, ...lines.slice(lines.length - tail)]
}

/** Rows that are missing, then those that came; where there are as many, what is different in each. */
function changeLines(schema: Schema, run: readonly Step[]): string[] {
  const missing = run.filter(({ mark }) => mark === "-")
  const came = run.filter(({ mark }) => mark === "+")
  const shown = ({ mark, row }: Step): string => `${mark} ${rowAsJson(schema, row)}`
  if (missing.length !== came.length) return [...missing, ...came].map(shown)
  return missing.flatMap((each, index) => {
    const other = came[index]!
    return [shown(each), shown(other), `    ${differentColumns(schema, each.row, other.row)}`]
  })
}

function differentColumns({ fields }: Schema, expected: PlainRow, came: PlainRow): string {
  const different = fields.filter(({ name }) => !isSame(expected[name], came[name]))
  const texts = different.map(({ name, type }) => {
    const [is, not] = [type.toJson(came[name]), type.toJson(expected[name])]
    return is === not
      ? `${name} is ${shownValue(came[name])}, not ${shownValue(expected[name])}, which are written alike`
      : `${name} is ${is}, not ${not}`
  })
  return texts.join("; ")
}

/** The shortest way from the expected rows to those that came (a longest common subsequence). */
function stepsBetween(actual: readonly PlainRow[], expected: readonly PlainRow[]): Step[] {
  let head = 0
  while (head < actual.length && head < expected.length && isSame(actual[head], expected[head])) head++
  let tail = 0
  const rest = Math.min(actual.length, expected.length) - head
  while (tail < rest && isSame(actual.at(-1 - tail), expected.at(-1 - tail))) tail++
  const same = (rows: readonly PlainRow[]): Step[] => rows.map((row) => ({ mark: " ", row }))
  const came = actual.slice(head, actual.length - tail)
  const missing = expected.slice(head, expected.length - tail)
  return [...same(actual.slice(0, head)), ...middleSteps(came, missing), ...same(actual.slice(actual.length - tail))]
}

function middleSteps(came: readonly PlainRow[], missing: readonly PlainRow[]): Step[] {
  const steps: Step[] = []
  let [at, from] = [0, 0]
  if (came.length * missing.length <= PAIRS_MAX) {
    const lengths = commonLengths(came, missing)
    while (at < came.length && from < missing.length) {
      if (isSame(came[at], missing[from])) {
        steps.push({ mark: " ", row: came[at]! })
        at++
        from++
      } else if (lengths[at]![from + 1]! >= lengths[at + 1]![from]!) steps.push({ mark: "-", row: missing[from++]! })
      else steps.push({ mark: "+", row: came[at++]! })
    }
  }
  for (const row of missing.slice(from)) steps.push({ mark: "-", row })
  for (const row of came.slice(at)) steps.push({ mark: "+", row })
  return steps
}

/** How many rows at most agree, in order, of those from one place and from another on. */
function commonLengths(came: readonly PlainRow[], missing: readonly PlainRow[]): Uint32Array[] {
  const lengths = Array.from({ length: came.length + 1 }, () => new Uint32Array(missing.length + 1))
  for (let at = came.length - 1; at >= 0; at--) {
    for (let from = missing.length - 1; from >= 0; from--) {
      lengths[at]![from] = isSame(came[at], missing[from])
        ? lengths[at + 1]![from + 1]! + 1
        : Math.max(lengths[at + 1]![from]!, lengths[at]![from + 1]!)
    }
  }
  return lengths
}
