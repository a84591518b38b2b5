/**
 * Makes functions of generated source, and runs them on batches.
 *
 * Invariants:
 * - JK1 A kernel runs only where the compiler's beliefs hold: the parameters are of their types, and the global
 *   functions that the lambda uses are the engine's own. Otherwise the closure runs.
 * - JK2 A kernel has no effect but on its output, so what it has done counts for nothing when the closure runs instead.
 */
import { assert } from "../base/assert.ts"
import { MAX_BATCH_ROWS, type Batch } from "../batch/batch.ts"
import type { Schema } from "../batch/schema.ts"
import type { Params } from "./closure.ts"
import type { JsSource } from "./codegen-js.ts"
import { isIntact, knownFunction } from "./globals.ts"
import type { ParamReference } from "./ir.ts"
import { NotCompilable } from "./not-compilable.ts"

/** A generated function, with what follows `params` still to be given. */
type Kernel = (
  columns: Batch["columns"],
  params: readonly unknown[],
  ones: Uint8Array,
  selection: Int32Array | null,
  count: number,
  ...rest: readonly unknown[]
) => number

/** Stands for the bitmap of a column that has none. */
const ONES = new Uint8Array(MAX_BATCH_ROWS >> 3).fill(0xff)

/** Runs one generated function. */
export class JsKernel {
  readonly #kernel: Kernel
  readonly #params: readonly ParamReference[]
  readonly #paramsSchema: Schema
  /** Names of functions that the lambda uses. */
  readonly #functions: readonly string[]

  /**
   * @param functions names of the known functions that the lambda itself uses.
   * @throws NotCompilable where the process forbids code to be generated.
   */
  constructor(source: JsSource, paramsSchema: Schema, functions: readonly string[]) {
    this.#kernel = instantiate(source)
    this.#params = source.params
    this.#paramsSchema = paramsSchema
    this.#functions = functions
  }

  /** What the generated function gives, or `undefined` where the closure must run instead (JK1). */
  run(batch: Batch, params: Params, rest: readonly unknown[]): number | undefined {
    assert(batch.count <= MAX_BATCH_ROWS, "a batch has at most 65,536 rows")
    const values = this.#paramValues(params)
    if (values === undefined || !this.#functions.every(isIntact)) return undefined
    try {
      return this.#kernel(batch.columns, values, ONES, batch.selection, batch.count, ...rest)
    } catch (error) {
      // A text or a bigint has become too large for the engine. The closure tells for which rows.
      if (error instanceof RangeError) return undefined
      throw error
    }
  }

  #paramValues(params: Params): unknown[] | undefined {
    const values: unknown[] = []
    for (const { fields } of this.#params) {
      const { name } = fields[0]!
      const type = this.#paramsSchema.field(name)?.type
      assert(type !== undefined, "compiled code reads declared parameters only")
      if (type.check(params[name]) !== undefined) return undefined
      let value: unknown = params
      for (const field of fields) {
        // Below null nothing is read: the code tests for it before.
        value = value === null ? null : (value as Params)[field.name]
      }
      values.push(value)
    }
    return values
  }
}

function instantiate({ code, functions }: JsSource): Kernel {
  const genuine = functions.map((name) => {
    const known = knownFunction(name)
    if (known === undefined) throw new NotCompilable(`${name} is not the engine's own in this process.`)
    return known.genuine
  })
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- code of our own making is what may be evaluated
    const make = new Function("functions", code) as (functions: readonly unknown[]) => Kernel
    return make(genuine)
  } catch (error) {
    if (error instanceof EvalError) throw new NotCompilable("This process forbids code to be generated.")
    throw error
  }
}
