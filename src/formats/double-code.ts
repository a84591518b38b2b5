/**
 * WebAssembly that reads fields of doubles, `-?[0-9]+(.[0-9]+)?` of up to eighteen digits, which covers most that programs
 * print. What is longer, has an exponent or is no number is listed.
 *
 * The digits without the point are a whole number. Up to 2⁵³ one division by a power of ten rounds right; beyond, the
 * division is corrected for its remainder, and where that leaves the rounding open the field is listed, too: the same as
 * `scanDouble` does, which says why.
 */
import {
  branchIf,
  f64,
  i32,
  i64,
  i8x16,
  sequence,
  v128,
  when,
  type Code,
  type Label,
  type Local,
} from "../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../base/wasm-module.ts"
import { digitsOf, NINES, numberOf, placesFromRight, PLACES, VECTOR_DIGITS } from "./digits-code.ts"
import { anyAbove, bytesOf, writeFieldReader, type FieldSpelling } from "./field-code.ts"
import { signedDigits } from "./number-code.ts"

const DOT = 46
const DIGITS_MAX = 18
/** Up to here whole numbers are doubles. */
const EXACT = 2n ** 53n
/** Splits a double in two halves of 26 bits (Dekker, 1971). */
const SPLITTER = 2 ** 27 + 1
const UNCERTAINTY = 2 ** -50

type W = Local<"i32">
type V = Local<"v128">
type F = Local<"f64">

/** A number of which the sign is known. */
interface Decimal {
  readonly at: W
  readonly end: W
  /** Its characters, of which all but a point are digits. */
  readonly count: W
  /** The place of the point, or `count`. */
  readonly point: W
  readonly digitCount: W
  /** Its first sixteen characters. */
  readonly characters: V
  readonly places: V
  readonly digits: V
  readonly sums: V
  /** What its digits come to without the point. */
  readonly number: Local<"i64">
  readonly unknown: Label
}

/** Adds `readDouble`. It is given where the powers of ten lie, from 10⁰ on, as doubles. */
export function writeDoubleReader(module: WasmModule, spelling: FieldSpelling): void {
  writeFieldReader(module, spelling, {
    name: "readDouble",
    sizeBits: 3,
    parameters: { powers: "i32" },
    read(field, { powers }, scope) {
      const { isNegative, at, count, setup } = signedDigits(field, scope, spelling, DIGITS_MAX + 1)
      const decimal = decimalOf({ at, count, end: field.end, unknown: field.unknown }, scope)
      const { number, digitCount, point, characters } = decimal
      const [sum, scale, quotient] = [scope.local("f64"), scope.local("f64"), scope.local("f64")]
      const decimals = i32.sub(digitCount.get, point.get)
      const sign = i64.shl(i64.extendU(isNegative.get), i64.const(63n))
      return [
        ...setup,
        characters.set(v128.load(at.get)),
        when(i32.leU(count.get, i32.const(VECTOR_DIGITS)), readShort(decimal), readLong(decimal)),
        scale.set(f64.load(i32.add(powers.get, i32.shl(decimals, i32.const(3))))),
        sum.set(f64.convertI64S(number.get)),
        quotient.set(f64.div(sum.get, scale.get)),
        when(i64.gtS(number.get, i64.const(EXACT)), correct({ number, sum, scale, quotient }, field.unknown, scope)),
        i64.store(field.value, i64.or(i64.reinterpretF64(quotient.get), sign)),
      ]
    },
  })
}

function decimalOf(given: Pick<Decimal, "at" | "end" | "count" | "unknown">, scope: FunctionScope): Decimal {
  const [word, vector] = [() => scope.local("i32"), () => scope.local("v128")]
  const vectors = { characters: vector(), places: vector(), digits: vector(), sums: vector() }
  return { ...given, ...vectors, point: word(), digitCount: word(), number: scope.local("i64") }
}

/** Finds the first point among some bits, or where the number ends. A second one is no digit. */
function findPoint({ count, point, digitCount, unknown }: Decimal, points: Code<"i32">): Code<"none">[] {
  return [
    point.set(i32.ctz(i32.or(points, i32.shl(i32.const(1), count.get)))),
    digitCount.set(i32.sub(count.get, i32.ltU(point.get, count.get))),
    // A digit before the point, and one behind it.
    branchIf(unknown, i32.eqz(point.get)),
    branchIf(unknown, i32.eq(point.get, i32.sub(count.get, i32.const(1)))),
  ]
}

function pointsOf(characters: Code<"v128">): Code<"i32"> {
  return i8x16.bitmask(i8x16.eq(characters, bytesOf(DOT)))
}

/** Takes the first digits, so many, at the right end of a vector. */
function takeFirst({ characters, places, digits, point, unknown }: Decimal, count: Code<"i32">): Code<"none">[] {
  return [
    places.set(placesFromRight(count)),
    // What stands behind the point comes from one place further on.
    places.set(i8x16.sub(places.get, i8x16.geS(places.get, i8x16.splat(point.get)))),
    digits.set(i8x16.swizzle(digitsOf(characters.get), places.get)),
    branchIf(unknown, anyAbove(digits.get, NINES)),
  ]
}

/** Reads up to sixteen characters. */
function readShort(decimal: Decimal): Code<"none">[] {
  const { characters, digitCount, digits, sums, number } = decimal
  const sixteen = numberOf(digits, sums)
  return [
    ...findPoint(decimal, pointsOf(characters.get)),
    ...takeFirst(decimal, digitCount.get),
    sixteen.setup,
    number.set(sixteen.number),
  ]
}

/** Reads more: the first digits, up to two, and the last sixteen. */
function readLong(decimal: Decimal): Code<"none">[] {
  const { at, end, count, characters, point, digitCount, digits, sums, number, unknown } = decimal
  const c = i32.const
  const sixteen = numberOf(digits, sums)
  const laterPoints = i32.shl(pointsOf(v128.load(at.get, VECTOR_DIGITS)), c(VECTOR_DIGITS))
  const lastAt = (back: number) => v128.load(i32.sub(end.get, c(back)))
  // Of the last sixteen characters, those behind the point; where they have none, all.
  const behindPoint = i32.sub(i32.add(point.get, c(1 + VECTOR_DIGITS)), count.get)
  const firstBehind = i32.select(i32.ltU(point.get, count.get), behindPoint, c(0))
  return [
    ...findPoint(decimal, i32.or(pointsOf(characters.get), laterPoints)),
    branchIf(unknown, i32.gtU(digitCount.get, c(DIGITS_MAX))),
    ...takeFirst(decimal, i32.sub(digitCount.get, c(VECTOR_DIGITS))),
    sixteen.setup,
    number.set(i64.mul(sixteen.number, i64.const(10n ** BigInt(VECTOR_DIGITS)))),
    // Digits before the point stand one place further left than they would without it.
    digits.set(
      digitsOf(
        v128.bitSelect(lastAt(VECTOR_DIGITS), lastAt(VECTOR_DIGITS + 1), i8x16.geS(PLACES, i8x16.splat(firstBehind))),
      ),
    ),
    branchIf(unknown, anyAbove(digits.get, NINES)),
    sixteen.setup,
    number.set(i64.add(number.get, sixteen.number)),
  ]
}

/** Corrects a quotient whose dividend is a rounded number. */
function correct(
  { number, sum, scale, quotient }: { number: Local<"i64">; sum: F; scale: F; quotient: F },
  unknown: Label,
  scope: FunctionScope,
): Code<"none">[] {
  const [product, error, correction, uncertainty] = [0, 1, 2, 3].map(() => scope.local("f64")) as [F, F, F, F]
  const [one, other] = [halves(quotient, scope), halves(scale, scope)]
  const sumError = f64.convertI64S(i64.sub(number.get, i64.truncSatF64S(sum.get)))
  const without = (value: Code<"f64">, ...parts: Code<"f64">[]) =>
    parts.reduce((rest, part) => f64.sub(rest, part), value)
  const { add, mul } = f64
  return [
    one.setup,
    other.setup,
    product.set(mul(quotient.get, scale.get)),
    error.set(
      f64.sub(
        mul(one.low, other.low),
        without(product.get, mul(one.high, other.high), mul(one.low, other.high), mul(one.high, other.low)),
      ),
    ),
    correction.set(f64.div(add(without(sum.get, product.get, error.get), sumError), scale.get)),
    uncertainty.set(mul(f64.abs(correction.get), f64.const(UNCERTAINTY))),
    branchIf(
      unknown,
      f64.ne(
        add(quotient.get, f64.sub(correction.get, uncertainty.get)),
        add(quotient.get, add(correction.get, uncertainty.get)),
      ),
    ),
    quotient.set(add(quotient.get, correction.get)),
  ]
}

/** A double as the sum of two of half as many bits. */
function halves(value: F, scope: FunctionScope): { setup: Code<"none">; high: Code<"f64">; low: Code<"f64"> } {
  const [scaled, high] = [scope.local("f64"), scope.local("f64")]
  const setup = sequence(
    scaled.set(f64.mul(value.get, f64.const(SPLITTER))),
    high.set(f64.sub(scaled.get, f64.sub(scaled.get, value.get))),
  )
  return { setup, high: high.get, low: f64.sub(value.get, high.get) }
}
