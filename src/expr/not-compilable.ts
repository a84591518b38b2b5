/** Why a lambda is outside the compilable subset. It is thrown while compiling and never leaves this folder. */

/** The end of an attempt to compile: the lambda runs as its closure. */
export class NotCompilable extends Error {
  /** Why, as a sentence for the user. */
  readonly reason: string
  /** What to write instead, as a sentence, where something would help. */
  readonly hint: string | undefined

  constructor(reason: string, hint?: string) {
    super(reason)
    this.name = "NotCompilable"
    this.reason = reason
    this.hint = hint
  }
}
