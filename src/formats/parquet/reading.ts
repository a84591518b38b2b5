/**
 * How the values of a file's column become those of a schema's column: what fits what, and the loops that convert.
 *
 * Nothing is guessed and nothing is lost: a whole number of 64 bits is no float64, a local time is no timestamp unless
 * the column names its zone. What fits by type and not by value (a number out of range) makes its record a bad one.
 */
import { readInt53, writeInt53 } from "../../batch/column.ts"
import { Invalid, type ColumnType, type Narrowing, type Slots } from "../../batch/type.ts"
import type { EpochUnit } from "../../time/epoch.ts"
import { OUTSIDE_SPANS } from "../../time/time-span.ts"
import { isValidUtf8, textOfUtf8 } from "../utf8.ts"
import { decimalOfBytes, decimalOfLong, float16 } from "./decimal.ts"
import type { Spans } from "./byte-values.ts"
import type { Faults } from "./faults.ts"
import type { FileColumn, Meaning } from "./file-column.ts"
import {
  demandNatural,
  demandSafe,
  demandSigned,
  localToUtc,
  longAt,
  nanosToMicros,
  thousandths,
  toMicros,
  type LongStep,
} from "./long-steps.ts"

/** Converts the first `count` values, which are words, to the first slots of a column. */
export type WordConversion = (words: Int32Array, count: number, slots: Slots, faults: Faults) => void
/** The same of values that are bytes. */
export type ByteConversion = (spans: Spans, count: number, slots: Slots, faults: Faults) => void

/** How a column is read. */
export type Reading =
  /** Bits that become bits. */
  | { readonly lane: "bits" }
  /** Text, or bytes, that become codes. */
  | { readonly lane: "text" }
  /** JSON text that becomes objects. */
  | { readonly lane: "objects" }
  /** Numbers of so many words; where they are direct they are read into the slots themselves. */
  | { readonly lane: "words"; readonly words: number; readonly isDirect: boolean; readonly convert: WordConversion }
  | { readonly lane: "bytes"; readonly convert: ByteConversion }

const UNIT_MICROS = { s: 1_000_000, ms: 1000, us: 1 } as const
const DAY_MICROS = 86_400_000_000
/** The Julian day of 1970-01-01. */
const EPOCH_DAY = 2_440_588

/** How many words a value of a physical type has; 0 where it is no number. */
const WORDS: Readonly<Record<FileColumn["physical"], number>> = {
  BOOLEAN: 0,
  INT32: 1,
  INT64: 2,
  INT96: 3,
  FLOAT: 1,
  DOUBLE: 2,
  BYTE_ARRAY: 0,
  FIXED_LEN_BYTE_ARRAY: 0,
}

/** How the column becomes one of the type, or `undefined` where it does not fit. */
export function readingOf(column: FileColumn, type: ColumnType): Reading | undefined {
  const { narrowing, isUnsigned, isSingle } = type.definition
  if (isUnsigned) return naturalReading(column, outsideOf(type))
  if (isSingle && !isExactSingle(column.meaning)) return undefined
  const reading = widerReading(column, type)
  if (isSingle) return reading
  return reading === undefined || narrowing === undefined ? reading : narrowed(reading, type, narrowing)
}

/** The same, where all values of the storage are of the type. */
function widerReading(column: FileColumn, type: ColumnType): Reading | undefined {
  const { meaning } = column
  const { storage, typeOf, instant, span, isDate, isAnyText, isBytes, packing, symbols } = type.definition
  switch (storage) {
    case "bit":
      return meaning.kind === "bool" ? { lane: "bits" } : undefined
    case "dictionary": {
      const isOfText = isAnyText === true || symbols !== undefined || packing === "json"
      const isFit = isBytes === true ? meaning.kind === "bytes" : isOfText && isTextOf(meaning)
      return isFit ? { lane: "text" } : undefined
    }
    case "struct":
      return isTextOf(meaning) ? { lane: "objects" } : undefined
    case "int32":
      if (isDate) return meaning.kind === "date" ? dateReading(type) : undefined
      return int32Reading(meaning, column, outsideOf(type))
    case "int64":
      if (span !== undefined && meaning.kind === "text") return spanTextReading(type)
      if (span !== undefined) return spanReading(meaning, column, span.unit)
      return instant === undefined
        ? longReading(meaning, column, typeOf === "bigint" ? [] : [demandSafe(outsideOf(type))], outsideOf(type))
        : timeReading(meaning, column, instant)
    case "float64":
      return doubleReading(meaning, column)
    default:
      return undefined
  }
}

/** Whether values may be text: bytes of which nothing is said are text where older writers meant it. */
function isTextOf(meaning: Meaning): boolean {
  return meaning.kind === "text" || (meaning.kind === "bytes" && meaning.isMaybeText)
}

/** What is said of any whole number out of the type's range. */
function outsideOf({ definition }: ColumnType): string {
  return definition.check(definition.typeOf === "bigint" ? 2n ** 64n : 2 ** 64) ?? "not of the type"
}

/** Whether every value is a single. */
function isExactSingle(meaning: Meaning): boolean {
  return meaning.kind === "float32" || meaning.kind === "float16" || (meaning.kind === "integer" && meaning.bits <= 16)
}

/** The same reading, and then a look at each value. */
function narrowed(reading: Reading, type: ColumnType, { admit }: Narrowing): Reading {
  const check = (count: number, slots: Slots, faults: Faults): void => {
    for (let index = 0; index < count; index++) {
      if (admit(slots, index)) continue
      const value = type.storage === "int64" ? readInt53(slots as Int32Array, index) : slots[index]!
      faults.note(index, `${value}, ${type.definition.check(value) ?? "not of the type"}`)
      if (type.storage === "int64") writeInt53(slots as Int32Array, index, 0)
      else slots[index] = 0
    }
  }
  if (reading.lane === "words") {
    const convert: WordConversion = (words, count, slots, faults) => {
      reading.convert(words, count, slots, faults)
      check(count, slots, faults)
    }
    return { ...reading, convert }
  }
  if (reading.lane !== "bytes") return reading
  const convert: ByteConversion = (spans, count, slots, faults) => {
    reading.convert(spans, count, slots, faults)
    check(count, slots, faults)
  }
  return { ...reading, convert }
}

/** Whole numbers as longs without a sign. */
function naturalReading({ meaning, physical }: FileColumn, outside: string): Reading | undefined {
  const number = wholeNumber(meaning)
  if (number === undefined || WORDS[physical] === 0) return undefined
  const steps = number.isSigned ? [demandNatural(outside)] : []
  return WORDS[physical] === 1 ? widened(number.isSigned, steps) : direct(steps)
}

/** Whole numbers, decimals without fraction among them, as what they are read as. */
function wholeNumber(meaning: Meaning): { readonly isSigned: boolean } | undefined {
  if (meaning.kind === "integer") return meaning
  return meaning.kind === "decimal" && meaning.scale === 0 ? { isSigned: true } : undefined
}

function int32Reading(meaning: Meaning, { physical }: FileColumn, outside: string): Reading | undefined {
  const number = wholeNumber(meaning)
  const words = WORDS[physical]
  if (number === undefined || words === 0) return undefined
  const { isSigned } = number
  const refuse = (slots: Slots, index: number, value: bigint, faults: Faults): void => {
    faults.note(index, `${value}, ${outside}`)
    slots[index] = 0
  }
  if (words === 1) {
    const convert: WordConversion = (numbers, count, slots, faults) => {
      if (isSigned) return
      for (let index = 0; index < count; index++) {
        if (numbers[index]! < 0) refuse(slots, index, BigInt(numbers[index]! >>> 0), faults)
      }
    }
    return { lane: "words", words, isDirect: true, convert }
  }
  const convert: WordConversion = (halves, count, slots, faults) => {
    for (let index = 0; index < count; index++) {
      const low = halves[2 * index]!
      const high = halves[2 * index + 1]!
      if (isSigned ? high === low >> 31 : high === 0 && low >= 0) slots[index] = low
      else {
        const value = longAt(halves, index)
        refuse(slots, index, isSigned ? value : BigInt.asUintN(64, value), faults)
      }
    }
  }
  return { lane: "words", words, isDirect: false, convert }
}

/** Whole numbers as longs, through some steps. */
function longReading(
  meaning: Meaning,
  { physical }: FileColumn,
  steps: readonly LongStep[],
  outside: string,
): Reading | undefined {
  const number = wholeNumber(meaning)
  const words = WORDS[physical]
  if (number === undefined || words === 0) return undefined
  if (words === 1) return widened(number.isSigned, steps)
  return direct(number.isSigned ? steps : [demandSigned(outside), ...steps])
}

function direct(steps: readonly LongStep[]): Reading {
  const convert: WordConversion = (halves, count, _, faults) => {
    for (const step of steps) step(halves, count, faults)
  }
  return { lane: "words", words: 2, isDirect: true, convert }
}

function widened(isSigned: boolean, steps: readonly LongStep[]): Reading {
  const convert: WordConversion = (numbers, count, slots, faults) => {
    const halves = slots as Int32Array
    for (let index = 0; index < count; index++) {
      halves[2 * index] = numbers[index]!
      halves[2 * index + 1] = isSigned ? numbers[index]! >> 31 : 0
    }
    for (const step of steps) step(halves, count, faults)
  }
  return { lane: "words", words: 1, isDirect: false, convert }
}

/** Days since 1970-01-01 as they are, within the range of dates. */
function dateReading({ definition }: ColumnType): Reading {
  const convert: WordConversion = (_, count, slots, faults) => {
    for (let index = 0; index < count; index++) {
      const days = slots[index]!
      const problem = definition.check(days)
      if (problem === undefined) continue
      faults.note(index, `the day ${days} since 1970-01-01, ${problem}`)
      slots[index] = 0
    }
  }
  return { lane: "words", words: 1, isDirect: true, convert }
}

/** Lengths of time, and bare numbers where the column says what they count. */
function spanReading(meaning: Meaning, column: FileColumn, unit: EpochUnit | undefined): Reading | undefined {
  if (meaning.kind === "duration") return direct(unitSteps(meaning.unit, OUTSIDE_SPANS))
  if (meaning.kind !== "integer" || unit === undefined) return undefined
  return longReading(meaning, column, unitSteps(unit, OUTSIDE_SPANS), OUTSIDE_SPANS)
}

/** Lengths of time as their column writes them in text: as Parquet has none, that is how they stand there. */
function spanTextReading({ definition }: ColumnType): Reading {
  const convert: ByteConversion = ({ bytes, starts, ends }, count, slots, faults) => {
    for (let index = 0; index < count; index++) {
      const [start, end] = [starts[index]!, ends[index]!]
      const isText = isValidUtf8(bytes, start, end)
      const span = isText ? definition.fromText(textOfUtf8(bytes, start, end)) : new Invalid("not valid UTF-8")
      writeInt53(slots as Int32Array, index, span instanceof Invalid ? 0 : (span as number))
      if (span instanceof Invalid) faults.note(index, span.reason)
    }
  }
  return { lane: "bytes", convert }
}

const OUTSIDE_TIMESTAMP = "outside the range of timestamp"

type Instant = NonNullable<ColumnType["definition"]["instant"]>

/** Times, dates (their midnight), and bare numbers where the column says what they count. */
function timeReading(meaning: Meaning, column: FileColumn, { zone, unit }: Instant): Reading | undefined {
  const isSafe = demandSafe(OUTSIDE_TIMESTAMP)
  if (meaning.kind === "integer" && unit !== undefined) {
    return longReading(meaning, column, unitSteps(unit), OUTSIDE_TIMESTAMP)
  }
  if (meaning.kind === "timestamp" && meaning.unit === "int96") {
    return { lane: "words", words: 3, isDirect: false, convert: int96ToMicros }
  }
  const isLocal = meaning.kind === "date" || (meaning.kind === "timestamp" && !meaning.isUtc)
  if (isLocal && zone === undefined) return undefined
  const zoneSteps = isLocal && zone!.name !== "UTC" ? [localToUtc(zone!)] : []
  if (meaning.kind === "date") return widened(true, [toMicros(DAY_MICROS), ...zoneSteps])
  if (meaning.kind !== "timestamp") return undefined
  const steps = meaning.unit === "int96" ? [isSafe] : unitSteps(meaning.unit)
  return direct([...steps, ...zoneSteps])
}

function unitSteps(unit: EpochUnit, outside = OUTSIDE_TIMESTAMP): LongStep[] {
  if (unit === "ns") return [nanosToMicros, demandSafe(outside)]
  return unit === "us" ? [demandSafe(outside)] : [toMicros(UNIT_MICROS[unit], `a time ${outside}`)]
}

/** INT96: nanoseconds within a day in eight bytes, then the Julian day. */
function int96ToMicros(words: Int32Array, count: number, slots: Slots, faults: Faults): void {
  const halves = slots as Int32Array
  for (let index = 0; index < count; index++) {
    const day = words[3 * index + 2]! - EPOCH_DAY
    const micros = day * DAY_MICROS + thousandths(words[3 * index]!, words[3 * index + 1]!)
    const isTime = Number.isSafeInteger(micros)
    writeInt53(halves, index, isTime ? micros : 0)
    if (!isTime) faults.note(index, "a time outside the range of timestamp")
  }
}

function doubleReading(meaning: Meaning, column: FileColumn): Reading | undefined {
  const words = WORDS[column.physical]
  switch (meaning.kind) {
    case "float64":
      return { lane: "words", words: 2, isDirect: true, convert: oneNaN }
    case "float32":
      return { lane: "words", words: 1, isDirect: false, convert: floatsToDoubles }
    case "float16":
      return {
        lane: "bytes",
        convert: ({ bytes, starts }, count, slots) => {
          for (let index = 0; index < count; index++) slots[index] = float16(bytes, starts[index]!)
        },
      }
    case "integer":
      if (words !== 1) return undefined
      return {
        lane: "words",
        words,
        isDirect: false,
        convert: (numbers, count, slots) => {
          const isSigned = meaning.isSigned
          for (let index = 0; index < count; index++) slots[index] = isSigned ? numbers[index]! : numbers[index]! >>> 0
        },
      }
    case "decimal":
      return decimalReading(meaning.scale, words)
    default:
      return undefined
  }
}

/** Decimals, as their digits would be read from text: the nearest double. */
function decimalReading(scale: number, words: number): Reading {
  if (words === 0) {
    return {
      lane: "bytes",
      convert: ({ bytes, starts, ends }, count, slots) => {
        for (let index = 0; index < count; index++) {
          slots[index] = decimalOfBytes(bytes, starts[index]!, ends[index]!, scale)
        }
      },
    }
  }
  const convert: WordConversion = (numbers, count, slots) => {
    for (let index = 0; index < count; index++) {
      const low = numbers[words * index]!
      slots[index] = decimalOfLong(low, words === 1 ? low >> 31 : numbers[2 * index + 1]!, scale)
    }
  }
  return { lane: "words", words, isDirect: false, convert }
}

/** All NaNs become one (TY2). */
function oneNaN(_: Int32Array, count: number, slots: Slots): void {
  for (let index = 0; index < count; index++) if (Number.isNaN(slots[index])) slots[index] = NaN
}

function floatsToDoubles(words: Int32Array, count: number, slots: Slots): void {
  const floats = new Float32Array(words.buffer, words.byteOffset, count)
  for (let index = 0; index < count; index++) slots[index] = floats[index]!
  oneNaN(words, count, slots)
}

/** What to write into the schema for a column. */
export function hintFor({ meaning }: FileColumn, type: ColumnType): string {
  const isTime = type.definition.instant !== undefined
  if (isTime && (meaning.kind === "date" || (meaning.kind === "timestamp" && !meaning.isUtc))) {
    return 'Its times are local ones. Name their zone, as in t.timestamp({ zone: "UTC" }).'
  }
  const isSpan = type.definition.span !== undefined
  if ((isTime || isSpan) && meaning.kind === "integer") {
    return `Say what its numbers count, as in t.${type.kind}({ format: "ms" }).`
  }
  const names = fittingTypes(meaning)
  if (names === undefined)
    return "No column type has such values: leave the column out of the schema, or convert it when the file is written."
  return `Declare the column as ${names}, or convert it when the file is written.`
}

/** A type that has the values, as a schema says it; `undefined` where there is none. */
export function typeFor(meaning: Meaning): string | undefined {
  if (meaning.kind === "text") return "t.string"
  return /^t\.\w+(\([^)]*\))?/.exec(fittingTypes(meaning) ?? "")?.[0]
}

function fittingTypes(meaning: Meaning): string | undefined {
  switch (meaning.kind) {
    case "bool":
      return "t.bool"
    case "text":
      return "t.string or t.enum(...), or as t.json, t.list(...) or t.object(...) where it is JSON"
    case "bytes":
      return meaning.isMaybeText ? "t.binary, or as t.string where it is text" : "t.binary"
    case "integer":
      if (meaning.bits > 32) return "t.int64 or t.int53"
      return meaning.isSigned || meaning.bits < 32 ? "t.int32 (or a wider number)" : "t.int53 (or t.int64, t.float64)"
    case "timestamp":
      return meaning.isUtc ? "t.timestamp()" : 't.timestamp({ zone: "UTC" }) (or the zone that it is meant in)'
    case "duration":
      return "t.duration()"
    case "date":
      return 't.date, or t.timestamp({ zone: "UTC" }) (or the zone that it is meant in)'
    case "other":
      return undefined
    default:
      return "t.float64"
  }
}
