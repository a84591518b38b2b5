/** The writers of numbers and times, held against `String` and `formatIso`. */
import { expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import type { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { formatIso } from "../time/iso.ts"
import type { Timestamp } from "../time/timestamp.ts"
import { SHORTEST_POWERS_BYTES, shortestPowers } from "./shortest-powers.ts"
import { FIRST_DATE } from "./timestamp-writing-code.ts"
import { writeFunctions } from "./write-blocks.ts"

const arena = new Arena({ maxBytes: 1 << 20 })
const { writeWhole, writeDouble, writeTimestamp } = writeFunctions(arena.memory, "jsonl")
const powers = arena.allocate(SHORTEST_POWERS_BYTES).offset
const lastDate = arena.allocate(FIRST_DATE.length).offset
const out = arena.allocate(1024).offset
const bytes = new Uint8Array(arena.buffer)
bytes.set(shortestPowers(), powers)
bytes.set(FIRST_DATE, lastDate)

function textTo(end: number): string {
  return String.fromCharCode(...bytes.subarray(out, end))
}

const bits = new BigInt64Array(1)
const double = new Float64Array(bits.buffer)

function doubleOf(pattern: bigint): number {
  bits[0] = pattern
  return double[0]!
}

/** A double whose neighbours are near in some sense, or that is near a power of two or of ten. */
function hostileDouble(prng: Prng): number {
  const random64 = () => (BigInt(prng.uint32()) << 32n) | BigInt(prng.uint32())
  const near = (value: number) => {
    double[0] = value
    return doubleOf(bits[0]! + BigInt(prng.below(7) - 3))
  }
  const magnitude = prng.pick([
    () => doubleOf(random64()),
    () => near(2 ** (prng.below(2098) - 1074)),
    () => near(Number(`1e${prng.below(632) - 323}`)),
    () => near(Number(`${prng.below(1e9)}e${prng.below(60) - 40}`)),
    () => prng.below(1e9) / 10 ** prng.below(12),
    () => near(prng.below(1e9) / 10 ** prng.below(7)),
    () => (prng.uint32() * 2 ** 21 + prng.below(2 ** 21)) / 2 ** prng.below(80),
    () => near(2 ** 53 * 2 ** prng.below(20)),
    () => doubleOf(BigInt(prng.below(1000))),
    () => (1 + prng.float()) / 3,
  ])()
  return prng.chance(0.5) ? magnitude : -magnitude
}

/** Doubles at which printers have erred: the ends of their ranges, and halfway between decimal numbers. */
const HARD = [
  ...[0, 5e-324, 2 ** -1022 - 5e-324, 2 ** -1022, 1e-7, 9.5e-7, 1e-6, 4.35, 0.1 + 0.2],
  ...[
    1e15,
    999999999999999.9,
    2 ** 53 + 2,
    2 ** 63,
    2 ** 64,
    123456789012345680000,
    1e21,
    1e22,
    1e23,
    Number.MAX_VALUE,
  ],
]

it("RW1 writes doubles as String does", () => {
  const wrong: [string, string][] = []
  const expectDouble = (value: number) => {
    const written = textTo(writeDouble(out, value, powers, 0))
    const expected = Object.is(value, -0) ? "-0" : String(value)
    if (written !== expected) wrong.push([written, expected])
  }
  for (const value of HARD) [value, -value].forEach(expectDouble)
  forEachSeed(200, (prng) => {
    for (let times = 0; times < 2000; times++) {
      const value = hostileDouble(prng)
      if (Number.isFinite(value)) expectDouble(value)
    }
  })
  expect(wrong).toEqual([])
})

it("RW1 writes what is no number as a word, within quotes where it is told to", () => {
  expect([NaN, Infinity, -Infinity].map((value) => textTo(writeDouble(out, value, powers, 0)))).toEqual([
    "NaN",
    "Infinity",
    "-Infinity",
  ])
  expect(textTo(writeDouble(out, -Infinity, powers, 34))).toBe('"-Infinity"')
})

it("RW1 writes whole numbers as String does", () => {
  const edges = Array.from({ length: 20 }, (_, digits) => 10n ** BigInt(digits)).flatMap((power) => [power - 1n, power])
  for (const value of [...edges, 2n ** 63n - 1n].filter((each) => each < 2n ** 63n)) {
    for (const each of [value, -value]) expect(textTo(writeWhole(out, each))).toBe(String(each))
  }
  expect(textTo(writeWhole(out, -(2n ** 63n)))).toBe(String(-(2n ** 63n)))
  forEachSeed(50, (prng) => {
    for (let times = 0; times < 500; times++) {
      const random = BigInt.asIntN(64, (BigInt(prng.uint32()) << 32n) | BigInt(prng.uint32()))
      const value = random >> BigInt(prng.below(64))
      const written = textTo(writeWhole(out, value))
      if (written !== String(value)) expect(written).toBe(String(value))
    }
  })
})

it("RW1 writes timestamps as formatIso does", () => {
  const wrong: [string, string][] = []
  const expectTimestamp = (value: number) => {
    const written = textTo(writeTimestamp(out, BigInt(value), lastDate))
    const expected = formatIso(value as Timestamp)
    if (written !== expected) wrong.push([written, expected])
  }
  ;[0, -1, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 86_400_000_000, -86_400_000_000].forEach(expectTimestamp)
  const firstDay = Math.ceil(-Number.MAX_SAFE_INTEGER / 86_400_000_000)
  for (let day = firstDay; day <= -firstDay; day++) expectTimestamp(day * 86_400_000_000)
  forEachSeed(50, (prng) => {
    let value = Math.floor((prng.float() - 0.5) * 2 ** (20 + prng.below(34)))
    for (let times = 0; times < 500; times++) {
      expectTimestamp(value)
      const next = value + prng.pick([1, 1000, 1_000_000, 86_400_000_000]) * (prng.below(2000) - 1000)
      if (Number.isSafeInteger(next)) value = next
    }
  })
  expect(wrong).toEqual([])
})
