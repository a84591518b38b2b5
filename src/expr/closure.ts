/**
 * Lambdas as the closures they are, called with a fresh plain object a row: the slow, obvious way, and the twin that
 * compiled lambdas are held against.
 *
 * Invariant:
 * - CL1 The closure is called once for each row that counts, in order, whatever became of the rows before.
 */
import { assert, AssertionError } from "../base/assert.ts"
import type { Batch } from "../batch/batch.ts"
import { writeValue, type Column } from "../batch/column.ts"
import type { Field, Schema } from "../batch/schema.ts"
import type { OnRowError, RowFunction } from "./lambda.ts"
import { columnInvalid, columnMissing, lambdaThrew, resultNotAnObject, valueInvalid } from "./row-failure.ts"
import { rowSource } from "./row-source.ts"

/** A job's parameters. */
export type Params = Readonly<Record<string, unknown>>

/** What a lambda gives: an object with a value for each target, or the one target's value. */
export type ResultShape = "object" | "value"

type Call = (row: Record<string, unknown>, params: Params) => unknown

/** A predicate as a closure. */
export class ClosurePredicate {
  readonly #call: Call
  readonly #rows: ReturnType<typeof rowSource>

  constructor(lambda: RowFunction, schema: Schema) {
    this.#call = lambda as Call
    this.#rows = rowSource(lambda, schema)
  }

  select(batch: Batch, params: Params, selected: Int32Array, onRowError: OnRowError): number {
    const call = this.#call
    const readRow = this.#rows(batch)
    const { selection, count } = batch
    let selectedCount = 0
    for (let at = 0; at < count; at++) {
      const row = selection === null ? at : selection[at]!
      const object = readRow(row)
      try {
        if (!call(object, params)) continue
      } catch (thrown) {
        onRowError(row, lambdaThrew(thrown))
        continue
      }
      selected[selectedCount++] = row
    }
    return selectedCount
  }
}

/** A projection as a closure. */
export class ClosureProjection {
  readonly #call: Call
  readonly #rows: ReturnType<typeof rowSource>
  readonly #targets: readonly Field[]
  readonly #shape: ResultShape

  constructor(lambda: RowFunction, schema: Schema, targets: readonly Field[], shape: ResultShape) {
    assert(shape === "object" || targets.length === 1, "a lambda that gives a value has one target")
    this.#call = lambda as Call
    this.#rows = rowSource(lambda, schema)
    this.#targets = targets
    this.#shape = shape
  }

  project(batch: Batch, params: Params, targets: readonly Column[], onRowError: OnRowError): void {
    this.projectRows(batch, params, targets, onRowError, batch.selection, batch.count)
  }

  /** The same for the first `count` of `rows`, or of all rows. */
  projectRows(
    batch: Batch,
    params: Params,
    targets: readonly Column[],
    onRowError: OnRowError,
    rows: Int32Array | null,
    count: number,
  ): void {
    assert(targets.length === this.#targets.length, "there is a column for each target")
    const call = this.#call
    const readRow = this.#rows(batch)
    const isValue = this.#shape === "value"
    for (let at = 0; at < count; at++) {
      const row = rows === null ? at : rows[at]!
      const object = readRow(row)
      let failure: Error | undefined
      try {
        const result = call(object, params)
        failure = isValue ? this.#writeValue(result, targets, row) : this.#writeObject(result, targets, row)
      } catch (thrown) {
        // The lambda's object may have getters, so what throws while it is read is the lambda's, too.
        if (thrown instanceof AssertionError) throw thrown
        failure = lambdaThrew(thrown)
      }
      if (failure !== undefined) onRowError(row, failure)
    }
  }

  #writeValue(value: unknown, targets: readonly Column[], row: number): Error | undefined {
    const { type } = this.#targets[0]!
    const reason = value === undefined ? "not a value: undefined is not null" : type.check(value)
    if (reason !== undefined) return valueInvalid(value, reason)
    writeValue(targets[0]!, row, value)
    return undefined
  }

  #writeObject(result: unknown, targets: readonly Column[], row: number): Error | undefined {
    if (typeof result !== "object" || result === null) return resultNotAnObject(result)
    for (let index = 0; index < targets.length; index++) {
      const field = this.#targets[index]!
      const value = (result as Record<string, unknown>)[field.name]
      if (value === undefined) return columnMissing(field)
      const reason = field.type.check(value)
      if (reason !== undefined) return columnInvalid(field, value, reason)
      writeValue(targets[index]!, row, value)
    }
    return undefined
  }
}
