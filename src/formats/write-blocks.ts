/**
 * Writes rows by WebAssembly (`rows-writing-code.ts`), a block of some hundred at a time, and copies what was written behind
 * what is there. What lies in the arena (the table of columns, texts, the bytes) lies there for the time of a call.
 *
 * Texts lie on the garbage-collected heap, so those of a block are copied into the arena before: all of a dictionary once, where
 * it is small; else those between the least and the greatest code of the block, where they are few, as distinct texts get
 * their codes in the order of rows; else that of each row. Fields of which only JavaScript knows how they are written
 * (objects, fractions of seconds as numbers) are written there by it. A block ends before a row whose text does not fit.
 *
 * Few rows, rows longer than the room for bytes, and rows for which the arena has no room are for the caller to write.
 *
 * Invariant:
 * - WB1 What is written is what the caller would write, row by row.
 */
import type { LinearMemory } from "../base/linear-memory.ts"
import type { Arena, Block } from "../batch/arena.ts"
import type { Batch } from "../batch/batch.ts"
import { isValid, type Column, type DictionaryColumn } from "../batch/column.ts"
import { compiledModule } from "../expr/compiled-module.ts"
import { WasmModule } from "../base/wasm-module.ts"
import { ByteOutput, writeBytes } from "./byte-output.ts"
import type { OutputBuffer } from "./decoder.ts"
import { WRITING_SLACK } from "./digits-writing-code.ts"
import {
  COLUMN_ENTRY,
  COLUMN_KIND,
  FIELD_BYTES_MAX,
  NONE,
  writeRowsWriter,
  type WriteRows,
} from "./rows-writing-code.ts"
import { SHORTEST_POWERS_BYTES, shortestPowers } from "./shortest-powers.ts"
import { FIRST_DATE } from "./timestamp-writing-code.ts"

/** Fewer rows are not worth a block's beginning. */
const WORTHWHILE_ROWS = 24
const BLOCK_ROWS = 1024
/** Room for the bytes of rows, and for the texts of a column. */
const OUT_BYTES = 64 * 1024
const TEXT_BYTES = 32 * 1024
/** A smaller dictionary is copied as it is. */
const SMALL_DICTIONARY = { size: 4096, bytes: TEXT_BYTES }
/** What may be loaded behind a text. */
const TEXT_SLACK = 32
/** Rows with more fixed bytes than this are left to the caller. */
const ROW_BYTES_MAX = OUT_BYTES / 4

/** A column as it is written. */
export interface WrittenColumn {
  readonly kind: keyof typeof COLUMN_KIND
  /** What stands before each field. */
  readonly prefix: Uint8Array
  /** See `rows-writing-code.ts`. */
  readonly quotes: boolean
}

/** What blocks must know of a format. */
export interface WrittenFormat {
  readonly name: "csv" | "jsonl"
  readonly columns: readonly WrittenColumn[]
  /** CSV's delimiter and quote. */
  readonly syntax?: { readonly delimiter: number; readonly quote: number }
  /** JSON's short escapes by byte, 0 where there is none. */
  readonly escapes?: Uint8Array
  /** Writes a row. */
  writeRow(row: number, out: OutputBuffer): void
  /** Writes a field that is not null, without what stands before it. */
  writeField(column: number, row: number, out: OutputBuffer): void
}

/** The functions of a format: that which writes rows, and those that it calls. Each gives where it ended. */
export interface WriteFunctions {
  readonly writeRows: WriteRows
  readonly writeWhole: (out: number, value: bigint) => number
  readonly writeDouble: (out: number, value: number, powers: number, quote: number) => number
  readonly writeTimestamp: (out: number, value: bigint, lastDate: number) => number
}

const instances = new WeakMap<LinearMemory, Map<string, WriteFunctions>>()

/** The functions of a format, working on `memory`. */
export function writeFunctions(memory: LinearMemory, name: "csv" | "jsonl"): WriteFunctions {
  let made = instances.get(memory)
  if (made === undefined) instances.set(memory, (made = new Map<string, WriteFunctions>()))
  let functions = made.get(name)
  if (functions === undefined) {
    const module = compiledModule(`write ${name}`, () => {
      const written = new WasmModule()
      writeRowsWriter(written, name)
      return written
    })
    functions = module.instantiate<WriteFunctions>(memory)
    made.set(name, functions)
  }
  return functions
}

/** Where the parts of the block lie, from its start. */
interface Places {
  readonly escapes: number
  readonly powers: number
  readonly entries: number
  readonly prefixes: number
  readonly selection: number
  readonly texts: number
  readonly out: number
  readonly bytes: number
}

/** See the head of this file. */
export class WriteBlocks {
  readonly #arena: Arena
  readonly #format: WrittenFormat
  /** What a row takes at most beside its texts. */
  readonly #rowBytes: number
  readonly #prefixBytes: number
  readonly #hasDoubles: boolean
  /** What JavaScript has written for a field. */
  readonly #ready = new ByteOutput()
  #writeRows: WriteRows | undefined

  constructor(arena: Arena, format: WrittenFormat) {
    this.#arena = arena
    this.#format = format
    this.#prefixBytes = format.columns.reduce((sum, { prefix }) => sum + prefix.length, 0)
    this.#rowBytes = this.#prefixBytes + format.columns.length * FIELD_BYTES_MAX + WRITING_SLACK
    this.#hasDoubles = format.columns.some(({ kind }) => kind === "double")
  }

  /** Writes the rows of a batch that count. */
  write(batch: Batch, out: OutputBuffer): void {
    const written = this.#isFor(batch) ? this.#writeBlocks(batch, out) : 0
    const { selection, count } = batch
    for (let at = written; at < count; at++) this.#format.writeRow(selection === null ? at : selection[at]!, out)
  }

  #isFor({ columns, count }: Batch): boolean {
    if (count < WORTHWHILE_ROWS || columns.length === 0 || this.#rowBytes > ROW_BYTES_MAX) return false
    const { buffer } = this.#arena
    return columns.every((column, index) => {
      if (column.validity !== null && column.validity.buffer !== buffer) return false
      if (this.#format.columns[index]!.kind === "ready") return true
      return column.storage !== "struct" && column.values.buffer === buffer
    })
  }

  #writeBlocks(batch: Batch, out: OutputBuffer): number {
    const { memory } = this.#arena
    const places = this.#placesFor(batch)
    const block = this.#arena.tryAllocate(places.bytes)
    if (block === undefined) return 0
    try {
      this.#writeRows ??= writeFunctions(memory, this.#format.name).writeRows
      new WriteCall(this.#arena, this.#format, batch, block, places, this.#ready).run(
        this.#writeRows,
        this.#rowBytes,
        out,
      )
    } finally {
      this.#arena.free(block)
    }
    return batch.count
  }

  #placesFor({ columns, selection }: Batch): Places {
    let end = 64
    const take = (bytes: number) => {
      const start = end
      end += (bytes + 63) & -64
      return start
    }
    return {
      escapes: take(this.#format.escapes?.length ?? 0),
      powers: take(this.#hasDoubles ? SHORTEST_POWERS_BYTES : 0),
      entries: take(columns.length * COLUMN_ENTRY.bytes),
      prefixes: take(this.#prefixBytes + TEXT_SLACK),
      selection: take(selection === null ? 0 : BLOCK_ROWS * 4),
      texts: take(
        columns.reduce((sum, column, index) => sum + textRoom(column, this.#format.columns[index]!).bytes, 0),
      ),
      out: take(OUT_BYTES + WRITING_SLACK),
      bytes: end,
    }
  }
}

/** How a column's texts come into the arena. */
interface TextRoom {
  /** Whether all of the dictionary are copied at once. */
  readonly isWhole: boolean
  /** How many words there are for starts, and how many bytes for texts. */
  readonly starts: number
  readonly texts: number
  readonly bytes: number
}

const NO_ROOM: TextRoom = { isWhole: false, starts: 0, texts: 0, bytes: 0 }

function textRoom(column: Column, { kind }: WrittenColumn): TextRoom {
  if (kind !== "text" && kind !== "ready") return NO_ROOM
  const dictionary = kind === "text" ? (column as DictionaryColumn).dictionary : undefined
  const isWhole =
    dictionary !== undefined &&
    dictionary.size <= SMALL_DICTIONARY.size &&
    dictionary.byteLength <= SMALL_DICTIONARY.bytes
  const starts = (isWhole ? dictionary.size : BLOCK_ROWS * RANGE_PER_ROW) + 1
  const texts = isWhole ? dictionary.byteLength : TEXT_BYTES
  return { isWhole, starts, texts, bytes: (starts * 4 + texts + TEXT_SLACK + 63) & -64 }
}

/** Codes of so many texts a row may lie between a block's least and greatest. */
const RANGE_PER_ROW = 4

/** A column's texts in the arena. */
interface TextsAtHand {
  readonly index: number
  readonly room: TextRoom
  readonly starts: Int32Array
  readonly bytes: Uint8Array
}

/** The writing of one batch. */
class WriteCall {
  readonly #arena: Arena
  readonly #format: WrittenFormat
  readonly #batch: Batch
  readonly #base: number
  readonly #places: Places
  readonly #ready: ByteOutput
  readonly #entries: Int32Array
  /** The columns whose texts are copied for each block. */
  readonly #texts: readonly TextsAtHand[]

  constructor(arena: Arena, format: WrittenFormat, batch: Batch, { offset }: Block, places: Places, ready: ByteOutput) {
    this.#arena = arena
    this.#format = format
    this.#batch = batch
    this.#base = offset
    this.#places = places
    this.#ready = ready
    const { buffer } = arena
    this.#entries = new Int32Array(buffer, offset + places.entries, (batch.columns.length * COLUMN_ENTRY.bytes) / 4)
    const { escapes } = format
    if (escapes !== undefined) new Uint8Array(buffer, offset + places.escapes, escapes.length).set(escapes)
    if (places.entries > places.powers) {
      new Uint8Array(buffer, offset + places.powers, SHORTEST_POWERS_BYTES).set(shortestPowers())
    }
    this.#texts = this.#layColumns()
  }

  /** Fills the table of columns, and copies the texts of small dictionaries. Gives the columns with other texts. */
  #layColumns(): TextsAtHand[] {
    const { buffer } = this.#arena
    const rest: TextsAtHand[] = []
    let prefixAt = this.#base + this.#places.prefixes
    let textAt = this.#base + this.#places.texts
    this.#batch.columns.forEach((column, index) => {
      const written = this.#format.columns[index]!
      const { kind, prefix, quotes } = written
      this.#setWord(index, "kind", COLUMN_KIND[kind])
      this.#setWord(index, "values", column.storage === "struct" ? 0 : column.values.byteOffset)
      this.#setWord(index, "validity", column.validity?.byteOffset ?? NONE)
      this.#setWord(index, "prefix", prefixAt)
      this.#setWord(index, "prefixLength", prefix.length)
      this.#setWord(index, "quotes", quotes ? 1 : 0)
      new Uint8Array(buffer, prefixAt, prefix.length).set(prefix)
      prefixAt += prefix.length
      const lastDate = this.#entries.byteOffset + index * COLUMN_ENTRY.bytes + COLUMN_ENTRY.lastDate
      new Uint8Array(buffer, lastDate, FIRST_DATE.length).set(FIRST_DATE)
      const room = textRoom(column, written)
      if (room.bytes === 0) return
      const starts = new Int32Array(buffer, textAt, room.starts)
      const bytes = new Uint8Array(buffer, textAt + room.starts * 4, room.texts)
      textAt += room.bytes
      this.#setWord(index, "texts", bytes.byteOffset)
      if (!room.isWhole) {
        rest.push({ index, room, starts, bytes })
        return
      }
      const { dictionary } = column as DictionaryColumn
      if (dictionary.size > 0) dictionary.copyTexts(0, dictionary.size - 1, bytes, starts)
      this.#setWord(index, "starts", starts.byteOffset)
    })
    return rest
  }

  #setWord(index: number, name: keyof typeof COLUMN_ENTRY, value: number): void {
    this.#entries[(index * COLUMN_ENTRY.bytes + COLUMN_ENTRY[name]) >> 2] = value
  }

  /** Writes all rows. */
  run(writeRows: WriteRows, rowBytes: number, out: OutputBuffer): void {
    const { count } = this.#batch
    const { buffer } = this.#arena
    const { entries, escapes, powers, selection, out: outPlace } = this.#places
    const base = this.#base
    const report = new Int32Array(buffer, base, 1)
    const outStart = base + outPlace
    const { syntax } = this.#format
    const first = syntax?.delimiter ?? base + escapes
    const second = syntax?.quote ?? 0
    for (let from = 0; from < count;) {
      const to = this.#layTexts(from, this.#laySelection(from))
      // The function counts places from the batch's first row, the selection lies from the block's first row on.
      const rows = this.#batch.selection === null ? NONE : base + selection - from * 4
      let done = from
      while (done < to) {
        const next = writeRows(
          base + entries,
          base + entries + this.#entries.byteLength,
          rows,
          done,
          to,
          outStart,
          outStart + OUT_BYTES,
          rowBytes,
          base,
          base + powers,
          first,
          second,
        )
        writeBytes(new Uint8Array(buffer, outStart, report[0]! - outStart), out)
        if (next === done) break
        done = next
      }
      // A row that is longer than the room, or with a text that is.
      if (done < to || to === from) this.#format.writeRow(this.#rowAt(done++), out)
      from = done
    }
  }

  #rowAt(place: number): number {
    const { selection } = this.#batch
    return selection === null ? place : selection[place]!
  }

  /** Puts the rows of a block where the function finds them, and gives where the block ends. */
  #laySelection(from: number): number {
    const { selection, count } = this.#batch
    const to = Math.min(count, from + BLOCK_ROWS)
    if (selection !== null) {
      const place = this.#base + this.#places.selection
      new Int32Array(this.#arena.buffer, place, to - from).set(selection.subarray(from, to))
    }
    return to
  }

  /** Copies the texts of a block into the arena, and gives where the block ends for want of room. */
  #layTexts(from: number, to: number): number {
    let end = to
    for (const texts of this.#texts) {
      const isText = this.#format.columns[texts.index]!.kind === "text"
      if (isText && this.#layRange(texts, from, end)) continue
      this.#setWord(texts.index, "kind", isText ? COLUMN_KIND.rowText : COLUMN_KIND.ready)
      this.#setWord(texts.index, "starts", texts.starts.byteOffset - from * 4)
      end = isText ? this.#layRowTexts(texts, from, end) : this.#layReady(texts, from, end)
    }
    return end
  }

  /** Copies the texts between the least and the greatest code of a block, where they are few. */
  #layRange({ index, room, starts, bytes }: TextsAtHand, from: number, to: number): boolean {
    const column = this.#batch.columns[index] as DictionaryColumn
    const { values, dictionary } = column
    let [first, last] = [Infinity, -1]
    for (let place = from; place < to; place++) {
      const row = this.#rowAt(place)
      if (!isValid(column, row)) continue
      const code = values[row]!
      if (code < first) first = code
      if (code > last) last = code
    }
    if (last < 0) return true
    if (last - first + 1 >= room.starts || dictionary.bytesOfRange(first, last) > bytes.length) return false
    dictionary.copyTexts(first, last, bytes, starts)
    this.#setWord(index, "kind", COLUMN_KIND.text)
    this.#setWord(index, "starts", starts.byteOffset - first * 4)
    return true
  }

  #layRowTexts({ index, starts, bytes }: TextsAtHand, from: number, to: number): number {
    const column = this.#batch.columns[index] as DictionaryColumn
    const { values, dictionary } = column
    let at = 0
    for (let place = from; place < to; place++) {
      starts[place - from] = at
      const row = this.#rowAt(place)
      const end = isValid(column, row) ? dictionary.copyText(values[row]!, bytes, at) : at
      if (end < 0) return place
      at = end
    }
    starts[to - from] = at
    return to
  }

  #layReady({ index, starts, bytes }: TextsAtHand, first: number, to: number): number {
    const column = this.#batch.columns[index]!
    const ready = this.#ready
    let at = 0
    for (let place = first; place < to; place++) {
      starts[place - first] = at
      const row = this.#rowAt(place)
      if (!isValid(column, row)) continue
      ready.length = 0
      this.#format.writeField(index, row, ready)
      if (ready.length > bytes.length - at) return place
      // A view would cost more than most fields have bytes.
      const { bytes: source, length } = ready
      for (let from = 0; from < length; from++) bytes[at++] = source[from]!
    }
    starts[to - first] = at
    return to
  }
}
