/**
 * WebAssembly that writes whole numbers as decimal digits, eight at a time in the bytes of one word, without a table or a
 * branch for each: a number is halved to two of four digits, four of two and eight of one, by multiplication ("SWAR", as in
 * Khuong, "How to print integers really fast", 2017).
 *
 * Writers are functions that are given where to write and give where they ended. They may write up to `WRITING_SLACK` bytes
 * beyond that.
 */
import { call, f64, i32, i64, returns, sequence, when, type Code, type Local } from "../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../base/wasm-module.ts"

/** How far behind its end a writer may write. */
export const WRITING_SLACK = 128

const MINUS = 45
/** `0` in each of eight bytes. */
const ZEROS = 0x3030_3030_3030_3030n

/** Makes of a number below 10⁸ its eight digits, 0 to 9, the first one in the lowest byte. */
export function eightDigits(number: Local<"i64">, digits: Local<"i64">, scope: FunctionScope): Code<"none"> {
  const part = scope.local("i64")
  const { const: c, add, sub, mul, and, or, shl, shrU } = i64
  return sequence(
    part.set(shrU(mul(number.get, c(3_518_437_209n)), c(45n))),
    digits.set(or(part.get, shl(sub(number.get, mul(part.get, c(10_000n))), c(32n)))),
    part.set(and(shrU(mul(digits.get, c(10_486n)), c(20n)), c(0x0000_007f_0000_007fn))),
    digits.set(add(part.get, shl(sub(digits.get, mul(part.get, c(100n))), c(16n)))),
    part.set(and(shrU(mul(digits.get, c(103n)), c(10n)), c(0x000f_000f_000f_000fn))),
    digits.set(add(part.get, shl(sub(digits.get, mul(part.get, c(10n))), c(8n)))),
  )
}

/** Eight digits as characters. */
export function charactersOf(digits: Code<"i64">): Code<"i64"> {
  return i64.add(digits, i64.const(ZEROS))
}

/** How many of eight digits are zeros at the start, where the last one does not count. */
export function zerosBefore(digits: Code<"i64">): Code<"i64"> {
  return i64.shrU(i64.ctz(i64.or(digits, i64.const(1n << 56n))), i64.const(3n))
}

/** Divides a number below 10¹⁷ by 10⁸. As the number is cut by 2⁸ before, the quotient of doubles is off by less than 10⁻⁶. */
export function hundredMillionths(number: Code<"i64">): Code<"i64"> {
  return i64.truncSatF64S(roundedUp(i64.shrU(number, i64.const(8n))))
}

/** See above: 390,625 is 10⁸ / 2⁸, and a quotient that is no whole number is at least 1 / 390,625 below the next one. */
function roundedUp(cut: Code<"i64">): Code<"f64"> {
  return f64.add(f64.mul(f64.convertI64S(cut), f64.const(1 / 390_625)), f64.const(1e-6))
}

/** Adds `writeWhole(out, value)`: any whole number of 64 bits. */
export function writeWholeWriter(module: WasmModule): void {
  const parameters = { out: "i32", value: "i64" } as const
  module.function("writeEight", { parameters, result: "i32" }, ({ out, value }, scope) => {
    const [digits, zeros] = [scope.local("i64"), scope.local("i64")]
    return [
      eightDigits(value, digits, scope),
      zeros.set(zerosBefore(digits.get)),
      i64.store(out.get, i64.shrU(charactersOf(digits.get), i64.shl(zeros.get, i64.const(3n)))),
      i32.add(out.get, i32.sub(i32.const(8), i32.wrap(zeros.get))),
    ]
  })
  module.function("writeWhole", { parameters, result: "i32" }, ({ out, value }, scope) => {
    const [digits, part, rest] = [scope.local("i64"), scope.local("i64"), scope.local("i64")]
    const writeRest = (at: number) => [
      eightDigits(rest, digits, scope),
      i64.store(out.get, charactersOf(digits.get), at),
    ]
    const cutRest = (by: Code<"i64">) => rest.set(i64.sub(value.get, i64.mul(by, i64.const(100_000_000n))))
    return [
      when(i64.ltS(value.get, i64.const(0n)), [
        i32.store8(out.get, i32.const(MINUS)),
        out.set(i32.add(out.get, i32.const(1))),
        value.set(i64.sub(i64.const(0n), value.get)),
      ]),
      when(i64.ltU(value.get, i64.const(100_000_000n)), [returns(call("i32", "writeEight", out.get, value.get))]),
      when(i64.ltU(value.get, i64.const(10n ** 16n)), [
        part.set(hundredMillionths(value.get)),
        cutRest(part.get),
        out.set(call("i32", "writeEight", out.get, part.get)),
        ...writeRest(0),
        returns(i32.add(out.get, i32.const(8))),
      ]),
      // Up to twenty digits: four, eight and eight.
      part.set(i64.divU(value.get, i64.const(10n ** 16n))),
      out.set(call("i32", "writeEight", out.get, part.get)),
      value.set(i64.sub(value.get, i64.mul(part.get, i64.const(10n ** 16n)))),
      part.set(hundredMillionths(value.get)),
      cutRest(part.get),
      ...writeRest(8),
      rest.set(part.get),
      ...writeRest(0),
      i32.add(out.get, i32.const(16)),
    ]
  })
}
