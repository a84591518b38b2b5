/**
 * Tables over dictionaries: what a lambda, or a part of it, gives for each text of a column, computed once a text.
 *
 * A dictionary grows from batch to batch and is replaced at times, so a table is brought up to date before each batch. It
 * is computed by generated JavaScript on rows that hold each new code once. That pays only if the texts come again: a
 * batch may compute as many texts as it has rows, and what it does not use the next ones may use as well.
 *
 * Invariants:
 * - WT1 An entry is what the lambda gives for the text and the parameters at hand.
 * - WT2 Over the life of a dictionary no more entries are computed than rows have been seen.
 */
import { assert, AssertionError } from "../base/assert.ts"
import { Batch, MAX_BATCH_ROWS } from "../batch/batch.ts"
import type { Column, DictionaryColumn } from "../batch/column.ts"
import { Dictionary } from "../batch/dictionary.ts"
import type { ColumnType } from "../batch/type.ts"
import { float64Type } from "../batch/types/float64.ts"
import type { Params } from "./closure.ts"
import { predicateSource } from "./codegen-js.ts"
import { INVALID_CODE, NULL_CODE } from "./lane-questions.ts"
import type { TextTable, TextTableKind } from "./codegen-wasm-texts.ts"
import { walk, type Ir, type Let } from "./ir.ts"
import { JsKernel } from "./js-kernel.ts"
import { JsProjection, type LambdaParts } from "./js-projection.ts"

type Entries = Uint8Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>

/** Stands in for the dictionary where only null is asked about. */
const NULL_ONLY = Dictionary.of([""])

const NULL_ROW: Pick<DictionaryColumn, "validity" | "values" | "dictionary"> = {
  validity: Uint8Array.of(0),
  values: Int32Array.of(0),
  dictionary: NULL_ONLY,
}

/** The entries of one table. */
export class TextTableEntries {
  readonly #table: TextTable
  readonly #parts: LambdaParts
  readonly #targetType: ColumnType | undefined
  #evaluate: Evaluate | undefined
  #dictionary: Dictionary | undefined
  #target: Dictionary | undefined
  #params: Params | undefined
  /** Entry `code + 1` is that of a code, entry 0 that of null. */
  #entries: Entries
  #size = 0
  /** How many more entries may be computed (WT2). */
  #credit = 0
  #isBroken = false

  /** @param targetType the type of the column that the codes are for. */
  constructor(table: TextTable, parts: LambdaParts, targetType: ColumnType | undefined) {
    assert((table.kind === "code") === (targetType !== undefined), "codes are of a target")
    this.#table = table
    this.#parts = parts
    this.#targetType = targetType
    this.#entries = entriesOf(table.kind, 1)
  }

  /** The entries that count, null's first. */
  get entries(): Entries {
    return this.#entries.subarray(0, this.#size + 1) as Entries
  }

  /**
   * Brings the table up to date for a batch, and gives whether that was possible at a price that pays.
   *
   * @param target the dictionary that codes belong to.
   */
  update(batch: Batch, params: Params, target: Dictionary | undefined): boolean {
    const { dictionary } = batch.columns[this.#table.column.path[0]!] as DictionaryColumn
    if (dictionary !== this.#dictionary || params !== this.#params || target !== this.#target) {
      this.#dictionary = dictionary
      this.#params = params
      this.#target = target
      this.#size = 0
      this.#credit = 0
      this.#isBroken = false
      if (this.#table.column.fields[0]!.type.isNullable) this.#computeNull(batch, params)
    }
    const missing = dictionary.size - this.#size
    this.#credit += batch.count
    if (this.#isBroken || missing > this.#credit) return false
    this.#credit = 0
    if (missing > 0) this.#isBroken = !this.#compute(batch, params, dictionary)
    return !this.#isBroken
  }

  #computeNull(batch: Batch, params: Params): void {
    // Where nothing can be told of null, a test before keeps it from being asked.
    this.#run(this.#newEvaluate(), withColumn(batch, this.#table, NULL_ROW), params, 0)
  }

  #compute(batch: Batch, params: Params, dictionary: Dictionary): boolean {
    const { size } = dictionary
    if (this.#entries.length <= size) {
      const grown = entriesOf(this.#table.kind, Math.max(size + 1, this.#entries.length * 2))
      grown.set(this.#entries as never)
      this.#entries = grown
    }
    this.#evaluate ??= this.#newEvaluate()
    while (this.#size < size) {
      const from = this.#size
      const length = Math.min(MAX_BATCH_ROWS, size - from)
      const values = Int32Array.from({ length }, (_, index) => from + index)
      const texts = withColumn(batch, this.#table, { validity: null, values, dictionary })
      if (!this.#run(this.#evaluate, texts, params, from + 1)) return false
      this.#size += length
    }
    return true
  }

  #run(evaluate: Evaluate, texts: Batch, params: Params, at: number): boolean {
    try {
      return evaluate(texts, params, this.#target, this.#entries, at)
    } catch (error) {
      // It throws for a text that a test, which is not part of it, keeps away (G1).
      if (error instanceof AssertionError) throw error
      return false
    }
  }

  #newEvaluate(): Evaluate {
    const { kind, ir } = this.#table
    const parts = { ...this.#parts, lets: letsBelow(ir) }
    if (kind === "flag") return flagEvaluation(ir, parts)
    return kind === "f64" ? numberEvaluation(ir, parts) : codeEvaluation(ir, this.#targetType!, parts)
  }
}

/** Computes the entries of a batch's rows, and stores them from `at`. Gives whether all of them are known. */
type Evaluate = (batch: Batch, params: Params, target: Dictionary | undefined, entries: Entries, at: number) => boolean

function flagEvaluation(result: Ir, { lets, params, builtins }: LambdaParts): Evaluate {
  const kernel = new JsKernel(predicateSource({ result, lets, globals: [] }), params, builtins)
  return (batch, given, _, entries, at) => {
    const selected = new Int32Array(batch.length)
    const count = kernel.run(batch, given, [selected])
    entries.fill(0, at, at + batch.length)
    for (let index = 0; index < (count ?? 0); index++) entries[at + selected[index]!] = 1
    return count !== undefined
  }
}

function numberEvaluation(result: Ir, parts: LambdaParts): Evaluate {
  const projection = new JsProjection([result], [float64Type], parts)
  return (batch, params, _, entries, at) => {
    const values = new Float64Array(batch.length)
    const failed = projection.run(batch, params, [{ storage: "float64", type: float64Type, validity: null, values }])
    entries.set(values as never, at)
    return failed?.length === 0
  }
}

function codeEvaluation(result: Ir, targetType: ColumnType, parts: LambdaParts): Evaluate {
  const type = targetType.nullable()
  const projection = new JsProjection([result], [type], parts)
  return (batch, params, target, entries, at) => {
    const validity = new Uint8Array((batch.length + 7) >> 3)
    const column: DictionaryColumn = {
      ...{ storage: "dictionary", type, validity, values: new Int32Array(batch.length), dictionary: target! },
    }
    const failed = projection.run(batch, params, [column])
    if (failed === undefined) return false
    // A column that only passes through may have brought its own dictionary (PJ2).
    const isTranslated = column.dictionary !== target
    for (let row = 0; row < batch.length; row++) {
      const isPresent = (validity[row >> 3]! >> (row & 7)) & 1
      const code = column.values[row]!
      entries[at + row] = !isPresent ? NULL_CODE : isTranslated ? target!.codeOf(column.dictionary.text(code)) : code
    }
    for (const row of failed) entries[at + row] = INVALID_CODE
    return true
  }
}

function entriesOf(kind: TextTableKind, length: number): Entries {
  if (kind === "flag") return new Uint8Array(length)
  return kind === "f64" ? new Float64Array(length) : new Int32Array(length)
}

/** A batch in which the table's column has other rows. The others must not be read. */
function withColumn(
  { schema, columns }: Batch,
  { column: { path } }: TextTable,
  parts: Pick<DictionaryColumn, "validity" | "values" | "dictionary">,
): Batch {
  const [index] = path
  const { type } = columns[index!]!
  const { validity, values, dictionary } = parts
  const texts: DictionaryColumn = { storage: "dictionary", type, validity, values, dictionary }
  const replaced = columns.map((column, at): Column => (at === index ? texts : column))
  return new Batch({ schema, columns: replaced, length: parts.values.length })
}

/** The lets that a node uses, in the order of their indexes. */
function letsBelow(node: Ir): Let[] {
  const found = new Map<number, Let>()
  const search = (root: Ir): void => {
    walk(root, (each) => {
      if (each.op !== "let" || found.has(each.index)) return
      found.set(each.index, each)
      search(each.value)
    })
  }
  search(node)
  return [...found.values()].sort((one, other) => one.index - other.index)
}
