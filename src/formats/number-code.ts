/** WebAssembly that reads fields of whole numbers of up to nineteen digits. What is longer or no whole number is listed. */
import { branchIf, i32, i64, when, type Code, type Label, type Local } from "../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../base/wasm-module.ts"
import { digitsAt, NINES, numberOf, VECTOR_DIGITS } from "./digits-code.ts"
import { anyAbove, writeFieldReader, type FieldAtHand, type FieldSpelling } from "./field-code.ts"

const [MINUS, DOT, ZERO] = [45, 46, 48] as const
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** A number's sign, and where its digits stand. */
export interface SignedDigits {
  readonly isNegative: Local<"i32">
  readonly at: Local<"i32">
  readonly count: Local<"i32">
  /** Leads to the list where there are none, or more than so many. */
  readonly setup: readonly Code<"none">[]
}

/** The sign of a number of at most `countMax` characters besides, and where they stand. */
export function signedDigits(
  { start, end, unknown }: FieldAtHand,
  scope: FunctionScope,
  { hasLeadingZeros }: FieldSpelling,
  countMax: number,
): SignedDigits {
  const [isNegative, at, count] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
  const startsWithZero = i32.and(i32.eq(i32.load8U(at.get), i32.const(ZERO)), i32.gtU(count.get, i32.const(1)))
  const isFraction = i32.eq(i32.load8U(at.get, 1), i32.const(DOT))
  return {
    isNegative,
    at,
    count,
    setup: [
      isNegative.set(i32.eq(i32.load8U(start.get), i32.const(MINUS))),
      at.set(i32.add(start.get, isNegative.get)),
      count.set(i32.sub(end.get, at.get)),
      branchIf(unknown, i32.geU(i32.sub(count.get, i32.const(1)), i32.const(countMax))),
      ...(hasLeadingZeros ? [] : [branchIf(unknown, i32.and(startsWithZero, i32.eqz(isFraction)))]),
    ],
  }
}

/** Adds `readInt32`, `readWhole` and `readInt64`: `-?[0-9]+` within the range of their type. */
export function writeWholeReaders(module: WasmModule, spelling: FieldSpelling): void {
  writeWholeReader(module, spelling, { name: "readInt32", sizeBits: 2, digits: 10, least: -(2n ** 31n) })
  writeWholeReader(module, spelling, { name: "readWhole", sizeBits: 3, digits: 16, least: -MAX_SAFE })
  writeWholeReader(module, spelling, { name: "readInt64", sizeBits: 3, digits: 19, least: -(2n ** 63n) })
}

interface WholeRange {
  readonly name: string
  readonly sizeBits: 2 | 3
  /** How many digits are read, at most. */
  readonly digits: number
  readonly least: bigint
}

function writeWholeReader(module: WasmModule, spelling: FieldSpelling, range: WholeRange): void {
  const { name, sizeBits } = range
  const isSymmetric = range.least === -MAX_SAFE
  writeFieldReader(module, spelling, {
    name,
    sizeBits,
    parameters: {},
    read(field, _, scope) {
      const { isNegative, at, count, setup } = signedDigits(field, scope, spelling, range.digits)
      const [number, sign] = [scope.local("i64"), scope.local("i64")]
      const numberAt = digitsReader(scope, field.unknown)
      const high = i32.sub(count.get, i32.const(VECTOR_DIGITS))
      const longer = [
        ...numberAt(at.get, high, number),
        number.set(i64.mul(number.get, i64.const(10n ** BigInt(VECTOR_DIGITS)))),
        sign.set(number.get),
        ...numberAt(i32.sub(field.end.get, i32.const(VECTOR_DIGITS)), i32.const(VECTOR_DIGITS), number),
        number.set(i64.add(number.get, sign.get)),
      ]
      const shorter = numberAt(at.get, count.get, number)
      const greatest = i64.const(isSymmetric ? MAX_SAFE : -range.least - 1n)
      // Below zero there is one more value than above.
      const bound = isSymmetric ? greatest : i64.add(greatest, sign.get)
      const value = i64.sub(i64.xor(number.get, i64.sub(i64.const(0n), sign.get)), i64.sub(i64.const(0n), sign.get))
      return [
        ...setup,
        ...(range.digits > VECTOR_DIGITS ? [when(i32.gtS(high, i32.const(0)), longer, shorter)] : shorter),
        sign.set(i64.extendU(isNegative.get)),
        branchIf(field.unknown, i64.gtU(number.get, bound)),
        sizeBits === 2 ? i32.store(field.value, i32.wrap(value)) : i64.store(field.value, value),
      ]
    },
  })
}

/** Gives code that puts the number of up to sixteen digits at an address in a variable. */
function digitsReader(scope: FunctionScope, unknown: Label) {
  const [digits, sums] = [scope.local("v128"), scope.local("v128")]
  const { setup, number } = numberOf(digits, sums)
  return (address: Code<"i32">, count: Code<"i32">, into: Local<"i64">): Code<"none">[] => [
    digits.set(digitsAt(address, count)),
    branchIf(unknown, anyAbove(digits.get, NINES)),
    setup,
    into.set(number),
  ]
}
