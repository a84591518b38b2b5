/**
 * Runs a plan on arrays of rows, in memory: the engine under `runOnRows`.
 *
 * Each input is one partition, read in the order of its rows; inputs are read one after the other; at the end all open
 * windows fire. Calls are made as a job makes them, but a call that has failed is tried again at once.
 */
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import { Arena } from "../batch/arena.ts"
import { batchOfRows } from "../batch/batch.ts"
import type { Schema } from "../batch/schema.ts"
import type { CompileOptions } from "../expr/compile.ts"
import { Dataflow } from "../flow/dataflow.ts"
import { AsyncCalls, type CallsEnv } from "../runtime/async-calls.ts"
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
  /** What calls need of the world. */
  readonly env: CallsEnv
}

const ARENA_BYTES = 64 << 20

/** Runs a plan to the end of its rows. */
export async function runPlan(run: PlanRun): Promise<PlanResult> {
  const { plan, paramsSchema, params, inputs, compile, batchRows, env } = run
  const arena = new Arena({ maxBytes: ARENA_BYTES })
  const outputs: Record<string, PlainRow[]> = Object.fromEntries(plan.outputs.map(({ name }) => [name, []]))
  const failed: FailedTestRow[] = []
  const answers = new AnswerBell()
  const calls = new AsyncCalls({ plan: withoutBackOff(plan), params, env, onAnswer: () => answers.ring() })
  const dataflow = new Dataflow(plan, {
    arena,
    params,
    paramsSchema,
    compile,
    calls,
    emit: (output, batch) => {
      for (const row of batch.toRows()) outputs[output]!.push(row)
    },
    onFailedRow: ({ operator, batch, row, error }) => {
      failed.push({ operator, row: batch.row(row), reason: error instanceof Error ? error.message : String(error) })
    },
  })
  const answerWhile = async (isWaiting: () => boolean): Promise<void> => {
    while (isWaiting()) {
      if (!calls.hasAnswers) await answers.rung()
      dataflow.complete(calls.take())
      dataflow.advance()
    }
  }
  inputs.forEach(({ name }, partition) => dataflow.openPartition(name, partition))
  for (const [partition, { name, schema, rows }] of inputs.entries()) {
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
      await answerWhile(() => dataflow.fullOperator !== undefined)
    }
    dataflow.endPartition(name, partition)
    dataflow.advance()
  }
  do await answerWhile(() => dataflow.heldRows > 0)
  while (!dataflow.drain())
  return { outputs, failed }
}

/** Tells who waits for it that there is an answer. */
class AnswerBell {
  #ring: (() => void) | undefined

  ring(): void {
    this.#ring?.()
  }

  rung(): Promise<void> {
    return new Promise((resolve) => (this.#ring = resolve))
  }
}

/** A test does not wait for what is asked to come to itself. */
function withoutBackOff(plan: Plan): Plan {
  const nodes = plan.nodes.map((node) => {
    return node.kind === "asyncMap"
      ? { ...node, policy: { ...node.policy, backOffMicros: 0, maxBackOffMicros: 0 } }
      : node
  })
  return { ...plan, nodes }
}

/**
 * A test's rows as the schema wants them: defaults filled in, missing nullable fields null.
 *
 * @throws TidemarkError `invalid-options` naming input, row and field where a value does not fit.
 */
export function checkedRows(input: string, schema: Schema, rows: readonly PlainRow[]): PlainRow[] {
  if (!Array.isArray(rows)) {
    throw new TidemarkError("invalid-options", `The rows of the input ${input} are ${shownValue(rows)}.`, {
      hint: "Give an array of rows.",
    })
  }
  return rows.map((row: unknown, index) => {
    if (!isPlainRow(row)) {
      throw new TidemarkError("invalid-options", `Row [${index}] of the input ${input} is ${shownValue(row)}.`, {
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
        `Row [${index}] of the input ${input}: the field "${name}" is ${problem}.`,
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
