/** The readers of fields (`number-code.ts`, `timestamp-code.ts`, `bool-code.ts`) on texts, against hand-computed values and the types. */
import { describe, expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { EVERY_WAY, randomFieldText } from "../../test/random-fields.ts"
import { kernels, memory, readTexts, values, type Reader } from "./field-kernels.fixture.ts"

const UNREAD = "unread"

/** What a reader makes of texts. */
function valuesOf(reader: Reader, texts: readonly string[], load: (row: number) => unknown): unknown[] {
  const { unread } = readTexts(reader, texts)
  return texts.map((_, row) => (unread.includes(row) ? UNREAD : load(row)))
}

const { view } = memory
const int32 = (row: number) => view.getInt32(values + row * 4, true)
const int64 = (row: number) => view.getBigInt64(values + row * 8, true)
const double = (row: number) => view.getFloat64(values + row * 8, true)
const bit = (row: number) => ((view.getUint8(values + (row >> 3)) >> (row & 7)) & 1) === 1

describe("kernels for whole numbers", () => {
  it("reads int32 to both ends of the range, with leading zeros, and nothing beyond", () => {
    const texts = ["0", "-0", "7", "-12", "0000000012", "2147483647", "-2147483648", "2147483648", "-2147483649"]
    const expected = [0, 0, 7, -12, 12, 2147483647, -2147483648, UNREAD, UNREAD]
    expect(valuesOf(kernels.readInt32, texts, int32)).toEqual(expected)
  })

  it("lists what is no whole number, or has more digits than the type", () => {
    const texts = ["-", "--1", "+1", "1.0", "1e3", " 1", "1 ", "a", "/", ":", "é", "00000000012", "9999999999", "1-"]
    expect(valuesOf(kernels.readInt32, texts, int32)).toEqual(texts.map(() => UNREAD))
  })

  it("reads int53 of up to sixteen digits to both ends of the range", () => {
    const texts = ["9007199254740991", "-9007199254740991", "9007199254740992", "-9007199254740992", "4294967296", "-1"]
    const expected = [2n ** 53n - 1n, 1n - 2n ** 53n, UNREAD, UNREAD, 2n ** 32n, -1n]
    expect(valuesOf(kernels.readWhole, texts, int64)).toEqual(expected)
    expect(valuesOf(kernels.readWhole, ["00000000000000001"], int64)).toEqual([UNREAD])
  })

  it("reads int64 of up to nineteen digits to both ends of the range", () => {
    const [max, min] = [2n ** 63n - 1n, -(2n ** 63n)]
    const texts = [
      String(max),
      String(min),
      String(max + 1n),
      String(min - 1n),
      "9999999999999999999",
      "12345678901234567",
    ]
    expect(valuesOf(kernels.readInt64, texts, int64)).toEqual([max, min, UNREAD, UNREAD, UNREAD, 12345678901234567n])
    const others = ["1234567890123456x", "x234567890123456789", "00000000000000000001"]
    expect(valuesOf(kernels.readInt64, others, int64)).toEqual([UNREAD, UNREAD, UNREAD])
  })
})

describe("the kernel for doubles", () => {
  it("reads up to eighteen digits as Number does, with the sign of zero", () => {
    const texts = [
      ...["0", "-0", "-0.0", "1.5", "-12.25", "0.1", "123456789.123456", "9007199254740994", "0.00000000000001"],
      ...[
        "0.30000000000000004",
        "-73.98214721679688",
        "123456789012345678",
        "9007199254740993.5",
        "1234567890123456.78",
      ],
      ...[
        "1.23456789012345678",
        "12.3456789012345678",
        "123.45678901234567",
        "00000000000000000.1",
        "-1.7976931348623157",
      ],
    ]
    const read = valuesOf(kernels.readDouble, texts, double)
    expect(read).toEqual(texts.map(Number))
    expect(Object.is(read[1], -0) && Object.is(read[2], -0)).toBe(true)
  })

  it("lists what has an exponent, no digit on a side of the point, a second point, or too many digits", () => {
    const texts = [
      ...[".5", "5.", "-.5", ".", "-", "1.2.3", "1e5", "NaN", "1,5", "1234567890123456789", "0.1234567890123456789"],
      ...[
        ".12345678901234567",
        "12345678901234567.",
        "1.2345678901234.56",
        "1234567890.123456e",
        "1.23456789012345e10",
      ],
      // Just in the middle of two doubles.
      "9007199254740993",
      ...["x1234567890123456.7", "12.34567890123456 ", "123456789012345678.1"],
    ]
    expect(valuesOf(kernels.readDouble, texts, double)).toEqual(texts.map(() => UNREAD))
  })

  it("FC1 rounds 200,000 numbers as Number does, near the middle of two doubles, too", () => {
    let taken = 0
    let count = 0
    forEachSeed(200, (prng) => {
      const texts = Array.from({ length: 1000 }, () => {
        const value = (prng.below(2 ** 30) / 2 ** 30 + prng.below(2 ** 23) / 2 ** 53) * 10 ** prng.below(16)
        if (prng.chance(0.5)) return String(value)
        // The middle of two neighbours, and what is next to it.
        const middle = String(BigInt(Math.floor(value * 2 ** 20)) * 2n + BigInt(prng.below(3)) + 2n ** 54n).slice(0, 18)
        const point = 1 + prng.below(17)
        return `${middle.slice(0, point)}.${middle.slice(point)}`
      }).filter((text) => !text.includes("e"))
      valuesOf(kernels.readDouble, texts, double).forEach((value, row) => {
        count++
        if (value === UNREAD) return
        taken++
        if (!Object.is(value, Number(texts[row]))) expect(value, texts[row]).toBe(Number(texts[row]))
      })
    })
    expect(taken / count).toBeGreaterThan(0.6)
  })
})

describe("the kernel for timestamps", () => {
  const micros = (text: string) => BigInt(Date.parse(text)) * 1000n

  it("reads times in UTC, with up to six digits of a second", () => {
    const texts = [
      "1970-01-01T00:00:00Z",
      "2024-02-29T23:59:59.5Z",
      "1969-12-31T23:59:59.999999Z",
      "2024-05-06T07:08:09.12Z",
    ]
    const expected = [0n, micros("2024-02-29T23:59:59Z") + 500_000n, -1n, micros("2024-05-06T07:08:09Z") + 120_000n]
    expect(valuesOf(kernels.readTimestamp, texts, int64)).toEqual(expected)
  })

  it("lists times that there are not, and other spellings", () => {
    const texts = [
      ...["2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-04-31T00:00:00Z", "2024-00-01T00:00:00Z"],
      ...["2024-13-01T00:00:00Z", "2024-01-00T00:00:00Z", "0000-00-00T00:00:00Z", "2024-01-01T24:00:00Z"],
      ...["2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z"],
      ...["2024-01-01T00:00:00.1234567Z", "2024-01-01T00:00:00+01:00", "2024-01-01 00:00:00Z", "2024/01/01T00:00:00Z"],
      ...["2024-01-01T00:00:00,5Z", "2024-01-01T00:00:0xZ", "2024-01-01T00-00:00Z", "2024-01-01T00:00:00.12xZ"],
      ...["2024-01-01T00:00:00.1z", "9999-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "2024-01-01T00:00Z"],
    ]
    expect(valuesOf(kernels.readTimestamp, texts, int64)).toEqual(texts.map(() => UNREAD))
  })

  it("knows every day that a timestamp reaches", () => {
    const day = 86_400_000
    const days = Array.from({ length: 8192 }, (_, index) => new Date(-9_007_100_000_000 + index * 25 * day))
    for (let first = 0; first < days.length; first += 1024) {
      const part = days.slice(first, first + 1024)
      const texts = part.map((date) => date.toISOString())
      expect(valuesOf(kernels.readTimestamp, texts, int64)).toEqual(part.map((date) => BigInt(date.getTime()) * 1000n))
    }
  })

  it("knows leap years", () => {
    const texts = ["2000-02-29", "2024-02-29", "2100-02-28", "2100-03-01"].map((date) => `${date}T00:00:00Z`)
    expect(valuesOf(kernels.readTimestamp, texts, int64)).toEqual(texts.map(micros))
  })
})

describe("the kernel for booleans", () => {
  it("reads the two words, and no others", () => {
    const texts = ["true", "false", "false", "true", "True", "truex", "fals", "falsy", "1", "tru"]
    const expected = [true, false, false, true, ...Array<string>(6).fill(UNREAD)]
    expect(valuesOf(kernels.readBool, texts, bit)).toEqual(expected)
  })
})

describe("every kernel", () => {
  const readers: readonly Reader[] = [
    kernels.readInt32,
    kernels.readWhole,
    kernels.readInt64,
    kernels.readDouble,
    kernels.readTimestamp,
    kernels.readBool,
  ]

  it("makes the empty text null where a column may be null, and lists it where not", () => {
    for (const reader of readers) {
      expect(readTexts(reader, ["x", "", "", "x"], undefined, true)).toEqual({ unread: [0, 3], nulls: [1, 2] })
      expect(readTexts(reader, ["", "x"])).toEqual({ unread: [0, 1], nulls: [] })
    }
  })

  it("FC1 gives what the type gives for 100,000 texts, and takes most of them", () => {
    const kinds: readonly (readonly [string, Reader, (row: number) => unknown])[] = [
      ["int32", kernels.readInt32, int32],
      ["whole", kernels.readWhole, (row) => Number(int64(row))],
      ["long", kernels.readInt64, int64],
      ["double", kernels.readDouble, double],
      ["at", kernels.readTimestamp, (row) => Number(int64(row))],
      ["flag", kernels.readBool, bit],
    ]
    for (const [name, kernel, load] of kinds) {
      const { type } = EVERY_WAY.fields.find((field) => field.name === name)!
      let taken = 0
      forEachSeed(17, (prng) => {
        const texts = Array.from({ length: 1000 }, () => randomFieldText(prng, name, 0.2)).filter((text) => text !== "")
        const read = valuesOf(kernel, texts, load)
        read.forEach((value, row) => {
          if (value === UNREAD) return
          taken++
          const expected = type.fromText(texts[row]!)
          if (!Object.is(value, expected)) expect(value, texts[row]).toBe(expected)
        })
      })
      expect(taken, name).toBeGreaterThan(5000)
    }
  })
})
