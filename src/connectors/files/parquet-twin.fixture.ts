/**
 * The slow twin of `ParquetDecoder`: hyparquet makes values of pages, and what they are in a column's type is said in the
 * plainest way. It believes what a file says of itself, so it is shown only files that the decoder has read.
 */
import { parquetReadObjects } from "hyparquet"
import { compressors } from "hyparquet-compressors"
import { isTimestamp } from "../../time/timestamp.ts"
import type { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** A text that is not UTF-8. */
const BROKEN = Symbol("broken text")

function textOf(bytes: Uint8Array): unknown {
  try {
    return utf8.decode(bytes)
  } catch {
    return BROKEN
  }
}

const floorDiv = (value: bigint, divisor: bigint): bigint => (value - mod(value, divisor)) / divisor
const mod = (value: bigint, divisor: bigint): bigint => ((value % divisor) + divisor) % divisor

/** All rows; a row with a value that its column does not have is `"bad"`. */
export async function readParquet(bytes: Uint8Array, schema: Schema): Promise<(Record<string, unknown> | "bad")[]> {
  const { buffer, byteOffset, byteLength } = bytes
  const file = {
    byteLength,
    slice: (start: number, end = byteLength) =>
      (buffer as ArrayBuffer).slice(byteOffset + start, byteOffset + Math.min(end, byteLength)),
  }
  const read = await parquetReadObjects({
    file,
    columns: schema.fields.map(({ name }) => name),
    compressors,
    geoparquet: false,
    parsers: {
      timestampFromMilliseconds: (millis: bigint) => BigInt(millis) * 1000n,
      timestampFromMicroseconds: (micros: bigint) => BigInt(micros),
      timestampFromNanoseconds: (nanos: bigint) => floorDiv(BigInt(nanos), 1000n),
      dateFromDays: (days: number) => BigInt(days) * 86_400_000_000n,
      stringFromBytes: textOf,
    },
  })
  return read.map((row) => {
    const values = schema.fields.map(({ name, type }) => [name, valueOf(row[name], type)] as const)
    return values.some(([, value]) => value === BROKEN) ? "bad" : Object.fromEntries(values)
  })
}

/** A value as the column has it, or `BROKEN`. */
function valueOf(value: unknown, type: ColumnType): unknown {
  if (value === null || value === undefined) return type.isNullable ? null : BROKEN
  const { storage, typeOf, instant, symbols } = type.definition
  if (instant !== undefined) {
    const micros = Number(value)
    return isTimestamp(micros) && BigInt(micros) === value ? micros : BROKEN
  }
  if (symbols !== undefined) return symbols.includes(value as string) ? value : BROKEN
  if (storage === "float64") return Number(value)
  if (storage === "bit" || storage === "dictionary") return value
  const number = BigInt(value as number | bigint)
  if (typeOf === "bigint") return type.check(number) === undefined ? number : BROKEN
  return type.check(Number(number)) === undefined ? Number(number) : BROKEN
}
