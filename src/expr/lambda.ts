/**
 * What operators ask of lambdas: a predicate that narrows a selection, or a projection that fills columns.
 *
 * Both come in two forms with the same answer: compiled to a columnar loop, or the closure itself, called with a fresh
 * plain object a row. A loop is JavaScript or WebAssembly. `explain` says which form runs and why.
 */
import type { Batch } from "../batch/batch.ts"
import type { Column } from "../batch/column.ts"
import type { BackEnd } from "./compile.ts"

/** A user's function of a row and the job's parameters. */
export type RowFunction = (row: never, params: never) => unknown

/** A row's failure: the lambda threw, or gave a value that is not of the declared type. */
export type OnRowError = (row: number, error: unknown) => void

/** How a lambda runs. */
export type LambdaForm =
  | {
      readonly kind: "compiled"
      /** What it runs as; of a projection, some columns may run as the one and some as the other. */
      readonly backEnds: readonly BackEnd[]
      /** Whether it throws for some rows that there might be: those are left to the closure. */
      readonly mayThrow: boolean
      /** Whether there may be rows that fail: it throws, or what it gives may not be of its column's type. */
      readonly mayFail: boolean
      /** The generated JavaScript, which runs where WebAssembly does not. */
      readonly code: string
      /** The IR as text. */ readonly ir: string
    }
  | {
      readonly kind: "closure"
      /** Why it is not compiled, as a sentence. */
      readonly reason: string
      /** What to write instead, as a sentence, where something would help. */
      readonly hint: string | undefined
    }

/** Narrows a selection to the rows for which the lambda is truthy. */
export interface Predicate {
  readonly form: LambdaForm
  /**
   * Writes the indexes of the rows of `batch` that pass to `selected`, ascending, and gives how many.
   * A row that fails is reported and does not pass.
   */
  select(batch: Batch, params: Readonly<Record<string, unknown>>, selected: Int32Array, onRowError: OnRowError): number
}

/** Fills columns with what the lambda gives for each row that counts. */
export interface Projection {
  readonly form: LambdaForm
  /**
   * Writes value `row` of each target column for each row of `batch` that counts. A column of text may be given another
   * dictionary: that of the input's column whose codes it takes.
   * A row that fails is reported; its values are unspecified and the caller drops it.
   */
  project(
    batch: Batch,
    params: Readonly<Record<string, unknown>>,
    targets: readonly Column[],
    onRowError: OnRowError,
  ): void
}
