/**
 * Types from their labels: for state of earlier programs, of whose types the log has the labels.
 *
 * Invariant:
 * - TL1 A type that is made of a label has that label; what is no label of a type gives none.
 */
import { schemaOfData, type FieldData } from "./schema-data.ts"
import type { ColumnType } from "./type.ts"

/** A type's label, without what only columns have: `int53?`, `list(string)`, `object({ "a": int53 })`. */
export function typeOfLabel(label: string): ColumnType | undefined {
  try {
    const reader = new LabelReader(label)
    const field = reader.field("value")
    const type = reader.isAtEnd ? schemaOfData([field]).field("value")!.type : undefined
    return type?.label === label ? type : undefined
  } catch {
    // Whatever constructors and parsers find wrong, it is the label of no type.
    return undefined
  }
}

const KIND = /[a-z][a-z0-9]*/y
const OPTION = /([a-z]+)=/y

class LabelReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length
  }

  /** A type with that name, and how it is read, where that is said: `int53? from "n" default null`. */
  field(name: string): FieldData {
    const kind = this.#match(KIND)[0]
    const parts = this.#take("(") ? this.#parts(kind) : {}
    const isNullable = this.#take("?")
    const sourceName = this.#take(" from ") ? this.#json<string>() : undefined
    const defaultValue = this.#take(" default ") ? ([this.#json()] as const) : undefined
    const none = { options: undefined, symbols: undefined, fields: undefined, element: undefined }
    return { ...none, ...parts, name, kind, isNullable, sourceName, defaultValue }
  }

  /** What stands between the brackets, up to behind the closing one. */
  #parts(kind: string): Partial<FieldData> {
    const parts =
      kind === "enum"
        ? { symbols: this.#list(() => this.#json<string>()) }
        : kind === "object"
          ? { fields: this.#fields() }
          : kind === "list"
            ? { element: this.field("") }
            : { options: Object.fromEntries(this.#list(() => [this.#match(OPTION)[1]!, this.#json<string>()])) }
    this.#expect(")")
    return parts
  }

  #fields(): FieldData[] {
    this.#expect("{ ")
    const fields = this.#list(() => {
      const name = this.#json<string>()
      this.#expect(": ")
      return this.field(name)
    })
    this.#expect(" }")
    return fields
  }

  #list<T>(read: () => T): T[] {
    const all = [read()]
    while (this.#take(", ")) all.push(read())
    return all
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw new SyntaxError(`no ${text} at ${this.#at}`)
  }

  #match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) throw new SyntaxError(`no ${pattern.source} at ${this.#at}`)
    this.#at = pattern.lastIndex
    return match
  }

  /** A JSON value, whose end is where its brackets and quotes are closed. */
  #json<T = unknown>(): T {
    const start = this.#at
    let depth = 0
    for (let isText = false; !this.isAtEnd; this.#at++) {
      const character = this.#text[this.#at]!
      if (isText) {
        if (character === "\\") this.#at++
        else if (character === '"') isText = false
      } else if (character === '"') isText = true
      else if ("[{".includes(character)) depth++
      else if ("]}".includes(character) && depth > 0) depth--
      else if (depth === 0 && ", )]}?:".includes(character)) break
    }
    return JSON.parse(this.#text.slice(start, this.#at)) as T
  }
}
