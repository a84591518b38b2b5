/** What a plan knows of a validator of rows: `operators/validate.ts` asks it. */

/** See the head of this file. */
export interface Validator {
  /** The name of its library. */
  readonly vendor: string
  /** Gives a value or issues, as Standard Schema has them. */
  readonly validate: (value: unknown) => unknown
}
