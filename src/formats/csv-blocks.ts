/**
 * What blocks of CSV records are (`record-blocks.ts`): records on one line, indexed by their delimiters and line ends
 * (`csv-index-code.ts`). Fields with quotes within, and other records, are for `CsvFieldReader` and the decoder.
 */
import { assert } from "../base/assert.ts"
import type { LinearMemory } from "../base/linear-memory.ts"
import type { CsvFieldReader } from "./csv-field.ts"
import { INDEX_SLACK, writeCsvIndex, type IndexRecords } from "./csv-index-code.ts"
import { WITHIN_NUMBERS, type CsvSyntax } from "./csv-record.ts"
import type { DecodeRun } from "./decode-run.ts"
import { kernelOf, KernelModules, type FieldFunctions } from "./field-kernels.ts"
import type { FieldReader } from "./field-reader.ts"
import type { BlockColumn, BlockFormat, FieldPlaces } from "./record-blocks.ts"
import { TextTable } from "./text-table.ts"

/** The most records of a block, and the most fields. */
const BLOCK_RECORDS = 1024
const BLOCK_FIELDS = 32 * 1024
const COLUMNS_MAX = 1024

interface CsvFunctions extends FieldFunctions {
  readonly indexRecords: IndexRecords
}

/** The functions. */
export const csvKernels = new KernelModules<CsvFunctions>(
  "csv",
  { null: "empty", hasLeadingZeros: true, hasQuotes: true },
  writeCsvIndex,
)

/** Blocks of the records of one file. */
export class CsvBlocks implements BlockFormat {
  readonly columns: readonly BlockColumn[]
  readonly recordsMax: number
  readonly indexBytes: number
  readonly #syntax: CsvSyntax
  readonly #fields: CsvFieldReader
  #functions: CsvFunctions | undefined
  /** Where each record's line ends, and then the index. */
  #words: Int32Array = new Int32Array(0)

  constructor(readers: readonly (FieldReader | undefined)[], fields: CsvFieldReader, syntax: CsvSyntax) {
    assert(CsvBlocks.isFor(readers.length, syntax), "blocks are of records of some columns")
    this.columns = readers.map((reader) => {
      const kernel = reader === undefined ? undefined : kernelOf(reader)
      return { reader, kernel, table: kernel === "readText" ? new TextTable() : undefined }
    })
    this.recordsMax = Math.min(BLOCK_RECORDS, Math.floor(BLOCK_FIELDS / readers.length))
    this.indexBytes = (this.recordsMax * (readers.length + 1) + INDEX_SLACK) * 4
    this.#fields = fields
    this.#syntax = syntax
  }

  /**
   * Whether a file of so many columns is for blocks: one column may be empty, and thousands make blocks of few records. A
   * quote that could stand within a number would not be seen there.
   */
  static isFor(columns: number, { quote }: CsvSyntax): boolean {
    return columns >= 2 && columns <= COLUMNS_MAX && !WITHIN_NUMBERS.test(String.fromCharCode(quote))
  }

  kernels(memory: LinearMemory): CsvFunctions {
    return csvKernels.on(memory)
  }

  begin(memory: LinearMemory, words: Int32Array): void {
    this.#functions = csvKernels.on(memory)
    this.#words = words
  }

  index(from: number, to: number, wanted: number, report: number): number {
    const lineEnds = this.#words.byteOffset
    const index = lineEnds + this.recordsMax * 4
    const { delimiter, quote } = this.#syntax
    return this.#functions!.indexRecords(
      ...([from, to, index, lineEnds, this.columns.length, wanted, delimiter, quote, report] as const),
    )
  }

  startOf(record: number): number {
    return this.#words[this.recordsMax + record * this.columns.length]! + 1
  }

  placesOf(column: number): FieldPlaces {
    const lineEnds = this.#words.byteOffset
    const start = lineEnds + (this.recordsMax + column) * 4
    const step = this.columns.length * 4
    return column === this.columns.length - 1 ? [start, step, 1, lineEnds, 4] : [start, step, 1, start + 4, step]
  }

  get quote(): number {
    return this.#syntax.quote
  }

  hasNulls(reader: FieldReader): boolean {
    return reader.emptyIsNull
  }

  /** What is skipped must be UTF-8 nevertheless, and its quotes must stand where they may. */
  isIdle({ reader }: BlockColumn, isSpecial: boolean): boolean {
    return reader === undefined && !isSpecial
  }

  readField({ window }: DecodeRun, column: number, row: number, start: number): boolean {
    const { reader } = this.columns[column]!
    return this.#fields.read(window.bytes, start, window.to, row, reader, column === this.columns.length - 1) >= 0
  }
}
