import { describe, expect, it } from "vitest"
import { TidemarkError } from "../base/errors.ts"
import { fromIso } from "../time/iso.ts"
import { Invalid, type ColumnType } from "./type.ts"
import { t } from "./types.ts"

/** What a reader gives, with the reason in place of `Invalid`. */
const shown = (value: unknown) => (value instanceof Invalid ? `invalid: ${value.reason}` : value)
const text = (type: ColumnType, value: string, isQuoted = false) => shown(type.fromText(value, isQuoted))
const json = (type: ColumnType, value: string) => {
  const parsed: unknown = JSON.parse(value)
  return shown(type.fromJson(parsed, typeof parsed === "number" ? value : undefined))
}

describe("bool", () => {
  it("reads the words in any letter case, 1 and 0 from text, and booleans from JSON", () => {
    expect(["true", "True", "TRUE", "1"].map((value) => text(t.bool, value))).toEqual([true, true, true, true])
    expect(["false", "False", "FALSE", "0"].map((value) => text(t.bool, value))).toEqual([false, false, false, false])
    expect(["yes", "t", "01", "2", " true"].map((value) => text(t.bool, value))).toEqual(
      new Array(5).fill("invalid: not a boolean: true, false, 1 or 0"),
    )
    expect(["true", "false", "1", '"true"'].map((value) => json(t.bool, value))).toEqual([
      true,
      false,
      "invalid: not a boolean",
      "invalid: not a boolean",
    ])
  })
})

describe("whole numbers", () => {
  it.each([t.int8, t.uint16, t.int32, t.uint32, t.int53, t.int64, t.uint64] as ColumnType[])(
    "TY8 reads plain digits from text and nothing else: $kind",
    (type) => {
      for (const value of ["+1", "1.0", "1e3", "0x1", " 1", "1 ", "1_000", "1,000", "-", "--1", "１"]) {
        expect(text(type, value), value).toBe("invalid: not a whole number")
      }
      expect([text(type, "007"), text(type, "12"), text(type, "-0")].map(String)).toEqual(["7", "12", "0"])
      expect(Object.is(text(type, "-0"), -0)).toBe(false)
    },
  )

  it("holds each to its range, from text and from JSON", () => {
    const read = (type: ColumnType, value: string) => [text(type, value), json(type, value)]
    expect(read(t.int32, "2147483647")).toEqual([2147483647, 2147483647])
    expect(read(t.int32, "-2147483648")).toEqual([-2147483648, -2147483648])
    expect(read(t.int32, "2147483648")).toEqual(
      new Array(2).fill("invalid: 2147483648, outside the range of int32 (-2147483648 to 2147483647)"),
    )
    expect(read(t.int53, "-9007199254740991")).toEqual([-9007199254740991, -9007199254740991])
    expect(read(t.int53, "9007199254740992")).toEqual(
      new Array(2).fill(
        "invalid: 9007199254740992, outside the range of int53 (-9007199254740991 to 9007199254740991)",
      ),
    )
    expect(text(t.int53, "9".repeat(400))).toBe(
      `invalid: ${"9".repeat(40)}…, outside the range of int53 (-9007199254740991 to 9007199254740991)`,
    )
    expect(read(t.int64, "9223372036854775807")).toEqual([2n ** 63n - 1n, 2n ** 63n - 1n])
    expect(read(t.int64, "-9223372036854775808")).toEqual([-(2n ** 63n), -(2n ** 63n)])
    expect(read(t.int64, "9223372036854775808")).toEqual(
      new Array(2).fill(
        "invalid: 9223372036854775808, outside the range of int64 (-9223372036854775808 to 9223372036854775807)",
      ),
    )
    expect(text(t.int64, `${"0".repeat(50)}7`)).toBe(7n)
    expect(text(t.int64, "9".repeat(1000))).toMatch(/^invalid: 9{40}…, outside the range of int64 /)
  })

  it("takes JSON numbers of whole value, however they are written", () => {
    expect(["1.0", "1e3", "-0.0"].map((value) => json(t.int53, value))).toEqual([1, 1000, 0])
    expect(["1.0", "1e3", "-0.0"].map((value) => json(t.int64, value))).toEqual([1n, 1000n, 0n])
    expect(["1.5", '"1"', "true"].map((value) => json(t.int32, value))).toEqual([
      "invalid: not a whole number",
      "invalid: not a number",
      "invalid: not a number",
    ])
  })

  it("takes int64 from JSON strings, and from numbers only where no digit is lost", () => {
    expect(json(t.int64, '"9007199254740993"')).toBe(9007199254740993n)
    expect(json(t.int64, "9007199254740993")).toBe(9007199254740993n)
    expect(json(t.int64, "9.007199254740993e15")).toBe("invalid: beyond 2⁵³ and not written as plain digits")
    expect(shown(t.int64.fromJson(9007199254740992))).toBe("invalid: beyond 2⁵³ and not written as plain digits")
    expect([json(t.int64, "1.5"), json(t.int64, '"1.0"')]).toEqual(new Array(2).fill("invalid: not a whole number"))
  })

  it("TY9 writes int64 as a JSON string", () => {
    expect(t.int64.toJson(2n ** 63n - 1n)).toBe('"9223372036854775807"')
  })
})

describe("narrow and unsigned whole numbers", () => {
  it.each([
    [t.int8, "-128", "127", "-129", "128"],
    [t.int16, "-32768", "32767", "-32769", "32768"],
    [t.uint8, "0", "255", "-1", "256"],
    [t.uint16, "0", "65535", "-1", "65536"],
    [t.uint32, "0", "4294967295", "-1", "4294967296"],
    [t.uint64, "0", "18446744073709551615", "-1", "18446744073709551616"],
  ] as [ColumnType, string, string, string, string][])(
    "TY23 of $0.kind have their least and greatest value, and refuse those beyond with the value and the range",
    (type, least, greatest, below, above) => {
      for (const value of [least, greatest]) {
        expect([text(type, value), json(type, value)].map(String)).toEqual([value, value])
        expect(type.check(text(type, value))).toBeUndefined()
      }
      for (const value of [below, above]) {
        const refused = `invalid: ${value}, outside the range of ${type.kind} (${least} to ${greatest})`
        expect([text(type, value), json(type, value)]).toEqual([refused, refused])
      }
      const beyond = type.definition.typeOf === "bigint" ? BigInt(above) : Number(above)
      expect(type.check(beyond)).toBe(`outside the range of ${type.kind} (${least} to ${greatest})`)
    },
  )

  it("TY9 writes uint64 as a JSON string", () => {
    expect(t.uint64.toJson(2n ** 64n - 1n)).toBe('"18446744073709551615"')
    expect(json(t.uint64, '"18446744073709551615"')).toBe(2n ** 64n - 1n)
  })
})

describe("float32", () => {
  it("TY24 rounds to the nearest single, and refuses a finite number beyond all of them", () => {
    expect([text(t.float32, "0.1"), json(t.float32, "0.1")]).toEqual([Math.fround(0.1), Math.fround(0.1)])
    expect(text(t.float32, "16777217")).toBe(16_777_216)
    expect(text(t.float32, "3.4028234663852886e38")).toBe(3.4028234663852886e38)
    for (const value of ["3.5e38", "-1e39"]) {
      expect([text(t.float32, value), json(t.float32, value)]).toEqual(
        new Array(2).fill(expect.stringMatching(/^invalid: .*, outside the range of float32/)),
      )
    }
    expect(text(t.float32, "1e400")).toMatch(/^invalid: Infinity, outside/)
    expect([text(t.float32, "-Infinity"), json(t.float32, '"NaN"')]).toEqual([-Infinity, NaN])
    expect([t.float32.check(1e39), t.float32.check(Infinity), t.float32.check(0.1)]).toEqual([
      expect.stringMatching(/^outside the range of float32/),
      undefined,
      undefined,
    ])
  })

  it("TY24 writes the fewest digits that read back as the same single", () => {
    const written = [0.1, 1 / 3, 16_777_216, -0, 2 ** -149, 3.4028234663852886e38, NaN].map((value) =>
      t.float32.toText(Math.fround(value)),
    )
    expect(written).toEqual(["0.1", "0.33333334", "16777216", "-0", "1e-45", "3.4028235e+38", "NaN"])
  })
})

describe("float64", () => {
  it("reads JSON's numbers and three words from text", () => {
    expect(["1", "-1.5", "1e3", "1E-2", "007.5", "-0"].map((value) => text(t.float64, value))).toEqual([
      1, -1.5, 1000, 0.01, 7.5, -0,
    ])
    expect(["NaN", "Infinity", "-Infinity"].map((value) => text(t.float64, value))).toEqual([NaN, Infinity, -Infinity])
    for (const value of ["nan", "inf", "+1", ".5", "5.", "0x10", "1e", " 1", "1,5", "1n", "+Infinity"]) {
      expect(text(t.float64, value), value).toBe("invalid: not a number")
    }
  })

  it("TY9 carries NaN and the infinities through JSON as strings, never as null", () => {
    expect([NaN, Infinity, -Infinity].map((value) => t.float64.toJson(value))).toEqual([
      '"NaN"',
      '"Infinity"',
      '"-Infinity"',
    ])
    expect(['"NaN"', '"Infinity"', '"-Infinity"'].map((value) => json(t.float64, value))).toEqual([
      NaN,
      Infinity,
      -Infinity,
    ])
    expect(json(t.float64, '"1"')).toBe("invalid: not a number")
    expect([text(t.float64, "1e999"), json(t.float64, "-1e999")]).toEqual([Infinity, -Infinity])
  })

  it("TY2 keeps −0", () => {
    expect([t.float64.toText(-0), t.float64.toJson(-0)]).toEqual(["-0", "-0"])
    expect([text(t.float64, "-0"), json(t.float64, "-0")]).toEqual([-0, -0])
  })
})

describe("string and enum", () => {
  it("TY3 makes U+FFFD of a lone surrogate", () => {
    expect(json(t.string, '"a\\ud800b\\udc00"')).toBe("a\ufffdb\ufffd")
    expect(json(t.string, '"\\ud83d\\ude00"')).toBe("😀")
    expect(text(t.string, "a\udfff")).toBe("a\ufffd")
    expect(t.string.toJson("\ud800")).toBe('"\ufffd"')
  })

  it("takes any text, but only strings from JSON", () => {
    expect(text(t.string, " null ")).toBe(" null ")
    expect(json(t.string, "1")).toBe("invalid: not a string")
  })

  it("TY4 refuses a symbol that an enum does not list", () => {
    const type = t.enum("EUR", "USD")
    expect([text(type, "EUR"), json(type, '"USD"')]).toEqual(["EUR", "USD"])
    expect(text(type, "eur")).toBe('invalid: not one of "EUR", "USD"')
    expect(json(type, "1")).toBe('invalid: not one of "EUR", "USD"')
    expect(type.check("GBP")).toBe('not one of "EUR", "USD"')
  })

  it.each([[[]], [["a", "a"]], [[""]], [["\ud800"]]])("refuses an enum of the symbols %j", (symbols) => {
    expect(() => t.enum(...(symbols as string[] as [string]))).toThrow(TidemarkError)
  })
})

describe("timestamp", () => {
  const at = fromIso("2024-03-10T14:30:00.123456Z")

  it("TY11 reads ISO text, with a zone where it has no offset", () => {
    expect(text(t.timestamp(), "2024-03-10T14:30:00.123456Z")).toBe(at)
    expect(json(t.timestamp(), '"2024-03-10T14:30:00.123456Z"')).toBe(at)
    expect(text(t.timestamp(), "2024-03-10 14:30")).toMatch(/^invalid: without an offset/)
    expect(text(t.timestamp({ zone: "America/New_York" }), "2024-03-10 10:30:00.123456")).toBe(at)
    expect(json(t.timestamp(), "1710081000000")).toBe("invalid: not a time as ISO 8601 text")
  })

  it("TY16 reads numbers in the unit of its format, from text, JSON numbers and JSON strings", () => {
    for (const [format, digits] of [
      ["s", "1710081000.123456"],
      ["ms", "1710081000123.456"],
      ["us", "1710081000123456"],
      ["ns", "1710081000123456789"],
    ] as const) {
      const type = t.timestamp({ format })
      expect([text(type, digits), json(type, digits), json(type, `"${digits}"`)], format).toEqual([at, at, at])
    }
    expect(shown(t.timestamp({ format: "ns" }).fromJson(1710081000123456789))).toBe(
      "invalid: beyond 2⁵³, where a number has lost digits",
    )
    expect(shown(t.timestamp({ format: "s" }).fromJson(1710081000.123456))).toBe(at)
    expect(json(t.timestamp({ format: "ms" }), '"2024-03-10T14:30:00Z"')).toBe("invalid: not a number")
  })

  it("TY17 writes its format, nanoseconds as a JSON string", () => {
    const written = (["iso", "s", "ms", "us", "ns"] as const).map((format) => t.timestamp({ format }).toJson(at))
    expect(written).toEqual([
      '"2024-03-10T14:30:00.123456Z"',
      "1710081000.123456",
      "1710081000123.456",
      "1710081000123456",
      '"1710081000123456000"',
    ])
    expect(t.timestamp({ zone: "America/New_York" }).toText(at)).toBe("2024-03-10T14:30:00.123456Z")
  })

  it("TY13 refuses an unknown zone, and a zone for numbers", () => {
    expect(() => t.timestamp({ zone: "Mars/Olympus" })).toThrow(TidemarkError)
    expect(() => t.timestamp({ zone: "UTC", format: "ms" })).toThrow(TidemarkError)
  })

  it("refuses options and formats that there are not", () => {
    const make = (options: unknown) => () => t.timestamp(options as never)
    const zone = { code: "invalid-options", message: 't.timestamp(...) has no option "timezone".' }
    expect(make({ timezone: "UTC" })).toThrow(expect.objectContaining(zone))
    expect(make("UTC")).toThrow(expect.objectContaining({ code: "invalid-options" }))
    expect(make({ format: "millis" })).toThrow(expect.objectContaining({ code: "invalid-schema" }))
  })
})

describe("date", () => {
  it("TY25 reads ISO 8601 text from CSV and from JSON strings", () => {
    expect([text(t.date, "2024-02-29"), json(t.date, '"2024/02/29"')]).toEqual([19_782, 19_782])
    expect(text(t.date, "2023-02-29")).toBe("invalid: a date that does not exist")
    expect(json(t.date, "19782")).toBe("invalid: not a date as ISO 8601 text")
    expect([t.date.toText(-1), t.date.toJson(19_782)]).toEqual(["1969-12-31", '"2024-02-29"'])
  })
})

describe("duration", () => {
  it("TY26 reads ISO 8601 text, and with a format a decimal count", () => {
    expect([text(t.duration(), "PT1H30M"), json(t.duration(), '"-PT0.5S"')]).toEqual([5_400_000_000, -500_000])
    const millis = t.duration({ format: "ms" })
    expect([text(millis, "1.5"), json(millis, "1500"), json(millis, '"-2"')]).toEqual([1500, 1_500_000, -2000])
    expect(text(t.duration({ format: "s" }), "9007199255")).toMatch(/^invalid: outside the range of duration/)
    expect([text(t.duration(), "1h"), json(t.duration(), "5")]).toEqual([
      "invalid: not a length of time as ISO 8601 text, such as PT1H30M",
      "invalid: not a length of time as ISO 8601 text",
    ])
    expect([t.duration().toJson(5_400_250_000), millis.toJson(1500)]).toEqual(['"PT1H30M0.250S"', "1.5"])
    expect([t.duration().label, millis.label]).toEqual(["duration", 'duration(format="ms")'])
  })

  it("refuses options and formats that there are not", () => {
    const make = (options: unknown) => () => t.duration(options as never)
    expect(make({ zone: "UTC" })).toThrow(expect.objectContaining({ code: "invalid-options" }))
    expect(make({ format: "hours" })).toThrow(expect.objectContaining({ code: "invalid-schema" }))
  })
})

describe("object", () => {
  const type = t.object({
    id: t.int64.from("ID"),
    name: t.string.nullable(),
    tags: t.object({ vip: t.bool.default(false) }),
  })

  it("reads declared fields by their source names, and skips others", () => {
    const expected = { id: 7n, name: null, tags: { vip: false } }
    const source = '{"ID":"7","tags":{},"other":[1]}'
    expect([json(type, source), text(type, source)]).toEqual([expected, expected])
  })

  it("TY5 writes its fields under their own names", () => {
    expect(type.toJson({ id: 7n, name: "x", tags: { vip: true } })).toBe('{"id":"7","name":"x","tags":{"vip":true}}')
  })

  it("names the field at fault, as deep as it lies", () => {
    expect(json(type, '{"ID":1.5,"tags":{}}')).toBe('invalid: an object whose field "ID" is not a whole number')
    expect(json(type, '{"ID":1,"tags":{"vip":1}}')).toBe(
      'invalid: an object whose field "tags" is an object whose field "vip" is not a boolean',
    )
    expect(json(type, '{"ID":1}')).toBe('invalid: an object whose field "tags" is missing')
    expect(type.check({ id: 1n, tags: { vip: true } })).toBe('an object whose field "name" is missing')
    for (const value of ["[]", "1", '"{}"']) expect(json(type, value)).toBe("invalid: not an object")
    expect(text(type, "{")).toBe("invalid: not an object")
  })

  it("looks at an object's own fields only", () => {
    const odd = t.object({ constructor: t.string.nullable(), toString: t.string.nullable() })
    expect(json(odd, "{}")).toEqual({ constructor: null, toString: null })
    expect(odd.check({})).toBe('an object whose field "constructor" is missing')
  })

  it("refuses fields that a schema refuses", () => {
    expect(() => t.object({ a: t.string, b: t.int32.from("a") })).toThrow(TidemarkError)
  })
})

describe("missing, empty and null", () => {
  it("TY20 a missing field is the default, else null, else bad", () => {
    const missing = (type: ColumnType) => shown(type.fromMissing())
    expect(missing(t.int32.nullable().default(5))).toBe(5)
    expect(missing(t.int32.default(5))).toBe(5)
    expect(missing(t.int32.nullable())).toBe(null)
    expect(missing(t.int32)).toBe("invalid: missing")
    expect(missing(t.string)).toBe("invalid: missing")
  })

  it("TY21 an empty CSV field is missing, but for plain strings", () => {
    expect(text(t.int32.nullable().default(5), "")).toBe(5)
    expect(text(t.int32.nullable(), "")).toBe(null)
    expect(text(t.int32, "")).toBe("invalid: empty")
    expect(text(t.enum("a"), "")).toBe("invalid: empty")
    expect(text(t.string, "")).toBe("")
    expect(text(t.string.nullable(), "")).toBe(null)
    expect(text(t.string.default("x"), "")).toBe("x")
  })

  it("TY21 a quoted empty CSV field is the empty text of a string, and empty for others", () => {
    expect(
      [t.string, t.string.nullable(), t.string.default("x")].map((type: ColumnType) => text(type, "", true)),
    ).toEqual(["", "", ""])
    expect(text(t.int32.nullable(), "", true)).toBe(null)
    expect(text(t.int32, "", true)).toBe("invalid: empty")
  })

  it("TY22 JSON's null is null where that is allowed, else bad, default or not", () => {
    expect(json(t.int32.nullable().default(5), "null")).toBe(null)
    expect(json(t.int32.default(5), "null")).toBe("invalid: null, and the column is not nullable")
    expect(json(t.string, "null")).toBe("invalid: null, and the column is not nullable")
  })

  it("writes null as nothing in CSV, and as null in JSON", () => {
    const type = t.int32.nullable()
    expect([type.toText(null), type.toJson(null)]).toEqual(["", "null"])
  })
})
