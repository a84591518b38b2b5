/**
 * What a decoder of JSON objects knows of the objects that it reads: the fields of the schema by name, and in which
 * order names have followed each other so far. Records of one source mostly have the same fields in the same order, so
 * the next name is guessed and compared, and looked up only where the guess is wrong.
 *
 * Names that the schema does not have are learnt too, a few of them, so that they are guessed as well.
 */
import { assert } from "../base/assert.ts"
import { Dictionary } from "../batch/dictionary.ts"
import { OBJECT, type FieldReader } from "./field-reader.ts"

/** How many names outside the schema are learnt for each kind of object, and how long they may be. */
const LEARNT_NAMES_MAX = 64
const LEARNT_NAME_BYTES_MAX = 64

const encoder = new TextEncoder()

/** A field of objects of one kind. */
export class ObjectField {
  /** The name and its closing quote, as they stand in the input when nothing is escaped that need not be. */
  readonly key: Uint8Array
  /** What reads the value; a field that the schema does not have has none. */
  readonly reader: FieldReader | undefined
  /** The objects that are this field's values. */
  readonly shape: ObjectShape | undefined
  /** What stands for the field where an object lacks it, or `Invalid`. */
  readonly missing: unknown
  /** The stamp of the object in which it was last met: a second time in the same object is an exception. */
  stamp = 0

  constructor(key: Uint8Array, reader: FieldReader | undefined) {
    this.key = key
    this.reader = reader
    this.shape = reader?.how === OBJECT ? new ObjectShape(reader.children) : undefined
    this.missing = reader === undefined ? undefined : reader.type.fromMissing()
  }
}

/** The objects of one kind: records, or the values of one field. */
export class ObjectShape {
  /** By code of the name: first those of the schema, then those learnt. */
  readonly fields: ObjectField[] = []
  /** How many fields the schema has. */
  readonly declared: number
  /** By code of a name, plus one (0: none yet): the code of the name that last followed it. */
  readonly next: Int32Array
  readonly #names = new Dictionary()

  constructor(readers: readonly FieldReader[]) {
    this.declared = readers.length
    this.next = new Int32Array(readers.length + LEARNT_NAMES_MAX + 1)
    for (const [index, reader] of readers.entries()) {
      const code = this.#names.codeOf(reader.sourceName)
      assert(code === index, "the fields of an object have distinct names")
      this.fields.push(new ObjectField(encoder.encode(JSON.stringify(reader.sourceName).slice(1)), reader))
      // Until it has seen better, the guess is the schema's order.
      this.next[index] = index
    }
  }

  /** The code of the name `bytes[start, end)`, valid UTF-8, or -1 where it is not known. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#names.findBytes(bytes, start, end)
  }

  /** The same for a name that stands so in the input, without escapes; it may be learnt. */
  findOrLearn(bytes: Uint8Array, start: number, end: number): number {
    const code = this.#names.findBytes(bytes, start, end)
    if (code >= 0) return code
    if (end - start > LEARNT_NAME_BYTES_MAX || this.fields.length >= this.declared + LEARNT_NAMES_MAX) return -1
    this.fields.push(new ObjectField(bytes.slice(start, end + 1), undefined))
    return this.#names.codeOfBytes(bytes, start, end)
  }

  /** Forgets the stamps, so that they can be counted anew. */
  forgetStamps(): void {
    for (const field of this.fields) {
      field.stamp = 0
      field.shape?.forgetStamps()
    }
  }
}
