/**
 * Rows that an encoder of containers holds until there are enough for a block: column by column, as numbers and as codes of
 * texts. Objects, and what has no numbers in containers, are held as text.
 */
import { isValid, readValue, type Column } from "../batch/column.ts"
import type { Batch } from "../batch/batch.ts"
import { Dictionary } from "../batch/dictionary.ts"
import type { Schema } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"

/** A block has at most so many rows, and about so many bytes. */
const [BLOCK_ROWS, BLOCK_BYTES] = [131_072, 16 * 1024 * 1024]

/** How a column's values are held. */
export type HeldForm = "bits" | "int32" | "int64" | "float64" | "texts"

/** The values of one column. Slots of nulls hold zeros. */
export class HeldColumn {
  readonly name: string
  readonly type: ColumnType
  readonly form: HeldForm
  /** By row: 1 where the value is not null. */
  present = new Uint8Array(64)
  /** Bits (0 or 1), 32-bit numbers and codes by row; halves of 64-bit numbers by two. */
  words = new Int32Array(128)
  doubles = new Float64Array(64)
  nulls = 0
  texts = new Dictionary()

  /** @param isText whether the values are held as their text, whatever they are. */
  constructor(name: string, type: ColumnType, isText: boolean) {
    this.name = name
    this.type = type
    const { storage } = type
    if (isText || storage === "dictionary" || storage === "struct") this.form = "texts"
    else this.form = storage === "bit" ? "bits" : storage
  }

  /** About how many bytes so many rows take. */
  bytesOf(rows: number): number {
    return rows * (this.form === "int64" || this.form === "float64" ? 9 : 5) + this.texts.byteLength
  }

  /** Takes the rows of a batch that count, behind `row` rows that are there. */
  append(column: Column, batch: Batch, row: number): void {
    this.#reserve(row + batch.count)
    if (this.form === "texts") this.#appendTexts(column, batch, row)
    else this.#appendNumbers(column, batch, row)
  }

  /** Forgets all rows. */
  clear(): void {
    this.nulls = 0
    this.texts = new Dictionary()
  }

  #reserve(rows: number): void {
    if (this.present.length >= rows) return
    const room = Math.max(rows, this.present.length * 2)
    const grow = <A extends Uint8Array | Int32Array | Float64Array>(from: A, to: A): A => {
      to.set(from)
      return to
    }
    this.present = grow(this.present, new Uint8Array(room))
    if (this.form === "float64") this.doubles = grow(this.doubles, new Float64Array(room))
    else this.words = grow(this.words, new Int32Array(this.form === "int64" ? room * 2 : room))
  }

  #appendNumbers(column: Column, batch: Batch, start: number): void {
    const { present, words, doubles } = this
    let row = start
    batch.forEachRow((from) => {
      const isThere = isValid(column, from)
      present[row] = isThere ? 1 : 0
      if (!isThere) this.nulls++
      if (column.storage === "float64") doubles[row] = isThere ? column.values[from]! : 0
      else if (column.storage === "int32") words[row] = isThere ? column.values[from]! : 0
      else if (column.storage === "bit") words[row] = isThere ? (column.values[from >> 3]! >> (from & 7)) & 1 : 0
      else if (column.storage === "int64") {
        words[2 * row] = isThere ? column.halves[2 * from]! : 0
        words[2 * row + 1] = isThere ? column.halves[2 * from + 1]! : 0
      }
      row++
    })
  }

  #appendTexts(column: Column, batch: Batch, start: number): void {
    const { present, words, texts, type } = this
    const isBytes = type.definition.isBytes === true
    const isCoded = column.storage === "dictionary" && !isBytes
    /** By code of the batch's dictionary, what the text is here. */
    const codes = isCoded ? new Int32Array(column.dictionary.size).fill(-1) : undefined
    let row = start
    batch.forEachRow((from) => {
      const isThere = isValid(column, from)
      present[row] = isThere ? 1 : 0
      if (!isThere) {
        this.nulls++
        words[row++] = 0
        return
      }
      if (codes !== undefined && column.storage === "dictionary") {
        const code = column.values[from]!
        if (codes[code] === -1) {
          const bytes = column.dictionary.bytes(code)
          codes[code] = texts.codeOfBytes(bytes, 0, bytes.length)
        }
        words[row++] = codes[code]!
        return
      }
      const value = readValue(column, from)
      if (isBytes) words[row++] = texts.codeOfBytes(value as Uint8Array, 0, (value as Uint8Array).length)
      else words[row++] = texts.codeOf(type.toText(value))
    })
  }
}

/** So much of what is held counts as buffered: a block is full before a sink is asked to write its first megabyte. */
const BUFFERED_SHARE = 1 / 32

/** The columns of a schema. */
export class HeldColumns {
  readonly columns: readonly HeldColumn[]
  rows = 0

  /** @param isText which types are held as text, besides those that have no numbers. */
  constructor(schema: Schema, isText: (type: ColumnType) => boolean) {
    this.columns = schema.fields.map(({ name, type }) => new HeldColumn(name, type, isText(type)))
  }

  /** About how many bytes they take. */
  get bytes(): number {
    return this.columns.reduce((sum, column) => sum + column.bytesOf(this.rows), 0)
  }

  /** What of it counts in `RecordEncoder.heldBytes`. */
  get bufferedBytes(): number {
    return Math.ceil(this.bytes * BUFFERED_SHARE)
  }

  /** Whether they make a block. */
  get isFull(): boolean {
    return this.rows >= BLOCK_ROWS || this.bytes >= BLOCK_BYTES
  }

  /** Takes the rows of a batch that count: all of them, or none where it throws. */
  append(batch: Batch): void {
    const nulls = this.columns.map((column) => column.nulls)
    try {
      this.columns.forEach((held, index) => {
        held.append(batch.columns[index]!, batch, this.rows)
      })
    } catch (error) {
      this.columns.forEach((column, index) => (column.nulls = nulls[index]!))
      throw error
    }
    this.rows += batch.count
  }

  clear(): void {
    for (const column of this.columns) column.clear()
    this.rows = 0
  }
}
