/**
 * Reads one column of a file, page by page: its chunk of a row group at a time, from any row on.
 *
 * Invariants:
 * - CR1 At most one page of data and one dictionary are unpacked.
 * - CR2 No size that the file says is trusted: pages are refused beyond `pageBytesMax`, values beyond what their page holds.
 */
import { assert } from "../../base/assert.ts"
import type { Arena } from "../../batch/arena.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { WantedBytes } from "../container.ts"
import type { FieldReader } from "../field-reader.ts"
import type { Faults } from "./faults.ts"
import type { FileColumn } from "./file-column.ts"
import type { Codec, ColumnChunk, RowGroup } from "./footer.ts"
import { countBits, HybridReader, orBits, SLACK_BYTES } from "./hybrid.ts"
import { CutShort, demand, TooLarge } from "./malformed.ts"
import { unpackPage, type PlatformCodecs } from "./page-codecs.ts"
import { ENCODING, readPageHeader, type PageHeader } from "./page-header.ts"
import { PageWindow } from "./page-window.ts"
import { prefixedEnd } from "./fixed-values.ts"
import { createLane } from "./create-lane.ts"
import type { Lane } from "./lane.ts"
import type { Reading } from "./reading.ts"
import { spreadFaults, spreadValues } from "./spread.ts"

/** The most bytes of a page's header, statistics in it included. */
const HEADER_BYTES_MAX = 1024 * 1024
/** How much is looked at for a header at first. */
const HEADER_BYTES = 1024

/** How a column's pages are read. */
interface ColumnOptions extends PageOptions {
  /** Where they are unpacked. */
  readonly arena: Arena
}

/** How pages are read. */
export interface PageOptions {
  /** A page that takes more bytes, packed or not, is refused. */
  readonly pageBytesMax: number
  readonly platform: PlatformCodecs
}

/** Reads one column. */
export class ColumnReader {
  readonly column: FileColumn
  readonly #options: ColumnOptions
  readonly #lane: Lane
  readonly #window = new PageWindow()
  #codec: Codec = "UNCOMPRESSED"
  #group: RowGroup | undefined
  /** The header of the page that comes next, once it was read. */
  #header: PageHeader | undefined
  /** The rows of the file that the current page has, and the next that is read of it. */
  #pageStart = 0
  #pageEnd = 0
  #row = 0
  /** Bits of the page's rows that are not null; undefined where all are. */
  #validity: Uint8Array | undefined
  #page: Uint8Array = new Uint8Array(0)
  #validityBytes: Uint8Array = new Uint8Array(0)

  constructor(column: FileColumn, reading: Reading, type: ColumnType, options: ColumnOptions) {
    this.column = column
    this.#options = options
    this.#lane = createLane(column, reading, type, options.pageBytesMax)
  }

  /** How many bytes of buffers it holds. */
  get heldBytes(): number {
    return this.#window.bytes.length + this.#page.length + this.#validityBytes.length + this.#lane.heldBytes
  }

  /** The first row that the current page does not have. */
  get pageEnd(): number {
    return this.#pageEnd
  }

  /** Where in the file the page starts that is read now, for errors. */
  get place(): number {
    return this.#window.offset
  }

  /** What must be brought before `row` of `group` can be read; see `ContainerDecoder.wanted`. */
  wanted(group: RowGroup, chunk: ColumnChunk, row: number): WantedBytes | undefined {
    if (group !== this.#group || row < this.#row) this.#begin(group, chunk)
    for (;;) {
      if (row < this.#pageEnd) return undefined
      const wanted = this.#nextPage(group, row)
      if (wanted !== undefined) return wanted
    }
  }

  /** The bytes wanted are there. */
  supplied(): void {
    this.#window.supplied()
  }

  /**
   * Reads `count` values from `row` on, all of the current page, into the first rows of the reader's column. Nulls that
   * the type does not have are noted as faults.
   */
  read(row: number, count: number, target: FieldReader, faults: Faults): void {
    assert(row >= this.#row && row + count <= this.#pageEnd, "rows are read forward, and of one page")
    if (row > this.#row) this.#lane.skip(this.#countValid(this.#row, row - this.#row))
    this.#row = row + count
    const validity = this.#validity
    const first = row - this.#pageStart
    const valid = validity === undefined ? count : countBits(validity, first, count)
    this.#lane.read(valid, target, faults)
    this.#lane.spread?.(validity, first, count, target)
    if (valid === count) return
    assert(validity !== undefined, "without levels no value is null")
    spreadFaults(validity, first, count, faults)
    if (this.#lane.spread === undefined) spreadValues(validity, first, count, valid, target)
    if (target.isNullable) {
      target.validity.fill(0, 0, (count + 7) >> 3)
      orBits(validity, first, target.validity, 0, count)
      return
    }
    for (let index = 0; index < count; index++) {
      const bit = first + index
      if (((validity[bit >> 3]! >> (bit & 7)) & 1) === 0) faults.note(index, "null, and the column is not nullable")
    }
  }

  #countValid(row: number, count: number): number {
    return this.#validity === undefined ? count : countBits(this.#validity, row - this.#pageStart, count)
  }

  #begin(group: RowGroup, chunk: ColumnChunk): void {
    this.#group = group
    this.#codec = chunk.codec
    this.#window.reset(chunk.start, chunk.end)
    this.#header = undefined
    this.#pageStart = this.#pageEnd = this.#row = group.firstRow
    this.#lane.dropDictionary()
  }

  /** Goes on to the next page, or gives what it needs for that. */
  #nextPage(group: RowGroup, row: number): WantedBytes | undefined {
    const window = this.#window
    this.#header ??= this.#readHeader()
    const header = this.#header
    if (header === undefined) return window.want(this.#headerBytes())
    const bytes = header.headerBytes + header.compressedBytes
    demand(bytes <= window.left, "a page goes on behind the end of its column")
    const isData = header.kind === "data" || header.kind === "data2"
    const pageEnd = this.#pageEnd + (isData ? header.values : 0)
    demand(pageEnd <= group.firstRow + group.rows, "a column has more values than its row group has rows")
    const isNeeded = header.kind === "dictionary" || (isData && row < pageEnd)
    if (isNeeded) {
      this.#refuseGreat(header)
      if (window.length < bytes) return window.want(bytes)
      const start = window.from + header.headerBytes
      this.#checkSum(header, start)
      if (isData) this.#beginPage(header, start)
      else this.#beginDictionary(header, start)
    }
    this.#header = undefined
    if (isData) {
      this.#pageStart = this.#row = this.#pageEnd
      this.#pageEnd = pageEnd
    }
    window.advance(bytes)
    return undefined
  }

  /** The next page's header, or `undefined` where more bytes are needed. */
  #readHeader(): PageHeader | undefined {
    const window = this.#window
    if (window.left === 0) throw new CutShort("a column (it has fewer values than its row group has rows)")
    try {
      return readPageHeader(window.bytes, window.from, window.to)
    } catch (error) {
      const isAll = window.length === window.left || window.length >= HEADER_BYTES_MAX
      if (!(error instanceof CutShort) || isAll) throw error
      return undefined
    }
  }

  #headerBytes(): number {
    const { length, left } = this.#window
    return Math.min(left, Math.max(HEADER_BYTES, length * 2))
  }

  #refuseGreat({ compressedBytes, uncompressedBytes }: PageHeader): void {
    const { pageBytesMax } = this.#options
    const bytes = Math.max(compressedBytes, uncompressedBytes)
    if (bytes > pageBytesMax) throw new TooLarge(bytes, pageBytesMax)
  }

  #checkSum({ crc, compressedBytes }: PageHeader, start: number): void {
    if (crc === undefined) return
    const { bytes } = this.#window
    const actual = this.#options.platform.crc32(bytes.subarray(start, start + compressedBytes))
    demand((actual | 0) === (crc | 0), "a page's bytes do not have its checksum")
  }

  #beginDictionary(header: PageHeader, start: number): void {
    const { encoding, values } = header
    const isPlain = encoding === ENCODING.plain || encoding === ENCODING.plainDictionary
    demand(isPlain, `a dictionary has the encoding ${encoding}, which is none of a dictionary`)
    const { bytes, end } = this.#unpacked(header, start, 0)
    this.#lane.beginDictionary(bytes, end - header.uncompressedBytes, end, values)
  }

  #beginPage(header: PageHeader, start: number): void {
    const { kind, values } = header
    const isOptional = this.column.isOptional
    if (kind === "data") {
      const { bytes, end } = this.#unpacked(header, start, 0)
      const from = end - header.uncompressedBytes
      let at = from
      if (isOptional) {
        const isRuns = header.levelEncoding === ENCODING.rle
        demand(isRuns, `levels have the encoding ${header.levelEncoding}, which is not read`)
        at = prefixedEnd(bytes, from, end)
      }
      const valid = this.#readLevels(values, bytes, from + 4, at)
      this.#lane.beginPage(header.encoding, bytes, at, end, valid)
      return
    }
    const { definitionBytes, repetitionBytes, uncompressedBytes, compressedBytes, rows, nulls } = header
    demand(rows === values, "a page has another number of rows than of values")
    const levelBytes = definitionBytes + repetitionBytes
    demand(levelBytes <= Math.min(uncompressedBytes, compressedBytes), "levels go on behind the end of their page")
    const levelsAt = start + repetitionBytes
    const valid = this.#readLevels(
      values,
      this.#window.bytes,
      levelsAt,
      isOptional ? levelsAt + definitionBytes : levelsAt,
    )
    demand(nulls === values - valid, "a page has another number of nulls than it says")
    const { bytes, end } = this.#unpacked(header, start, levelBytes)
    this.#lane.beginPage(header.encoding, bytes, end - (uncompressedBytes - levelBytes), end, valid)
  }

  /** Definition levels, one bit a value, become the page's validity. Gives how many values are not null. */
  #readLevels(values: number, bytes: Uint8Array, at: number, end: number): number {
    this.#validity = undefined
    if (!this.column.isOptional) return values
    demand(values <= MAX_PAGE_VALUES, `a page has ${values} values, and at most ${MAX_PAGE_VALUES} are read`)
    const byteCount = (values + 7) >> 3
    if (this.#validityBytes.length < byteCount) this.#validityBytes = new Uint8Array(byteCount)
    const validity = this.#validityBytes
    validity.fill(0, 0, byteCount)
    new HybridReader(bytes, at, end, 1, values).readBits(values, validity)
    const valid = countBits(validity, 0, values)
    if (valid < values) this.#validity = validity
    return valid
  }

  /**
   * A page's body behind so many bytes of levels, unpacked: it ends at `end` of `bytes`, which go on for `SLACK_BYTES`.
   */
  #unpacked(header: PageHeader, start: number, levelBytes: number): { bytes: Uint8Array; end: number } {
    const { compressedBytes, uncompressedBytes, isCompressed } = header
    const { bytes } = this.#window
    if (this.#codec === "UNCOMPRESSED" || !isCompressed) {
      demand(compressedBytes === uncompressedBytes, "a page that is not compressed has two sizes")
      return { bytes, end: start + compressedBytes }
    }
    const length = uncompressedBytes - levelBytes
    if (this.#page.length < length + SLACK_BYTES) this.#page = new Uint8Array(length + SLACK_BYTES)
    const page = this.#page
    unpackPage(this.#options, this.#codec, bytes, start + levelBytes, start + compressedBytes, page, length)
    return { bytes: page, end: length }
  }
}

/** A page of more values is refused: nulls take no bytes, so that a few bytes could say any number of them. */
const MAX_PAGE_VALUES = 1 << 24
