/**
 * Which PostgreSQL type has the values of a column, and which types of a table that is there may take them.
 *
 * Invariant:
 * - PT1 Every value of a column is a value of `postgresType` of it, but for texts with NUL, which PostgreSQL has not.
 */
import type { ColumnType } from "../../batch/type.ts"

/** How the values of a column are written in a COPY. */
export type WrittenAs =
  "bool" | "number" | "single" | "double" | "timestamp" | "date" | "interval" | "text" | "bytes" | "json"

const SMALLINT_MAX = 2 ** 15 - 1

/** How values of the type are written. */
export function writtenAs({ definition }: Pick<ColumnType, "definition">): WrittenAs {
  const { storage, packing, isBytes, isDate, instant, span } = definition
  if (storage === "bit") return "bool"
  if (storage === "struct" || packing === "json") return "json"
  if (storage === "dictionary") return isBytes === true ? "bytes" : "text"
  if (isDate === true) return "date"
  if (instant !== undefined) return "timestamp"
  if (span !== undefined) return "interval"
  if (storage !== "float64") return "number"
  return definition.isSingle === true ? "single" : "double"
}

/** The type that a table is made with. */
export function postgresType(type: Pick<ColumnType, "definition">): string {
  const written = writtenAs(type)
  return written === "number" ? integerType(type) : TYPES[written]
}

const TYPES: Readonly<Record<Exclude<WrittenAs, "number">, string>> = {
  bool: "boolean",
  single: "real",
  double: "double precision",
  timestamp: "timestamp with time zone",
  date: "date",
  interval: "interval",
  text: "text",
  bytes: "bytea",
  json: "jsonb",
}

function integerType({ definition }: Pick<ColumnType, "definition">): string {
  const { storage, range, typeOf, isUnsigned } = definition
  if (typeOf === "bigint") return isUnsigned === true ? "numeric(20,0)" : "bigint"
  if (storage === "int64") return "bigint"
  return range !== undefined && range.greatest <= SMALLINT_MAX && range.least >= -SMALLINT_MAX - 1
    ? "smallint"
    : "integer"
}

/**
 * Whether a column of a table takes values as they are or refuses them: it never rounds or cuts one silently.
 *
 * @param name of its type as `format_type` gives it, without what stands in brackets.
 * @param category of its type (`pg_type.typcategory`).
 * @param modifier `atttypmod`: -1 where the type has no limit.
 */
export function takes(
  type: Pick<ColumnType, "definition">,
  { name, category, modifier }: { readonly name: string; readonly category: string; readonly modifier: number },
): boolean {
  // Texts, enums, addresses and what programs define (uuid, citext, json) are read from text, or it is refused.
  const isText = category === "S"
  const written = writtenAs(type)
  switch (written) {
    case "text":
      return ["S", "E", "I", "U"].includes(category) && name !== "bytea"
    case "number": {
      if (["smallint", "integer", "bigint"].includes(name) || isText) return true
      if (name === "numeric") return modifier === -1 || scaleOf(modifier) >= 0
      return name === "double precision" && (type.definition.range?.greatest ?? Infinity) <= 2 ** 32
    }
    case "single":
    case "double":
      if (isText || name === "double precision" || (name === "numeric" && modifier === -1)) return true
      return written === "single" && name === "real"
    case "timestamp":
      return (
        isText || (/^timestamp with(out)? time zone$/.test(name) && (modifier === -1 || modifier === MICROS_DIGITS))
      )
    case "interval":
      return isText || (name === "interval" && modifier === -1)
    case "json":
      return isText || name === "jsonb" || name === "json"
    case "bytes":
      return name === "bytea"
    case "date":
      return isText || name === "date"
    case "bool":
      return isText || name === "boolean"
  }
}

const MICROS_DIGITS = 6

/** Of a `numeric`, by its modifier: it may be negative from PostgreSQL 15 on, and then numbers are rounded. */
function scaleOf(modifier: number): number {
  return (((modifier - 4) & 0x7ff) ^ 1024) - 1024
}
