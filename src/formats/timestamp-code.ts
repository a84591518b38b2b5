/**
 * WebAssembly that reads fields of ISO 8601 text in the form that nearly all programs write: `2024-05-06T07:08:09Z`, or
 * with one to six digits of a second, `2024-05-06T07:08:09.123Z`. Any other spelling is listed.
 *
 * The date and the time up to minutes are one vector, the seconds and what follows are two words.
 */
import { block, branchIf, i16x8, i32, i64, i64x2, i8x16, v128, when, type Code, type Local } from "../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../base/wasm-module.ts"
import { MICROS_PER_DAY } from "../time/civil.ts"
import { pairsOf } from "./digits-code.ts"
import { anyAbove, writeFieldReader, type FieldSpelling } from "./field-code.ts"

const encoder = new TextEncoder()
/** What digits and separators are compared with: digits become their value, separators 0. */
const FORM = v128.const([...encoder.encode("0000-00-00T00:00")])
/** What may be left of each: nine of a digit, nothing of a separator. */
const LEFT_MAX = v128.const([...encoder.encode("0000-00-00T00:00")].map((byte) => (byte === 48 ? 9 : 0)))
/** The digits one behind the other, and zeros (a separator) behind them. */
const DIGIT_PLACES = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 4, 4, 4, 4]

const [DOT, Z] = [46, 90] as const
/** Bytes of `2024-05-06T07:08:09`, and of what stands before the digits of a second's parts. */
const SECONDS_END = 19
const FRACTION_START = 20
const FRACTION_DIGITS = 6
const [ZEROS, HIGH_BITS, ABOVE_NINE] = [0x3030303030303030n, 0x8080808080808080n, 0x7676767676767676n] as const
const HIGHEST_BIT = 1n << 63n
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** Adds `readTimestamp`. */
export function writeTimestampReader(module: WasmModule, spelling: FieldSpelling): void {
  writeFieldReader(module, spelling, {
    name: "readTimestamp",
    sizeBits: 3,
    parameters: {},
    read({ start, end, length, value, unknown }, _, scope) {
      const [form, pairs] = [scope.local("v128"), scope.local("v128")]
      const [seconds, fraction] = [scope.local("i32"), scope.local("i64")]
      const [date, lastDate, lastDays, micros] = [0, 1, 2, 3].map(() => scope.local("i64")) as [L, L, L, L]
      const [hour, minute] = [i16x8.extractLaneU(pairs.get, 4), i16x8.extractLaneU(pairs.get, 5)]
      const second = i32.add(i32.mul(byteOf(seconds, 1), i32.const(10)), byteOf(seconds, 2))
      const ofDay = i32.add(i32.mul(i32.add(i32.mul(hour, i32.const(60)), minute), i32.const(60)), second)
      return [
        branchIf(unknown, i32.geU(i32.sub(length.get, i32.const(SECONDS_END + 1)), i32.const(FRACTION_DIGITS + 2))),
        branchIf(unknown, i32.ne(i32.load8U(i32.sub(end.get, i32.const(1))), i32.const(Z))),
        form.set(v128.xor(v128.load(start.get), FORM)),
        branchIf(unknown, anyAbove(form.get, LEFT_MAX)),
        // ":00" becomes 0 and two digits.
        seconds.set(i32.and(i32.xor(i32.load(start.get, 16), i32.const(0x30303a)), i32.const(0xffffff))),
        branchIf(unknown, hasBitOf(seconds, 0x76767f, 0x808080)),
        form.set(i8x16.shuffle(form.get, form.get, DIGIT_PLACES)),
        pairs.set(pairsOf(form)),
        branchIf(unknown, i32.gtU(hour, i32.const(23))),
        branchIf(unknown, i32.gtU(minute, i32.const(59))),
        branchIf(unknown, i32.gtU(second, i32.const(59))),
        // Neighbouring records mostly have the same date. The highest bit tells every date from none.
        date.set(i64.or(i64x2.extractLane(pairs.get, 0), i64.const(HIGHEST_BIT))),
        when(i64.ne(date.get, lastDate.get), [
          ...readDays({ pairs, days: lastDays, unknown }, scope),
          lastDate.set(date.get),
        ]),
        fraction.set(i64.const(0n)),
        when(i32.ne(length.get, i32.const(SECONDS_END + 1)), readFraction({ start, length, fraction, unknown })),
        micros.set(
          i64.add(
            i64.add(
              i64.mul(lastDays.get, i64.const(BigInt(MICROS_PER_DAY))),
              i64.mul(i64.extendU(ofDay), i64.const(1_000_000n)),
            ),
            fraction.get,
          ),
        ),
        branchIf(unknown, i64.gtU(i64.add(micros.get, i64.const(MAX_SAFE)), i64.const(2n * MAX_SAFE))),
        i64.store(value, micros.get),
      ]
    },
  })
}

type L = Local<"i64">
type Leads = Parameters<typeof branchIf>[0]

function byteOf(word: Local<"i32">, place: number): Code<"i32"> {
  return i32.and(i32.shrU(word.get, i32.const(8 * place)), i32.const(255))
}

/** Whether a byte has its high bit set, or has with the addend. */
function hasBitOf(word: Local<"i32">, addend: number, bits: number): Code<"i32"> {
  return i32.and(i32.or(i32.add(word.get, i32.const(addend)), word.get), i32.const(bits))
}

/** Reads the digits behind the point as microseconds. */
function readFraction(at: {
  readonly start: Local<"i32">
  readonly length: Local<"i32">
  readonly fraction: L
  readonly unknown: Leads
}): Code<"none">[] {
  const { start, length, fraction, unknown } = at
  const digitBits = i64.extendU(i32.shl(i32.sub(length.get, i32.const(FRACTION_START + 1)), i32.const(3)))
  const mask = i64.sub(i64.shl(i64.const(1n), digitBits), i64.const(1n))
  const isOther = i64.and(i64.or(i64.add(fraction.get, i64.const(ABOVE_NINE)), fraction.get), i64.const(HIGH_BITS))
  const step = (factor: bigint, shift: bigint) =>
    fraction.set(i64.shrU(i64.mul(fraction.get, i64.const(factor)), i64.const(shift)))
  return [
    branchIf(unknown, i32.eq(length.get, i32.const(FRACTION_START + 1))),
    branchIf(unknown, i32.ne(i32.load8U(start.get, SECONDS_END), i32.const(DOT))),
    fraction.set(i64.and(i64.xor(i64.load(start.get, FRACTION_START), i64.const(ZEROS)), mask)),
    branchIf(unknown, i64.ne(isOther, i64.const(0n))),
    // Two zeros before six digits, of which the first is the lowest byte; then neighbours are added up in three steps.
    fraction.set(i64.shl(fraction.get, i64.const(16n))),
    step(10n * 256n + 1n, 8n),
    fraction.set(i64.and(fraction.get, i64.const(0x00ff00ff00ff00ffn))),
    step(100n * 65_536n + 1n, 16n),
    fraction.set(i64.and(fraction.get, i64.const(0x0000ffff0000ffffn))),
    step(10_000n * 2n ** 32n + 1n, 32n),
  ]
}

/** Puts the days since 1970-01-01 of the date in a variable, as `daysFromCivil` counts them. */
function readDays(
  { pairs, days, unknown }: { readonly pairs: Local<"v128">; readonly days: L; readonly unknown: Leads },
  scope: FunctionScope,
): Code<"none">[] {
  const [year, month, day, last] = [0, 1, 2, 3].map(() => scope.local("i32")) as [W, W, W, W]
  const [era, yearOfEra, isLate] = [0, 1, 2].map(() => scope.local("i32")) as [W, W, W]
  const c = i32.const
  const div = (value: Code<"i32">, by: number) => i32.wrap(i64.divS(i64.extendS(value), i64.const(BigInt(by))))
  const rem = (value: Code<"i32">, by: number) => i32.wrap(i64.remS(i64.extendS(value), i64.const(BigInt(by))))
  const isLeap = i32.and(
    i32.eqz(i32.and(year.get, c(3))),
    i32.or(i32.ne(rem(year.get, 100), c(0)), i32.eqz(rem(year.get, 400))),
  )
  // 30 days have the months 4, 6, 9 and 11.
  const daysOfOthers = i32.sub(c(31), i32.and(i32.shrU(c(0b1010_0101_0000), month.get), c(1)))
  const dayOfYear = i32.sub(
    i32.add(
      div(i32.add(i32.mul(i32.sub(i32.add(month.get, c(9)), i32.mul(isLate.get, c(12))), c(153)), c(2)), 5),
      day.get,
    ),
    c(1),
  )
  const dayOfEra = i32.add(
    i32.add(i32.mul(yearOfEra.get, c(365)), i32.sub(i32.shrU(yearOfEra.get, c(2)), div(yearOfEra.get, 100))),
    dayOfYear,
  )
  return [
    year.set(i32.add(i32.mul(i16x8.extractLaneU(pairs.get, 0), c(100)), i16x8.extractLaneU(pairs.get, 1))),
    month.set(i16x8.extractLaneU(pairs.get, 2)),
    day.set(i16x8.extractLaneU(pairs.get, 3)),
    branchIf(unknown, i32.gtU(i32.sub(month.get, c(1)), c(11))),
    last.set(daysOfOthers),
    when(i32.eq(month.get, c(2)), [last.set(i32.add(c(28), isLeap))]),
    branchIf(unknown, i32.geU(i32.sub(day.get, c(1)), last.get)),
    // Years start in March, so that leap days come last.
    isLate.set(i32.gtU(month.get, c(2))),
    year.set(i32.sub(i32.add(year.get, isLate.get), c(1))),
    era.set(c(0)),
    block((hasEra) => [
      branchIf(hasEra, i32.geS(year.get, c(0))),
      // January and February of the year 0.
      era.set(c(-1)),
      year.set(c(399)),
    ]),
    yearOfEra.set(rem(year.get, 400)),
    era.set(i32.add(era.get, div(year.get, 400))),
    days.set(i64.extendS(i32.sub(i32.add(i32.mul(era.get, c(146_097)), dayOfEra), c(719_468)))),
  ]
}

type W = Local<"i32">
