/**
 * WebAssembly that writes doubles as `String` does (and −0 as "-0"): the fewest digits that read back as the same double,
 * and of those the nearest ones.
 *
 * Whole numbers, and decimal numbers of at most fifteen digits with at most six behind the point, go by whole numbers: such
 * a decimal number is told apart from every other one of fifteen digits by its nearest double, so it is the shortest there
 * is. Others take Schubfach (Giulietti, "The Schubfach way to render doubles", 2020): the double and the ends of the interval
 * that rounds to it, times a power of ten of 128 bits, as whole numbers of which the last bit says whether something was cut.
 */
import { call, f64, i32, i64, returns, sequence, v128, when, type Code, type Local } from "../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../base/wasm-module.ts"
import { writeDecimalWriter } from "./decimal-writing-code.ts"
import { charactersOf, eightDigits } from "./digits-writing-code.ts"
import { POWERS_FROM } from "./shortest-powers.ts"

const [DOT, MINUS, ZERO] = [46, 45, 48] as const

const SMALL_UNIT = 1e6
const EXACT_BELOW = 1e15

/** Adds `writeDouble(out, value, powers, quote)`, where NaN and infinities stand within `quote`, unless that is 0. */
export function writeDoubleWriter(module: WasmModule): void {
  writeDecimalWriter(module)
  writeShortestWriter(module)
  const parameters = { out: "i32", value: "f64", powers: "i32", quote: "i32" } as const
  module.function("writeDouble", { parameters, result: "i32" }, ({ out, value, powers, quote }, scope) => {
    const [whole, magnitude] = [scope.local("i64"), scope.local("f64")]
    return [
      whole.set(i64.truncSatF64S(value.get)),
      when(f64.eq(f64.convertI64S(whole.get), value.get), [
        when(i64.eqz(whole.get), [
          i32.store16(out.get, i32.const(MINUS | (ZERO << 8))),
          out.set(i32.add(out.get, i32.wrap(i64.shrU(i64.reinterpretF64(value.get), i64.const(63n))))),
          i32.store8(out.get, i32.const(ZERO)),
          returns(i32.add(out.get, i32.const(1))),
        ]),
        when(f64.lt(f64.abs(value.get), f64.const(2 ** 53)), [returns(call("i32", "writeWhole", out.get, whole.get))]),
      ]),
      magnitude.set(f64.abs(value.get)),
      ...writeSmall(out, magnitude, value, scope),
      when(f64.lt(magnitude.get, f64.const(Infinity)), [
        i32.store8(out.get, i32.const(MINUS)),
        out.set(i32.add(out.get, f64.lt(value.get, f64.const(0)))),
        returns(call("i32", "writeShortest", out.get, i64.reinterpretF64(magnitude.get), powers.get)),
      ]),
      ...writeWord(out, value, quote),
      out.get,
    ]
  })
}

/** Returns with a number of at most six digits behind the point and fifteen in all, where it is one. */
function writeSmall(
  out: Local<"i32">,
  magnitude: Local<"f64">,
  value: Local<"f64">,
  scope: FunctionScope,
): Code<"none">[] {
  const [scaled, whole, fraction, digits] = [0, 1, 2, 3].map(() => scope.local("i64")) as [L, L, L, L]
  const unit = i64.const(BigInt(SMALL_UNIT))
  return [
    scaled.set(i64.truncSatF64S(f64.add(f64.mul(magnitude.get, f64.const(SMALL_UNIT)), f64.const(0.5)))),
    when(
      i32.and(
        f64.eq(f64.div(f64.convertI64S(scaled.get), f64.const(SMALL_UNIT)), magnitude.get),
        i64.ltU(scaled.get, i64.const(BigInt(EXACT_BELOW))),
      ),
      [
        i32.store8(out.get, i32.const(MINUS)),
        out.set(i32.add(out.get, f64.lt(value.get, f64.const(0)))),
        whole.set(i64.truncSatF64S(magnitude.get)),
        fraction.set(i64.mul(i64.sub(scaled.get, i64.mul(whole.get, unit)), i64.const(100n))),
        out.set(call("i32", "writeWhole", out.get, whole.get)),
        i32.store8(out.get, i32.const(DOT)),
        eightDigits(fraction, digits, scope),
        i64.store(out.get, charactersOf(digits.get), 1),
        // The number is no whole one, so there is a digit other than zero.
        returns(i32.sub(i32.add(out.get, i32.const(9)), i32.wrap(i64.shrU(i64.clz(digits.get), i64.const(3n))))),
      ],
    ),
  ]
}

/** Writes NaN or an infinity. */
function writeWord(out: Local<"i32">, value: Local<"f64">, quote: Local<"i32">): Code<"none">[] {
  const writeQuote = sequence(
    i32.store8(out.get, quote.get),
    out.set(i32.add(out.get, i32.ne(quote.get, i32.const(0)))),
  )
  const word = (text: string) =>
    sequence(
      v128.store(out.get, v128.const([...text.padEnd(16)].map((character) => character.charCodeAt(0)))),
      out.set(i32.add(out.get, i32.const(text.length))),
    )
  return [
    writeQuote,
    when(
      f64.ne(value.get, value.get),
      [word("NaN")],
      [when(f64.gt(value.get, f64.const(0)), [word("Infinity")], [word("-Infinity")])],
    ),
    writeQuote,
  ]
}

/** Adds `writeShortest(out, bits, powers)`: a double above 0 that is finite. */
function writeShortestWriter(module: WasmModule): void {
  const parameters = { out: "i32", bits: "i64", powers: "i32" } as const
  module.function("writeShortest", { parameters, result: "i32" }, ({ out, bits, powers }, scope) => {
    const [k, isBelow, isAbove] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const [lower, middle, upper, odd] = [0, 1, 2, 3].map(() => scope.local("i64")) as [L, L, L, L]
    const [short, tens] = [scope.local("i64"), scope.local("i64")]
    const { const: c, add, sub, mul, shl, shrU } = i64
    const isNear = (below: Code<"i64">, above: Code<"i64">) => ({
      below: i64.leU(lower.get, below),
      above: i64.leU(above, upper.get),
    })
    const inTens = isNear(tens.get, add(tens.get, c(40n)))
    const inOnes = isNear(shl(short.get, c(2n)), add(shl(short.get, c(2n)), c(4n)))
    const decideBy = ({ below, above }: ReturnType<typeof isNear>, digits: Code<"i64">, exponentOf: Code<"i32">) => [
      isBelow.set(below),
      isAbove.set(above),
      when(i32.ne(isBelow.get, isAbove.get), [
        returns(call("i32", "writeDecimal", out.get, add(digits, i64.extendU(isAbove.get)), exponentOf)),
      ]),
    ]
    return [
      ...readInterval({ bits, powers, lower, middle, upper, odd, k }, scope),
      // The ends belong to the interval where the significand is even.
      lower.set(add(lower.get, odd.get)),
      upper.set(sub(upper.get, odd.get)),
      short.set(shrU(middle.get, c(2n))),
      when(i64.geU(short.get, c(10n)), [
        tens.set(i64.divU(short.get, c(10n))),
        odd.set(tens.get),
        tens.set(mul(tens.get, c(40n))),
        ...decideBy(inTens, odd.get, i32.add(k.get, i32.const(1))),
      ]),
      ...decideBy(inOnes, short.get, k.get),
      // Neither end or both are within: the nearer one, or the even one.
      tens.set(add(shl(short.get, c(2n)), c(2n))),
      isAbove.set(
        i32.or(
          i64.gtU(middle.get, tens.get),
          i32.and(i64.eq(middle.get, tens.get), i32.wrap(i64.and(short.get, c(1n)))),
        ),
      ),
      call("i32", "writeDecimal", out.get, add(short.get, i64.extendU(isAbove.get)), k.get),
    ]
  })
}

/** A double, and the interval of numbers that round to it, in quarters of 10ᵏ. */
interface Interval {
  readonly bits: L
  readonly powers: Local<"i32">
  readonly lower: L
  readonly middle: L
  readonly upper: L
  /** Whether the significand is odd. */
  readonly odd: L
  readonly k: Local<"i32">
}

function readInterval(interval: Interval, scope: FunctionScope): Code<"none">[] {
  const { bits, powers, lower, middle, upper, odd, k } = interval
  const [q, power] = [scope.local("i32"), scope.local("i32")]
  const [significand, shift, closer] = [scope.local("i64"), scope.local("i64"), scope.local("i64")]
  const { const: c, add, sub, shl, shrU } = i64
  const exponent = i32.wrap(shrU(bits.get, c(52n)))
  return [
    significand.set(i64.and(bits.get, c(2n ** 52n - 1n))),
    q.set(exponent),
    // A neighbour below a power of two is nearer than that above.
    closer.set(i64.extendU(i32.and(i64.eqz(significand.get), i32.gtU(q.get, i32.const(1))))),
    when(i32.eqz(q.get), [q.set(i32.const(1))], [significand.set(i64.or(significand.get, c(2n ** 52n)))]),
    q.set(i32.sub(q.get, i32.const(1075))),
    odd.set(i64.and(significand.get, c(1n))),
    // ⌊log₁₀ 2^q⌋, or ⌊log₁₀ ¾·2^q⌋.
    k.set(
      i32.shrS(
        i32.sub(i32.mul(q.get, i32.const(1_262_611)), i32.mul(i32.wrap(closer.get), i32.const(524_031))),
        i32.const(22),
      ),
    ),
    // q + ⌊log₂ 10^−k⌋ + 1
    shift.set(
      i64.extendU(
        i32.add(
          i32.add(q.get, i32.shrS(i32.mul(i32.sub(i32.const(0), k.get), i32.const(1_741_647)), i32.const(19))),
          i32.const(1),
        ),
      ),
    ),
    power.set(i32.add(powers.get, i32.shl(i32.sub(i32.const(-POWERS_FROM), k.get), i32.const(4)))),
    middle.set(shl(significand.get, c(2n))),
    ...roundToOdd(lower, shl(add(sub(middle.get, c(2n)), closer.get), shift.get), power, scope),
    ...roundToOdd(upper, shl(add(middle.get, c(2n)), shift.get), power, scope),
    ...roundToOdd(middle, shl(middle.get, shift.get), power, scope),
  ]
}

/** The highest 64 bits of the product with a power of ten, and 1 in the lowest where anything but 0 or 1 was cut. */
function roundToOdd(into: L, factor: Code<"i64">, power: Local<"i32">, scope: FunctionScope): Code<"none">[] {
  const value = scope.local("i64")
  const [carried, low, high] = [scope.local("i64"), scope.local("i64"), scope.local("i64")]
  const whole = (address: number, lowInto: L | undefined, highInto: L) =>
    wholeProduct(i64.load(power.get, address), value, lowInto, highInto, scope)
  return [
    value.set(factor),
    ...whole(0, undefined, carried),
    ...whole(8, low, high),
    low.set(i64.add(low.get, carried.get)),
    high.set(i64.add(high.get, i64.extendU(i64.ltU(low.get, carried.get)))),
    into.set(i64.or(high.get, i64.extendU(i64.gtU(low.get, i64.const(1n))))),
  ]
}

/** The product of two numbers of 64 bits in 128, by words of 32. */
function wholeProduct(a: Code<"i64">, b: L, low: L | undefined, high: L, scope: FunctionScope): Code<"none">[] {
  const [aLow, aHigh, bLow, bHigh, cross, other] = [0, 1, 2, 3, 4, 5].map(() => scope.local("i64")) as [
    L,
    L,
    L,
    L,
    L,
    L,
  ]
  const { const: c, add, mul, and, shrU } = i64
  const lowWord = (value: Code<"i64">) => and(value, c(0xffff_ffffn))
  const highWord = (value: Code<"i64">) => shrU(value, c(32n))
  return [
    other.set(a),
    aLow.set(lowWord(other.get)),
    aHigh.set(highWord(other.get)),
    ...(low === undefined ? [] : [low.set(mul(other.get, b.get))]),
    bLow.set(lowWord(b.get)),
    bHigh.set(highWord(b.get)),
    cross.set(add(mul(aHigh.get, bLow.get), highWord(mul(aLow.get, bLow.get)))),
    other.set(add(mul(aLow.get, bHigh.get), lowWord(cross.get))),
    high.set(add(add(mul(aHigh.get, bHigh.get), highWord(cross.get)), highWord(other.get))),
  ]
}

type L = Local<"i64">
