/**
 * Makes requests of rows: bodies, cut by rows and bytes, and the index that tells them apart (`staged-requests.ts`).
 *
 * Invariants:
 * - RW1 The rows of a lane are in its requests in the order in which they were written.
 * - RW2 A request has rows of one lane, no more than it may, and no more bytes than it may unless it has one row.
 */
import { ByteWriter } from "../../../base/bytes.ts"
import type { Batch } from "../../../batch/batch.ts"
import { ByteOutput, writeBytes } from "../../../formats/byte-output.ts"
import { JsonLinesEncoder } from "../../../formats/json-lines-encoder.ts"
import type { EncoderContext } from "../../../formats/decoder.ts"
import type { RequestLanes } from "./request-lanes.ts"
import type { BodyKind } from "./staged-requests.ts"

const LF = 10
const encoder = new TextEncoder()

/** What stands before, between and behind the rows of a body. */
const MARKS: Readonly<Record<BodyKind, readonly Uint8Array[]>> = {
  object: ["", "", ""].map((text) => encoder.encode(text)),
  array: ["[", ",", "]"].map((text) => encoder.encode(text)),
  "json-lines": ["", "\n", "\n"].map((text) => encoder.encode(text)),
}

/** How rows become requests. */
export interface RequestShape {
  readonly body: BodyKind
  readonly rowsMax: number
  readonly bytesMax: number
}

/** Requests, one behind the other. */
export interface WrittenRequests {
  readonly bodies: Uint8Array
  readonly index: Uint8Array
  readonly count: number
}

/** A request that rows may still be added to. */
interface OpenRequest {
  readonly bytes: ByteOutput
  rows: number
}

/** See the head of this file. */
export class RequestWriter {
  readonly #shape: RequestShape
  readonly #lanes: RequestLanes
  readonly #encoder: JsonLinesEncoder
  readonly #lines = new ByteOutput()
  readonly #open = new Map<number, OpenRequest>()
  readonly #bodies = new ByteOutput()
  readonly #index = new ByteWriter()
  #count = 0
  #openBytes = 0

  constructor(context: EncoderContext, shape: RequestShape, lanes: RequestLanes) {
    this.#encoder = new JsonLinesEncoder(context)
    this.#shape = shape
    this.#lanes = lanes
  }

  /** How many bytes it holds. */
  get heldBytes(): number {
    return this.#bodies.length + this.#openBytes
  }

  /** Takes the rows of a batch that count. */
  write(batch: Batch): void {
    const lines = this.#lines
    lines.length = 0
    this.#encoder.encode(batch, lines)
    let start = 0
    batch.forEachRow((row) => {
      const end = lines.bytes.indexOf(LF, start)
      this.#add(this.#lanes.laneOf(batch, row), lines.bytes.subarray(start, end))
      start = end + 1
    })
  }

  /** All that was written since it was called last. */
  take(): WrittenRequests {
    for (const [lane, open] of this.#open) this.#close(lane, open)
    const taken = { bodies: this.#bodies.finish(), index: this.#index.finish(), count: this.#count }
    this.#bodies.length = 0
    this.#index.recycle()
    this.#count = 0
    return taken
  }

  #add(lane: number, line: Uint8Array): void {
    const { rowsMax, bytesMax, body } = this.#shape
    const [before, between] = MARKS[body]
    let open = this.#open.get(lane)
    if (open !== undefined && open.bytes.length + line.length + 2 > bytesMax) {
      this.#close(lane, open)
      open = undefined
    }
    if (open === undefined) {
      open = { bytes: new ByteOutput(), rows: 0 }
      this.#open.set(lane, open)
    }
    const held = open.bytes.length
    writeBytes(open.rows === 0 ? before! : between!, open.bytes)
    writeBytes(line, open.bytes)
    this.#openBytes += open.bytes.length - held
    if (++open.rows === rowsMax) this.#close(lane, open)
  }

  #close(lane: number, { bytes, rows }: OpenRequest): void {
    this.#openBytes -= bytes.length
    writeBytes(MARKS[this.#shape.body][2]!, bytes)
    writeBytes(bytes.bytes.subarray(0, bytes.length), this.#bodies)
    for (const number of [lane, bytes.length, rows]) this.#index.varint(number)
    this.#count++
    this.#open.delete(lane)
  }
}
