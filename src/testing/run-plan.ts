/**
 * Runs a plan on arrays of rows, in memory and at once: the engine under `runOnRows`.
 *
 * Each input is one partition, read in the order of its rows; inputs are read one after the other; at the end all open
 * windows fire.
 */
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import { Arena } from "../batch/arena.ts"
import { batchOfRows } from "../batch/batch.ts"
import type { Schema } from "../batch/schema.ts"
import type { CompileOptions } from "../expr/compile.ts"
import { Dataflow } from "../flow/dataflow.ts"
import type { Plan } from "../flow/plan.ts"

/**
 * A row as a test writes it.
 *
 * @example
 * ```ts
 * import type { PlainRow } from "tidemark/testing"
 *
 * const row: PlainRow = { page: "/", clicks: 3 }
 * ```
 */
export type PlainRow = Readonly<Record<string, unknown>>

/**
 * A row that failed: its lambda threw, or gave a value of the wrong type.
 *
 * @example
 * ```ts
 * import type { FailedTestRow } from "tidemark/testing"
 *
 * const describe = ({ operator, reason }: FailedTestRow): string => `${operator}: ${reason}`
 * ```
 */
export interface FailedTestRow {
  /** The id of the operator that failed. */
  readonly operator: string
  readonly row: PlainRow
  readonly reason: string
}

/** What a plan made of its rows. */
export interface PlanResult {
  readonly outputs: Readonly<Record<string, readonly PlainRow[]>>
  readonly failed: readonly FailedTestRow[]
}

/** How to run a plan. */
export interface PlanRun {
  readonly plan: Plan
  readonly paramsSchema: Schema
  readonly params: PlainRow
  readonly inputs: readonly { readonly name: string; readonly schema: Schema; readonly rows: readonly PlainRow[] }[]
  readonly compile: CompileOptions
  /** Rows a batch; results do not depend on it. */
  readonly batchRows: number
}

const ARENA_BYTES = 64 << 20

/** Runs a plan to the end of its rows. */
export function runPlan({ plan, paramsSchema, params, inputs, compile, batchRows }: PlanRun): PlanResult {
  const arena = new Arena({ maxBytes: ARENA_BYTES })
  const outputs: Record<string, PlainRow[]> = Object.fromEntries(plan.outputs.map(({ name }) => [name, []]))
  const failed: FailedTestRow[] = []
  const dataflow = new Dataflow(plan, {
    arena,
    params,
    paramsSchema,
    compile,
    emit: (output, batch) => {
      for (const row of batch.toRows()) outputs[output]!.push(row)
    },
    onFailedRow: ({ operator, batch, row, error }) => {
      failed.push({ operator, row: batch.row(row), reason: error instanceof Error ? error.message : String(error) })
    },
  })
  inputs.forEach(({ name }, partition) => dataflow.openPartition(name, partition))
  inputs.forEach(({ name, schema, rows }, partition) => {
    for (let from = 0; from < rows.length; from += batchRows) {
      const piece = rows.slice(from, from + batchRows)
      const offsets = Float64Array.from(piece, (_, index) => from + index)
      const { batch, release } = batchOfRows(arena, schema, piece, { partition, offsets, ordinals: offsets })
      try {
        dataflow.push(name, batch)
      } finally {
        release()
      }
      dataflow.advance()
    }
    dataflow.endPartition(name, partition)
    dataflow.advance()
  })
  dataflow.drain()
  return { outputs, failed }
}

/**
 * A test's rows as the schema wants them: defaults filled in, missing nullable fields null.
 *
 * @throws TidemarkError `invalid-options` naming input, row and field where a value does not fit.
 */
export function checkedRows(input: string, schema: Schema, rows: readonly PlainRow[]): PlainRow[] {
  return rows.map((row: unknown, index) => {
    if (!isPlainRow(row)) {
      throw new TidemarkError("invalid-options", `Row ${index} of the input ${input} is ${shownValue(row)}.`, {
        hint: "A row is an object of fields by name.",
      })
    }
    const fields = schema.fields.map(({ name, type }): [string, unknown] => {
      let value = row[name]
      if (value === undefined && type.hasDefault) value = type.defaultValue
      if (value === undefined && type.isNullable) value = null
      const problem = type.check(value)
      if (problem === undefined) return [name, value]
      throw new TidemarkError(
        "invalid-options",
        `Row ${index} of the input ${input}: the field "${name}" is ${problem}.`,
        {
          hint: `Its type is ${type.label}.`,
        },
      )
    })
    return Object.fromEntries(fields)
  })
}

function isPlainRow(row: unknown): row is PlainRow {
  return typeof row === "object" && row !== null && !Array.isArray(row)
}
