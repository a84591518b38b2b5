import { expect, it } from "vitest"
import { forEachSeed } from "../../../test/seeds.ts"
import type { Prng } from "../../base/prng.ts"
import {
  doubleFromBytes,
  int32FromBytes,
  int53FromBytes,
  NO_NUMBER,
  scanDouble,
  scanInt32,
  scanInt53,
} from "./decimal-bytes.ts"
import { readInt53 } from "../column.ts"
import { doubleToBytes } from "./decimal-to-bytes.ts"

const WHOLE = /^-?[0-9]+/
const DOUBLE = /^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/
const bytes = new Uint8Array(128)
const written = new Uint8Array(64)
const doubles = new Float64Array(2)
const halves = new Int32Array(4)
const words = new Int32Array(2)

const doubleScanner = {
  grammar: DOUBLE,
  scan: (end: number) => scanDouble(bytes, 0, end, doubles, 1),
  fromBytes: (end: number) => doubleFromBytes(bytes, 0, end, doubles, 1),
  value: () => doubles[1]!,
  expected: Number,
}
const int53Scanner = {
  grammar: WHOLE,
  scan: (end: number) => scanInt53(bytes, 0, end, halves, 1),
  fromBytes: (end: number) => int53FromBytes(bytes, 0, end, halves, 1),
  value: () => readInt53(halves, 1),
  expected: (text: string) => Number(text) + 0,
}
const int32Scanner = {
  grammar: WHOLE,
  scan: (end: number) => scanInt32(bytes, 0, end, words, 1),
  fromBytes: (end: number) => int32FromBytes(bytes, 0, end, words, 1),
  value: () => words[1]!,
  expected: (text: string) => Number(text) | 0,
}

/** Digits with a point among them, where doubles round: many digits, and halfway between two doubles. */
function randomNumber(prng: Prng): string {
  const digits = prng.pick([
    () => String(prng.below(10 ** prng.below(16))),
    () => Array.from({ length: 16 + prng.below(4) }, () => prng.below(10)).join(""),
    () => String(BigInt(2 ** 52 + prng.below(2 ** 52)) * 2n + 1n),
    () => `${"0".repeat(prng.below(20))}${prng.below(1e6)}`,
  ])()
  const point = prng.below(digits.length + 1)
  const text = point === 0 || point === digits.length ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`
  const exponent = prng.chance(0.8) ? "" : `${prng.pick(["e", "E"])}${prng.pick(["", "+", "-"])}${prng.below(330)}`
  return (prng.chance(0.2) ? "-" : "") + text + exponent
}

function put(text: string): void {
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index)
}

it("DB1 DB2 scanners end where the grammar ends and store what Number gives, or give nothing", () => {
  const known = new Map([doubleScanner, int53Scanner, int32Scanner].map((scanner) => [scanner, 0]))
  forEachSeed(20, (prng) => {
    for (let index = 0; index < 2000; index++) {
      const text = randomNumber(prng) + prng.pick(["", "", "", ",", ".", "e", "e+", "-", "x", ".5", "}"])
      put(text)
      for (const [scanner, count] of known) {
        const number = scanner.grammar.exec(text)?.[0] ?? ""
        const expected = scanner.expected(number)
        const end = scanner.scan(text.length)
        const value = scanner.value()
        if (end !== NO_NUMBER && (end !== number.length || !Object.is(value, expected))) {
          expect.fail(`${text}: ${value} up to ${end}, but it is ${expected} up to ${number.length}`)
        }
        if (end !== NO_NUMBER) known.set(scanner, count + 1)
        if (scanner.fromBytes(text.length) !== (end === text.length)) expect.fail(`${text} as a whole`)
      }
    }
  })
  for (const count of known.values()) expect(count).toBeGreaterThan(5_000)
})

it("DB1 int32 keeps to its range", () => {
  const numbers = ["2147483647", "-2147483648", "2147483648", "-2147483649", "4294967296", "-0", "", "-", "1.0"]
  const values = numbers.map((text) => {
    put(text)
    return int32FromBytes(bytes, 0, text.length, words, 1) ? words[1] : undefined
  })
  expect(values).toEqual([2147483647, -2147483648, undefined, undefined, undefined, 0, undefined, undefined, undefined])
})

it("DW1 doubles are written as String writes them, or not at all", () => {
  let count = 0
  forEachSeed(10, (prng) => {
    for (let index = 0; index < 2000; index++) {
      const value = prng.chance(0.5) ? Number(randomNumber(prng)) : (prng.below(1e15) - 5e14) / 10 ** prng.below(8)
      doubles[1] = value
      const end = doubleToBytes(doubles, 1, written, 0)
      if (end === -1) continue
      count++
      const text = String.fromCharCode(...written.subarray(0, end))
      if (text !== String(value)) expect.fail(`${value} is written as ${text}`)
    }
  })
  expect(count).toBeGreaterThan(5000)
})
