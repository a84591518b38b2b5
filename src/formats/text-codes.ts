/**
 * Texts of containers' columns as codes of a column's dictionary: texts as they are, symbols where they are listed, and of
 * packed types what stands for the value that a text or some bytes read as.
 *
 * Below 0 is what has no code, and why.
 */
import { Invalid } from "../batch/type.ts"
import { SYMBOL, TEXT, type FieldReader } from "./field-reader.ts"
import { isValidUtf8, rawOf, textOfUtf8 } from "./utf8.ts"

/** A text that was not yet looked up: no function here gives it. */
export const UNSEEN = -1
/** A text that is no UTF-8, one that the list does not have, and one that is no value of the type. */
const [NOT_UTF8, NOT_LISTED, NOT_OF_TYPE] = [-2, -3, -4]

/** So much of a text that is not listed is shown. */
const SHOWN_BYTES = 80

/** The code of `bytes[start, end)` in the reader's dictionary, or what is wrong with it: below 0. */
export function codeOfText(reader: FieldReader, bytes: Uint8Array, start: number, end: number): number {
  const { dictionary, how, type } = reader
  if (type.definition.isBytes === true) return dictionary.codeOf(type.toText(bytes.slice(start, end)))
  if (how === TEXT || how === SYMBOL) {
    // What a dictionary has is UTF-8.
    const known = dictionary.findBytes(bytes, start, end)
    if (known >= 0) return known
    if (!isValidUtf8(bytes, start, end)) return NOT_UTF8
    return how === SYMBOL ? NOT_LISTED : dictionary.codeOfBytes(bytes, start, end)
  }
  if (!isValidUtf8(bytes, start, end)) return NOT_UTF8
  const value = type.definition.fromText(textOfUtf8(bytes, start, end))
  return value instanceof Invalid ? NOT_OF_TYPE : dictionary.codeOf(type.toText(value))
}

/** Why that has no code, as a clause behind "is". */
export function wrongText({ type }: FieldReader, code: number, bytes: Uint8Array, start: number, end: number): string {
  if (code === NOT_UTF8) return "not valid UTF-8"
  if (code === NOT_OF_TYPE) {
    const value = type.definition.fromText(textOfUtf8(bytes, start, end))
    return value instanceof Invalid ? value.reason : "not of the type"
  }
  const shown = rawOf(bytes, start, Math.min(end, start + SHOWN_BYTES))
  return `${JSON.stringify(shown)}, which is not one of its symbols`
}

/** The value of the type that the text `bytes[start, end)` reads as, or `Invalid`: for types that have no codes. */
export function valueOfText({ type }: FieldReader, bytes: Uint8Array, start: number, end: number): unknown {
  if (!isValidUtf8(bytes, start, end)) return new Invalid("not valid UTF-8")
  return type.definition.fromText(textOfUtf8(bytes, start, end))
}
