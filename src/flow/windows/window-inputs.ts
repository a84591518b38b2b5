/**
 * What aggregates read of a batch: columns of it, or columns that lambdas fill for the rows that count. Kernels are told
 * where they lie.
 */
import { allocateColumns, type Batch } from "../../batch/batch.ts"
import type { Column, DictionaryColumn } from "../../batch/column.ts"
import type { Dictionary } from "../../batch/dictionary.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { OnRowError, Projection } from "../../expr/lambda.ts"
import type { OperatorContext } from "../operator.ts"
import type { ValueTexts } from "./value-texts.ts"
import type { WindowMemory } from "./window-memory.ts"
import type { WindowShape } from "./kernels/window-shape.ts"

/** Where an aggregate's input comes from. */
export type WindowInput =
  | { readonly kind: "none" }
  | { readonly kind: "column"; readonly index: number; readonly type: ColumnType }
  | { readonly kind: "lambda"; readonly projection: Projection; readonly type: ColumnType }

/** The columns of all aggregates for one batch. */
export interface InputColumns {
  /** By aggregate. */
  readonly columns: readonly (Column | undefined)[]
  release(): void
}

/** See the head of this file. */
export class WindowInputs {
  readonly #inputs: readonly WindowInput[]
  readonly #projections: readonly Projection[]
  /** One column for each lambda. */
  readonly #schema: Schema
  readonly #context: OperatorContext
  readonly #shape: WindowShape
  readonly #texts: ValueTexts
  /** By input that is text: its codes in the operator's own dictionary, by row. */
  readonly #codes = new Map<number, LinearArray>()

  constructor(inputs: readonly WindowInput[], shape: WindowShape, texts: ValueTexts, context: OperatorContext) {
    const lambdas = inputs.filter((input) => input.kind === "lambda")
    this.#inputs = inputs
    this.#projections = lambdas.map(({ projection }) => projection)
    this.#schema = new Schema(lambdas.map(({ type }, index) => ({ name: `lambda ${index}`, type })))
    this.#context = context
    this.#shape = shape
    this.#texts = texts
    shape.inputs.forEach(({ storage }, index) => {
      if (storage === "dictionary") this.#codes.set(index, new LinearArray(context.arena, 4, 64))
    })
  }

  release(): void {
    for (const codes of this.#codes.values()) codes.release()
  }

  /** The inputs for the rows of `batch` that count. Rows whose lambda fails are told to `onRowError`. */
  columnsOf(batch: Batch, onRowError: OnRowError): InputColumns {
    const { arena, params } = this.#context
    const made = allocateColumns(arena, this.#schema, this.#projections.length === 0 ? 0 : batch.length)
    try {
      this.#projections.forEach((projection, index) => {
        projection.project(batch, params, [made.columns[index]!], onRowError)
      })
      const fromLambdas = made.columns.values()
      const columns = this.#inputs.map((input) => {
        if (input.kind === "none") return undefined
        return input.kind === "column" ? batch.columns[input.index]! : fromLambdas.next().value
      })
      return { columns, release: made.release }
    } catch (error) {
      made.release()
      throw error
    }
  }

  /** Tells kernels where the inputs of rows `rows[0]` … `rows[count − 1]` lie, which are below `length`. */
  bind({ columns }: InputColumns, rows: Int32Array, count: number, length: number, memory: WindowMemory): void {
    const { control } = this.#shape
    this.#shape.kernels.forEach(({ kernel, inputFrom }, aggregate) => {
      kernel.inputs.forEach(({ path }, offset) => {
        const index = inputFrom + offset
        const column = leafOf(columns[aggregate]!, path)
        const isText = column.storage === "dictionary"
        if (isText) this.#codes.get(index)!.reserve(length)
        const values = isText ? this.#ownCodes(index, column, rows, count) : addressOf(column)
        memory.setAt(control.inputValues(index), values)
        memory.setAt(control.inputValidity(index), column.validity === null ? 0 : column.validity.byteOffset)
      })
    })
  }

  /** Codes of the texts of the rows in the operator's own dictionary. */
  #ownCodes(index: number, column: DictionaryColumn, rows: Int32Array, count: number): number {
    const array = this.#codes.get(index)!
    this.#texts.translate(index, column, rows, count, array.i32)
    return array.address
  }
}

/** The column at a path of children. */
export function leafOf(column: Column, path: readonly number[]): Column {
  let leaf = column
  for (const place of path) {
    if (leaf.storage !== "struct") throw new TypeError("only structs have children")
    leaf = leaf.children[place]!
  }
  return leaf
}

/** Where a column's values lie; a struct has none. */
export function addressOf(column: Column): number {
  return column.storage === "struct" ? 0 : column.values.byteOffset
}

/** Gives a column of texts the dictionary that its codes are of. */
export function setDictionary(column: Column, dictionary: Dictionary): void {
  if (column.storage === "dictionary") column.dictionary = dictionary
}
