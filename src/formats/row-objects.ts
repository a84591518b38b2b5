/**
 * Rows as plain objects, made or held by a program, become columns: a format without bytes.
 *
 * A row is held to the schema as a record of a file is: what does not fit is a bad record with the field at fault. Fields go
 * by the columns' own names; those that the schema does not have are passed over.
 *
 * Invariants:
 * - RO1 Every record is a row or a bad record, whatever the function that makes it gives or throws.
 * - RO2 How many records are asked for at once makes no difference.
 */
import type { Arena } from "../batch/arena.ts"
import { MAX_BATCH_ROWS } from "../batch/batch.ts"
import type { NumberedRange, NumberedRecords } from "../batch/numbered-records.ts"
import type { BadRecord } from "../batch/position.ts"
import type { Schema } from "../batch/schema.ts"
import { Invalid } from "../batch/type.ts"
import { shownValue } from "../base/shown-value.ts"
import { BatchBuilder } from "./batch-builder.ts"
import { RAW_BYTES_MAX } from "./utf8.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Makes columns of plain rows of one schema. */
export class RowObjects {
  readonly #builder: BatchBuilder
  readonly #schema: Schema
  /** The values of the row at hand, by column. */
  readonly #values: unknown[] = []
  /** Indexes of the columns that are written. */
  readonly #written: readonly number[]

  /** @param columns the names of those columns whose values are wanted: others are checked, and may hold anything. All unless given. */
  constructor(arena: Arena, schema: Schema, columns?: ReadonlySet<string>) {
    this.#builder = new BatchBuilder(arena, schema)
    this.#schema = schema
    this.#written = schema.fields.flatMap(({ name }, index) => (columns?.has(name) === false ? [] : index))
  }

  /**
   * Makes columns of the records of a range.
   *
   * @param rowOf gives the record of a number; what it throws makes that record a bad one.
   */
  take({ first, count, stride, partition }: NumberedRange, rowOf: (number: number) => unknown): NumberedRecords {
    const builder = this.#builder
    const written = this.#written
    builder.begin(Infinity, Math.min(count, MAX_BATCH_ROWS))
    const records = Math.min(count, builder.capacity)
    const bad: BadRecord[] = []
    let rows = 0
    for (let number = first; number < first + records; number++) {
      const fault = this.#read(rowOf, number)
      if (fault !== undefined) {
        bad.push({ ...fault, position: { offset: number * stride, ordinal: number } })
        continue
      }
      for (const column of written) builder.readers[column]!.write(rows, this.#values[column])
      builder.offsets[rows] = number * stride
      builder.ordinals[rows] = number
      rows++
    }
    return { ...builder.finish(rows, partition), bad, records }
  }

  /** Reads a row's values, all of which fit; else gives why the record is bad. */
  #read(rowOf: (number: number) => unknown, number: number): Omit<BadRecord, "position"> | undefined {
    let row: unknown
    try {
      row = rowOf(number)
      if (typeof row !== "object" || row === null || Array.isArray(row)) {
        return { reason: `it is ${shownValue(row)}, not an object of fields`, field: undefined, raw: rawOf(row) }
      }
      return this.#readFields(row as Readonly<Record<string, unknown>>)
    } catch (error) {
      const thrown = error instanceof Error ? error.message : shownValue(error)
      return { reason: `it could not be made: ${thrown}`, field: undefined, raw: rawOf(row) }
    }
  }

  #readFields(row: Readonly<Record<string, unknown>>): Omit<BadRecord, "position"> | undefined {
    const { fields } = this.#schema
    for (let column = 0; column < fields.length; column++) {
      const { name, type } = fields[column]!
      let value = row[name]
      if (value === undefined) value = type.fromMissing()
      const problem = value instanceof Invalid ? value.reason : type.check(value)
      if (problem !== undefined) {
        return { reason: `the field ${JSON.stringify(name)} is ${problem}`, field: name, raw: rawOf(row) }
      }
      this.#values[column] = value
    }
    return undefined
  }
}

/** A record as JSON, as far as it can be written so, cut to 4 KiB. */
function rawOf(row: unknown): string {
  if (row === undefined) return ""
  let text: string
  try {
    text = JSON.stringify(row, (_key, value: unknown) => (typeof value === "bigint" ? `${value}` : value)) ?? ""
  } catch {
    text = shownValue(row)
  }
  return decoder.decode(encoder.encode(text).subarray(0, RAW_BYTES_MAX))
}
