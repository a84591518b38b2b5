/**
 * The fields of entries out of bytes of state: many, one after the other, without asking for each where it goes to. What writes them is
 * `entry-bytes.ts`.
 */
import type { ByteReader } from "../../base/bytes.ts"
import { anyBits } from "../aggregates/fields.ts"
import type { EntryBytesParts } from "./entry-bytes.ts"

/** A field: where it lies, and what it may hold. */
interface FieldPlaces {
  readonly i32: Int32Array
  readonly i64: BigInt64Array
  /** Absent where it may hold anything. */
  readonly isValid: ((bits: bigint) => boolean) | undefined
  /** Where it holds texts: of which input. */
  readonly textInput: number | undefined
}

/** See the head of this file. */
export class EntryFields {
  readonly #parts: Omit<EntryBytesParts, "arena">
  #fields: readonly FieldPlaces[] = []
  #dirty: Uint8Array = new Uint8Array(0)
  /** The fewest bytes of all fields of an entry. */
  readonly bytesMin: number

  constructor(parts: Omit<EntryBytesParts, "arena">) {
    this.#parts = parts
    const { shape } = parts
    this.bytesMin = shape.entryFields.reduce(
      (sum, _, index) => sum + (shape.textInputOf(index) === undefined ? 8 : 1),
      0,
    )
    this.onMoved()
  }

  /** To be called before entries are read, where their arrays may have moved. */
  onMoved(): void {
    const { shape, memory } = this.#parts
    this.#dirty = memory.entryDirty.u8
    this.#fields = shape.entryFields.map(({ isValid }, index) => ({
      i32: memory.entryFields[index]!.i32,
      i64: memory.entryFields[index]!.i64,
      isValid: isValid === anyBits ? undefined : isValid,
      textInput: shape.textInputOf(index),
    }))
  }

  /**
   * Reads all fields of an entry, which counts as unchanged then.
   *
   * @throws RangeError where the bytes are no such fields.
   */
  read(entry: number, from: ByteReader): void {
    this.#dirty[entry] = 0
    const fields = this.#fields
    for (let index = 0; index < fields.length; index++) {
      const { i32, i64, isValid, textInput } = fields[index]!
      if (textInput !== undefined) {
        i64[entry] = this.#readText(textInput, from)
        continue
      }
      i32[entry * 2] = from.uint32()
      i32[entry * 2 + 1] = from.uint32()
      if (isValid?.(i64[entry]!) === false) throw new RangeError("there is a field that no records lead to")
    }
  }

  #readText(input: number, from: ByteReader): bigint {
    const { shape, texts } = this.#parts
    const { symbols } = shape.inputs[input]!.type.definition
    const text = from.text()
    if (symbols !== undefined && !symbols.includes(text)) {
      throw new RangeError("there is a text that is not one of the type's")
    }
    return BigInt(texts.dictionary(input).codeOf(text))
  }

  /** Reads over all fields of an entry. */
  passOver(from: ByteReader): void {
    for (const { textInput } of this.#fields) {
      if (textInput === undefined) from.raw(8)
      else from.text()
    }
  }
}
