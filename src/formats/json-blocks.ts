/**
 * What blocks of JSON lines are (`record-blocks.ts`): lines that are all written alike, indexed by what stands between
 * their values (`json-index-code.ts`). Other values and lines are for the decoder's scanner.
 */
import type { LinearMemory } from "../base/linear-memory.ts"
import type { DecodeRun } from "./decode-run.ts"
import { kernelOf, KernelModules, type FieldFunctions } from "./field-kernels.ts"
import type { FieldReader } from "./field-reader.ts"
import { STEP, writeJsonIndex, type IndexLines } from "./json-index-code.ts"
import type { ObjectField } from "./json-object.ts"
import type { LineTemplate } from "./json-template.ts"
import { NO_END, skipSpace, skipValue } from "./json-text.ts"
import type { BlockColumn, BlockFormat, FieldPlaces } from "./record-blocks.ts"
import { TextTable } from "./text-table.ts"

const [COMMA, CLOSE_BRACE] = [44, 125] as const
/** The most lines of a block, and the most values. */
const BLOCK_LINES = 1024
const BLOCK_VALUES = 16 * 1024

interface JsonFunctions extends FieldFunctions {
  readonly indexLines: IndexLines
}

/** The functions. */
export const jsonKernels = new KernelModules<JsonFunctions>(
  "json lines",
  { null: "marked", hasLeadingZeros: false, hasQuotes: false },
  writeJsonIndex,
)

/** The scanner's way to read the field's value at `at`: it gives where that ends, or `NO_END`. */
export type ReadValue = (field: ObjectField, bytes: Uint8Array, at: number, to: number, row: number) => number

/** Blocks of the lines of one file that are written like a template. */
export class JsonBlocks implements BlockFormat {
  readonly columns: readonly BlockColumn[]
  readonly recordsMax: number
  readonly indexBytes: number
  /** The index knows strings. */
  readonly quote = -1
  readonly #template: LineTemplate
  readonly #readValue: ReadValue
  #functions: JsonFunctions | undefined
  /** Where lines start; steps; the index. */
  #words: Int32Array = new Int32Array(0)
  readonly #stepsPlace: number
  readonly #indexPlace: number

  /** @param tables those of the schema's fields that are texts, for blocks of other templates, too. */
  constructor(template: LineTemplate, tables: Map<FieldReader, TextTable>, readValue: ReadValue) {
    this.#template = template
    this.#readValue = readValue
    this.columns = template.values.map(({ field }) => columnOf(field?.reader, tables))
    const { length } = this.columns
    this.recordsMax = Math.min(BLOCK_LINES, Math.floor(BLOCK_VALUES / length))
    // Steps are vectors: they start at a multiple of sixteen bytes, though none must.
    this.#stepsPlace = this.recordsMax + 4
    this.#indexPlace = this.#stepsPlace + ((length + 1) * STEP.bytes) / 4
    this.indexBytes = (this.#indexPlace + this.recordsMax * length * 2) * 4
  }

  kernels(memory: LinearMemory): JsonFunctions {
    return jsonKernels.on(memory)
  }

  begin(memory: LinearMemory, words: Int32Array): void {
    this.#functions = jsonKernels.on(memory)
    this.#words = words
    const { values, ending } = this.#template
    const bytes = new Uint8Array(words.buffer, words.byteOffset + this.#stepsPlace * 4)
    const texts = [...values.map(({ before }) => before), ending]
    texts.forEach((text, index) => {
      const step = index * STEP.bytes
      bytes.fill(0, step, step + STEP.bytes)
      bytes[step + STEP.length] = text.length
      bytes[step + STEP.isQuoted] = values[index]?.isQuoted ? 1 : 0
      bytes.set(text, step + STEP.text)
      bytes.fill(255, step + STEP.mask, step + STEP.mask + text.length)
    })
  }

  index(from: number, to: number, wanted: number, report: number): number {
    const lineStarts = this.#words.byteOffset
    const steps = lineStarts + this.#stepsPlace * 4
    const index = lineStarts + this.#indexPlace * 4
    return this.#functions!.indexLines(from, to, index, lineStarts, steps, this.columns.length, wanted, report)
  }

  startOf(record: number): number {
    return this.#words[record]!
  }

  placesOf(column: number): FieldPlaces {
    const start = this.#words.byteOffset + (this.#indexPlace + 2 * column) * 4
    const step = this.columns.length * 8
    return [start, step, 0, start + 4, step]
  }

  hasNulls(reader: FieldReader): boolean {
    return reader.isNullable
  }

  /** What the schema does not have must be JSON nevertheless. */
  isIdle(): boolean {
    return false
  }

  readField({ window }: DecodeRun, column: number, row: number, start: number, length: number): boolean {
    const { bytes, to } = window
    const { field, isQuoted } = this.#template.values[column]!
    const at = isQuoted && length >= 0 ? start - 1 : start
    const end = field === undefined ? skipValue(bytes, at, to, 1) : this.#readValue(field, bytes, at, to, row)
    if (end === NO_END) return false
    const behind = skipSpace(bytes, end, to)
    return behind < to && (bytes[behind] === COMMA || bytes[behind] === CLOSE_BRACE)
  }

  /** Writes what stands for the fields that lines lack. */
  fillAbsent(from: number, to: number): void {
    for (const { reader, missing } of this.#template.absent) {
      for (let row = from; row < to; row++) reader!.write(row, missing)
    }
  }
}

function columnOf(reader: FieldReader | undefined, tables: Map<FieldReader, TextTable>): BlockColumn {
  const kernel = reader === undefined ? undefined : kernelOf(reader)
  if (reader === undefined || kernel !== "readText") return { reader, kernel, table: undefined }
  const table = tables.get(reader) ?? new TextTable()
  tables.set(reader, table)
  return { reader, kernel, table }
}
