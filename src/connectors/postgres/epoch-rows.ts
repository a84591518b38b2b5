/** The rows of a staged epoch, as lines of COPY text, any stretch of which can be read. */
import { assert } from "../../base/assert.ts"
import { ByteWriter } from "../../base/bytes.ts"
import { writtenAs } from "./column-type.ts"
import { fieldsOfLine } from "./copy-encoder.ts"
import type { EpochFiles } from "../../connect/epoch-files.ts"
import type { StagedEpoch } from "./staged-epoch.ts"
import type { TargetTable } from "./target-table.ts"

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const LF = 10
const JSON_WORDS = { t: "true", f: "false" } as const

/** See the head of this file. */
export class EpochRows {
  readonly #files: EpochFiles
  readonly #epoch: StagedEpoch
  /** Where each row ends. */
  #ends: Float64Array | undefined

  constructor(files: EpochFiles, epoch: StagedEpoch) {
    this.#files = files
    this.#epoch = epoch
  }

  get count(): number {
    return this.#epoch.rows
  }

  /** The bytes of rows `from` up to `to`. */
  async read(from: number, to: number): Promise<AsyncIterable<Uint8Array>> {
    const { rows, byteLength } = this.#epoch
    if (from === 0 && to === rows) return this.#files.read(this.#epoch, 0, byteLength)
    const ends = (this.#ends ??= await this.#findEnds())
    return this.#files.read(this.#epoch, from === 0 ? 0 : ends[from - 1]!, ends[to - 1]!)
  }

  /** A row as JSON text: numbers, booleans and JSON as they are, all else as texts. */
  async json(index: number, table: TargetTable): Promise<string> {
    const line = new ByteWriter()
    for await (const piece of await this.read(index, index + 1)) line.raw(piece)
    const fields = fieldsOfLine(decoder.decode(line.finish()).slice(0, -1))
    const own = table.columns
    const members = own.map(({ name, type }, at) => {
      const text = fields[fields.length - own.length + at]!
      return `${JSON.stringify(name)}:${text === null ? "null" : jsonOf(text, writtenAs(type))}`
    })
    return `{${members.join(",")}}`
  }

  async #findEnds(): Promise<Float64Array> {
    const { rows, byteLength } = this.#epoch
    const ends = new Float64Array(rows)
    let [found, start] = [0, 0]
    for await (const piece of this.#files.read(this.#epoch, 0, byteLength)) {
      for (let at = piece.indexOf(LF); at >= 0; at = piece.indexOf(LF, at + 1)) ends[found++] = start + at + 1
      start += piece.length
    }
    assert(found === rows, "a row is a line")
    return ends
  }
}

function jsonOf(text: string, written: ReturnType<typeof writtenAs>): string {
  switch (written) {
    case "json":
      return text
    case "bool":
      return JSON_WORDS[text as "t" | "f"]
    case "number":
    case "single":
    case "double":
      return /\d$/.test(text) ? text : JSON.stringify(text)
    default:
      return JSON.stringify(text)
  }
}
