/**
 * `timestamp`: a point in time in whole microseconds, read as ISO 8601 text or as a count of seconds or parts of them
 * since 1970-01-01T00:00:00Z.
 */
import { nameHint } from "../../base/did-you-mean.ts"
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"
import { epochFromText, epochToText, type EpochUnit } from "../../time/epoch.ts"
import { parseIsoBytes, writeIsoBytes } from "../../time/iso-bytes.ts"
import { formatIso, parseIso } from "../../time/iso.ts"
import { isTimestamp, type Timestamp } from "../../time/timestamp.ts"
import { TimeZone } from "../../time/zone.ts"
import { readInt53, writeInt53 } from "../column.ts"
import { ColumnType, Invalid, type TypeDefinition } from "../type.ts"
import { int32FromBytes, int53FromBytes } from "./decimal-bytes.ts"
import { int53ToBytes, wholeNumberToBytes } from "./decimal-to-bytes.ts"

/** How a timestamp column reads and writes. */
export interface TimestampOptions {
  /** The zone of text without an offset: an IANA name, `"UTC"`, or an offset such as `"+05:30"`. For `"iso"` only. */
  readonly zone?: string
  /** `"iso"` (the default): ISO 8601 text. Otherwise what a number counts: seconds, milli-, micro- or nanoseconds. */
  readonly format?: "iso" | EpochUnit
}

/** Of timestamps and durations. */
export const FORMATS: readonly string[] = ["iso", "s", "ms", "us", "ns"]

/** See `t.timestamp`. */
export function timestampType(options: TimestampOptions = {}): ColumnType<Timestamp, "timestamp"> {
  checkOptions("t.timestamp(...)", options, ["zone", "format"])
  const { zone, format = "iso" } = options
  if (!FORMATS.includes(format)) {
    throw new TidemarkError("invalid-schema", `A timestamp has no format ${shownValue(format)}.`, {
      hint: nameHint(String(format), FORMATS, "formats"),
    })
  }
  if (format !== "iso") {
    if (zone === undefined) return new ColumnType<Timestamp, "timestamp">(epochDefinition(format))
    throw new TidemarkError("invalid-schema", `A timestamp of the format "${format}" cannot have a zone.`, {
      hint: 'Numbers count from 1970-01-01T00:00:00Z whatever the zone. Leave "zone" out.',
    })
  }
  return new ColumnType<Timestamp, "timestamp">(isoDefinition(zone === undefined ? undefined : TimeZone.of(zone)))
}

const [ZERO, MINUS] = [48, 45] as const

/** The digits of a number of nanoseconds that are less than a microsecond, and where they are read to. */
const NANO_DIGITS = 3
const nanos = new Int32Array(1)

/** A timestamp on its way between words and text. */
const scratch = new Float64Array(1)

/** M1 of `timestamp.ts`. */
const RANGE = { least: Number.MIN_SAFE_INTEGER, greatest: Number.MAX_SAFE_INTEGER } as const

const check = (value: unknown) => (isTimestamp(value) ? undefined : "not a timestamp: whole microseconds within ±2⁵³")

function isoDefinition(zone: TimeZone | undefined): TypeDefinition<Timestamp> {
  const fromText = (text: string) => {
    const micros = parseIso(text, zone)
    return typeof micros === "string" ? new Invalid(micros) : micros
  }
  return {
    kind: "timestamp",
    label: zone === undefined ? "timestamp" : `timestamp(zone=${JSON.stringify(zone.name)})`,
    ...(zone !== undefined && { options: { zone: zone.name } }),
    storage: "int64",
    typeOf: "number",
    range: RANGE,
    check,
    fromText,
    fromJson: (value) => (typeof value === "string" ? fromText(value) : new Invalid("not a time as ISO 8601 text")),
    fromBytes(bytes, start, end, halves: Int32Array, row) {
      const isKnown = parseIsoBytes(bytes, start, end, zone, scratch, 0)
      if (isKnown) writeInt53(halves, row, scratch[0]!)
      return isKnown
    },
    toBytes(halves: Int32Array, row, bytes, at) {
      scratch[0] = readInt53(halves, row)
      return writeIsoBytes(scratch, 0, bytes, at)
    },
    isQuotedInJson: true,
    isIsoText: true,
    instant: { zone, unit: undefined },
    toText: formatIso,
    toJson: (value) => `"${formatIso(value)}"`,
  }
}

function epochDefinition(unit: EpochUnit): TypeDefinition<Timestamp> {
  const fromText = (text: string) => {
    const micros = epochFromText(text, unit)
    return typeof micros === "string" ? new Invalid(micros) : micros
  }
  return {
    kind: "timestamp",
    label: `timestamp(format="${unit}")`,
    options: { format: unit },
    storage: "int64",
    typeOf: "number",
    range: RANGE,
    check,
    fromText,
    fromJson(value, raw) {
      if (typeof value === "string") return fromText(value)
      if (typeof value !== "number") return new Invalid("not a number")
      if (raw === undefined && Number.isInteger(value) && !Number.isSafeInteger(value)) {
        return new Invalid("beyond 2⁵³, where a number has lost digits")
      }
      return fromText(raw ?? String(value))
    },
    instant: { zone: undefined, unit },
    ...(unit === "ns" ? NANO_BYTES : bytesOfUnit({ s: 1_000_000, ms: 1000, us: 1 }[unit])),
    toText: (value) => epochToText(value, unit),
    toJson(value) {
      const text = epochToText(value, unit)
      // Readers of JSON have doubles. Nanoseconds of today lose digits there, and so do fractions beyond the year 2242.
      return unit === "ns" || String(Number(text)) !== text ? `"${text}"` : text
    },
  }
}

type BytesOfUnit = Pick<TypeDefinition<Timestamp>, "fromBytes" | "toBytes" | "isQuotedInJson">

/** Whole numbers of a unit of at least a microsecond, as bytes. */
function bytesOfUnit(microsPerUnit: number): BytesOfUnit {
  return {
    fromBytes(bytes, start, end, halves: Int32Array, row) {
      if (!int53FromBytes(bytes, start, end, halves, row)) return false
      const micros = readInt53(halves, row) * microsPerUnit
      if (!Number.isSafeInteger(micros)) return false
      writeInt53(halves, row, micros)
      return true
    },
    toBytes(halves: Int32Array, row, bytes, at) {
      const value = readInt53(halves, row)
      return value % microsPerUnit === 0 ? wholeNumberToBytes(value / microsPerUnit, bytes, at) : -1
    },
  }
}

/** Whole numbers of nanoseconds, as bytes: microseconds and three digits, which are cut towards the past. */
const NANO_BYTES: BytesOfUnit = {
  isQuotedInJson: true,
  fromBytes(bytes, start, end, halves: Int32Array, row) {
    const cut = end - NANO_DIGITS
    if (cut <= start || !int53FromBytes(bytes, start, cut, halves, row)) return false
    if (bytes[cut] === MINUS || !int32FromBytes(bytes, cut, end, nanos, 0)) return false
    if (bytes[start] !== MINUS || nanos[0] === 0) return true
    const micros = readInt53(halves, row) - 1
    writeInt53(halves, row, micros)
    return Number.isSafeInteger(micros)
  },
  toBytes(halves: Int32Array, row, bytes, at) {
    const end = int53ToBytes(halves, row, bytes, at)
    if (halves[2 * row] === 0 && halves[2 * row + 1] === 0) return end
    bytes.fill(ZERO, end, end + NANO_DIGITS)
    return end + NANO_DIGITS
  },
}
