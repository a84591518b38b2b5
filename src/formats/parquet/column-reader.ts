/**
 * Reads one column of a file, page by page: its chunk of a row group at a time, from any row on.
 *
 * Invariants:
 * - CR1 At most one page of data and one dictionary are unpacked.
 * - CR2 No size that the file says is trusted: pages are refused beyond `pageBytesMax` (CP2), values beyond what their page holds.
 */
import { assert } from "../../base/assert.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { WantedBytes } from "../container.ts"
import type { FieldReader } from "../field-reader.ts"
import { ChunkPages, type ColumnOptions } from "./chunk-pages.ts"
import type { Faults } from "./faults.ts"
import type { FileColumn } from "./file-column.ts"
import type { ColumnChunk, RowGroup } from "./footer.ts"
import { countBits, HybridReader, orBits } from "./hybrid.ts"
import { demand } from "./malformed.ts"
import { ENCODING, type PageHeader } from "./page-header.ts"
import { prefixedEnd } from "./fixed-values.ts"
import { createLane } from "./create-lane.ts"
import type { Lane } from "./lane.ts"
import type { Reading } from "./reading.ts"
import { spreadFaults, spreadValues } from "./spread.ts"

/** Reads one column. */
export class ColumnReader {
  readonly column: FileColumn
  readonly #lane: Lane
  readonly #pages: ChunkPages
  #group: RowGroup | undefined
  /** The rows of the file that the current page has, and the next that is read of it. */
  #pageStart = 0
  #pageEnd = 0
  #row = 0
  /** Bits of the page's rows that are not null; undefined where all are. */
  #validity: Uint8Array | undefined
  #validityBytes: Uint8Array = new Uint8Array(0)

  constructor(column: FileColumn, reading: Reading, type: ColumnType, options: ColumnOptions) {
    this.column = column
    this.#pages = new ChunkPages(options)
    this.#lane = createLane(column, reading, type, options.pageBytesMax)
  }

  /** How many bytes of buffers it holds. */
  get heldBytes(): number {
    return this.#pages.heldBytes + this.#validityBytes.length + this.#lane.heldBytes
  }

  /** The first row that the current page does not have. */
  get end(): number {
    return this.#pageEnd
  }

  /** Where in the file the page starts that is read now, for errors. */
  get place(): number {
    return this.#pages.place
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
    this.#pages.supplied()
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
    this.#pages.begin(chunk)
    this.#pageStart = this.#pageEnd = this.#row = group.firstRow
    this.#lane.dropDictionary()
  }

  /** Goes on to the next page, or gives what it needs for that. */
  #nextPage(group: RowGroup, row: number): WantedBytes | undefined {
    const pages = this.#pages
    const header = pages.header()
    if (!("kind" in header)) return header
    const isData = header.kind === "data" || header.kind === "data2"
    const pageEnd = this.#pageEnd + (isData ? header.values : 0)
    demand(pageEnd <= group.firstRow + group.rows, "a column has more values than its row group has rows")
    if (header.kind === "dictionary" || (isData && row < pageEnd)) {
      const wanted = pages.wantBody(header)
      if (wanted !== undefined) return wanted
      if (isData) this.#beginPage(header)
      else {
        const { bytes, at, end } = pages.dictionary(header)
        this.#lane.beginDictionary(bytes, at, end, header.values)
      }
    }
    if (isData) {
      this.#pageStart = this.#row = this.#pageEnd
      this.#pageEnd = pageEnd
    }
    pages.pass(header)
    return undefined
  }

  #beginPage(header: PageHeader): void {
    const { kind, values } = header
    const isOptional = this.column.isOptional
    if (kind === "data") {
      const { bytes, at: from, end } = this.#pages.unpacked(header, 0)
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
    const levels = this.#pages.packed(header)
    const levelsAt = levels.at + repetitionBytes
    const valid = this.#readLevels(values, levels.bytes, levelsAt, isOptional ? levelsAt + definitionBytes : levelsAt)
    demand(nulls === values - valid, "a page has another number of nulls than it says")
    const { bytes, at, end } = this.#pages.unpacked(header, levelBytes)
    this.#lane.beginPage(header.encoding, bytes, at, end, valid)
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
}

/** A page of more values is refused: nulls take no bytes, so that a few bytes could say any number of them. */
export const MAX_PAGE_VALUES = 1 << 24
