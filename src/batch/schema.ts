/**
 * Schemas: the named, typed fields of a row, in order.
 *
 * Invariants:
 * - S1 Field names are unique, not empty, and not `__proto__`; so are source names.
 * - S2 Two schemas with the same `label` describe the same rows.
 */
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import { ColumnType, type ValueOf } from "./type.ts"

/** The columns of a schema by name, as the user writes them. */
export type ColumnTypes = Readonly<Record<string, ColumnType>>

/** A field of a schema. */
export interface Field {
  readonly name: string
  readonly type: ColumnType
}

/** The JavaScript type of a row of the schema with these columns. */
export type RowOfColumns<C extends ColumnTypes> = { readonly [N in keyof C]: ValueOf<C[N]> }

/**
 * The named, typed fields of a row. Make one with `schema`.
 *
 * @example
 * ```ts
 * import type { Schema } from "tidemark"
 *
 * function namesOf(rows: Schema): string[] {
 *   return rows.fields.map((field) => field.name)
 * }
 * ```
 */
export class Schema<out C extends ColumnTypes = ColumnTypes> {
  declare readonly columnTypes: C
  readonly fields: readonly Field[]
  readonly #indexes: ReadonlyMap<string, number>

  constructor(fields: readonly Field[]) {
    const indexes = new Map<string, number>()
    const sources = new Set<string>()
    fields.forEach((field, index) => {
      const source = field.type.sourceName ?? field.name
      for (const name of [field.name, source]) {
        if (name === "" || name === "__proto__") {
          throw new TidemarkError("invalid-schema", `A field cannot be named ${JSON.stringify(name)}.`)
        }
      }
      if (indexes.has(field.name)) {
        throw new TidemarkError("invalid-schema", `The field ${JSON.stringify(field.name)} stands twice in a schema.`)
      }
      if (sources.has(source)) {
        throw new TidemarkError("invalid-schema", `Two fields are read from ${JSON.stringify(source)}.`, {
          hint: "Read the field once and derive the second column from it.",
        })
      }
      indexes.set(field.name, index)
      sources.add(source)
    })
    this.fields = fields
    this.#indexes = indexes
  }

  /** The field's place, or -1. */
  indexOf(name: string): number {
    return this.#indexes.get(name) ?? -1
  }

  /** The field of that name, or `undefined`. */
  field(name: string): Field | undefined {
    const index = this.#indexes.get(name)
    return index === undefined ? undefined : this.fields[index]
  }

  /** All names, types, options, source names and defaults in one text, for comparison and fingerprints. */
  get label(): string {
    return `{ ${this.fields.map(({ name, type }) => `${JSON.stringify(name)}: ${type.fullLabel}`).join(", ")} }`
  }
}

/**
 * The row type of a schema.
 *
 * @example
 * ```ts
 * import { schema, t, type RowOf } from "tidemark"
 *
 * const Trip = schema({ zone: t.string, fare: t.float64, tip: t.float64.nullable() })
 * const trip: RowOf<typeof Trip> = { zone: "JFK", fare: 12.5, tip: null }
 * ```
 */
export type RowOf<S> = S extends Schema<infer C> ? RowOfColumns<C> : never

/**
 * Describes the rows of an input, or a job's parameters.
 *
 * @example
 * ```ts
 * import { schema, t } from "tidemark"
 *
 * const Trip = schema({
 *   pickup: t.timestamp({ zone: "America/New_York" }),
 *   zone: t.string.from("PULocationID"),
 *   fare: t.float64,
 *   tip: t.float64.nullable(),
 * })
 * ```
 *
 * @throws TidemarkError `invalid-schema` where two fields share a name or a source.
 */
export function schema<const C extends ColumnTypes>(columns: C): Schema<C> {
  const given: unknown = columns
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TidemarkError(
      "invalid-schema",
      `schema(...) takes an object of column types, not ${shownValue(given)}.`,
      {
        hint: "Write schema({ zone: t.string, fare: t.float64 }).",
      },
    )
  }
  for (const [name, type] of Object.entries(given)) {
    if (type instanceof ColumnType) continue
    const call =
      typeof type === "function" ? " Some types are calls: t.timestamp(), t.enum(...), t.object({ ... })." : ""
    throw new TidemarkError(
      "invalid-schema",
      `The field ${JSON.stringify(name)} is ${shownValue(type)}, not a column type.`,
      {
        hint: `Write ${name}: t.string, or another type of t.${call}`,
      },
    )
  }
  return new Schema<C>(Object.entries(columns).map(([name, type]) => ({ name, type })))
}
