import { expect, it } from "vitest"
import { forEachSeed } from "../../../test/seeds.ts"
import type { Prng } from "../../base/prng.ts"
import {
  doubleFromBytes,
  int32FromBytes,
  scanDouble,
  scanned,
  scanWholeNumber,
  wholeNumberFromBytes,
} from "./decimal-bytes.ts"
import { doubleToBytes } from "./decimal-to-bytes.ts"

const WHOLE = /^-?[0-9]+/
const DOUBLE = /^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/
const bytes = new Uint8Array(128)
const written = new Uint8Array(64)

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

it("DB1 DB2 scanners end where the grammar ends, and give NaN or what Number gives", () => {
  forEachSeed(20, (prng) => {
    for (let index = 0; index < 2000; index++) {
      const text = randomNumber(prng) + prng.pick(["", "", "", ",", ".", "e", "e+", "-", "x", ".5", "}"])
      put(text)
      for (const [scan, grammar, fromBytes] of [
        [scanDouble, DOUBLE, doubleFromBytes],
        [scanWholeNumber, WHOLE, wholeNumberFromBytes],
      ] as const) {
        const number = grammar.exec(text)?.[0] ?? ""
        const value = scan(bytes, 0, text.length)
        const { end } = scanned
        const expected = Number(number) + (scan === scanWholeNumber ? 0 : -0)
        if (end !== number.length || (value === value && !Object.is(value, expected))) {
          expect.fail(`${text}: ${value} up to ${end}, but it is ${expected} up to ${number.length}`)
        }
        const complete = fromBytes(bytes, 0, text.length)
        if (!Object.is(complete, number === text ? value : NaN)) expect.fail(`${text}: ${complete}`)
      }
    }
  })
  expect(scanned.end).toBeGreaterThan(0)
})

it("DB1 int32 keeps to its range", () => {
  const numbers = ["2147483647", "-2147483648", "2147483648", "-2147483649", "4294967296", "-0", "", "-", "1.0"]
  const values = numbers.map((text) => {
    put(text)
    return int32FromBytes(bytes, 0, text.length)
  })
  expect(values).toEqual([2147483647, -2147483648, NaN, NaN, NaN, 0, NaN, NaN, NaN])
})

it("DW1 doubles are written as String writes them, or not at all", () => {
  let count = 0
  forEachSeed(10, (prng) => {
    for (let index = 0; index < 2000; index++) {
      const value = prng.chance(0.5) ? Number(randomNumber(prng)) : (prng.below(1e15) - 5e14) / 10 ** prng.below(8)
      const end = doubleToBytes(value, written, 0)
      if (end === -1) continue
      count++
      const text = String.fromCharCode(...written.subarray(0, end))
      if (text !== String(value)) expect.fail(`${value} is written as ${text}`)
    }
  })
  expect(count).toBeGreaterThan(5000)
})
