/**
 * Rows that an encoder of containers holds until there are enough for a block: column by column, as numbers and as codes of
 * texts. Objects, and what has no numbers in containers, are held as text.
 */
import { isValid, readValue, writeInt53, type Column } from "../batch/column.ts"
import type { Batch } from "../batch/batch.ts"
import { Dictionary } from "../batch/dictionary.ts"
import type { Schema } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"

/** A block has at most so many rows, and about so many bytes. */
const [BLOCK_ROWS, BLOCK_BYTES] = [131_072, 16 * 1024 * 1024]

/** How a column's values are held. */
export type HeldForm = "bits" | "int32" | "int64" | "float64" | "texts"

/** What is held of one column of a schema. */
export interface HeldPart {
  /** About how many bytes so many rows take. */
  bytesOf(rows: number): number
  /** Takes the rows of a batch that count, behind `row` rows that are there. */
  append(column: Column, batch: Batch, row: number): void
  /** Forgets the rows that were taken last, all or some of them. */
  undo(): void
  /** Forgets all rows. */
  clear(): void
}

/** The values of one column. Slots of nulls hold zeros. */
export class HeldColumn implements HeldPart {
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
  #nullsBefore = 0

  /** @param isText whether the values are held as their text, whatever they are. */
  constructor(name: string, type: ColumnType, isText: boolean) {
    this.name = name
    this.type = type
    const { storage } = type
    if (isText || storage === "dictionary" || storage === "struct") this.form = "texts"
    else this.form = storage === "bit" ? "bits" : storage
  }

  bytesOf(rows: number): number {
    return rows * (this.form === "int64" || this.form === "float64" ? 9 : 5) + this.texts.byteLength
  }

  append(column: Column, batch: Batch, row: number): void {
    this.mark()
    this.#reserve(row + batch.count)
    if (this.form === "texts") this.#appendTexts(column, batch, row)
    else this.#appendNumbers(column, batch, row)
  }

  /** Takes a value that is not null as that of a row. */
  appendValue(value: unknown, row: number): void {
    this.#reserve(row + 1)
    const { words, texts, type } = this
    this.present[row] = 1
    if (this.form === "float64") this.doubles[row] = value as number
    else if (this.form === "int32") words[row] = value as number
    else if (this.form === "bits") words[row] = value === true ? 1 : 0
    else if (this.form === "int64") {
      if (typeof value === "number") writeInt53(words, row, value)
      else {
        words[2 * row] = Number(BigInt.asIntN(32, value as bigint))
        words[2 * row + 1] = Number(BigInt.asIntN(32, (value as bigint) >> 32n))
      }
    } else if (type.definition.isBytes === true) {
      words[row] = texts.codeOfBytes(value as Uint8Array, 0, (value as Uint8Array).length)
    } else words[row] = texts.codeOf(type.toText(value))
  }

  /** Takes a null as the value of a row. */
  appendNull(row: number): void {
    this.#reserve(row + 1)
    this.present[row] = 0
    this.words[this.form === "int64" ? 2 * row : row] = 0
    if (this.form === "int64") this.words[2 * row + 1] = 0
    else if (this.form === "float64") this.doubles[row] = 0
    this.nulls++
  }

  /** What is taken from now on is what `undo` forgets. */
  mark(): void {
    this.#nullsBefore = this.nulls
  }

  undo(): void {
    this.nulls = this.#nullsBefore
  }

  clear(): void {
    this.nulls = this.#nullsBefore = 0
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

/** So many rows with lists or objects are taken before it is asked whether they make a block. */
const SLICE_ROWS = 256

/** The rows of a batch that count, some at a time: a text of it may stand for the lists of many rows, of which each is written out. */
export function* slicesOf(batch: Batch): Iterable<Batch> {
  const rows = new Int32Array(batch.count)
  let count = 0
  batch.forEachRow((row) => (rows[count++] = row))
  for (let at = 0; at < count; at += SLICE_ROWS) {
    const selection = rows.slice(at, at + SLICE_ROWS)
    yield batch.with({ selection, count: selection.length })
  }
}

/** So much of what is held counts as buffered: a block is full before a sink is asked to write its first megabyte. */
const BUFFERED_SHARE = 1 / 32

/** The columns of a schema. */
export class HeldColumns<C extends HeldPart> {
  readonly columns: readonly C[]
  rows = 0

  /** @param hold how a column is held. */
  constructor(schema: Schema, hold: (name: string, type: ColumnType) => C) {
    this.columns = schema.fields.map(({ name, type }) => hold(name, type))
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
    let taken = 0
    try {
      for (const column of this.columns) column.append(batch.columns[taken++]!, batch, this.rows)
    } catch (error) {
      for (const column of this.columns.slice(0, taken)) column.undo()
      throw error
    }
    this.rows += batch.count
  }

  clear(): void {
    for (const column of this.columns) column.clear()
    this.rows = 0
  }
}
