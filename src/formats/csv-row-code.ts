/**
 * The JavaScript that reads the fields of a CSV record in the file's order, each as its type asks: one function for a
 * few columns at a time, generated once for each layout.
 *
 * A loop over columns that switches on how each is read takes a third longer. Nothing of the user's stands in the code
 * but the numbers of the delimiter and the quote.
 *
 * Invariant:
 * - CC1 What the code takes, `CsvFieldReader.read` takes with the same value for every column; what it does not take, it
 *   hands to it.
 */
import { FOLD_PRIME, FOLD_SEED } from "../batch/dictionary.ts"
import { scanDouble, scanInt32, scanInt53 } from "../batch/types/decimal-bytes.ts"
import type { CsvFieldReader } from "./csv-field.ts"
import { WITHIN_NUMBERS, type CsvSyntax } from "./csv-record.ts"
import { BOOL, DOUBLE, INT32, NUMBER, OTHER, SKIPPED, SYMBOL, TEXT, WHOLE, type FieldReader } from "./field-reader.ts"
import { FALSE, isLiteral, TRUE } from "./literal.ts"
import { isValidUtf8 } from "./utf8.ts"

/**
 * Reads some neighbouring columns of the record, the first of which starts at `start`, into row `row`. Gives where the
 * next column starts, or for the last ones where the record's LF stands; -1 where it does not know.
 */
export type ReadColumns = (bytes: Uint8Array, start: number, to: number, row: number) => number

type MakeReadColumns = (fields: CsvFieldReader, readers: readonly (FieldReader | undefined)[]) => ReadColumns

/** V8 does not optimise functions without bound: a part of more columns is another function. */
const COLUMNS_PER_FUNCTION = 16

const [LF, CR] = [10, 13] as const

const TOOLS = { scanDouble, scanInt32, scanInt53, isValidUtf8, isLiteral, TRUE, FALSE }

/** The functions made so far, by their code: files of one layout share one, and so does the machine code of it. */
const made = new Map<string, MakeReadColumns>()
const MADE_MAX = 256

/** Reads records whose columns have these readers, in parts; a column that is skipped has none. */
export function columnsReaders(
  readers: readonly (FieldReader | undefined)[],
  fields: CsvFieldReader,
  syntax: CsvSyntax,
): readonly ReadColumns[] {
  const parts: ReadColumns[] = []
  for (let first = 0; first < readers.length; first += COLUMNS_PER_FUNCTION) {
    const part = readers.slice(first, first + COLUMNS_PER_FUNCTION)
    const code = columnsCode(part, first + part.length === readers.length, syntax)
    parts.push(make(code)(fields, part))
  }
  return parts
}

function make(code: string): MakeReadColumns {
  const known = made.get(code)
  if (known !== undefined) return known
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- It is our own code, made of numbers and these templates.
  const makeWithTools = new Function("tools", code) as (tools: typeof TOOLS) => MakeReadColumns
  if (made.size === MADE_MAX) made.clear()
  const maker = makeWithTools(TOOLS)
  made.set(code, maker)
  return maker
}

function columnsCode(readers: readonly (FieldReader | undefined)[], hasLast: boolean, syntax: CsvSyntax): string {
  const isPlain = !WITHIN_NUMBERS.test(String.fromCharCode(syntax.delimiter, syntax.quote))
  const columns = readers.map((reader, index) => {
    const how = reader === undefined ? SKIPPED : isPlain || reader.how === TEXT ? reader.how : OTHER
    return columnCode(how, `reader${index}`, hasLast && index === readers.length - 1, syntax)
  })
  return `
    const { ${Object.keys(TOOLS).join(", ")} } = tools
    return (fields, [${readers.map((_, index) => `reader${index}`).join(", ")}]) => (bytes, start, to, row) => {
      let at = start, begin = 0, high = 0, fold = 0, code = 0, isTrue = false, isRead = false
      ${columns.join("\n")}
      return ${hasLast ? `bytes[at] === ${CR} ? at + 1 : at` : "at"}
    }`
}

function columnCode(how: number, reader: string, isLast: boolean, { delimiter, quote }: CsvSyntax): string {
  const isEnd = isLast
    ? `(bytes[at] === ${LF} || (bytes[at] === ${CR} && at + 1 < to && bytes[at + 1] === ${LF}))`
    : `bytes[at] === ${delimiter}`
  const toEnd = `
    high = 0
    fold = ${FOLD_SEED}
    for (; at < to; at++) {
      const byte = bytes[at]
      if (byte <= ${Math.max(delimiter, quote, CR)} &&
        (byte === ${delimiter} || byte === ${LF} || byte === ${CR} || byte === ${quote})) break
      high |= byte
      fold = Math.imul(fold ^ byte, ${FOLD_PRIME})
    }`
  const { scan, isRead, store } = codeOf(how, reader, toEnd, isEnd)
  return `
    begin = at
    ${scan}
    if (${isRead} && at < to && ${isEnd}) {
      ${store}
    } else {
      at = fields.read(bytes, begin, to, row, ${reader}, ${isLast})
      if (at < 0) return -1
    }
    ${isLast ? "" : "at++"}`
}

/** How to find the end of a field, whether it was read, and how to store it. `toEnd` looks for the end of any text. */
function codeOf(how: number, reader: string, toEnd: string, isEnd: string) {
  switch (how) {
    case SKIPPED:
      return { scan: toEnd, isRead: "(high < 128 || isValidUtf8(bytes, begin, at))", store: "" }
    case TEXT:
      return {
        scan: toEnd,
        isRead: "at > begin && (high < 128 || isValidUtf8(bytes, begin, at))",
        store: `${reader}.words[row] = ${reader}.dictionary.codeOfHashedBytes(bytes, begin, at, fold)`,
      }
    case SYMBOL:
      return {
        scan: `${toEnd}\ncode = at > begin ? ${reader}.dictionary.findBytes(bytes, begin, at) : -1`,
        isRead: "code >= 0",
        store: `${reader}.words[row] = code`,
      }
    case DOUBLE:
      return scanned("scanDouble", reader)
    case WHOLE:
      return scanned("scanInt53", reader)
    case INT32:
      return scanned("scanInt32", reader)
    case NUMBER:
      // Neighbours often have the same length: only where this one has not, its end is looked for.
      return {
        scan: `
          at += ${reader}.lastLength
          isRead = at < to && ${isEnd} && ${reader}.store(bytes, begin, at, ${reader}.slots, row)
          if (!isRead) {
            at = begin
            ${toEnd}
            ${reader}.lastLength = at - begin
            isRead = ${reader}.store(bytes, begin, at, ${reader}.slots, row)
          }`,
        isRead: "isRead",
        store: "",
      }
    case BOOL:
      return {
        scan: "isTrue = isLiteral(bytes, at, to, TRUE)\nat += isTrue ? TRUE.length : FALSE.length",
        isRead: "(isTrue || isLiteral(bytes, begin, to, FALSE))",
        store: `${reader}.writeBit(row, isTrue)`,
      }
    default:
      return { scan: "", isRead: "false", store: "" }
  }
}

/** A number that stands as it is stored when its end is found. */
function scanned(scan: string, reader: string) {
  return { scan: `at = ${scan}(bytes, at, to, ${reader}.slots, row)`, isRead: "at >= 0", store: "" }
}
