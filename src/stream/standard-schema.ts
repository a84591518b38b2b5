/**
 * Standard Schema, version 1 (https://standardschema.dev), as far as it is used: the interface that zod, valibot, arktype and others
 * share. It is written out here, as the specification allows, so that nothing need be installed.
 */

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
