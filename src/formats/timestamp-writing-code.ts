/**
 * WebAssembly that writes timestamps as `formatIso` does: `2024-05-06T07:08:09Z`, with three or six digits of a second where
 * they are needed. Neighbouring rows mostly have the same date, so each column keeps the last one as text.
 *
 *      what is kept:   0  the day's first microsecond     8  `2024-05-06T`, and five bytes of anything
 */
import { i32, i64, i64x2, i8x16, sequence, v128, when, type Code, type Local } from "../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../base/wasm-module.ts"
import { MICROS_PER_DAY } from "../time/civil.ts"
import { charactersOf, eightDigits } from "./digits-writing-code.ts"

/** What is kept of a column at first. */
export const FIRST_DATE = Uint8Array.from([
  ...new Uint8Array(8),
  ...[..."1970-01-01T     "].map((character) => character.charCodeAt(0)),
])

const [DOT, Z] = [46, 90] as const
/** How many bytes a date and its `T` have, with the time up to seconds, and with a point. */
const [DATE_END, SECONDS_END, FRACTION_START] = [11, 19, 20] as const
/** `00:00:00`, of which the first character is the lowest byte. */
const TIME_FORM = 0x3030_3a30_303a_3030n
/** A day of microseconds is 2¹³ times this. */
const DAY_CUT = BigInt(MICROS_PER_DAY) >> 13n

/** Adds `writeTimestamp(out, value, lastDate)`. */
export function writeTimestampWriter(module: WasmModule): void {
  const parameters = { out: "i32", value: "i64", lastDate: "i32" } as const
  module.function("writeTimestamp", { parameters, result: "i32" }, ({ out, value, lastDate }, scope) => {
    const [ofDay, time, digits, fraction] = [0, 1, 2, 3].map(() => scope.local("i64")) as [L, L, L, L]
    const [second, minute, micros, length] = [0, 1, 2, 3].map(() => scope.local("i32")) as [W, W, W, W]
    const { const: c, add, sub, mul, and, or, shl, shrU } = i64
    const pairAt = (number: Code<"i32">, place: bigint) => shl(i64.extendU(number), c(place * 8n))
    const restOf = (number: Local<"i32">, quotient: Code<"i32">, by: number) =>
      i32.sub(number.get, i32.mul(quotient, i32.const(by)))
    return [
      ofDay.set(sub(value.get, i64.load(lastDate.get))),
      when(i64.geU(ofDay.get, c(BigInt(MICROS_PER_DAY))), [
        ...keepDate(value, lastDate, scope),
        ofDay.set(sub(value.get, i64.load(lastDate.get))),
      ]),
      v128.store(out.get, v128.load(lastDate.get, 8)),
      // A second is 2⁶ · 15,625 microseconds.
      second.set(i32.divU(i32.wrap(shrU(ofDay.get, c(6n))), i32.const(15_625))),
      micros.set(i32.wrap(sub(ofDay.get, mul(i64.extendU(second.get), c(1_000_000n))))),
      minute.set(i32.divU(second.get, i32.const(60))),
      second.set(restOf(second, minute.get, 60)),
      time.set(
        or(
          pairAt(i32.divU(minute.get, i32.const(60)), 0n),
          or(pairAt(restOf(minute, i32.divU(minute.get, i32.const(60)), 60), 3n), pairAt(second.get, 6n)),
        ),
      ),
      digits.set(and(shrU(mul(time.get, c(103n)), c(10n)), c(0x000f_0000_0f00_000fn))),
      time.set(or(digits.get, shl(sub(time.get, mul(digits.get, c(10n))), c(8n)))),
      i64.store(out.get, add(time.get, c(TIME_FORM)), DATE_END),
      length.set(i32.const(SECONDS_END)),
      when(micros.get, [
        i32.store8(out.get, i32.const(DOT), SECONDS_END),
        fraction.set(mul(i64.extendU(micros.get), c(100n))),
        eightDigits(fraction, digits, scope),
        i64.store(out.get, charactersOf(digits.get), FRACTION_START),
        length.set(
          i32.select(
            i32.wrap(i64.shrU(i64.shl(digits.get, c(16n)), c(40n))),
            i32.const(FRACTION_START + 6),
            i32.const(FRACTION_START + 3),
          ),
        ),
      ]),
      out.set(i32.add(out.get, length.get)),
      i32.store8(out.get, i32.const(Z)),
      i32.add(out.get, i32.const(1)),
    ]
  })
}

type L = Local<"i64">
type W = Local<"i32">

/** Finds the date of a timestamp as `civilFromDays` does, and keeps it. */
function keepDate(value: L, lastDate: Local<"i32">, scope: FunctionScope): Code<"none">[] {
  const [cut, days, date, digits] = [0, 1, 2, 3].map(() => scope.local("i64")) as [L, L, L, L]
  const [shifted, era, dayOfEra, year, dayOfYear, month] = [0, 1, 2, 3, 4, 5].map(() => scope.local("i32")) as W[] as [
    W,
    W,
    W,
    W,
    W,
    W,
  ]
  const { const: c, add, sub, mul, divU } = i32
  const yearDays = sub(add(mul(c(365), year.get), divU(year.get, c(4))), divU(year.get, c(100)))
  const leapDays = add(sub(divU(dayOfEra.get, c(1460)), divU(dayOfEra.get, c(36_524))), divU(dayOfEra.get, c(146_096)))
  const day = add(sub(dayOfYear.get, divU(add(mul(c(153), month.get), c(2)), c(5))), c(1))
  return [
    cut.set(i64.shrS(value.get, i64.const(13n))),
    days.set(i64.divS(cut.get, i64.const(DAY_CUT))),
    days.set(i64.sub(days.get, i64.extendU(i64.ltS(cut.get, i64.mul(days.get, i64.const(DAY_CUT)))))),
    i64.store(lastDate.get, i64.mul(days.get, i64.const(BigInt(MICROS_PER_DAY)))),
    // Timestamps lie in the years 1684 to 2255, so all this is above 0.
    shifted.set(i32.add(i32.wrap(days.get), c(719_468))),
    era.set(divU(shifted.get, c(146_097))),
    dayOfEra.set(sub(shifted.get, mul(era.get, c(146_097)))),
    year.set(divU(sub(dayOfEra.get, leapDays), c(365))),
    dayOfYear.set(sub(dayOfEra.get, yearDays)),
    month.set(divU(add(mul(c(5), dayOfYear.get), c(2)), c(153))),
    date.set(i64.extendU(day)),
    // Years start in March here.
    month.set(i32.select(i32.ltU(month.get, c(10)), add(month.get, c(3)), sub(month.get, c(9)))),
    year.set(add(add(year.get, mul(era.get, c(400))), i32.leU(month.get, c(2)))),
    date.set(i64.add(date.get, i64.extendU(add(mul(year.get, c(10_000)), mul(month.get, c(100)))))),
    eightDigits(date, digits, scope),
    sequence(
      v128.store(
        lastDate.get,
        i8x16.shuffle(
          i64x2.splat(charactersOf(digits.get)),
          DATE_SIGNS,
          [0, 1, 2, 3, 16, 4, 5, 16, 6, 7, 17, 17, 17, 17, 17, 17],
        ),
        8,
      ),
    ),
  ]
}

const DATE_SIGNS = v128.const([..."-T".padEnd(16)].map((character) => character.charCodeAt(0)))
