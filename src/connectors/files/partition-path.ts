/**
 * Into which directory a row of a partitioned output goes: `country=DE/dt=2026-11-27`, a level for each part of `partitionBy`, as Hive and
 * those that read like it have it.
 *
 * A value is its text as in CSV, with `%` and two hexadecimal digits for what file systems or readers may take for something else; null and
 * the empty text are `__HIVE_DEFAULT_PARTITION__`. Of a value whose name would be too long for a file system its beginning stands, and
 * a checksum of it all.
 */
import { assert } from "../../base/assert.ts"
import { crc32c } from "../../base/crc32c.ts"
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { Batch } from "../../batch/batch.ts"
import { readValue } from "../../batch/column.ts"
import type { Schema } from "../../batch/schema.ts"
import { daysFromCivil } from "../../time/civil.ts"
import { toDate, type Timestamp } from "../../time/timestamp.ts"

/**
 * The length of the periods by which an output is partitioned, in UTC.
 *
 * @example
 * ```ts
 * import type { PartitionPeriod } from "tidemark/files"
 *
 * const periods: PartitionPeriod[] = ["year", "month", "day", "hour"]
 * ```
 */
export type PartitionPeriod = "year" | "month" | "day" | "hour"

/**
 * A level of the directories of a partitioned output: see `FileOptions.partitionBy`.
 *
 * @example
 * ```ts
 * import { jsonl, type PartitionLevel } from "tidemark/files"
 *
 * const day: PartitionLevel = { column: "windowStart", by: "day", as: "dt" }
 * const hourly = jsonl("out/hourly", { partitionBy: ["country", day] })
 * ```
 */
export interface PartitionLevel {
  /** A column of the output. */
  readonly column: string
  /** Of a timestamp or a date: by which period, `2026`, `2026-11`, `2026-11-27` or `2026-11-27-13`. */
  readonly by?: PartitionPeriod
  /** What stands before the `=`. The column's name unless given. */
  readonly as?: string
}

/** How an output is partitioned, with every default filled in. */
export interface Partitioning {
  readonly levels: readonly PartitionLevel[]
  /** How far behind the end of a directory's period the watermark must be for its marker: µs. */
  readonly successAfterMicros: number
}

/** A directory of a partitioned output. */
export interface PartitionPath {
  /** Relative to the target directory. */
  readonly path: string
  /** Where its shortest period ends, in µs since 1970; `Infinity` where it has none. */
  readonly endMicros: number
}

const PERIODS: readonly unknown[] = ["year", "month", "day", "hour"]

/** How much of an ISO date and time names a period: characters. */
const PERIOD_CHARACTERS: Readonly<Record<PartitionPeriod, number>> = { year: 4, month: 7, day: 10, hour: 13 }

const HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"

/** Longer names are cut: bytes. File systems take 255. */
const NAME_BYTES_MAX = 200

/** So many paths are remembered. */
const REMEMBERED_MAX = 4096

const KINDS_REFUSED: readonly string[] = ["float64", "float32", "list", "object", "json", "binary"]

const DAY_MICROS = 86_400_000_000
const HOUR_MICROS = 3_600_000_000

/** Checks the option `partitionBy`. */
export function checkPartitionBy(call: string, given: unknown): readonly PartitionLevel[] {
  const levels = (Array.isArray(given) ? given : [given]).map((level: unknown) => checkLevel(call, level))
  const names = levels.map(({ column, as = column }) => as)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice === undefined && levels.length > 0) return levels
  const problem = levels.length === 0 ? "names no column" : `has two levels named ${JSON.stringify(twice)}`
  throw new TidemarkError("invalid-options", `${call}: partitionBy ${problem}.`, {
    hint: 'Give a column, or several, such as ["country", { column: "windowStart", by: "day", as: "dt" }].',
  })
}

function checkLevel(call: string, given: unknown): PartitionLevel {
  if (typeof given === "string") return { column: given }
  const where = `${call}: partitionBy`
  const { column, by, as } = checkOptions(where, given, ["column", "by", "as"])
  if (typeof column !== "string") {
    throw new TidemarkError("invalid-options", `${where} names the column ${shownValue(column)}.`, {
      hint: "Give a column of the output.",
    })
  }
  if (by !== undefined && !PERIODS.includes(by)) {
    throw new TidemarkError("invalid-options", `${where}: by is ${shownValue(by)}.`, {
      hint: 'Give "year", "month", "day" or "hour".',
    })
  }
  if (as !== undefined && (typeof as !== "string" || !/^\w{1,64}$/.test(as))) {
    throw new TidemarkError("invalid-options", `${where}: as is ${shownValue(as)}.`, {
      hint: "Give a name of letters, digits and underscores.",
    })
  }
  return { column, ...(by === undefined ? {} : { by: by as PartitionPeriod }), ...(as === undefined ? {} : { as }) }
}

/** A level, and where its column is. */
interface BoundLevel {
  readonly index: number
  readonly name: string
  readonly by: PartitionPeriod | undefined
  readonly toText: (value: unknown) => string
  readonly isDate: boolean
}

/** Finds the directories of rows. */
export class PartitionPaths {
  readonly #levels: readonly BoundLevel[]
  readonly #known = new Map<string, PartitionPath>()

  /** @throws TidemarkError `invalid-options` where the schema of the output does not have what the levels name. */
  constructor(levels: readonly PartitionLevel[], schema: Schema, output: string) {
    this.#levels = levels.map((level) => bindLevel(level, schema, output))
  }

  /** The directory of a row. */
  of({ columns }: Batch, row: number): PartitionPath {
    const values = this.#levels.map(({ index }) => readValue(columns[index]!, row))
    const key = values.map((value, at) => `${keyOf(this.#levels[at]!, value)}`).join("\n")
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear()
    const found = this.#find(values)
    this.#known.set(key, found)
    return found
  }

  #find(values: readonly unknown[]): PartitionPath {
    let endMicros = Infinity
    const names = this.#levels.map((level, at) => {
      const value = values[at]
      if (level.by === undefined || value === null) {
        return nameOf(level.name, value === null ? "" : level.toText(value))
      }
      const micros = level.isDate ? (value as number) * DAY_MICROS : (value as number)
      const { text, end } = periodOf(micros, level.by)
      endMicros = Math.min(endMicros, end)
      return nameOf(level.name, text)
    })
    return { path: names.join("/"), endMicros }
  }
}

/** @throws TidemarkError `invalid-options` where the schema of the output does not have what the level names. */
export function bindLevel({ column, by, as = column }: PartitionLevel, schema: Schema, output: string): BoundLevel {
  const index = schema.fields.findIndex(({ name }) => name === column)
  const refuse = (problem: string, hint: string) =>
    new TidemarkError("invalid-options", `The output ${output} cannot be partitioned by ${column}: ${problem}.`, {
      hint,
    })
  if (index === -1) {
    const names = schema.fields.map(({ name }) => name).join(", ")
    throw refuse("it has no such column", `Its columns are ${names}.`)
  }
  const { definition, label } = schema.fields[index]!.type
  const { kind } = definition
  const isTime = kind === "timestamp" || kind === "date"
  if (KINDS_REFUSED.includes(kind)) throw refuse(`it is of the type ${label}`, "Derive a column of text from it.")
  if (kind === "timestamp" && by === undefined) {
    throw refuse("it is a point in time", `Say by which period: { column: ${JSON.stringify(column)}, by: "day" }.`)
  }
  if (by !== undefined && !isTime) throw refuse(`it is of the type ${label}, and has no ${by}`, "Leave `by` out.")
  if (by === "hour" && kind === "date") throw refuse("a date has no hours", 'Give "day", "month" or "year".')
  return { index, name: as, by, toText: (value) => definition.toText(value), isDate: kind === "date" }
}

/** What tells values apart that have different directories. */
function keyOf({ by, isDate, toText }: BoundLevel, value: unknown): string {
  if (value === null) return "null"
  if (by === undefined || isDate) return `=${typeof value === "string" ? JSON.stringify(value) : toText(value)}`
  return `${Math.floor((value as number) / HOUR_MICROS)}`
}

/** The name of the period that a time lies in, and where that ends. */
function periodOf(micros: number, by: PartitionPeriod): { readonly text: string; readonly end: number } {
  const hour = Math.floor(micros / HOUR_MICROS)
  const iso = toDate((hour * HOUR_MICROS) as Timestamp).toISOString()
  const year = iso.slice(0, iso.indexOf("-", 1))
  const text = `${year}${iso.slice(year.length, year.length - 4 + PERIOD_CHARACTERS[by])}`.replace("T", "-")
  if (by === "hour") return { text, end: (hour + 1) * HOUR_MICROS }
  if (by === "day") return { text, end: (Math.floor(hour / 24) + 1) * DAY_MICROS }
  const [yearNumber, month] = [Number(year), Number(iso.slice(year.length + 1, year.length + 3))]
  const isLast = by === "year" || month === 12
  const days = isLast ? daysFromCivil(yearNumber + 1, 1, 1) : daysFromCivil(yearNumber, month + 1, 1)
  return { text, end: days * DAY_MICROS }
}

/** The name of a directory. */
function nameOf(name: string, text: string): string {
  const value = text === "" ? HIVE_NULL : escaped(text)
  const whole = `${escaped(name)}=${value}`
  if (whole.length <= NAME_BYTES_MAX) return whole
  const checksum = crc32c(new TextEncoder().encode(text)).toString(16).padStart(8, "0")
  // An escape is not cut in two.
  const beginning = whole.slice(0, NAME_BYTES_MAX - 9).replace(/%[0-9A-F]?$/, "")
  assert(beginning.includes("="), "a level's name is short")
  return `${beginning}~${checksum}`
}

/** A text as part of a file's name: ASCII only, and none of what Hive escapes. */
function escaped(text: string): string {
  return [...new TextEncoder().encode(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte)
      return /[\w .,;!@$&()+<>|~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
    })
    .join("")
}
