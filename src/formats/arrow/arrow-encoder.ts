/**
 * Encodes rows as an Arrow IPC file (https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format): the schema, record batches, and
 * at the end the footer that tells where they are. Messages say how long they are, so that the footer is made of them.
 *
 * Texts are not dictionary-encoded, buffers not packed: another process maps the file and reads it where it lies.
 *
 * Invariants:
 * - AE1 A file is `header`, then record batches, then `trailer` of these: an Arrow file, whose rows are those encoded, in order.
 * - AE2 The trailer is a function of the bytes before it.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import { ByteWriter } from "../../base/bytes.ts"
import type { Batch } from "../../batch/batch.ts"
import { writeBytes } from "../byte-output.ts"
import type { WantedBytes } from "../container.ts"
import type { EncoderContext, OutputBuffer, RecordEncoder } from "../decoder.ts"
import { HeldColumns, slicesOf, type HeldColumn } from "../held-columns.ts"
import { FlatWriter } from "./flat-writer.ts"
import { held, HeldTree } from "./held-tree.ts"
import { bodyBytes } from "./messages.ts"
import { VERSION, writeSchema, writtenWidth } from "./written-schema.ts"

const MAGIC = new TextEncoder().encode("ARROW1")
const [SCHEMA_HEADER, BATCH_HEADER] = [1, 3] as const
const CONTINUATION = 0xffff_ffff
const PREFIX_BYTES = 8
/** So much is read at a message's start, in which its metadata mostly is. */
const PROBE_BYTES = 4096

/** A record batch in a file. */
interface Block {
  readonly offset: number
  readonly metadataBytes: number
  readonly bodyBytes: number
}

/** Encodes rows of one schema. */
export class ArrowEncoder implements RecordEncoder {
  readonly header: Uint8Array
  readonly #held: HeldColumns<HeldColumn | HeldTree>
  readonly #isNested: boolean

  constructor({ schema }: Pick<EncoderContext, "schema">) {
    this.#held = new HeldColumns(schema, held)
    this.#isNested = this.#held.columns.some((column) => column instanceof HeldTree)
    const out = new FlatWriter()
    const message = messageOf(out, SCHEMA_HEADER, writeSchema(out, this.#held.columns), 0)
    const header = new ByteWriter(message.length + 16)
    header.raw(MAGIC)
    header.uint16(0)
    header.raw(message)
    this.header = header.finish()
  }

  get heldBytes(): number {
    return this.#held.bufferedBytes
  }

  encode(batch: Batch, out: OutputBuffer): void {
    assert(batch.columns.length === this.#held.columns.length, "an encoder is made for the schema of its batches")
    for (const rows of this.#isNested ? slicesOf(batch) : [batch]) {
      this.#held.append(rows)
      if (this.#held.isFull) this.finish(out)
    }
  }

  finish(out: OutputBuffer): void {
    const { rows, columns } = this.#held
    if (rows === 0) return
    const body = new ByteWriter(1024)
    const nodes: number[] = []
    const buffers: number[] = []
    const write = (part: HeldColumn | HeldTree, count: number): void => {
      const isTree = part instanceof HeldTree
      nodes.push(count, nullsOf(part))
      for (const buffer of isTree ? treeBuffers(part, count) : buffersOf(part, count)) {
        buffers.push(body.length, buffer.length)
        body.raw(buffer)
        body.raw(new Uint8Array((8 - (buffer.length % 8)) % 8))
      }
      if (isTree) for (const child of part.children) write(child, part.isList ? part.elements : count)
    }
    for (const column of columns) write(column, rows)
    const flat = new FlatWriter()
    const bufferPlace = flat.structs([8, 8], buffers)
    const nodePlace = flat.structs([8, 8], nodes)
    const batch = flat.table([
      { slot: 0, kind: "int64", value: rows },
      { slot: 1, kind: "place", value: nodePlace },
      { slot: 2, kind: "place", value: bufferPlace },
    ])
    writeBytes(messageOf(flat, BATCH_HEADER, batch, body.length), out)
    writeBytes(body.view(), out)
    this.#held.clear()
  }

  *trailer(end: number): Generator<WantedBytes, Uint8Array> {
    const head = new Uint8Array(Math.min(this.header.length, end))
    yield { offset: 0, target: head }
    if (this.header.some((byte, at) => byte !== head[at])) throw begunOtherwise()
    const blocks: Block[] = []
    for (let at = this.header.length; at < end;) {
      let target = new Uint8Array(Math.min(PROBE_BYTES, end - at))
      yield { offset: at, target }
      const metadataBytes = new DataView(target.buffer).getInt32(4, true)
      if (PREFIX_BYTES + metadataBytes > target.length) {
        target = new Uint8Array(PREFIX_BYTES + metadataBytes)
        yield { offset: at, target }
      }
      const bytes = bodyBytes(target.subarray(PREFIX_BYTES, PREFIX_BYTES + metadataBytes))
      blocks.push({ offset: at, metadataBytes: PREFIX_BYTES + metadataBytes, bodyBytes: bytes })
      at += PREFIX_BYTES + metadataBytes + bytes
      assert(at <= end, "AE1: a record batch ends within its file")
    }
    return this.#footer(blocks)
  }

  #footer(blocks: readonly Block[]): Uint8Array {
    const flat = new FlatWriter()
    const places = blocks.flatMap(({ offset, metadataBytes, bodyBytes: bytes }) => [offset, metadataBytes, 0, bytes])
    // A block: its place, the bytes of its metadata, four that fill up, and those of its body.
    const batches = flat.structs([8, 4, 4, 8], places)
    const dictionaries = flat.structs([8, 4, 4, 8], [])
    const schema = writeSchema(flat, this.#held.columns)
    const footer = flat.finish(
      flat.table([
        { slot: 0, kind: "int16", value: VERSION },
        { slot: 1, kind: "place", value: schema },
        { slot: 2, kind: "place", value: dictionaries },
        { slot: 3, kind: "place", value: batches },
      ]),
    )
    const out = new ByteWriter(footer.length + 32)
    // The end of the stream that the file contains.
    out.uint32(CONTINUATION)
    out.uint32(0)
    out.raw(footer)
    out.uint32(footer.length)
    out.raw(MAGIC)
    return out.finish()
  }
}

function begunOtherwise(): TidemarkError {
  return new TidemarkError(
    "sink-failed",
    "A part of an output was begun by a program with other columns, or a version that wrote them otherwise.",
    {
      hint: "Let that program publish it: run it once more until it has stopped by itself or at Ctrl-C.",
    },
  )
}

/** A message with its prefix, whose body of so many bytes follows. */
function messageOf(flat: FlatWriter, kind: number, header: number, bytes: number): Uint8Array {
  const metadata = flat.finish(
    flat.table([
      { slot: 0, kind: "int16", value: VERSION },
      { slot: 1, kind: "uint8", value: kind },
      { slot: 2, kind: "place", value: header },
      { slot: 3, kind: "int64", value: bytes },
    ]),
  )
  const out = new ByteWriter(metadata.length + PREFIX_BYTES)
  out.uint32(CONTINUATION)
  out.uint32(metadata.length)
  out.raw(metadata)
  return out.finish()
}

/** How many nulls a part has: below an object that is null there are some that nobody asks for. */
function nullsOf({ type, nulls }: HeldColumn | HeldTree): number {
  return type.isNullable ? nulls : 0
}

/** The buffers of a list or an object: validity, and of lists their offsets. */
function treeBuffers(tree: HeldTree, count: number): Uint8Array[] {
  const validity = nullsOf(tree) === 0 ? new Uint8Array(0) : bitsOf(count, (index) => tree.present[index] !== 0)
  if (!tree.isList) return [validity]
  const offsets = new Int32Array(count + 1)
  for (let index = 0; index < count; index++) offsets[index + 1] = tree.ends[index]!
  return [validity, new Uint8Array(offsets.buffer)]
}

/** The buffers of a column: validity, which is empty where no value is null; offsets, where it has texts; values. */
function buffersOf(column: HeldColumn, rows: number): Uint8Array[] {
  const { form, present, words } = column
  const nulls = nullsOf(column)
  const validity = nulls === 0 ? new Uint8Array(0) : bitsOf(rows, (row) => present[row] !== 0)
  if (form === "bits") return [validity, bitsOf(rows, (row) => words[row] !== 0)]
  return form === "texts" ? [validity, ...textBuffers(column, rows)] : [validity, numbersOf(column, rows)]
}

function bitsOf(rows: number, isSet: (row: number) => boolean): Uint8Array {
  const bits = new Uint8Array((rows + 7) >> 3)
  for (let row = 0; row < rows; row++) if (isSet(row)) bits[row >> 3]! |= 1 << (row & 7)
  return bits
}

function numbersOf(column: HeldColumn, rows: number): Uint8Array {
  const { form, words, doubles } = column
  const width = writtenWidth(column)
  const out = new ByteWriter(rows * width)
  if (form === "float64") {
    const numbers = width === 4 ? Float32Array.from(doubles.subarray(0, rows)) : doubles.subarray(0, rows)
    return new Uint8Array(numbers.buffer, numbers.byteOffset, rows * width)
  }
  const step = form === "int64" ? 2 : 1
  for (let row = 0; row < rows; row++) {
    const low = words[row * step]!
    if (width === 1) out.uint8(low & 0xff)
    else if (width === 2) out.uint16(low & 0xffff)
    else if (width === 4) out.uint32(low >>> 0)
    else out.halves(low, words[row * step + 1]!)
  }
  return out.view()
}

function textBuffers({ present, words, texts }: HeldColumn, rows: number): [offsets: Uint8Array, bytes: Uint8Array] {
  const offsets = new Int32Array(rows + 1)
  const bytes = new ByteWriter(texts.byteLength)
  for (let row = 0; row < rows; row++) {
    if (present[row] !== 0) bytes.raw(texts.bytes(words[row]!))
    offsets[row + 1] = bytes.length
  }
  return [new Uint8Array(offsets.buffer), bytes.view()]
}
