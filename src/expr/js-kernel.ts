/**
 * Makes functions of generated source, and runs them on batches.
 *
 * Invariants:
 * - JK1 A kernel runs only where the compiler's beliefs hold: the parameters are of their types, and the global
 *   functions that the lambda uses are the engine's own. Otherwise the closure runs.
 * - JK3 Where a guard fails (G4), the closure runs for the whole batch; after that for some more batches at once, twice as
 *   many each time, so that a lambda that often throws costs little more than its closure.
 * - JK2 A kernel has no effect but on its output, so what it has done counts for nothing when the closure runs instead.
 */
import { assert } from "../base/assert.ts"
import { MAX_BATCH_ROWS, type Batch } from "../batch/batch.ts"
import type { Schema } from "../batch/schema.ts"
import { BackOff } from "./back-off.ts"
import { isBuiltinIntact } from "./builtins.ts"
import type { Params } from "./closure.ts"
import type { JsSource } from "./codegen-js.ts"
import { knownFunction } from "./globals.ts"
import { datePart } from "./intrinsics.ts"
import type { ParamReference } from "./ir.ts"
import { paramValues } from "./kernel-params.ts"
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

/** What a failing guard throws. It is thrown for many rows, so it has no stack to be written down. */
const GUARD_FAILED = Symbol("guard")
const fail = (): never => {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- it is caught below
  throw GUARD_FAILED
}

/** Runs one generated function. */
export class JsKernel {
  readonly #kernel: Kernel
  readonly #params: readonly ParamReference[]
  readonly #paramsSchema: Schema
  /** Names of built-ins that the lambda uses. */
  readonly #builtins: readonly string[]
  readonly #backOff = new BackOff()

  /**
   * @param builtins names of the built-ins that the lambda itself uses.
   * @throws NotCompilable where the process forbids code to be generated.
   */
  constructor(source: JsSource, paramsSchema: Schema, builtins: readonly string[]) {
    this.#kernel = instantiate(source)
    this.#params = source.params
    this.#paramsSchema = paramsSchema
    this.#builtins = builtins
  }

  /** What the generated function gives, or `undefined` where the closure must run instead (JK1). */
  run(batch: Batch, params: Params, rest: readonly unknown[]): number | undefined {
    assert(batch.count <= MAX_BATCH_ROWS, "a batch has at most 65,536 rows")
    const values = paramValues(this.#params, this.#paramsSchema, params)
    if (values === undefined || !this.#builtins.every(isBuiltinIntact)) return undefined
    if (this.#backOff.isResting()) return undefined
    try {
      const result = this.#kernel(batch.columns, values, ONES, batch.selection, batch.count, ...rest)
      this.#backOff.succeeded()
      return result
    } catch (error) {
      // A text or a bigint has become too large for the engine. The closure tells for which rows.
      if (error !== GUARD_FAILED && !(error instanceof RangeError)) throw error
      this.#backOff.failed()
      return undefined
    }
  }
}

function instantiate({ code, functions, regexes }: JsSource): Kernel {
  const genuine = functions.map(functionOf)
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- code of our own making is what may be evaluated
    const make = new Function("functions", "regexes", "fail", code) as (...given: readonly unknown[]) => Kernel
    return make(
      genuine,
      regexes.map(({ source, flags }) => new RegExp(source, flags)),
      fail,
    )
  } catch (error) {
    if (error instanceof EvalError) throw new NotCompilable("This process forbids code to be generated.")
    throw error
  }
}

function functionOf(name: string): unknown {
  const fn = datePart(name) ?? knownFunction(name)?.genuine
  if (fn === undefined) throw new NotCompilable(`${name} is not the engine's own in this process.`)
  return fn
}
