/**
 * Decodes Parquet files: pages straight into columns, a batch of the rows that the current pages of all columns share.
 *
 * Invariant:
 * - PQ0 A batch's texts come from one page of each column, so that what it takes is bounded by `pageBytesMax`.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Arena } from "../../batch/arena.ts"
import type { Schema } from "../../batch/schema.ts"
import { ContainerBatches } from "../container-batches.ts"
import type { ContainerDecoder, DecodedRecords, Footer, WantedBytes } from "../container.ts"
import type { FieldReader } from "../field-reader.ts"
import { planColumns, type PlannedColumn } from "./column-plan.ts"
import { ColumnReader, type PageOptions } from "./column-reader.ts"
import type { Faults } from "./faults.ts"
import { readFooter, type ParquetFooter, type RowGroup } from "./footer.ts"
import { Malformed, TooLarge } from "./malformed.ts"

/** Buffers of one file's pages may take so many bytes altogether. */
const HELD_BYTES_MAX = 1024 * 1024 * 1024

interface OpenColumn {
  readonly plan: PlannedColumn
  readonly reader: ColumnReader
}

/** Decodes one file. */
export class ParquetDecoder implements ContainerDecoder {
  readonly #label: string
  readonly #footer: ParquetFooter
  readonly #batches: ContainerBatches
  readonly #columns: readonly OpenColumn[]
  #group: RowGroup | undefined
  /** Who has asked for bytes. */
  #asking: ColumnReader | undefined

  /** @throws TidemarkError `source-unreadable` where the file is damaged, or does not fit the schema. */
  constructor(footer: Footer, context: { arena: Arena; schema: Schema }, options: PageOptions) {
    const { arena, schema } = context
    this.#label = footer.label
    this.#footer = readFooter(footer)
    const plans = planColumns(this.#footer, schema, footer.label)
    this.#columns = plans.map((plan) => ({
      plan,
      reader: new ColumnReader(plan.column, plan.reading, plan.type, { ...options, arena }),
    }))
    this.#batches = new ContainerBatches(arena, schema, new Set(plans.map(({ field }) => field)))
  }

  get records(): number {
    return this.#footer.rows
  }

  get codecs(): readonly string[] {
    const chunks = this.#footer.groups.flatMap(({ chunks: all }) => this.#columns.map(({ plan }) => all[plan.leaf]!))
    return [...new Set(chunks.map(({ codec }) => codec))]
  }

  get heldBytes(): number {
    return this.#columns.reduce((sum, { reader }) => sum + reader.heldBytes, 0)
  }

  wanted(record: number): WantedBytes | undefined {
    const group = this.#groupOf(record)
    for (const { plan, reader } of this.#columns) {
      const wanted = this.#guarded(reader, () => reader.wanted(group, group.chunks[plan.leaf]!, record))
      if (wanted === undefined) continue
      this.#asking = reader
      this.#refuseTooMuch()
      return wanted
    }
    return undefined
  }

  supplied(): void {
    assert(this.#asking !== undefined, "what is supplied was wanted")
    this.#asking.supplied()
    this.#asking = undefined
  }

  decode(record: number, maxRecords: number, partition: number): DecodedRecords {
    const group = this.#groupOf(record)
    const end = this.#columns.reduce(
      (least, { reader }) => Math.min(least, reader.pageEnd),
      group.firstRow + group.rows,
    )
    const columns = this.#columns.map(({ plan: { field }, reader }) => ({
      field,
      read: (rows: number, into: FieldReader, faults: Faults) =>
        this.#guarded(reader, () => reader.read(record, rows, into, faults)),
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
  #guarded<T>(reader: ColumnReader, step: () => T): T {
    try {
      return step()
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      const subject = `The column ${JSON.stringify(reader.column.name)} of ${this.#label}`
      throw new TidemarkError(
        "source-unreadable",
        `${subject} cannot be read, near byte ${reader.place}: ${error.message}.`,
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
