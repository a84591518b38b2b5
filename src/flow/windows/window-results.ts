/**
 * Result rows of windows on their way out: kernels store them in columns of the arena, of up to 8,192 rows, which leave
 * when they are full or the watermark's work is done. Rows of several windows share a batch.
 */
import { assert } from "../../base/assert.ts"
import { allocateColumns, Batch, type BatchColumns, type GivenColumns } from "../../batch/batch.ts"
import type { Column, Int64Column } from "../../batch/column.ts"
import type { Schema } from "../../batch/schema.ts"
import { EveryRow } from "../every-row.ts"
import type { Emitter, OperatorContext } from "../operator.ts"
import { RowFailures } from "../row-failures.ts"
import { DeferredKeys } from "./deferred-keys.ts"
import type { ValueTexts } from "./value-texts.ts"
import type { WindowFunctions } from "./kernels/window-code.ts"
import { CONTROL } from "./kernels/window-control.ts"
import { addressOf, leafOf, setDictionary } from "./window-inputs.ts"
import type { WindowKeys } from "./keys/window-keys.ts"
import { MAX_RESULT_ROWS, type WindowMemory } from "./window-memory.ts"
import type { WindowShape } from "./kernels/window-shape.ts"

const ROWS_AT_FIRST = 256

/** Whose results they are. */
export interface ResultsOwner {
  readonly id: string
  /** The keys, the window's start and end, the aggregates. */
  readonly schema: Schema
  /** The error of a result row that has failed, by aggregate. */
  readonly failure: (aggregate: number) => unknown
}

/** What results are made with. */
export interface WindowResultsOptions extends ResultsOwner {
  readonly keyCount: number
  readonly shape: WindowShape
  readonly texts: Pick<ValueTexts, "dictionary">
}

/** Gathers and emits result rows. */
export class WindowResults {
  readonly #options: WindowResultsOptions
  readonly #memory: WindowMemory
  readonly #context: OperatorContext
  readonly #failures = new RowFailures()
  #made: BatchColumns | undefined
  /** The columns of texts that aggregates keep, and the inputs whose dictionaries their codes are of. */
  #texts: { readonly leaf: Column; readonly input: number }[] = []
  /** The validity of all columns. */
  #bitmaps: Uint8Array[] = []
  #capacity = 0
  #keys: WindowKeys | undefined
  /** Columns that were filled are followed by longer ones, as more windows then leave together. */
  #wanted = ROWS_AT_FIRST
  #length = 0
  #owner: ResultsOwner
  #deferredKeys: DeferredKeys | undefined
  #last: Batch | undefined

  constructor(options: WindowResultsOptions, memory: WindowMemory, context: OperatorContext) {
    this.#options = options
    this.#owner = options
    this.#memory = memory
    this.#context = context
  }

  /** Takes note of whose results follow: of another owner, but with columns of the same types. */
  serve(owner: ResultsOwner): void {
    assert(this.#length === 0 || owner === this.#owner, "results are of one owner")
    this.#owner = owner
  }

  /** From here on, whoever takes the rows is given them before their keys and windows are stored. */
  deferKeys(keepRows: NonNullable<WindowFunctions["keepRows"]>): void {
    assert(this.#made === undefined, "no row has been stored")
    this.#deferredKeys = new DeferredKeys(this.#context.arena, this.#memory, keepRows)
  }

  /** Where the next row goes. */
  get length(): number {
    return this.#length
  }

  /** For how many rows there is room at once; `needed` rows are still to come, or about so many. */
  roomFor(needed: number): number {
    const wanted = Math.max(needed, this.#wanted)
    if (this.#length === 0 && wanted > this.#capacity && this.#capacity < MAX_RESULT_ROWS) this.#allocate(wanted)
    return this.#capacity - this.#length
  }

  /** Makes columns for `wanted` rows; they serve one batch after the other. */
  #allocate(wanted: number): void {
    this.#releaseColumns()
    this.#capacity = Math.min(MAX_RESULT_ROWS, wanted)
    this.#deferredKeys?.reserve(this.#capacity)
    this.#made = allocateColumns(this.#context.arena, this.#options.schema, this.#capacity)
    this.#bind(this.#made.columns)
    this.#clearNulls()
  }

  /** Nothing is null until a kernel says so. */
  #clearNulls(): void {
    for (const bitmap of this.#bitmaps) bitmap.fill(0xff)
  }

  /** Gives all memory back. */
  release(): void {
    this.#releaseColumns()
    this.#deferredKeys?.release()
  }

  get #given(): GivenColumns | null {
    return this.#context.givesColumns === true ? { take: () => this.#give() } : null
  }

  /** Leaves the columns to another; the next rows go to others. */
  #give(): () => void {
    const { release } = this.#made!
    this.#forgetColumns()
    return release
  }

  #releaseColumns(): void {
    this.#made?.release()
    this.#forgetColumns()
  }

  #forgetColumns(): void {
    this.#made = undefined
    this.#last = undefined
    this.#bitmaps = []
    this.#texts = []
    this.#capacity = 0
  }

  /** Tells kernels where the columns lie. */
  #bind(columns: readonly Column[]): void {
    const { keyCount, shape } = this.#options
    const bounds = columns.slice(keyCount, keyCount + 2) as Int64Column[]
    this.#memory.setAt(CONTROL.windowStarts, bounds[0]!.values.byteOffset)
    this.#memory.setAt(CONTROL.windowEnds, bounds[1]!.values.byteOffset)
    this.#bitmaps = bounds.flatMap(({ validity }) => validity ?? [])
    for (let part = 0; part < keyCount; part++) {
      const { validity } = columns[part]!
      if (validity !== null) this.#bitmaps.push(validity)
      this.#memory.setAt(shape.control.keyValues(part), addressOf(columns[part]!))
      this.#memory.setAt(shape.control.keyValidity(part), validity?.byteOffset ?? 0)
    }
    shape.kernels.forEach(({ kernel, resultFrom, inputFrom }, aggregate) => {
      kernel.results.forEach(({ path }, offset) => {
        const leaf = leafOf(columns[keyCount + 2 + aggregate]!, path)
        if (leaf.validity !== null) this.#bitmaps.push(leaf.validity)
        this.#memory.setAt(shape.control.resultValues(resultFrom + offset), addressOf(leaf))
        this.#memory.setAt(shape.control.resultValidity(resultFrom + offset), leaf.validity?.byteOffset ?? 0)
        const input = kernel.inputs.findIndex((each) => each.storage === "dictionary" && isSamePath(each.path, path))
        if (input !== -1) this.#texts.push({ leaf, input: inputFrom + input })
      })
    })
  }

  /** Takes note of the keys of the rows that follow, and tells kernels where they lie. */
  bindKeys(keys: WindowKeys): void {
    this.#keys = keys
    this.#memory.setAt(CONTROL.keyWords, keys.wordsAddress)
  }

  /** Takes note that kernels have stored `count` rows. */
  append(count: number, out: Emitter): void {
    if (count === 0) return
    this.#takeFailures()
    this.#length += count
    if (this.#length < this.#capacity) return
    this.#wanted = this.#capacity * 2
    this.flush(out)
  }

  #takeFailures(): void {
    const count = this.#memory.get(CONTROL.failureCount)
    if (count === 0) return
    const pairs = this.#memory.failures.i32
    for (let at = 0; at < count; at++) {
      this.#failures.add(pairs[at * 2]!, this.#owner.failure(pairs[at * 2 + 1]!))
    }
    this.#memory.set(CONTROL.failureCount, 0)
  }

  /** Emits what was gathered. */
  flush(out: Emitter): void {
    const length = this.#length
    if (length === 0) return
    this.#length = 0
    const { columns } = this.#made!
    for (const { leaf, input } of this.#texts) setDictionary(leaf, this.#options.texts.dictionary(input))
    const { parts } = this.#keys!
    for (let part = 0; part < parts.length; part++) {
      const { dictionary } = parts[part]!
      if (dictionary !== null) setDictionary(columns[part]!, dictionary)
    }
    const all = this.#batchOf(this.#owner.schema, columns, length)
    const results =
      this.#failures.size === 0 ? (this.#deferredKeys?.deferred(all, this.#given) ?? all) : this.#withoutFailed(all)
    this.#failures.report(this.#owner.id, all, this.#context)
    if (results.count > 0) out.emit("main", results)
    this.#deferredKeys?.clear()
    this.#clearNulls()
  }

  /** The last batch says the same of other rows, where it has as many: nobody keeps one (H4), and a new one is not in the cache. */
  #batchOf(schema: Schema, columns: readonly Column[], length: number): Batch {
    const given = this.#given
    if (given !== null) return new Batch({ schema, columns, length, isTimeOrdered: true, given })
    const last = this.#last
    if (last !== undefined && last.schema === schema && last.columns === columns && last.length === length) return last
    // Windows fire in order of their ends.
    return (this.#last = new Batch({ schema, columns, length, isTimeOrdered: true }))
  }

  #withoutFailed(batch: Batch): Batch {
    this.#deferredKeys?.keepAll(batch)
    const rows = new EveryRow().below(batch.length)
    const selection = new Int32Array(batch.length)
    return batch.with({ selection, count: this.#failures.without(rows, batch.length, selection) })
  }
}

function isSamePath(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((place, index) => place === other[index])
}
