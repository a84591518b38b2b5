/** Messages of WebSockets, taken apart. */
import { describe, expect, test } from "vitest"
import { bodyRecords } from "./body-records.ts"
import { readMessage } from "./keyed-message.ts"

const encode = (text: string) => new TextEncoder().encode(text)

/** The key of a message and its records. */
function parts(text: string): { key: string | undefined; records: string[] | string } {
  const { key, body, format } = readMessage(encode(text))
  const records = bodyRecords(Uint8Array.from(body), format, 100)
  if (typeof records === "string") return { key, records }
  return { key, records: records.map((record) => new TextDecoder().decode(record).trim()) }
}

describe("H12 a message", () => {
  test.each<[what: string, text: string, records: string[] | string]>([
    ["an object", '{"n":1}', ['{"n":1}']],
    ["an object over lines", '{\n"n":\n1\n}\n', ['{ "n": 1 }']],
    ["an array", '[{"n":1},{"n":2}]', ['{"n":1}', '{"n":2}']],
    ["an array over lines", '\n[\r\n{"n":1}\r\n,{"n":2}]', ['{"n":1}', '{"n":2}']],
    ["an empty array", "[]", []],
    ["lines", '{"n":1}\n{"n":2}\r\n\n{"n":3}\n', ['{"n":1}', '{"n":2}', '{"n":3}']],
    ["lines of which a later one is wrong", '{"n":1}\nnonsense', ['{"n":1}', "nonsense"]],
    ["two arrays", "[1]\n[2]", "not-json"],
    ["nonsense", "nonsense", "not-json"],
    ["nothing", "", "not-json"],
    ["blanks", " \n\t\r\n", "not-json"],
  ])("of %s has its records, with a key and without", (_what, text, records) => {
    expect(parts(text)).toEqual({ key: undefined, records })
    expect(parts(`"a key"\n${text}`)).toEqual({ key: "a key", records })
    expect(parts(`\n "\\u0061 \\"key\\"" \r\n${text}`)).toEqual({ key: 'a "key"', records })
  })

  test.each(['"a', '"a" {"n":1}', '"a"{"n":1}\n', '"a\n"\n{"n":1}', '"\\x"\n{}'])(
    "that begins with a text which is no line is refused: %j",
    (text) => {
      expect(() => readMessage(encode(text))).toThrow(expect.objectContaining({ code: "bad-key" }) as Error)
    },
  )

  test("that is a text alone has a key and no records", () => {
    expect(parts('"a key"')).toEqual({ key: "a key", records: "not-json" })
  })
})
