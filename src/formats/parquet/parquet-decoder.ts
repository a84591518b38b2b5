/**
 * Decodes Parquet files: pages straight into columns, a batch of the rows that the current pages of all columns share. Of columns of lists
 * and objects whole rows are at hand, whatever pages have them.
 *
 * Invariant:
 * - PQ0 A batch's texts come from one page of each flat column, so that what it takes is bounded by `pageBytesMax`; those within
 *   lists and objects are bounded by NL1.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Arena } from "../../batch/arena.ts"
import type { Schema } from "../../batch/schema.ts"
import { ContainerBatches } from "../container-batches.ts"
import type { ContainerDecoder, DecodedRecords, Footer, WantedBytes } from "../container.ts"
import type { FieldReader } from "../field-reader.ts"
import type { ColumnOptions, PageOptions } from "./chunk-pages.ts"
import { planColumns, type FlatColumn, type NestedColumn, type PlannedColumn } from "./column-plan.ts"
import { ColumnReader } from "./column-reader.ts"
import type { Faults } from "./faults.ts"
import type { Levels } from "./file-schema.ts"
import { readFooter, type ParquetFooter, type RowGroup } from "./footer.ts"
import { Malformed, TooLarge } from "./malformed.ts"
import { NestedColumnReader } from "./nested-column.ts"
import { refuseCodecs } from "./page-codecs.ts"

/** Buffers of one file's pages may take so many bytes altogether. */
const HELD_BYTES_MAX = 1024 * 1024 * 1024

/** A column of the file that is read. */
interface OpenColumn {
  readonly field: number
  readonly name: string
  /** Its leaves' places among those of the file. */
  readonly leaves: readonly number[]
  readonly reader: Pick<ColumnReader, "heldBytes" | "end" | "place" | "supplied" | "read">
  /** See `ContainerDecoder.wanted`. */
  wanted(group: RowGroup, row: number): WantedBytes | undefined
}

/** Decodes one file. */
export class ParquetDecoder implements ContainerDecoder {
  readonly #label: string
  readonly #footer: ParquetFooter
  readonly #batches: ContainerBatches
  readonly #columns: readonly OpenColumn[]
  #group: RowGroup | undefined
  /** Who has asked for bytes. */
  #asking: OpenColumn | undefined

  /** @throws TidemarkError `source-unreadable` where the file is damaged, or does not fit the schema. */
  constructor(footer: Footer, context: { arena: Arena; schema: Schema }, options: PageOptions) {
    const { arena, schema } = context
    this.#label = footer.label
    this.#footer = readFooter(footer)
    const plans = planColumns(this.#footer.columns, schema, footer.label)
    this.#columns = plans.map((plan) => this.#open(plan, { ...options, arena }))
    this.#batches = new ContainerBatches(arena, schema, new Set(plans.map(({ field }) => field)))
  }

  #open(plan: PlannedColumn<Levels>, options: ColumnOptions): OpenColumn {
    const { groups, levels } = this.#footer
    const { field, name } = plan
    const opened = plan.kind === "flat" ? openFlat(plan, options) : openNested(plan, levels, options)
    for (const leaf of opened.leaves) refuseCodecs(groups, leaf, subjectOf(name, this.#label))
    return { field, name, ...opened }
  }

  get records(): number {
    return this.#footer.rows
  }

  get codecs(): readonly string[] {
    const chunks = this.#footer.groups.flatMap(({ chunks: all }) =>
      this.#columns.flatMap(({ leaves }) => leaves.map((leaf) => all[leaf]!)),
    )
    return [...new Set(chunks.map(({ codec }) => codec))]
  }

  get heldBytes(): number {
    return this.#columns.reduce((sum, { reader }) => sum + reader.heldBytes, 0)
  }

  wanted(record: number): WantedBytes | undefined {
    const group = this.#groupOf(record)
    for (const column of this.#columns) {
      const wanted = this.#guarded(column, () => column.wanted(group, record))
      if (wanted === undefined) continue
      this.#asking = column
      this.#refuseTooMuch()
      return wanted
    }
    return undefined
  }

  supplied(): void {
    assert(this.#asking !== undefined, "what is supplied was wanted")
    this.#asking.reader.supplied()
    this.#asking = undefined
  }

  decode(record: number, maxRecords: number, partition: number): DecodedRecords {
    const group = this.#groupOf(record)
    const end = this.#columns.reduce((least, { reader }) => Math.min(least, reader.end), group.firstRow + group.rows)
    const columns = this.#columns.map((column) => ({
      field: column.field,
      read: (rows: number, into: FieldReader, faults: Faults) =>
        this.#guarded(column, () => column.reader.read(record, rows, into, faults)),
    }))
    return this.#batches.decode(record, Math.min(maxRecords, end - record), columns, partition)
  }

  #groupOf(record: number): RowGroup {
    const { groups, rows } = this.#footer
    assert(record >= 0 && record < rows, "only records that the file has are asked for")
    const has = (group: RowGroup) => record >= group.firstRow && record < group.firstRow + group.rows
    if (this.#group === undefined || !has(this.#group)) this.#group = groups.find(has)!
    return this.#group
  }

  #refuseTooMuch(): void {
    const bytes = this.heldBytes
    if (bytes <= HELD_BYTES_MAX) return
    throw new TidemarkError("source-unreadable", `The pages of ${this.#label} take ${bytes} bytes at a time.`, {
      hint: `At most ${HELD_BYTES_MAX} are held for one file. Write it with smaller pages, or read fewer columns.`,
    })
  }

  /** Runs a step of a column's, and says of what is malformed which column it is. */
  #guarded<T>({ name, reader }: OpenColumn, step: () => T): T {
    try {
      return step()
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      throw new TidemarkError(
        "source-unreadable",
        `${subjectOf(name, this.#label)} cannot be read, near byte ${reader.place}: ${error.message}.`,
        {
          hint:
            error instanceof TooLarge
              ? "Where the file is meant to have such pages, give parquet(...) the option maxPageBytes; else write it anew."
              : "The file is damaged: write or copy it again, or take it out of the pattern.",
        },
      )
    }
  }
}

function openFlat(
  { place, column, reading, type }: FlatColumn<Levels>,
  options: ColumnOptions,
): Omit<OpenColumn, "field" | "name"> {
  const reader = new ColumnReader(column, reading, type, options)
  const wanted = (group: RowGroup, row: number) => reader.wanted(group, group.chunks[place.leaf]!, row)
  return { leaves: [place.leaf], reader, wanted }
}

function openNested(
  { plan }: NestedColumn<Levels>,
  levels: readonly Levels[],
  options: ColumnOptions,
): Omit<OpenColumn, "field" | "name"> {
  const reader = new NestedColumnReader(plan, levels, options)
  return { leaves: reader.leaves, reader, wanted: (group, row) => reader.wanted(group, row) }
}

function subjectOf(name: string, label: string): string {
  return `The column ${JSON.stringify(name)} of ${label}`
}
