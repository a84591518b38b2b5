import { expect, test } from "vitest"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { columnsText, containerType } from "./row-shape.ts"

// These texts stand in logs: where one must change, parts that an earlier version has begun are not gone on with.
test("the shape of rows in containers has names, kinds and nulls, and not what only reading needs", () => {
  const columns = schema({
    id: t.int32.from("ID").default(7),
    "net price": t.float64.nullable(),
    at: t.timestamp({ zone: "America/New_York" }),
    then: t.timestamp({ format: "ms" }).nullable(),
    took: t.duration({ format: "s" }),
    day: t.date,
    kind: t.enum("a", "b"),
    tags: t.list(t.string.nullable()).nullable(),
    place: t.object({ x: t.float64, "y z": t.list(t.enum("n", "s")) }).nullable(),
    any: t.json,
    raw: t.binary,
  })
  expect(columnsText(columns, containerType).split(", ")).toEqual([
    "id int32",
    '"net price" float64?',
    "at timestamp",
    "then timestamp?",
    'took duration(format="s")',
    "day date",
    "kind string",
    "tags list(string?)?",
    "place object(x float64",
    '"y z" list(string))?',
    "any json",
    "raw binary",
  ])
})

test("the shape of rows tells other orders, names and nulls apart", () => {
  const text = (columns: Parameters<typeof schema>[0]) => columnsText(schema(columns), containerType)
  const one = { a: t.int32, b: t.string }
  expect(text(one)).toBe(text({ a: t.int32.from("x"), b: t.enum("p", "q") }))
  for (const other of [
    { b: t.string, a: t.int32 },
    { a: t.int32 },
    { a: t.int32, c: t.string },
    { a: t.int32.nullable(), b: t.string },
    { a: t.int64, b: t.string },
  ]) {
    expect(text(other)).not.toBe(text(one))
  }
})
