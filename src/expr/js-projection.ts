/**
 * Projections as generated JavaScript: columns filled by one loop over the rows that count.
 *
 * Invariant:
 * - PJ2 A column of text that only passes through takes its dictionary along: the target's is replaced.
 */
import { assert } from "../base/assert.ts"
import type { Batch } from "../batch/batch.ts"
import type { Column } from "../batch/column.ts"
import type { Dictionary } from "../batch/dictionary.ts"
import type { Schema } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import type { Params } from "./closure.ts"
import { projectionSource } from "./codegen-js.ts"
import type { Ir, Let } from "./ir.ts"
import { JsKernel } from "./js-kernel.ts"

/** What belongs to all of a lambda's kernels. */
export interface LambdaParts {
  readonly lets: readonly Let[]
  readonly params: Schema
  /** Names of the built-ins that the lambda uses. */
  readonly builtins: readonly string[]
}

/** Fills a column of each of some types with one of some values. */
export class JsProjection {
  readonly code: string
  readonly #kernel: JsKernel
  readonly #types: readonly ColumnType[]
  readonly #checks: readonly ((value: unknown) => string | undefined)[]
  readonly #translations: (Translation | undefined)[] = []
  #failed = new Int32Array(0)

  /** @throws NotCompilable where the process forbids code to be generated. */
  constructor(values: readonly Ir[], types: readonly ColumnType[], { lets, params, builtins }: LambdaParts) {
    const source = projectionSource(values, types, lets)
    this.code = source.code
    this.#kernel = new JsKernel(source, params, builtins)
    this.#types = types
    this.#checks = types.map(
      ({ definition }) =>
        (value) =>
          definition.check(value),
    )
  }

  /** The rows, ascending, whose values are not of their columns' types; `undefined` where the closure must run instead. */
  run(batch: Batch, params: Params, targets: readonly Column[]): Int32Array | undefined {
    assert(targets.length === this.#types.length, "there is a column for each type")
    if (this.#failed.length < batch.count) this.#failed = new Int32Array(batch.count)
    const rest = [targets, this.#failed, this.#checks, this.#codeOfSymbol, this.#translate]
    const failures = this.#kernel.run(batch, params, rest)
    return failures === undefined ? undefined : this.#failed.subarray(0, failures)
  }

  readonly #codeOfSymbol = (target: number, dictionary: Dictionary) => {
    const check = this.#checks[target]!
    return (text: string): number => (check(text) === undefined ? dictionary.codeOf(text) : -2)
  }

  /** For each code of `from` the code of the same text in `to`, or -1 where that has not been looked up yet. */
  readonly #translate = (pair: number, from: Dictionary, to: Dictionary): Int32Array => {
    const known = this.#translations[pair]
    const isSame = known?.from === from && known.to === to
    if (isSame && known.codes.length >= from.size) return known.codes
    // A dictionary that grows from batch to batch is not translated anew each time.
    const codes = new Int32Array(isSame ? from.size * 2 : from.size).fill(-1)
    this.#translations[pair] = { from, to, codes }
    return codes
  }
}

interface Translation {
  readonly from: Dictionary
  readonly to: Dictionary
  readonly codes: Int32Array
}
