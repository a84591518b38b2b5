/** Random CSV and JSON lines: mostly right, spelled in many ways, and then broken here and there. */
import type { Prng } from "../src/base/prng.ts"
import { Schema, type Field } from "../src/batch/schema.ts"
import type { ColumnType } from "../src/batch/type.ts"
import { randomSchema, randomValue } from "./random-values.ts"

const encoder = new TextEncoder()

/** What breaks documents: bytes that mean something, and such as are not UTF-8. */
const BREAKING = [
  ...'\n\r",:{}[]\\0-.eE/tu \t\0;|n',
  "\ufeff",
  "é",
  "😀",
  "\\ud800",
  "\\u00e9",
  "null",
  '"a":1',
  "\r\n",
  '""',
]
const INVALID_UTF8 = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0x80], [0xf5, 0x80, 0x80, 0x80]]

/** A schema whose fields have defaults and other names in the input, now and then. */
export function randomInputSchema(prng: Prng): Schema {
  const fields = randomSchema(prng).fields.map(({ name, type }) => ({ name, type: randomReading(prng, type) }))
  const sources = fields.map(({ name, type }) => type.sourceName ?? name)
  return new Set(sources).size === sources.length ? new Schema(fields) : randomInputSchema(prng)
}

function randomReading(prng: Prng, type: ColumnType): ColumnType {
  const named = prng.chance(0.2) ? type.from(prng.pick(["source", "x,y", "ü", "a"])) : type
  return prng.chance(0.2) ? named.default(randomValue(prng, type)) : named
}

/** Lines of JSON for a schema. */
export function randomJsonLines(prng: Prng, schema: Schema): string {
  const keepsOrder = prng.chance(0.5)
  let text = prng.chance(0.1) ? "\ufeff" : ""
  for (let lines = prng.below(6); lines > 0; lines--) {
    if (prng.chance(0.05)) text += prng.pick(["", " ", "\t \r", "[]", "1", "null", '"x"', "{}"])
    else text += randomObject(prng, schema.fields, keepsOrder, 3)
    text += prng.pick(["\n", "\n", "\n", "\r\n", " \n"])
  }
  return prng.chance(0.3) ? text.slice(0, -1) : text
}

function randomObject(prng: Prng, fields: readonly Field[], keepsOrder: boolean, depth: number): string {
  const space = () => (prng.chance(0.05) ? prng.pick([" ", "\t", "\r", "  "]) : "")
  const members = fields.flatMap(({ name, type }) => {
    if (prng.chance(0.05)) return []
    const key = randomString(prng, type.sourceName ?? name)
    const count = prng.chance(0.03) ? 2 : 1
    return Array.from(
      { length: count },
      () => `${space()}${key}${space()}:${space()}${randomMember(prng, type, depth)}${space()}`,
    )
  })
  while (prng.chance(0.2))
    members.push(`"${prng.pick(["x", "y1", "é", "other", "x".repeat(70)])}":${randomJson(prng, depth)}`)
  return `${space()}{${(keepsOrder ? members : prng.shuffle(members)).join(",") || space()}}`
}

function randomMember(prng: Prng, type: ColumnType, depth: number): string {
  if (prng.chance(0.06)) return randomJson(prng, depth)
  const { fields } = type.definition
  const value = randomValue(prng, type)
  if (fields !== undefined && value !== null) return randomObject(prng, fields, prng.chance(0.7), depth - 1)
  if (typeof value === "string") return randomString(prng, value)
  if (typeof value === "bigint" && prng.chance(0.5)) return String(value)
  if (typeof value === "number" && Number.isInteger(value) && prng.chance(0.1))
    return `${value}${prng.pick([".0", "e0", "E+0"])}`
  return type.toJson(value)
}

/** A string token: some characters escaped that need not be. */
function randomString(prng: Prng, text: string): string {
  if (prng.chance(0.9)) return JSON.stringify(text)
  const units = text.split("").map((unit) => {
    if (prng.chance(0.5)) return JSON.stringify(unit).slice(1, -1)
    return unit === "/" ? "\\/" : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  })
  return `"${units.join("")}"`
}

function randomJson(prng: Prng, depth: number): string {
  if (depth > 0 && prng.chance(0.3)) {
    const members = Array.from({ length: prng.below(3) }, () => randomJson(prng, depth - 1))
    return prng.chance(0.5)
      ? `[${members.join(", ")}]`
      : `{${members.map((member, index) => `"${index}": ${member}`).join()}}`
  }
  if (prng.chance(0.02)) {
    const levels = 60 + prng.below(8)
    return prng.chance(0.5) ? "[".repeat(levels) + "]".repeat(levels) : '{"":'.repeat(levels) + "0" + "}".repeat(levels)
  }
  return prng.pick([
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1.5e3",
    "01",
    "1.",
    "-",
    '"a"',
    '"\\ud83d\\ude00"',
    '"\\ud800"',
    "{}",
    "[]",
    "12345678901234567890",
    "1e400",
  ])
}

/** How a CSV document is spelled. */
export interface CsvSpelling {
  readonly delimiter: string
  readonly quote: string
}

/** A document of CSV for a schema: a header where `hasHeader`, perhaps with columns that the schema lacks. */
export function randomCsv(prng: Prng, schema: Schema, hasHeader: boolean, spelling: CsvSpelling): string {
  const lineEnd = prng.pick(["\n", "\n", "\r\n"])
  const columns = schema.fields.map(({ name, type }) => ({
    name: type.sourceName ?? name,
    type: type as ColumnType | undefined,
  }))
  const all =
    hasHeader && prng.chance(0.4) ? prng.shuffle([...columns, { name: "not in the schema", type: undefined }]) : columns
  const quotesAll = prng.chance(0.2)
  let text = prng.chance(0.1) ? "\ufeff" : ""
  if (hasHeader)
    text += all.map(({ name }) => csvField(prng, name, quotesAll, spelling)).join(spelling.delimiter) + lineEnd
  for (let records = prng.below(6); records > 0; records--) {
    if (prng.chance(0.05)) text += lineEnd
    const fields = all.map(({ type }) => csvField(prng, randomField(prng, type), quotesAll, spelling))
    if (prng.chance(0.03)) fields.push("1")
    text += fields.join(spelling.delimiter) + (prng.chance(0.02) ? "\r\n" : lineEnd)
  }
  return prng.chance(0.3) ? text.slice(0, -1) : text
}

function randomField(prng: Prng, type: ColumnType | undefined): string {
  if (type === undefined || prng.chance(0.06)) {
    return prng.pick([
      "",
      "x",
      "true",
      "TRUE",
      "0",
      "007",
      "+1",
      "1e5",
      ".5",
      "NaN",
      "2024-02-30",
      " 1",
      "a\nb",
      "a\rb",
      'say "x"',
      "é",
    ])
  }
  const value = randomValue(prng, type)
  return value === null ? "" : type.toText(value)
}

function csvField(prng: Prng, text: string, isQuoted: boolean, { delimiter, quote }: CsvSpelling): string {
  const mustQuote = [delimiter, quote, "\n", "\r"].some((special) => text.includes(special))
  if (!isQuoted && !mustQuote && prng.chance(0.97)) return text
  return quote + text.replaceAll(quote, quote + quote) + quote
}

/** The document as bytes, with a few of them broken. */
export function broken(prng: Prng, document: string): Uint8Array {
  let bytes = encoder.encode(document)
  if (prng.chance(0.4)) return bytes
  for (let times = 1 + prng.below(3); times > 0; times--) {
    const at = prng.below(bytes.length + 1)
    const cut = prng.chance(0.5) ? prng.below(3) : 0
    const inserted = prng.chance(0.2)
      ? Uint8Array.from(prng.pick(INVALID_UTF8))
      : prng.chance(0.2)
        ? bytes.slice(prng.below(bytes.length + 1)).slice(0, prng.below(20))
        : prng.chance(0.7)
          ? encoder.encode(prng.pick(BREAKING))
          : new Uint8Array(0)
    const next = new Uint8Array(at + inserted.length + Math.max(0, bytes.length - at - cut))
    next.set(bytes.subarray(0, at))
    next.set(inserted, at)
    next.set(bytes.subarray(Math.min(bytes.length, at + cut)), at + inserted.length)
    bytes = next
  }
  return bytes
}
