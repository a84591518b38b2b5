/**
 * `object`: named, typed fields, nested in a row. In JSON an object; in a CSV field the same object as JSON text.
 *
 * Y2 holds for objects without renamed fields: as everywhere, a rename is for reading only.
 */
import { TidemarkError } from "../../base/errors.ts"
import { schema, type ColumnTypes, type Field, type RowOfColumns } from "../schema.ts"
import { ColumnType, Invalid, type TypeDefinition } from "../type.ts"
import { fromTree, JsonNumber, parseJson } from "./json-tree.ts"

type PlainObject = Readonly<Record<string, unknown>>

/** See `t.object`. */
export function objectType<const C extends ColumnTypes>(columns: C): ColumnType<RowOfColumns<C>, "object"> {
  const { fields, label } = schema(columns)
  if (fields.some(({ type }) => type.definition.isSecret === true))
    throw new TidemarkError("invalid-schema", "The fields of an object are no secrets: only parameters are.")
  const definition: TypeDefinition<PlainObject> = {
    kind: "object",
    label: `object(${label})`,
    storage: "struct",
    typeOf: "object",
    fields,
    check: (value) => checkFields(fields, value),
    fromText: (text) => fromJson(fields, parseJson(text)),
    fromJson: (value) => fromJson(fields, value),
    toText: (value) => toJson(fields, value),
    toJson: (value) => toJson(fields, value),
  }
  return new ColumnType<RowOfColumns<C>, "object">(definition)
}

function isObject(value: unknown): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
}

function checkFields(fields: readonly Field[], value: unknown): string | undefined {
  if (!isObject(value)) return "not an object"
  for (const { name, type } of fields) {
    const problem = Object.hasOwn(value, name) ? type.check(value[name]) : "missing"
    if (problem !== undefined) return `an object whose field ${JSON.stringify(name)} is ${problem}`
  }
  return undefined
}

function fromJson(fields: readonly Field[], value: unknown): PlainObject | Invalid {
  if (!isObject(value)) return new Invalid("not an object")
  const object: Record<string, unknown> = {}
  for (const { name, type } of fields) {
    const source = type.sourceName ?? name
    const field = Object.hasOwn(value, source) ? fromTree(type, value[source]) : type.fromMissing()
    if (field instanceof Invalid) {
      return new Invalid(`an object whose field ${JSON.stringify(source)} is ${field.reason}`)
    }
    object[name] = field
  }
  return object
}

function toJson(fields: readonly Field[], value: PlainObject): string {
  const members = fields.map(({ name, type }) => `${JSON.stringify(name)}:${type.toJson(value[name])}`)
  return `{${members.join(",")}}`
}
