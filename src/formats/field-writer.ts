/**
 * How one column is written as bytes, shared by the encoders: which values they write by heart, and the typed arrays of
 * the batch at hand. Whatever they do not know by heart goes through the type's `toText` or `toJson`.
 */
import { slotsOf, type Column } from "../batch/column.ts"
import type { Dictionary } from "../batch/dictionary.ts"
import type { ColumnType, Slots } from "../batch/type.ts"
import { int32ToBytes, int53ToBytes } from "../batch/types/decimal-to-bytes.ts"
import { int64ToBytes } from "../batch/types/int64-bytes.ts"
import type { OutputBuffer } from "./decoder.ts"
import type { WrittenColumn } from "./write-blocks.ts"

/** Appends a text as it stands in the output, with quotes and escapes. */
export type WriteText = (dictionary: Dictionary, code: number, out: OutputBuffer) => void

/** A number or bigint that `toBytes` knows. */
export const WRITE_NUMBER = 1
/** `true` or `false`. */
export const WRITE_BOOL = 2
/** A text. */
export const WRITE_TEXT = 3
/** An object, field by field, in formats that have them. */
export const WRITE_OBJECT = 4
/** Only the type itself knows. */
const WRITE_OTHER = 5

const NO_BYTES = new Uint8Array(0)
const NO_WORDS = new Int32Array(0)

/** Writes one column. */
export class FieldWriter {
  readonly type: ColumnType
  /** One of the constants above. */
  readonly how: number
  /** What stands before the value. */
  readonly prefix: Uint8Array
  readonly isQuoted: boolean
  readonly children: readonly FieldWriter[]
  readonly #writeText: WriteText
  #dictionary: Dictionary | undefined
  /** `definition.toBytes`, or a function that never knows. */
  readonly #toBytes: NonNullable<ColumnType["definition"]["toBytes"]>
  #column: Column | undefined
  #slots: Slots = NO_WORDS
  #codes: Int32Array = NO_WORDS
  #bits: Uint8Array = NO_BYTES
  #validity: Uint8Array | null = null

  constructor(type: ColumnType, prefix: Uint8Array, writeText: WriteText, children: readonly FieldWriter[] = []) {
    this.type = type
    this.how = howToWrite(type)
    this.#toBytes = type.definition.toBytes ?? (() => -1)
    this.prefix = prefix
    this.isQuoted = type.definition.isQuotedInJson === true
    this.children = children
    this.#writeText = writeText
  }

  /** Takes the column of the batch at hand. */
  bind(column: Column): void {
    this.#column = column
    this.#validity = column.validity
    this.#slots = slotsOf(column)
    this.#codes = column.storage === "dictionary" ? column.values : NO_WORDS
    this.#bits = column.storage === "bit" ? column.values : NO_BYTES
    this.#dictionary = column.storage === "dictionary" ? column.dictionary : undefined
    if (column.storage === "struct") this.children.forEach((child, index) => child.bind(column.children[index]!))
  }

  /** The column of the batch at hand. */
  get column(): Column {
    return this.#column!
  }

  isNull(row: number): boolean {
    return this.#validity !== null && ((this.#validity[row >> 3]! >> (row & 7)) & 1) === 0
  }

  /** Writes the digits of a number or a bigint at `bytes[at]` and gives where they end; -1 where only the type knows. */
  writeDigits(row: number, bytes: Uint8Array, at: number): number {
    return this.#toBytes(this.#slots, row, bytes, at)
  }

  bitAt(row: number): boolean {
    return ((this.#bits[row >> 3]! >> (row & 7)) & 1) === 1
  }

  /** Appends a text. */
  writeText(row: number, out: OutputBuffer): void {
    this.#writeText(this.#dictionary!, this.#codes[row]!, out)
  }
}

function howToWrite({ definition }: ColumnType): number {
  const { storage } = definition
  if (storage === "struct") return WRITE_OBJECT
  if (storage === "dictionary") return WRITE_TEXT
  if (definition.toBytes !== undefined) return WRITE_NUMBER
  const isPlainBool = [true, false].every((value) => {
    return storage === "bit" && definition.toText(value) === String(value) && definition.toJson(value) === String(value)
  })
  return isPlainBool ? WRITE_BOOL : WRITE_OTHER
}

/** How blocks write a column (`write-blocks.ts`). */
export function kindOfColumn({ how, type }: FieldWriter): WrittenColumn["kind"] {
  const { definition } = type
  const { storage, toBytes, isAnyText, isIsoText, symbols } = definition
  if (how === WRITE_BOOL) return "bool"
  if (storage === "dictionary") {
    const isPlain = symbols?.every((symbol) => {
      return definition.toText(symbol) === symbol && definition.toJson(symbol) === JSON.stringify(symbol)
    })
    return isAnyText === true || isPlain === true ? "text" : "ready"
  }
  if (toBytes === int32ToBytes) return "int32"
  if (toBytes === int53ToBytes || toBytes === int64ToBytes) return "int64"
  if (isIsoText === true) return "timestamp"
  return storage === "float64" && definition.narrowing === undefined ? "double" : "ready"
}
