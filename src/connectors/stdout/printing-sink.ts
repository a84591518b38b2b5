/**
 * A sink that prints: an epoch's text is in its commit record, and `apply` prints it. What is printed cannot be taken back or
 * looked at, so K3 does not hold: applying a record again prints it again.
 */
import type { Arena } from "../../batch/arena.ts"
import type { Batch } from "../../batch/batch.ts"
import type { Schema } from "../../batch/schema.ts"
import type { Sink } from "../../connect/sink.ts"
import { ByteOutput } from "../../formats/byte-output.ts"
import type { RecordEncoder } from "../../formats/decoder.ts"
import { JsonLinesEncoder } from "../../formats/json-lines-encoder.ts"
import { TableText } from "./table-text.ts"

/** Prints text; resolves when it was taken. */
export type Print = (text: string) => Promise<void>

const NOTHING = new Uint8Array(0)
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** See the head of this file. */
export class PrintingSink implements Sink {
  readonly #print: Print
  readonly #lines: RecordEncoder
  readonly #table: TableText | undefined
  #bytes = new ByteOutput()

  constructor(parts: { format: "jsonl" | "table"; schema: Schema; arena: Arena; print: Print }) {
    this.#print = parts.print
    this.#lines = new JsonLinesEncoder(parts)
    this.#table = parts.format === "table" ? new TableText(parts.schema) : undefined
  }

  get bufferedBytes(): number {
    return this.#bytes.length + (this.#table?.length ?? 0)
  }

  write(batch: Batch): void {
    if (this.#table === undefined) this.#lines.encode(batch, this.#bytes)
    else this.#table.add(batch)
  }

  /** There is nowhere to move rows to: they wait for the commit record. */
  async flush(): Promise<void> {}

  async stage(): Promise<Uint8Array> {
    if (this.#table !== undefined) return encoder.encode(this.#table.take())
    const staged = this.#bytes.bytes.slice(0, this.#bytes.length)
    this.#bytes = new ByteOutput()
    return staged
  }

  async apply(staged: Uint8Array): Promise<void> {
    if (staged.length > 0) await this.#print(decoder.decode(staged))
  }

  async checkpoint(): Promise<Uint8Array> {
    return NOTHING
  }

  async close(): Promise<void> {}
}
