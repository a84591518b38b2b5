/**
 * Decodes Arrow's IPC files and streams: parts of buffers, as they lie in the file, into columns.
 *
 * Arrow's layout is that of batches, so a number that needs no conversion is copied once, from where the file was read to where
 * the batch lies. Which dictionary a record batch means is said by where it stands: that before it, with those that add to
 * it; in a file it may also stand behind.
 *
 * Invariant:
 * - AR0 What is at hand is a window of `WINDOW_ROWS` of each column, of texts fewer, and the dictionaries of the batch.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Arena } from "../../batch/arena.ts"
import type { Schema } from "../../batch/schema.ts"
import { ContainerBatches } from "../container-batches.ts"
import type { ContainerDecoder, DecodedRecords, Footer, WantedBytes } from "../container.ts"
import type { FieldReader } from "../field-reader.ts"
import { planColumns, type PlannedColumn } from "../parquet/column-plan.ts"
import type { Faults } from "../parquet/faults.ts"
import { demand, Malformed } from "../parquet/malformed.ts"
import { shapeOf, type ArrowField, type ArrowPlace } from "./arrow-field.ts"
import { BodyReader, type Unzstd } from "./body.ts"
import { ColumnWindow, WINDOW_ROWS } from "./column-window.ts"
import {
  columnPlaces,
  readIndex,
  type ArrowIndex,
  type BatchPlace,
  type DictionaryMessage,
  type IndexedBatch,
} from "./messages.ts"
import { NestedWindow } from "./nested-window.ts"
import { textEnds, type Texts } from "./text-values.ts"

/** Buffers of one file may take so many bytes altogether. */
const HELD_BYTES_MAX = 1024 * 1024 * 1024
/** Texts of one dictionary may take so many bytes altogether. */
const DICTIONARY_BYTES_MAX = 256 * 1024 * 1024

/** A column of the file that is read. */
interface OpenColumn {
  readonly field: number
  readonly name: string
  /** Its place among the file's columns. */
  readonly index: number
  readonly window: Pick<ColumnWindow, "heldBytes" | "end" | "read">
  /** What of it may have dictionaries. */
  readonly leaves: readonly Leaf[]
  /** Asks for rows from `row` on; where it holds a window that others begin, too, whether that is a new one. */
  load(batch: IndexedBatch, place: BatchPlace, row: number, isNew: boolean): Generator<WantedBytes, void>
}

/** Values, of a column or within one, that may be indexes of a dictionary. */
interface Leaf {
  readonly field: ArrowField
  readonly window: ColumnWindow
  /** Which dictionaries it uses, by their places, as text. */
  dictionaries: string
}

/** What a file holds. @throws TidemarkError `source-unreadable` where its metadata is damaged. */
export function arrowIndex({ bytes, label }: Pick<Footer, "bytes" | "label">): ArrowIndex {
  try {
    return readIndex(bytes)
  } catch (error) {
    throw unreadable(error, sentence(label))
  }
}

/** Decodes one file. */
export class ArrowDecoder implements ContainerDecoder {
  readonly #label: string
  readonly #index: ArrowIndex
  readonly #unzstd: Unzstd
  readonly #batches: ContainerBatches
  readonly #columns: readonly OpenColumn[]
  #batch: IndexedBatch | undefined
  /** The rows of the batch that windows hold, from `start` on. */
  #windowStart = -1
  #loading: Generator<WantedBytes, void> | undefined
  /** The column that is being read, for errors. */
  #column: OpenColumn | undefined

  /** @throws TidemarkError `source-unreadable` where the file is damaged, or does not fit the schema. */
  constructor(
    footer: Footer,
    { arena, schema }: { arena: Arena; schema: Schema },
    options: { readonly unzstd: Unzstd },
  ) {
    const { label } = footer
    this.#label = label
    this.#index = arrowIndex(footer)
    const { fields } = this.#index
    this.#unzstd = options.unzstd
    const columns = fields.map((field) => ({ name: field.column.name, shape: shapeOf(field) }))
    const plans = planColumns(columns, schema, label)
    this.#columns = plans.map((plan) => open(plan, options.unzstd))
    this.#batches = new ContainerBatches(arena, schema, new Set(plans.map(({ field }) => field)))
  }

  get records(): number {
    return this.#index.rows
  }

  get codecs(): readonly string[] {
    const { batches, dictionaries } = this.#index
    const all = [...batches, ...dictionaries.map(({ data }) => data)]
    return [...new Set(all.flatMap(({ compression }) => compression ?? []))]
  }

  get heldBytes(): number {
    return this.#columns.reduce((sum, { window }) => sum + window.heldBytes, 0)
  }

  wanted(record: number): WantedBytes | undefined {
    return this.#guarded(() => {
      this.#loading ??= this.#load(record)
      const next = this.#loading.next()
      demand(this.heldBytes <= HELD_BYTES_MAX, `its buffers unpack to more than ${HELD_BYTES_MAX} bytes at a time`)
      if (next.done !== true) return next.value
      this.#loading = undefined
      return undefined
    })
  }

  supplied(): void {
    assert(this.#loading !== undefined, "what is supplied was wanted")
  }

  /** Asks for all that a record needs and that is not at hand. */
  *#load(record: number): Generator<WantedBytes, void> {
    const batch = this.#batchOf(record)
    const row = record - batch.firstRow
    const start = Math.floor(row / WINDOW_ROWS) * WINDOW_ROWS
    const { fields } = this.#index
    const places = columnPlaces(
      fields.map(({ layout }) => layout),
      batch,
    )
    const isNew = batch !== this.#batch || start !== this.#windowStart
    // Until all is at hand, nothing is.
    this.#batch = undefined
    for (const column of this.#columns) {
      this.#column = column
      for (const leaf of column.leaves) yield* this.#loadDictionary(leaf, batch)
      yield* column.load(batch, places[column.index]!, row, isNew)
    }
    this.#batch = batch
    this.#windowStart = start
  }

  *#loadDictionary(leaf: Leaf, batch: IndexedBatch): Generator<WantedBytes, void> {
    const { dictionary, offsetWidth: width } = leaf.field
    if (dictionary === undefined) return
    const places = this.#dictionariesOf(dictionary, batch.dictionariesBefore)
    const key = places.join()
    if (key === leaf.dictionaries) return
    demand(width !== 0, "a dictionary has no texts")
    const parts: Texts[] = []
    for (const place of places)
      parts.push(yield* textsOf(this.#index.dictionaries[place]!, width, new BodyReader(this.#unzstd)))
    leaf.window.useDictionary(joined(parts))
    leaf.dictionaries = key
  }

  /** The dictionaries of an id that count for a batch behind so many: the last one that replaces, and those that add to it. */
  #dictionariesOf(id: bigint, before: number): number[] {
    const all = this.#index.dictionaries.flatMap((each, place) => (each.id === id ? [place] : []))
    const earlier = all.filter((place) => place < before)
    const isFirst = (place: number) => !this.#index.dictionaries[place]!.isDelta
    const known = earlier.length > 0 ? earlier : all
    demand(known.length > 0, "a column's dictionary is nowhere in it")
    return known.slice(Math.max(0, known.findLastIndex(isFirst)))
  }

  decode(record: number, maxRecords: number, partition: number): DecodedRecords {
    const batch = this.#batch
    assert(batch !== undefined, "what is decoded was brought")
    const row = record - batch.firstRow
    const end = this.#columns.reduce(
      (least, { window }) => Math.min(least, window.end),
      Math.min(batch.rows, this.#windowStart + WINDOW_ROWS),
    )
    const columns = this.#columns.map((column) => ({
      field: column.field,
      read: (rows: number, into: FieldReader, faults: Faults) => {
        this.#column = column
        this.#guarded(() => column.window.read(row, rows, into, faults))
      },
    }))
    return this.#batches.decode(record, Math.min(maxRecords, end - row), columns, partition)
  }

  #batchOf(record: number): IndexedBatch {
    const { batches, rows } = this.#index
    assert(record >= 0 && record < rows, "only records that the file has are asked for")
    const known = this.#batch
    if (known !== undefined && record >= known.firstRow && record < known.firstRow + known.rows) return known
    // Batches without rows have the same first row as the next one.
    let [low, high] = [0, batches.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (batches[middle]!.firstRow <= record) low = middle
      else high = middle - 1
    }
    return batches[low]!
  }

  /** Runs a step of a column's, and says of what is malformed which column it is. */
  #guarded<T>(step: () => T): T {
    try {
      return step()
    } catch (error) {
      const name = this.#column?.name
      throw unreadable(
        error,
        name === undefined ? sentence(this.#label) : `The column ${JSON.stringify(name)} of ${this.#label}`,
      )
    }
  }
}

function open(plan: PlannedColumn<ArrowPlace>, unzstd: Unzstd): OpenColumn {
  const { field, name, index } = plan
  if (plan.kind === "nested") {
    const window = new NestedWindow(plan.plan, unzstd)
    const load = (batch: IndexedBatch, place: BatchPlace, row: number) => window.load(batch, place, row)
    return { field, name, index, window, leaves: window.leaves, load }
  }
  const window = new ColumnWindow(plan.place.field, plan.reading, plan.type, unzstd)
  const leaves = [{ field: plan.place.field, window, dictionaries: "" }]
  return {
    ...{ field, name, index, window, leaves },
    *load(batch, place, row, isNew) {
      if (isNew) yield* window.load(batch, place, Math.floor(row / WINDOW_ROWS) * WINDOW_ROWS)
      yield* window.loadTexts(batch, place, row)
    },
  }
}

/** The texts of a dictionary. */
function* textsOf({ data }: DictionaryMessage, width: 4 | 8, body: BodyReader): Generator<WantedBytes, Texts> {
  const [, offsets, texts] = data.buffers
  demand(offsets !== undefined && texts !== undefined, "a dictionary has no texts")
  demand(
    texts.bytes + offsets.bytes <= DICTIONARY_BYTES_MAX,
    `a dictionary has more than ${DICTIONARY_BYTES_MAX} bytes`,
  )
  demand(data.rows * width < DICTIONARY_BYTES_MAX, "a dictionary has more texts than bytes")
  if (data.rows === 0) return { bytes: new Uint8Array(0), ends: new Float64Array(1), base: 0 }
  const textBytes = yield* body.sizeOf(data, texts)
  demand(textBytes <= DICTIONARY_BYTES_MAX, `a dictionary has more than ${DICTIONARY_BYTES_MAX} bytes`)
  const ends = textEnds(yield* body.part(data, offsets, 0, (data.rows + 1) * width), width, textBytes)
  const base = ends[0]!
  const bytes = yield* body.part(data, texts, base, ends[data.rows]! - base)
  return { bytes, ends: ends.map((end) => end - base), base: 0 }
}

/** Texts one behind the other. */
function joined(parts: readonly Texts[]): Texts {
  if (parts.length === 1) return parts[0]!
  const sizes = parts.map(({ bytes }) => bytes.length)
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0))
  demand(bytes.length <= DICTIONARY_BYTES_MAX, `a dictionary has more than ${DICTIONARY_BYTES_MAX} bytes`)
  const ends = new Float64Array(parts.reduce((sum, part) => sum + part.ends.length - 1, 1))
  let [at, count] = [0, 0]
  for (const part of parts) {
    bytes.set(part.bytes, at)
    for (let index = 1; index < part.ends.length; index++) ends[count + index] = part.ends[index]! + at
    at += part.bytes.length
    count += part.ends.length - 1
  }
  return { bytes, ends, base: 0 }
}

function unreadable(error: unknown, subject: string): unknown {
  if (!(error instanceof Malformed)) return error
  return new TidemarkError("source-unreadable", `${subject} cannot be read: ${error.message}.`, {
    hint: "The file is damaged: write or copy it again, or take it out of the pattern.",
  })
}

function sentence(label: string): string {
  return label.charAt(0).toUpperCase() + label.slice(1)
}
