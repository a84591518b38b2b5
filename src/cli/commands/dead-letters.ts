/** `tidemark dead-letters list|replay DIR`: looks at dead letters, and makes files of their records to read again. */
import { resolve } from "node:path"
import picocolors from "picocolors"
import { counted, grouped } from "../../base/counted.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { DeadLetter } from "../../runtime/dead-letters.ts"
import { groupLetters, type LetterGroup } from "../dead-letters/letter-groups.ts"
import { headerOf } from "../dead-letters/original-record.ts"
import { lettersDirectory, readLetters, type LetterFilter } from "../dead-letters/read-letters.ts"
import { replay, replayText } from "../dead-letters/replay.ts"
import { EXIT } from "../exit-codes.ts"
import { printable } from "../printable.ts"
import { errorText } from "../report.ts"

/** The options of `tidemark dead-letters list`, as the command line gives them. */
export interface ListLettersOptions extends LetterFilter {
  readonly json?: boolean
}

/** The options of `tidemark dead-letters replay`, as the command line gives them. */
export interface ReplayLettersOptions extends LetterFilter {
  readonly into: string
  readonly base?: string
  /** `false`: `--no-header`. */
  readonly header?: boolean
  readonly dryRun?: boolean
}

/** Runs `list`; gives the exit code. */
export async function listLettersCommand(path: string, options: ListLettersOptions): Promise<number> {
  return await telling(async () => {
    const directory = await lettersDirectory(path)
    const letters = await readLetters(directory, options)
    const groups = groupLetters(letters)
    if (options.json === true) {
      for (const group of groups) process.stdout.write(`${JSON.stringify(group)}\n`)
      return
    }
    const lines = [`${counted(letters.length, "dead letter")} in ${directory}`, ...groups.flatMap(groupLines)]
    process.stdout.write(`${lines.join("\n")}\n`)
  })
}

/** Runs `replay`; gives the exit code. */
export async function replayLettersCommand(path: string, options: ReplayLettersOptions): Promise<number> {
  return await telling(async () => {
    const directory = await lettersDirectory(path)
    const letters = await readLetters(directory, options)
    refuseSeveralInputs(letters)
    const into = resolve(options.into)
    const base = resolve(options.base ?? ".")
    const isDryRun = options.dryRun === true
    const header =
      /\.(csv|tsv)$/i.test(into) && options.header !== false ? await commonHeader(letters, base) : undefined
    const result = await replay({ directory, letters, into, base, header, isDryRun })
    process.stdout.write(
      `${replayText(result, options.into, isDryRun)
        .map((line) => printable(line))
        .join("\n")}\n`,
    )
  })
}

async function telling(work: () => Promise<void>): Promise<number> {
  try {
    await work()
    return EXIT.finished
  } catch (error) {
    process.stderr.write(errorText(error))
    const isUsage = error instanceof TidemarkError && ["state-missing", "invalid-options"].includes(error.code)
    return isUsage ? EXIT.usage : EXIT.failed
  }
}

function groupLines({ input, operator, field, reason, count, first, last }: LetterGroup): string[] {
  const { bold, dim, yellow } = picocolors
  const where = [
    operator === null ? "records that could not be read" : `rows that ${operator} failed at`,
    ...(input === null ? [] : [`input ${input}`]),
    ...(field === null ? [] : [`field ${field}`]),
  ]
  return [
    "",
    `${bold(grouped(count).padStart(10))}  ${where.join(", ")}`,
    `${" ".repeat(12)}${yellow(printable(reason))}`,
    `${" ".repeat(12)}${dim(printable(count === 1 ? placeOf(first) : `first ${placeOf(first)}, last ${placeOf(last)}`))}`,
    `${" ".repeat(12)}${dim(printable(first.raw.slice(0, 100)))}`,
  ]
}

function placeOf({ partition, record }: DeadLetter): string {
  return partition === null ? "a row that the job made" : `${partition}:${record}`
}

/** Records of several inputs have several shapes: a file is read by one input. */
function refuseSeveralInputs(letters: readonly DeadLetter[]): void {
  const inputs = [...new Set(letters.flatMap(({ input }) => (input === null ? [] : [input])))]
  if (inputs.length < 2) return
  throw new TidemarkError("invalid-options", `The letters are of several inputs: ${inputs.join(", ")}.`, {
    hint: "Replay those of one after the other, each into a file of its own: --input NAME.",
  })
}

/** The first line of all files that the letters are of. */
async function commonHeader(letters: readonly DeadLetter[], base: string): Promise<Buffer | undefined> {
  const partitions = [...new Set(letters.flatMap(({ partition }) => (partition === null ? [] : [partition])))]
  let common: Buffer | undefined
  for (const partition of partitions) {
    const header = await headerOf(partition, base)
    const isSame = header !== undefined && (common === undefined || common.equals(header))
    if (!isSame) {
      const problem = header === undefined ? "cannot be read" : "is another than that of the others"
      throw new TidemarkError("invalid-options", `The first line of ${partition} ${problem}.`, {
        hint: "Where the files have no header line, say --no-header; else replay them one by one: --partition PATH.",
      })
    }
    common = header
  }
  return common
}
