/**
 * Standard Schema, version 1 (https://standardschema.dev), as far as it is used: the interface that zod, valibot, arktype and others
 * share. It is written out here, as the specification allows, so that nothing need be installed.
 */
import type { JsonValue } from "../batch/types/json.ts"

/**
 * A validator of any library that speaks Standard Schema.
 *
 * @example
 * ```ts
 * import type { StandardValidator } from "tidemark"
 *
 * const isPositive: StandardValidator<{ price: number }> = {
 *   "~standard": {
 *     version: 1,
 *     vendor: "by hand",
 *     validate: (value) =>
 *       (value as { price: number }).price > 0
 *         ? { value: value as { price: number } }
 *         : { issues: [{ message: "is not positive", path: ["price"] }] },
 *   },
 * }
 * ```
 */
export interface StandardValidator<Output = unknown> {
  readonly "~standard": {
    readonly version: 1
    /** The name of the library. */
    readonly vendor: string
    /** Gives the value, or what is wrong with it. */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    /** What types it has, for the compiler. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

/**
 * What a validator gives: a value, or issues.
 *
 * @example
 * ```ts
 * import type { StandardResult } from "tidemark"
 *
 * const refused: StandardResult<number> = { issues: [{ message: "is not positive", path: ["price"] }] }
 * ```
 */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
      }[]
    }

/**
 * Rows as a validator gives them. A column keeps its type where the validator's is none that the column has.
 *
 * @example
 * ```ts
 * import type { StandardValidator, Validated } from "tidemark"
 *
 * type Checked = Validated<{ zone: string; fare: number }, StandardValidator<{ zone: "JFK" | "LGA" }>>
 * const row: Checked = { zone: "JFK", fare: 12.5 }
 * ```
 */
export type Validated<R, V> =
  V extends StandardValidator<infer O>
    ? { readonly [N in keyof R]: N extends keyof O ? ValidatedValue<R[N], O[N]> : R[N] }
    : R

type ValidatedValue<T, O> = [NonNullable<JsonValue>] extends [T] ? O : [O] extends [T] ? O : T
