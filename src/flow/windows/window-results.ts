/**
 * Result rows of windows on their way out: kernels store them in columns of the arena, of up to 8,192 rows, which leave
 * when they are full or the watermark's work is done. Rows of several windows share a batch.
 */
import { allocateColumns, Batch, type BatchColumns } from "../../batch/batch.ts"
import type { Column, Int64Column } from "../../batch/column.ts"
import type { Schema } from "../../batch/schema.ts"
import { EveryRow } from "../every-row.ts"
import type { Emitter, OperatorContext } from "../operator.ts"
import { RowFailures } from "../row-failures.ts"
import type { KeyTable } from "./key-table.ts"
import type { ValueTexts } from "./value-texts.ts"
import { CONTROL } from "./window-control.ts"
import type { WindowFunctions } from "./window-code.ts"
import { addressOf, leafOf, setDictionary } from "./window-inputs.ts"
import { MAX_RESULT_ROWS, type WindowMemory } from "./window-memory.ts"
import type { WindowShape } from "./window-shape.ts"

/** What results are made with. */
export interface WindowResultsOptions {
  readonly id: string
  /** The keys, the window's start and end, the aggregates. */
  readonly schema: Schema
  readonly keyCount: number
  readonly shape: WindowShape
  readonly texts: ValueTexts
  /** The error of a result row that has failed, by aggregate. */
  readonly failure: (aggregate: number) => unknown
  readonly writeKeys: WindowFunctions["writeKeys"]
}

/** Gathers and emits result rows. */
export class WindowResults {
  readonly #options: WindowResultsOptions
  readonly #memory: WindowMemory
  readonly #context: OperatorContext
  readonly #failures = new RowFailures()
  #made: BatchColumns | undefined
  #capacity = 0
  #length = 0

  constructor(options: WindowResultsOptions, memory: WindowMemory, context: OperatorContext) {
    this.#options = options
    this.#memory = memory
    this.#context = context
  }

  /** Where the next row goes. */
  get length(): number {
    return this.#length
  }

  /** For how many rows there is room at once; `needed` rows are still to come from the window at hand. */
  roomFor(needed: number): number {
    if (this.#made === undefined) {
      // Small windows often come in numbers, so there is room for some more; large ones take what is allowed.
      this.#capacity = Math.min(MAX_RESULT_ROWS, Math.max(256, needed))
      this.#made = allocateColumns(this.#context.arena, this.#options.schema, this.#capacity)
      this.#bind(this.#made.columns)
    }
    return Math.min(needed, this.#capacity - this.#length)
  }

  /** Tells kernels where the columns lie. */
  #bind(columns: readonly Column[]): void {
    const { keyCount, shape } = this.#options
    const bounds = columns.slice(keyCount, keyCount + 2) as Int64Column[]
    this.#memory.setAt(CONTROL.windowStarts, bounds[0]!.values.byteOffset)
    this.#memory.setAt(CONTROL.windowEnds, bounds[1]!.values.byteOffset)
    for (const { validity } of bounds) validity?.fill(0xff)
    for (let part = 0; part < keyCount; part++) {
      const { validity } = columns[part]!
      validity?.fill(0xff)
      this.#memory.setAt(shape.control.keyValues(part), addressOf(columns[part]!))
      this.#memory.setAt(shape.control.keyValidity(part), validity?.byteOffset ?? 0)
    }
    shape.kernels.forEach(({ kernel, resultFrom, inputFrom }, aggregate) => {
      kernel.results.forEach(({ path }, offset) => {
        const leaf = leafOf(columns[keyCount + 2 + aggregate]!, path)
        leaf.validity?.fill(0xff)
        this.#memory.setAt(shape.control.resultValues(resultFrom + offset), addressOf(leaf))
        this.#memory.setAt(shape.control.resultValidity(resultFrom + offset), leaf.validity?.byteOffset ?? 0)
        const input = kernel.inputs.findIndex((each) => each.storage === "dictionary" && isSamePath(each.path, path))
        if (input !== -1) setDictionary(leaf, this.#options.texts.dictionary(inputFrom + input))
      })
    })
  }

  /** For how many rows there are columns. */
  get capacity(): number {
    return this.#capacity
  }

  /** Takes note that kernels have stored `count` rows, whose keys' ids are in `resultIds`. */
  append(count: number, keys: KeyTable, out: Emitter): void {
    if (count === 0) return
    this.#memory.setAt(CONTROL.keyWords, keys.wordsAddress)
    keys.parts.forEach(({ dictionary }, part) => {
      if (dictionary !== null) setDictionary(this.#made!.columns[part]!, dictionary)
    })
    this.#options.writeKeys(this.#memory.controlAddress, this.#length, count)
    this.#takeFailures()
    this.#length += count
    if (this.#length === this.#capacity) this.flush(out)
  }

  #takeFailures(): void {
    const count = this.#memory.get("failureCount")
    if (count === 0) return
    const pairs = this.#memory.failures.i32
    for (let at = 0; at < count; at++) {
      this.#failures.add(pairs[at * 2]!, this.#options.failure(pairs[at * 2 + 1]!))
    }
    this.#memory.set("failureCount", 0)
  }

  /** Emits what was gathered. */
  flush(out: Emitter): void {
    const made = this.#made
    if (made === undefined) return
    const length = this.#length
    this.#made = undefined
    this.#length = 0
    try {
      // The keys that were left of the last window may all have had their rows already.
      if (length === 0) return
      // Windows fire in order of their ends.
      const all = new Batch({ schema: this.#options.schema, columns: made.columns, length, isTimeOrdered: true })
      const results = this.#failures.size === 0 ? all : this.#withoutFailed(all)
      this.#failures.report(this.#options.id, all, this.#context)
      if (results.count > 0) out.emit("main", results)
    } finally {
      made.release()
    }
  }

  #withoutFailed(batch: Batch): Batch {
    const rows = new EveryRow().below(batch.length)
    const selection = new Int32Array(batch.length)
    return batch.with({ selection, count: this.#failures.without(rows, batch.length, selection) })
  }
}

function isSamePath(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((place, index) => place === other[index])
}
