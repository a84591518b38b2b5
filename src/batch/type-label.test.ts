import fc from "fast-check"
import { expect, test } from "vitest"
import { propertyCases } from "../../test/seeds.ts"
import type { ColumnType } from "./type.ts"
import { typeOfLabel } from "./type-label.ts"
import { t } from "./types.ts"

const name = fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" })

const scalar: fc.Arbitrary<ColumnType> = fc.oneof(
  fc.constantFrom<ColumnType[]>(
    ...[t.bool, t.int8, t.int16, t.int32, t.int53, t.int64, t.uint8, t.uint16, t.uint32, t.uint64],
    ...[t.float32, t.float64, t.string, t.json, t.binary, t.date, t.timestamp(), t.timestamp({ format: "ns" })],
    ...[t.timestamp({ zone: "Europe/Berlin" }), t.duration()],
  ),
  fc
    .uniqueArray(name, { minLength: 1, maxLength: 4 })
    .map((symbols) => t.enum(...(symbols as [string, ...string[]])) as ColumnType),
)

const { type: anyType } = fc.letrec<{ type: ColumnType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    tie("type").map((element) => t.list(element) as ColumnType),
    fc
      .uniqueArray(fc.tuple(name, tie("type"), fc.option(name), fc.boolean()), {
        minLength: 1,
        maxLength: 3,
        selector: ([each]) => each,
      })
      .map(
        (fields) =>
          t.object(
            Object.fromEntries(
              fields.map(([each, type, source, hasDefault]) => {
                const full = source === null ? type : type.from(source)
                return [each, hasDefault ? full.nullable().default(null) : full]
              }),
            ),
          ) as ColumnType,
      ),
  ),
}))

test("TL1 a type is made of its label", () => {
  fc.assert(
    fc.property(anyType, fc.boolean(), (given, isNullable) => {
      const type = isNullable ? given.nullable() : given
      expect(typeOfLabel(type.label)?.label).toBe(type.label)
    }),
    propertyCases(2000),
  )
})

test("TL1 what is no label gives no type", () => {
  const wrong = [
    "",
    "int",
    "int53 ",
    "int53??",
    "list",
    "list()",
    "list(int53",
    "object({ })",
    'enum("a", "a")',
    "secret(",
  ]
  for (const label of [...wrong, 'object({ "a" int53 })', "timestamp(zone=Mars)", "int53) (", "constructor"]) {
    expect(typeOfLabel(label), label).toBeUndefined()
  }
  fc.assert(
    fc.property(anyType, fc.nat(), fc.string({ maxLength: 2 }), (type, at, text) => {
      const cut = at % (type.label.length + 1)
      const label = type.label.slice(0, cut) + text + type.label.slice(cut + 1)
      const made = typeOfLabel(label)
      if (made !== undefined) expect(made.label).toBe(label)
    }),
    propertyCases(),
  )
})
