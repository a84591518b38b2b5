/**
 * Columns that a program holds, as arrays, become columns of a batch: a format without bytes, as rows that are objects are (`row-objects.ts`).
 *
 * Invariants:
 * - CA1 What comes out is what comes out of the rows, each made an object of its values: the same batches, and the same bad records.
 * - CA2 Where a value is none of its column's type, that range of rows is read as objects, which says what is wrong.
 */
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import type { Arena } from "../batch/arena.ts"
import { Batch, MAX_BATCH_ROWS } from "../batch/batch.ts"
import type { NumberedRecords } from "../batch/numbered-records.ts"
import type { Field, Schema } from "../batch/schema.ts"
import { BatchBuilder } from "./batch-builder.ts"
import { writeNumbers, type NumberArray } from "./column-numbers.ts"
import { SYMBOL, TEXT, type FieldReader } from "./field-reader.ts"
import { RowObjects } from "./row-objects.ts"

/** So many texts of a batch are looked up without making bytes of them. */
const KNOWN_TEXTS_MAX = 4096

/** The values of a column, as a program has them. */
export type ValueArray = readonly unknown[] | NumberArray

/** Arrays of one length, by the names of their columns; those that the schema does not have are passed over. */
export class GivenColumns {
  readonly count: number
  /** By column of the schema; `undefined` where a column is not given. */
  readonly arrays: readonly (ValueArray | undefined)[]
  readonly #fields: readonly Field[]

  /** @throws TidemarkError `invalid-options` where they are no arrays, of different lengths, or their values have gone to another thread. */
  constructor({ fields }: Schema, given: object) {
    this.#fields = fields
    const arrays = fields.map(({ name }) => {
      const array: unknown = (given as Readonly<Record<string, unknown>>)[name]
      if (array !== undefined && !isValueArray(array)) throw noArray(name, array)
      if (array?.length === 0 && ArrayBuffer.isView(array) && isDetached(array.buffer)) throw noValues(name)
      return array
    })
    const lengths = arrays.map((array) => array?.length)
    const count = lengths.find((length) => length !== undefined)
    if (count === undefined) throw noColumns(fields)
    const odd = lengths.findIndex((length) => length !== undefined && length !== count)
    if (odd >= 0) throw otherLength(fields[odd]!.name, lengths[odd]!, count)
    this.arrays = arrays
    this.count = count
  }

  /** A row as an object. */
  row(index: number): Record<string, unknown> {
    const row: Record<string, unknown> = {}
    this.arrays.forEach((array, column) => {
      if (array === undefined) return
      const { name, type } = this.#fields[column]!
      row[name] = type.definition.typeOf === "number" ? asNumber(array[index]) : array[index]
    })
    return row
  }
}

/** Makes batches of them. */
export class ColumnArrays {
  readonly #builder: BatchBuilder
  readonly #schema: Schema
  readonly #rows: RowObjects
  readonly #isWanted: readonly boolean[]

  /** @param columns as of `RowObjects`. */
  constructor(arena: Arena, schema: Schema, columns?: ReadonlySet<string>) {
    this.#builder = new BatchBuilder(arena, schema)
    this.#schema = schema
    this.#rows = new RowObjects(arena, schema, columns)
    this.#isWanted = schema.fields.map(({ name }) => columns?.has(name) !== false)
  }

  /** Makes columns of the rows from one on, as far as one batch has room. Their origins are nobody's. */
  take(given: GivenColumns, first: number): NumberedRecords {
    const builder = this.#builder
    builder.begin(Infinity, Math.min(given.count - first, MAX_BATCH_ROWS))
    const records = builder.capacity
    let areValues = false
    try {
      areValues = given.arrays.every((array, column) => this.#write(array, column, first, records))
    } finally {
      if (!areValues) builder.finish(0, 0)
    }
    if (!areValues) {
      const range = { first: 0, count: records, stride: 1, partition: 0 }
      return this.#rows.take(range, (number) => given.row(first + number))
    }
    const { batch, release } = builder.finish(records, 0)
    const { columns } = batch!
    return { batch: new Batch({ schema: this.#schema, columns, length: records }), bad: [], records, release }
  }

  /** Writes the values of a column; gives false where one is none of its type. */
  #write(array: ValueArray | undefined, column: number, first: number, count: number): boolean {
    const reader = this.#builder.readers[column]!
    const isWanted = this.#isWanted[column]!
    if (array !== undefined && writeNumbers(array, { reader, first, count, isWanted })) return true
    const areTexts = isWanted && (reader.how === TEXT || reader.how === SYMBOL)
    if (areTexts && Array.isArray(array) && writeTexts(array, reader, first, count)) return true
    return writeAny(array, reader, first, count, isWanted)
  }
}

/** Writes texts, of which few may be distinct; gives false where something is none, or not of the column's list. */
function writeTexts(array: readonly unknown[], reader: FieldReader, first: number, count: number): boolean {
  const { words, dictionary, how } = reader
  const codes = new Map<string, number>()
  for (let row = 0; row < count; row++) {
    const text = array[first + row]
    if (typeof text !== "string") return false
    let code = codes.get(text)
    if (code === undefined) {
      code = how === SYMBOL ? dictionary.find(text) : dictionary.codeOf(text)
      if (code < 0) return false
      if (codes.size < KNOWN_TEXTS_MAX) codes.set(text, code)
    }
    words[row] = code
  }
  return true
}

/** Writes values of any type, one by one. */
function writeAny(
  array: ValueArray | undefined,
  reader: FieldReader,
  first: number,
  count: number,
  isWanted: boolean,
): boolean {
  const { type } = reader
  const isOfNumbers = type.definition.typeOf === "number"
  for (let row = 0; row < count; row++) {
    let value: unknown = array?.[first + row]
    if (value === undefined) value = type.fromMissing()
    else if (isOfNumbers) value = asNumber(value)
    if (type.check(value) !== undefined) return false
    if (isWanted) reader.write(row, value)
  }
  return true
}

/** Arrays of bigints may be those of columns whose values are numbers, as Arrow has them. */
function asNumber(value: unknown): unknown {
  if (typeof value !== "bigint") return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function isValueArray(array: unknown): array is ValueArray {
  return Array.isArray(array) || (ArrayBuffer.isView(array) && !(array instanceof DataView))
}

/** Whether a buffer has been transferred: then all arrays in it are empty. */
function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

function noValues(name: string): TidemarkError {
  const message = `The buffer of the column ${JSON.stringify(name)} has been transferred, and its values with it.`
  return new TidemarkError("invalid-options", message, { hint: "Push it before, or transfer a copy." })
}

function noArray(name: string, value: unknown): TidemarkError {
  return new TidemarkError(
    "invalid-options",
    `The column ${JSON.stringify(name)} is ${shownValue(value)}, not an array.`,
    {
      hint: "Give an array of the values of all rows, or a typed array.",
    },
  )
}

function noColumns(fields: readonly Field[]): TidemarkError {
  const names = fields.map(({ name }) => JSON.stringify(name)).join(", ")
  return new TidemarkError("invalid-options", "What is pushed has none of the columns of the schema.", {
    hint: `Give an array of rows, or an object that has arrays: ${names}.`,
  })
}

function otherLength(name: string, length: number, count: number): TidemarkError {
  const message = `The column ${JSON.stringify(name)} has ${length} values, where others have ${count}.`
  return new TidemarkError("invalid-options", message, { hint: "Give each column a value of each row." })
}
