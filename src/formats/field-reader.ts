/**
 * How one field of a schema is read from bytes, and the column of the current batch into which its values go.
 *
 * Scanners switch on `how` and write to the typed arrays themselves; whatever they do not know by heart goes through
 * `readText` and `write`, which know every type. The arrays that a storage does not have are empty.
 *
 * Invariants:
 * - FR1 Between `bind` and the end of the batch, the validity bit of every row not yet written is set, so that scanners
 *   touch it for nulls only.
 * - FR2 A null leaves code 0 in dictionary columns and the same in the columns within a struct.
 */
import { assert } from "../base/assert.ts"
import { writeInt53, writeValue, type Column } from "../batch/column.ts"
import { Dictionary } from "../batch/dictionary.ts"
import { Invalid, type ColumnType } from "../batch/type.ts"
import { doubleFromBytes, int32FromBytes, wholeNumberFromBytes } from "../batch/types/decimal-bytes.ts"
import { textOfUtf8 } from "./utf8.ts"

/** A column of a file that the schema does not have. */
export const SKIPPED = 0
/** Any text. */
export const TEXT = 1
/** A text of a closed list. */
export const SYMBOL = 2
/** A float64 as `scanDouble` reads it. */
export const DOUBLE = 3
/** A whole number in 64 bits as `scanWholeNumber` reads it. */
export const WHOLE = 4
/** The same in 32 bits. */
export const INT32 = 5
/** A number that the type's `numberFromBytes` reads once its end is known, such as a timestamp. */
export const NUMBER = 6
/** `true` or `false`. */
export const BOOL = 7
/** An object, in formats that have them. */
export const OBJECT = 8
/** A bigint that the type's `wordsFromBytes` reads once its end is known. */
export const WORDS = 9
/** Only the type itself knows. */
export const OTHER = 10

const NO_BYTES = new Uint8Array(0)
const NO_WORDS = new Int32Array(0)
const NO_DOUBLES = new Float64Array(0)

/** A dictionary beyond either of these is closed, and the next batch starts another. */
const DICTIONARY_SIZE_MAX = 65_536
const DICTIONARY_BYTES_MAX = 4 * 1024 * 1024
/** So is one of at least so many texts that most rows did not find theirs in: it costs memory and saves nothing. */
const USELESS_SIZE_MIN = 8192

/** Reads one field of a schema. */
export class FieldReader {
  readonly type: ColumnType
  /** One of the constants above. */
  readonly how: number
  /** The column of the schema that it belongs to, for `BadRecord.field`. */
  readonly column: string
  /** The field's name in the input. */
  readonly sourceName: string
  /** The fields of an object. */
  readonly children: readonly FieldReader[]
  /** `definition.numberFromBytes`, or a function that never knows. */
  readonly numberOf: (bytes: Uint8Array, start: number, end: number) => number
  /** `definition.wordsFromBytes`, or a function that never knows. */
  readonly storeWords: NonNullable<ColumnType["definition"]["wordsFromBytes"]>
  /** How long the field's text was last: neighbours often have the same length, which saves looking for the end. */
  lastLength = 0

  doubles: Float64Array = NO_DOUBLES
  /** Codes or int32 values. */
  words: Int32Array = NO_WORDS
  /** Pairs of words of int64 storage, low first. */
  halves: Int32Array = NO_WORDS
  bits: Uint8Array = NO_BYTES
  validity: Uint8Array = NO_BYTES
  dictionary: Dictionary
  /** Rows of the batches that the dictionary was made for. */
  #dictionaryRows = 0
  readonly isNullable: boolean
  /** What an empty CSV field stands for, and one of two quotes (TY21). */
  readonly #empty: unknown
  readonly #quotedEmpty: unknown
  #target: Column | undefined

  constructor(column: string, name: string, type: ColumnType) {
    this.column = column
    this.sourceName = type.sourceName ?? name
    this.type = type
    this.isNullable = type.isNullable
    this.#empty = type.fromText("")
    this.#quotedEmpty = type.fromText("", true)
    this.how = howToRead(type)
    this.numberOf = type.definition.numberFromBytes ?? (() => NaN)
    this.storeWords = type.definition.wordsFromBytes ?? (() => false)
    this.children = (type.definition.fields ?? []).map((field) => new FieldReader(column, field.name, field.type))
    const { symbols } = type.definition
    this.dictionary = symbols === undefined ? new Dictionary() : Dictionary.fixed(symbols)
  }

  /** Takes the column of a new batch. */
  bind(target: Column): void {
    this.#target = target
    if (target.validity !== null) this.validity = target.validity.fill(0xff)
    switch (target.storage) {
      case "bit":
        this.bits = target.values
        return
      case "float64":
        this.doubles = target.values
        return
      case "int64":
        this.halves = target.halves
        return
      case "int32":
        this.words = target.values
        return
      case "dictionary":
        if (this.how !== SYMBOL && this.#isDictionaryDone()) {
          this.dictionary = new Dictionary()
          this.#dictionaryRows = 0
        }
        target.dictionary = this.dictionary
        this.words = target.values
        return
      case "struct":
        this.children.forEach((child, index) => child.bind(target.children[index]!))
    }
  }

  /** The batch has come out with so many rows. */
  countRows(rows: number): void {
    this.#dictionaryRows += rows
    for (const child of this.children) child.countRows(rows)
  }

  /** Undoes what was written for a row that turned out to be none (FR1). */
  clear(row: number): void {
    if (this.isNullable) this.validity[row >> 3]! |= 1 << (row & 7)
    for (const child of this.children) child.clear(row)
  }

  /** Writes a value that the type has checked, or null. */
  write(row: number, value: unknown): void {
    assert(this.#target !== undefined, "a reader is bound before it reads")
    if (value === null) this.writeNull(row)
    else writeValue(this.#target, row, value)
  }

  /** Writes a null. */
  writeNull(row: number): void {
    if (this.isNullable) this.validity[row >> 3]! &= ~(1 << (row & 7))
    if (this.words.length > 0) this.words[row] = 0
    for (const child of this.children) child.writeNull(row)
  }

  /** Writes a boolean. */
  writeBit(row: number, value: boolean): void {
    const bit = 1 << (row & 7)
    if (value) this.bits[row >> 3]! |= bit
    else this.bits[row >> 3]! &= ~bit
  }

  /** Writes a number within ±(2⁵³ − 1), whole for whole storages. */
  writeNumber(row: number, value: number): void {
    if (this.halves.length > 0) writeInt53(this.halves, row, value)
    else if (this.doubles.length > 0) this.doubles[row] = value
    else this.words[row] = value
  }

  #isDictionaryDone(): boolean {
    const { size, byteLength } = this.dictionary
    const isUseless = size >= USELESS_SIZE_MIN && size * 2 > this.#dictionaryRows
    return isUseless || size > DICTIONARY_SIZE_MAX || byteLength > DICTIONARY_BYTES_MAX
  }

  /** Writes what the text `bytes[start, end)`, which is valid UTF-8, stands for. Gives whether it is of the type. */
  readText(bytes: Uint8Array, start: number, end: number, row: number, isQuoted: boolean): boolean {
    if (start === end) return this.#writeUnlessInvalid(row, isQuoted ? this.#quotedEmpty : this.#empty)
    if (this.how === TEXT) {
      this.words[row] = this.dictionary.codeOfBytes(bytes, start, end)
      return true
    }
    if (this.how === SYMBOL) {
      const code = this.dictionary.findBytes(bytes, start, end)
      if (code >= 0) this.words[row] = code
      return code >= 0
    }
    if (this.how === WORDS && this.storeWords(bytes, start, end, this.halves, row)) return true
    const value = this.numberOf(bytes, start, end)
    if (value !== value) return this.#writeUnlessInvalid(row, this.type.fromText(textOfUtf8(bytes, start, end)))
    this.writeNumber(row, value)
    return true
  }

  #writeUnlessInvalid(row: number, value: unknown): boolean {
    if (value instanceof Invalid) return false
    this.write(row, value)
    return true
  }
}

/** Recognises the types that scanners read by heart: by how they say that they read, not by their names. */
function howToRead({ definition }: ColumnType): number {
  const { storage, typeOf, numberFromBytes } = definition
  if (storage === "struct") return OBJECT
  if (storage === "dictionary") return definition.symbols !== undefined ? SYMBOL : definition.isAnyText ? TEXT : OTHER
  if (numberFromBytes === doubleFromBytes && storage === "float64") return DOUBLE
  if (numberFromBytes === int32FromBytes && storage === "int32") return INT32
  if (numberFromBytes === wholeNumberFromBytes && storage === "int64") return WHOLE
  if (numberFromBytes !== undefined && typeOf === "number") return NUMBER
  if (definition.wordsFromBytes !== undefined && storage === "int64") return WORDS
  const isPlainBool = definition.fromText("true") === true && definition.fromText("false") === false
  return storage === "bit" && isPlainBool ? BOOL : OTHER
}
