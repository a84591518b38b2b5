/** WebAssembly that writes a decimal number as `String` writes the double of which it is the shortest one. */
import { call, choose, i32, i64, returns, sequence, v128, when, type Code, type Local } from "../base/wasm-code.ts"
import type { WasmModule } from "../base/wasm-module.ts"
import { charactersOf, eightDigits, hundredMillionths, zerosBefore } from "./digits-writing-code.ts"
import { bytesOf } from "./field-code.ts"

const [DOT, MINUS, PLUS, ZERO, LOWER_E] = [46, 45, 43, 48, 101] as const

/** Where digits are put together, behind what is being written, and how many they are. */
const SCRATCH = 48
const DIGITS = 17

/**
 * Adds `writeDecimal(out, digits, exponent)`: digits · 10^exponent as `String` writes it, where digits is above 0 and below
 * 10¹⁷. The digits are put together in scratch memory with zeros behind them, and copied to where they belong.
 */
export function writeDecimalWriter(module: WasmModule): void {
  const parameters = { out: "i32", digits: "i64", exponent: "i32" } as const
  module.function("writeDecimal", { parameters, result: "i32" }, ({ out, digits, exponent }, scope) => {
    const [high, middle, low] = [scope.local("i64"), scope.local("i64"), scope.local("i64")]
    const [middleDigits, lowDigits] = [scope.local("i64"), scope.local("i64")]
    const [first, count, point, from] = [0, 1, 2, 3].map(() => scope.local("i32")) as [W, W, W, W]
    const { add, sub, const: c } = i32
    const bytes = (zeros: Code<"i64">) => i32.wrap(i64.shrU(zeros, i64.const(3n)))
    const unit = i64.const(100_000_000n)
    const copy = (to: Code<"i32">, at: Code<"i32">, offset = 0) =>
      sequence(v128.store(to, v128.load(at), offset), v128.store(to, v128.load(at, 16), offset + 16))
    return [
      middle.set(hundredMillionths(digits.get)),
      low.set(i64.sub(digits.get, i64.mul(middle.get, unit))),
      high.set(hundredMillionths(middle.get)),
      middle.set(i64.sub(middle.get, i64.mul(high.get, unit))),
      eightDigits(middle, middleDigits, scope),
      eightDigits(low, lowDigits, scope),
      i32.store8(out.get, add(i32.wrap(high.get), c(ZERO)), SCRATCH),
      i64.store(out.get, charactersOf(middleDigits.get), SCRATCH + 1),
      i64.store(out.get, charactersOf(lowDigits.get), SCRATCH + 9),
      v128.store(out.get, bytesOf(ZERO), SCRATCH + DIGITS),
      v128.store(out.get, bytesOf(ZERO), SCRATCH + DIGITS + 16),
      first.set(
        choose(
          i64.eqz(high.get),
          choose(
            i64.eqz(middle.get),
            add(i32.wrap(zerosBefore(lowDigits.get)), c(9)),
            add(i32.wrap(zerosBefore(middleDigits.get)), c(1)),
          ),
          c(0),
        ),
      ),
      // How many digits are left without the zeros at both ends.
      count.set(
        choose(
          i64.eqz(low.get),
          choose(i64.eqz(middle.get), c(1), sub(c(9), bytes(i64.clz(middleDigits.get)))),
          sub(c(DIGITS), bytes(i64.clz(lowDigits.get))),
        ),
      ),
      count.set(sub(count.get, first.get)),
      point.set(add(sub(c(DIGITS), first.get), exponent.get)),
      from.set(add(add(out.get, c(SCRATCH)), first.get)),
      when(i32.gtS(point.get, c(0)), [
        when(i32.leS(point.get, c(21)), [
          copy(out.get, from.get),
          when(i32.geS(point.get, count.get), [returns(add(out.get, point.get))]),
          from.set(add(from.get, point.get)),
          point.set(add(out.get, point.get)),
          v128.store(point.get, v128.load(from.get), 1),
          i32.store8(point.get, c(DOT)),
          returns(add(add(out.get, count.get), c(1))),
        ]),
      ]),
      when(i32.and(i32.leS(point.get, c(0)), i32.gtS(point.get, c(-6))), [
        i64.store(out.get, i64.const(0x3030_3030_3030_2e30n)),
        copy(sub(add(out.get, c(2)), point.get), from.get),
        returns(add(sub(add(out.get, c(2)), point.get), count.get)),
      ]),
      ...writeExponential({ out, from, count, point }),
      call("i32", "writeEight", add(out.get, c(2)), i64.extendU(point.get)),
    ]
  })
}

/** Writes one digit, the others behind a point, and `e` with a sign; the exponent is left in `point`. */
function writeExponential({ out, from, count, point }: Readonly<Record<"out" | "from" | "count" | "point", W>>) {
  const { add, sub, const: c } = i32
  return [
    i32.store8(out.get, i32.load8U(from.get)),
    v128.store(out.get, v128.load(from.get, 1), 2),
    i32.store8(out.get, c(DOT), 1),
    out.set(add(out.get, i32.select(i32.eq(count.get, c(1)), c(1), add(count.get, c(1))))),
    point.set(sub(point.get, c(1))),
    i32.store8(out.get, c(LOWER_E)),
    i32.store8(out.get, i32.select(i32.ltS(point.get, c(0)), c(MINUS), c(PLUS)), 1),
    point.set(i32.select(i32.ltS(point.get, c(0)), sub(c(0), point.get), point.get)),
  ]
}

type W = Local<"i32">
