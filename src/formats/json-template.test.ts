import { expect, it } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { FieldReader } from "./field-reader.ts"
import { ObjectShape } from "./json-object.ts"
import { learnTemplate } from "./json-template.ts"

const Row = schema({
  at: t.timestamp(),
  id: t.int64,
  name: t.string.nullable(),
  count: t.int32.default(1),
  inner: t.object({ x: t.int32 }).nullable(),
})
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** What is learnt of a line that stands behind two other bytes. */
function learn(line: string) {
  const shape = new ObjectShape(Row.fields.map(({ name, type }) => new FieldReader(name, name, type)))
  const bytes = encoder.encode(`xx${line}`)
  const template = learnTemplate(shape, bytes, 2, bytes.length)
  return (
    template && {
      values: template.values.map(({ before, field, isQuoted }) => [
        decoder.decode(before),
        field?.reader?.column,
        isQuoted,
      ]),
      ending: decoder.decode(template.ending),
      absent: template.absent.map(({ reader }) => reader!.column),
    }
  )
}

it("learns what stands between values, which they are, and which are strings", () => {
  expect(learn('{"name":null, "other": "x" ,"id":1,"at":"2024-01-01T00:00:00Z"} \r\n{')).toEqual({
    values: [
      ['{"name":', "name", true],
      [', "other": ', undefined, true],
      [' ,"id":', "id", false],
      [',"at":', "at", true],
    ],
    ending: "} \r\n",
    absent: ["count", "inner"],
  })
  expect(learn('{"id":"1","at":null}\n')!.values.map(([, , isQuoted]) => isQuoted)).toEqual([true, true])
})

it("does not learn lines that are not flat, lack a field that they must have, or have one twice", () => {
  for (const line of [
    '{"id":1,"at":null,"inner":{}}',
    '{"id":1,"at":null,"inner":null}',
    '{"id":1,"at":null,"other":[]}',
    '{"id":1}',
    '{"id":1,"at":null,"id":2}',
    '{"\\u0069d":1,"at":null}',
    `{"id":1,"at":null,"${"long".repeat(12)}":1}`,
    "{}",
    "[1]",
    `{"id":1,"at":null,${Array.from({ length: 128 }, (_, index) => `"x${index}":1`).join(",")}}`,
  ]) {
    expect(learn(`${line}\n`), line).toBeUndefined()
  }
  expect(learn('{"id":1,"at":null}')).toBeUndefined()
})
