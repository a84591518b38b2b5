/**
 * Schemas as plain data, for threads: what is sent to one is copied, and what a type knows by functions is not.
 *
 * Invariant:
 * - SD1 The schema made of a schema's data has the same label.
 */
import { assert } from "../base/assert.ts"
import { Schema, type Field } from "./schema.ts"
import { ColumnType } from "./type.ts"
import { t } from "./types.ts"
import type { DurationOptions } from "./types/duration.ts"
import type { TimestampOptions } from "./types/timestamp.ts"

/** A schema. */
export type SchemaData = readonly FieldData[]

/** A field. */
export interface FieldData {
  readonly name: string
  /** Its type's name in `t`. */
  readonly kind: string
  readonly options: Readonly<Record<string, string>> | undefined
  readonly symbols: readonly string[] | undefined
  readonly fields: SchemaData | undefined
  /** What a list is of, as a field without a name. */
  readonly element: FieldData | undefined
  readonly isNullable: boolean
  readonly sourceName: string | undefined
  /** In an array, where there is one. */
  readonly defaultValue: readonly [unknown] | undefined
}

/** A schema's data. */
export function schemaData({ fields }: Pick<Schema, "fields">): SchemaData {
  return fields.map(fieldData)
}

/** The schema made of that data. */
export function schemaOfData(data: SchemaData): Schema {
  return new Schema(fieldsOfData(data))
}

function fieldData({ name, type }: Field): FieldData {
  const { definition, kind, isNullable, sourceName, hasDefault, defaultValue } = type
  const { options, symbols, fields, element } = definition
  return {
    name,
    kind,
    options,
    symbols,
    fields: fields && schemaData({ fields }),
    element: element && fieldData({ name: "", type: element }),
    isNullable,
    sourceName,
    defaultValue: hasDefault ? [defaultValue] : undefined,
  }
}

function fieldsOfData(data: SchemaData): Field[] {
  return data.map((field) => ({ name: field.name, type: fullTypeOfData(field) }))
}

function fullTypeOfData(field: FieldData): ColumnType {
  let type = typeOfData(field)
  if (field.isNullable) type = type.nullable()
  if (field.sourceName !== undefined) type = type.from(field.sourceName)
  if (field.defaultValue !== undefined) type = type.default(field.defaultValue[0])
  return type
}

function typeOfData({ kind, options, symbols, fields, element }: FieldData): ColumnType {
  if (symbols !== undefined) return t.enum(...(symbols as [string, ...string[]]))
  if (fields !== undefined) {
    return t.object(Object.fromEntries(fieldsOfData(fields).map(({ name, type }) => [name, type])))
  }
  if (element !== undefined) return t.list(fullTypeOfData(element))
  if (kind === "timestamp") return t.timestamp(options as TimestampOptions | undefined)
  if (kind === "duration") return t.duration(options as DurationOptions | undefined)
  const type: unknown = t[kind as keyof typeof t]
  assert(type instanceof ColumnType, "a type without options, symbols, fields or elements is no call")
  return type as ColumnType
}
