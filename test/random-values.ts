/** Random column types, schemas and values of them, with the values that break things more often than others. */
import type { Prng } from "../src/base/prng.ts"
import { Schema, type Field } from "../src/batch/schema.ts"
import type { ColumnType, NumberRange } from "../src/batch/type.ts"
import { t } from "../src/batch/types.ts"

const NAMES = [
  "a",
  "b",
  "constructor",
  "a-b",
  "1",
  "a\u2028b",
  "toString",
  "row",
  'say "x"',
  "`${x}`",
  "é",
  "*/",
  "\\",
  "\n",
  "this",
]
const TEXTS = [
  "",
  "a",
  "Zürich",
  "日本",
  "😀",
  '"quoted"',
  "a,b",
  "line\nend",
  "null",
  "NaN",
  "x".repeat(23),
  "x".repeat(24),
  "x".repeat(200),
  "\0",
  "\ufeff",
  "0",
]
const WHOLE = [0, 1, -1, 255, 1e9, -1e9, 2 ** 31 - 1, -(2 ** 31)]
const SAFE = [
  ...WHOLE,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  -(2 ** 32),
  -(2 ** 32) - 1,
  Number.MAX_SAFE_INTEGER,
  -Number.MAX_SAFE_INTEGER,
]
const LARGE = [0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]
const DOUBLES = [0, -0, 1.5, -0.1, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, NaN, Infinity, -Infinity, 123.45, 2 ** 53 + 2]

/** A type that is not an object, without nullability. */
export function randomScalarType(prng: Prng): ColumnType {
  return prng.pick([
    () => t.bool,
    () => prng.pick<ColumnType>([t.int8, t.int16, t.uint8, t.uint16, t.uint32]),
    () => t.int32,
    () => t.int53,
    () => t.uint64,
    () => t.float32,
    () => t.int64,
    () => t.float64,
    () => t.string,
    () => t.enum("a", "b", "Zürich", '"'),
    () => t.date,
    () => t.duration({ format: prng.pick(["iso", "s", "ms", "us", "ns"] as const) }),
    () => t.timestamp(),
    () => t.timestamp({ zone: "America/New_York" }),
    () => t.timestamp({ format: prng.pick(["s", "ms", "us", "ns"] as const) }),
  ])()
}

/** Any type; objects and lists nest at most `depth` deep. */
export function randomType(prng: Prng, depth = 2): ColumnType {
  const type = depth > 0 && prng.chance(0.35) ? randomOuterType(prng, depth) : randomScalarType(prng)
  return prng.chance(0.5) ? type.nullable() : type
}

function randomOuterType(prng: Prng, depth: number): ColumnType {
  return prng.pick<() => ColumnType>([
    () => {
      const fields = randomFields(prng, 1 + prng.below(3), depth - 1)
      return t.object(Object.fromEntries(fields.map(({ name, type }) => [name, type])))
    },
    () => t.list(randomType(prng, depth - 1)),
    () => prng.pick<ColumnType>([t.json, t.binary]),
  ])()
}

function randomFields(prng: Prng, count: number, depth: number): Field[] {
  if (depth < 0) return []
  const names = prng.shuffle(NAMES).slice(0, count)
  return names.map((name) => ({ name, type: randomType(prng, depth) }))
}

/** A schema of at least one field. */
export function randomSchema(prng: Prng): Schema {
  return new Schema(randomFields(prng, 1 + prng.below(6), 2))
}

/** A value that passes the type's check, never −0 for a whole number. */
export function randomValue(prng: Prng, type: ColumnType): unknown {
  if (type.isNullable && prng.chance(0.3)) return null
  const { definition } = type
  switch (type.kind) {
    case "bool":
      return prng.chance(0.5)
    case "int32":
      return prng.chance(0.5) ? prng.pick(WHOLE) : prng.uint32() | 0
    case "int8":
    case "int16":
    case "uint8":
    case "uint16":
    case "uint32":
    case "date":
      return randomWithin(prng, definition.range!)
    case "int53":
    case "duration":
    case "timestamp":
      return prng.chance(0.5) ? prng.pick(SAFE) : Math.floor((prng.float() - 0.5) * 2 ** (1 + prng.below(54))) + 0
    case "int64":
      if (prng.chance(0.5)) return prng.pick(LARGE)
      return BigInt.asIntN(64, (BigInt(prng.uint32()) << 32n) | BigInt(prng.uint32())) >> BigInt(prng.below(64))
    case "uint64":
      return BigInt.asUintN(64, randomValue(prng, t.int64) as bigint)
    case "float32": {
      const single = Math.fround(prng.chance(0.3) ? prng.pick(DOUBLES) : randomDouble(prng))
      return Number.isFinite(single)
        ? single
        : prng.pick([Infinity, -Infinity, 2 ** -149, 0.1 + 2 ** -30].map(Math.fround))
    }
    case "float64":
      return prng.chance(0.3) ? prng.pick(DOUBLES) : randomDouble(prng)
    case "string":
      return prng.chance(0.5) ? prng.pick(TEXTS) : `text ${prng.below(1000)}`
    case "enum":
      return prng.pick(definition.symbols!)
    case "object":
      return Object.fromEntries(definition.fields!.map((field) => [field.name, randomValue(prng, field.type)]))
    case "list":
      return Array.from({ length: prng.below(4) }, () => randomValue(prng, definition.element!))
    case "json":
      return randomJsonValue(prng, 3) ?? false
    case "binary":
      return Uint8Array.from({ length: prng.below(10) }, () => prng.below(256))
    default:
      throw new Error(`There are no random values of the kind ${type.kind}.`)
  }
}

/** A JSON value of at most that depth, as `t.json` has them. */
export function randomJsonValue(prng: Prng, depth: number): unknown {
  const within = () => randomJsonValue(prng, depth - 1)
  const name = () => prng.pick([...NAMES, ...TEXTS, "__proto__"])
  return prng.pick<() => unknown>([
    () => null,
    () => prng.chance(0.5),
    () => prng.pick(TEXTS),
    () => prng.pick([0, -0, 1.5, 1e21, 2 ** 53, -(2 ** 60), 5e-324, Number.MAX_VALUE]),
    () => prng.pick([2n ** 53n, -(2n ** 64n), 10n ** 40n + 1n]),
    () => (depth === 0 ? prng.below(1e9) / 1000 : Array.from({ length: prng.below(4) }, within)),
    () => {
      if (depth === 0) return prng.below(1000)
      return Object.fromEntries(Array.from({ length: prng.below(4) }, () => [name(), within()]))
    },
  ])()
}

function randomWithin(prng: Prng, { least, greatest }: NumberRange): number {
  if (prng.chance(0.3)) return prng.pick([least, greatest])
  return least + Math.floor(prng.float() * (greatest - least + 1))
}

/** Doubles as people write them, and doubles of any bits. */
function randomDouble(prng: Prng): number {
  const sign = prng.chance(0.5) ? 1 : -1
  if (prng.chance(0.5)) return (sign * prng.below(10 ** prng.below(16))) / 10 ** prng.below(8)
  const bits = new Uint32Array([prng.uint32(), prng.uint32()])
  return new Float64Array(bits.buffer)[0]!
}

/** A row of the schema. */
export function randomRow(prng: Prng, schema: Schema): Record<string, unknown> {
  return Object.fromEntries(schema.fields.map(({ name, type }) => [name, randomValue(prng, type)]))
}
