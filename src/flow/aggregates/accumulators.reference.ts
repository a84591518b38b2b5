/**
 * The slow twins of accumulators: each is told all records of a key and window, in order of arrival, and says the result
 * in the most obvious way. Sketches are judged by the exact result instead.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Prng } from "../../base/prng.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { Accumulator } from "./accumulator.ts"

/** What an aggregate reads of a record, and when the record happened. */
export interface Timed {
  readonly time: number
  readonly value: unknown
}

/** A variance that is exact but for one rounding, and how far a stable way may be from it. */
export interface ReferenceSpread {
  readonly variance: number
  readonly tolerance: number
}

/** The sum of squared deviations of finite numbers by `count − less`, from fractions of whole numbers. */
export function referenceVariance(values: readonly (number | bigint)[], less: 0 | 1): ReferenceSpread | null {
  const count = BigInt(values.length)
  const by = count - BigInt(less)
  if (by <= 0n) return null
  // Every double is a whole number of 2^-1074.
  const scaled = values.map((value) => (typeof value === "bigint" ? value << 1074n : wholeOf(value)))
  const sum = scaled.reduce((total, each) => total + each, 0n)
  const squares = scaled.reduce((total, each) => total + each * each, 0n)
  const deviations = count * squares - sum * sum
  const variance = quotient(deviations, count * by, 2148)
  const condition = Math.sqrt(quotient(squares * count, deviations === 0n ? 1n : deviations, 0))
  return { variance, tolerance: deviations === 0n ? 0 : 4 * values.length * condition * 2 ** -53 * variance }
}

function wholeOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const exponent = (bits >> 52n) & 0x7ffn
  const fraction = bits & ((1n << 52n) - 1n)
  const size = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n)
  return value < 0 ? -size : size
}

/** `dividend / divisor / 2^scale` as a double, rounded once or twice. */
function quotient(dividend: bigint, divisor: bigint, scale: number): number {
  const whole = (dividend << 128n) / divisor
  const digits = whole.toString(2).length
  const shift = Math.max(0, digits - 70)
  let value = Number(whole >> BigInt(shift))
  for (let left = shift - 128 - scale; left !== 0;) {
    const step = Math.max(-1000, Math.min(1000, left))
    value *= 2 ** step
    left -= step
  }
  return value
}

/** The value at a quantile of values in ascending order, NaN behind all others. */
export function referenceQuantile(values: readonly (number | bigint)[], quantile: number): number {
  const sorted = values.map(Number).sort((one, other) => {
    if (Number.isNaN(one) || Number.isNaN(other)) return Number(Number.isNaN(one)) - Number(Number.isNaN(other))
    return one < other ? -1 : Number(one > other)
  })
  return sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)]!
}

/** Whether two values count as one: −0 and 0 do, and NaN and NaN. */
export function isSameValue(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) {
    return one === other || (Number.isNaN(one) && Number.isNaN(other))
  }
  if (Object.keys(one).length !== Object.keys(other).length) return false
  return Object.keys(one).every((name) => isSameValue(one[name as never], other[name as never]))
}

/** The distinct values, each compared with all before. */
export function referenceDistinct(values: readonly unknown[]): unknown[] {
  const distinct: unknown[] = []
  for (const value of values) if (!distinct.some((other) => isSameValue(value, other))) distinct.push(value)
  return distinct
}

/** A value of a result of `frequent`. */
export interface FrequentValue {
  readonly value: unknown
  readonly count: number
  readonly countMost: number
}

/** The distinct values and how often each occurs. */
export function referenceCounts(values: readonly unknown[]): { readonly value: unknown; readonly count: number }[] {
  return referenceDistinct(values).map((value) => ({
    value,
    count: values.filter((other) => isSameValue(value, other)).length,
  }))
}

/** What is wrong with what `frequent` has given without a limit, if anything: FQ1 and FQ2, and the order. */
export function problemOfFrequent(
  result: readonly FrequentValue[],
  exact: readonly { readonly value: unknown; readonly count: number }[],
  values: number,
  error: number,
  room: number,
): string | undefined {
  let last = Infinity
  for (const { value, count, countMost } of result) {
    const real = exact.find((each) => isSameValue(each.value, value))?.count ?? 0
    if (count < 1 || count > real || countMost < real) return `${count} to ${countMost} instead of ${real}`
    if (countMost - count > error * values) return `${countMost - count} off, of ${values}`
    if (count > last) return "not the most frequent first"
    last = count
  }
  const missed = exact.find(({ value, count }) => {
    return count > error * values && !result.some((each) => isSameValue(each.value, value))
  })
  if (missed !== undefined) return `a value that occurred ${missed.count} times of ${values} is missed`
  const isExact = exact.length <= room
  return isExact && result.some(({ count, countMost }) => count !== countMost) ? "not exact, for few values" : undefined
}

/** Records with a `by` that is not null, the most extreme first; of equals the earliest, and of those the first to arrive. */
export function referenceRanking(which: "min" | "max", records: readonly Timed[], by = "by"): Timed[] {
  const byOf = ({ value }: Timed) => (value as Record<string, number | bigint | null>)[by]!
  const isMore = (one: number | bigint, other: number | bigint) => {
    if (typeof one === "bigint") return which === "min" ? one < other : one > other
    return Object.is(Math[which](one, other as number), one) && !Object.is(one, other)
  }
  return records
    .filter((record) => byOf(record) !== null)
    .sort((one, other) => {
      if (isMore(byOf(one), byOf(other))) return -1
      return isMore(byOf(other), byOf(one)) ? 1 : one.time - other.time
    })
}

/** What came of a stream of records. */
export interface Accumulated<P> {
  readonly partial: P
  /** Throws where what must have stayed as it was has changed. */
  readonly check: () => void
}

/**
 * Adds records in a random way that must not matter: one by one, and merged from stretches of them, with partial results
 * that are written and read in between.
 */
export function accumulate<P>(accumulator: Accumulator<P>, records: readonly Timed[], prng: Prng): Accumulated<P> {
  const untouched: { readonly partial: P; readonly bytes: Uint8Array }[] = []
  const perhapsRestored = (partial: P) => (prng.chance(0.2) ? restored(accumulator, partial) : partial)
  const combine = (some: readonly Timed[]): P => {
    if (some.length < 2 || prng.chance(0.3)) {
      let partial = accumulator.init()
      for (const { value, time } of some) partial = accumulator.add(perhapsRestored(partial), value, time)
      return perhapsRestored(partial)
    }
    const cut = prng.below(some.length + 1)
    const behind = prng.chance(0.3) ? cut + prng.below(some.length - cut + 1) : some.length
    const [earlier, later] = [combine(some.slice(0, cut)), combine(some.slice(cut, behind))]
    untouched.push({ partial: later, bytes: bytesOf(accumulator, later) })
    let merged = accumulator.merge(earlier, later)
    for (const { value, time } of some.slice(behind)) merged = accumulator.add(merged, value, time)
    return perhapsRestored(merged)
  }
  return {
    partial: combine(records),
    check() {
      for (const { partial, bytes } of untouched) {
        if (String(bytesOf(accumulator, partial)) !== String(bytes)) throw new Error("AC3 what was merged has changed")
      }
    },
  }
}

/** The bytes of a partial result. */
export function bytesOf<P>(accumulator: Accumulator<P>, partial: P): Uint8Array {
  const out = new ByteWriter()
  accumulator.write(partial, out)
  return out.finish()
}

/** A partial result, written and read. */
export function restored<P>(accumulator: Accumulator<P>, partial: P): P {
  const bytes = bytesOf(accumulator, partial)
  const from = new ByteReader(bytes)
  const read = accumulator.read(from)
  if (from.remaining > 0) throw new Error("AC2 not all bytes were read")
  if (String(bytesOf(accumulator, read)) !== String(bytes)) throw new Error("AC2 what was read is written otherwise")
  return read
}

/** Values that a type may have, from which streams are drawn; many of them repeat, and some lie at the type's ends. */
export function randomValue(type: ColumnType, hasExtremes: boolean, prng: Prng): unknown {
  const extreme = hasExtremes && prng.chance(0.3)
  switch (type.kind) {
    case "float64":
      if (extreme) return prng.pick([NaN, Infinity, -Infinity, 1.7e308, -1.7e308, 5e-324, -5e-324, 2.2e-308, -0])
      return prng.pick([prng.below(5) - 2, prng.float(), prng.below(1000) / 8, -0, 1e9 + prng.float()])
    case "int32":
      return extreme ? prng.pick([2 ** 31 - 1, -(2 ** 31)]) : prng.below(9) - 4
    case "int53":
      return extreme ? prng.pick([2 ** 53 - 1, -(2 ** 53) + 1]) : prng.below(2000) - 4
    case "int64":
      return extreme ? prng.pick([2n ** 63n - 1n, -(2n ** 63n)]) : BigInt(prng.below(9) - 4)
    case "timestamp":
      return prng.pick([0, 1, -1, 1_700_000_000_000_000])
    case "bool":
      return prng.chance(0.5)
    case "enum":
      return prng.pick(type.definition.symbols!)
    case "list":
      return Array.from({ length: prng.below(3) }, () => randomNullable(type.definition.element!, hasExtremes, prng))
    case "json":
      return prng.pick([0, -0, "a", [], [1], { a: 1, b: { c: 2n ** 60n } }, { b: { c: 2n ** 60n }, a: 1 }])
    case "binary":
      return prng.pick([Uint8Array.of(), Uint8Array.of(0), Uint8Array.of(1, 255)])
    case "object":
      return Object.fromEntries(
        type.definition.fields!.map((field) => [field.name, randomNullable(field.type, hasExtremes, prng)]),
      )
    default:
      return prng.pick(["", "a", "b", "\uFEFF", "日本", "a\u0000"])
  }
}

function randomNullable(type: ColumnType, hasExtremes: boolean, prng: Prng): unknown {
  return type.isNullable && prng.chance(0.3) ? null : randomValue(type, hasExtremes, prng)
}
