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
import { slotsOf, writeValue, type Column } from "../batch/column.ts"
import { Dictionary } from "../batch/dictionary.ts"
import { Invalid, type ColumnType, type Slots } from "../batch/type.ts"
import { doubleFromBytes, int32FromBytes, int53FromBytes } from "../batch/types/decimal-bytes.ts"
import { BatchDictionaries } from "./batch-dictionaries.ts"
import { textOfUtf8 } from "./utf8.ts"

/** A column of a file that the schema does not have. */
export const SKIPPED = 0
/** Any text. */
export const TEXT = 1
/** A text of a closed list. */
export const SYMBOL = 2
/** A float64 as `scanDouble` reads it. */
export const DOUBLE = 3
/** A whole number in 64 bits as `scanInt53` reads it. */
export const WHOLE = 4
/** The same in 32 bits, as `scanInt32` reads it. */
export const INT32 = 5
/** A number or bigint that the type's `fromBytes` reads once its end is known, such as a timestamp. */
export const NUMBER = 6
/** `true` or `false`. */
export const BOOL = 7
/** An object, in formats that have them. */
export const OBJECT = 8
/** Only the type itself knows. */
export const OTHER = 9

const NO_BYTES = new Uint8Array(0)
const NO_WORDS = new Int32Array(0)

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
  /** `definition.fromBytes`, or a function that never knows. */
  readonly store: NonNullable<ColumnType["definition"]["fromBytes"]>
  /** How long the field's text was last: neighbours often have the same length, which saves looking for the end. */
  lastLength = 0

  /** What `store` takes. */
  slots: Slots = NO_WORDS
  /** Codes. */
  words: Int32Array = NO_WORDS
  bits: Uint8Array = NO_BYTES
  validity: Uint8Array = NO_BYTES
  dictionary: Dictionary
  readonly #dictionaries = new BatchDictionaries()
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
    this.store = type.definition.fromBytes ?? (() => false)
    this.children = (type.definition.fields ?? []).map((field) => new FieldReader(column, field.name, field.type))
    const { symbols } = type.definition
    this.dictionary = symbols === undefined ? this.#dictionaries.next() : Dictionary.fixed(symbols)
  }

  /** Whether an empty CSV field, without quotes, stands for null. */
  get emptyIsNull(): boolean {
    return this.#empty === null
  }

  /** Takes the column of a new batch. */
  bind(target: Column): void {
    this.#target = target
    this.slots = slotsOf(target)
    if (target.validity !== null) this.validity = target.validity.fill(0xff)
    if (target.storage === "bit") this.bits = target.values
    else if (target.storage === "struct") this.children.forEach((child, index) => child.bind(target.children[index]!))
    else if (target.storage === "dictionary") {
      if (this.how !== SYMBOL) this.dictionary = this.#dictionaries.next()
      target.dictionary = this.dictionary
      this.words = target.values
    }
  }

  /** The batch has come out with so many rows. */
  countRows(rows: number): void {
    this.#dictionaries.countRows(rows)
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
    if (this.store(bytes, start, end, this.slots, row)) return true
    return this.#writeUnlessInvalid(row, this.type.fromText(textOfUtf8(bytes, start, end)))
  }

  #writeUnlessInvalid(row: number, value: unknown): boolean {
    if (value instanceof Invalid) return false
    this.write(row, value)
    return true
  }
}

/** Recognises the types that scanners read by heart: by how they say that they read, not by their names. */
export function howToRead({ definition }: Pick<ColumnType, "definition">): number {
  const { storage, fromBytes } = definition
  if (storage === "struct") return OBJECT
  if (storage === "dictionary") return definition.symbols !== undefined ? SYMBOL : definition.isAnyText ? TEXT : OTHER
  if (fromBytes === doubleFromBytes) return DOUBLE
  if (fromBytes === int32FromBytes) return INT32
  if (fromBytes === int53FromBytes) return WHOLE
  if (fromBytes !== undefined) return NUMBER
  const isPlainBool = definition.fromText("true") === true && definition.fromText("false") === false
  return storage === "bit" && isPlainBool ? BOOL : OTHER
}
