/** Work that goes on beside the caller's, who asks later what has come of it. */

/** See the head of this file. */
export class Background<T> {
  /** Resolves when the work has ended, however. */
  readonly settled: Promise<void>
  #outcome: { readonly value: T } | { readonly error: unknown } | undefined

  constructor(work: Promise<T>) {
    this.settled = work.then(
      (value) => {
        this.#outcome = { value }
      },
      (error: unknown) => {
        this.#outcome = { error }
      },
    )
  }

  /** What has come of it, where it has ended; throws what it failed with. */
  get outcome(): { readonly value: T } | undefined {
    if (this.#outcome !== undefined && "error" in this.#outcome) throw this.#outcome.error
    return this.#outcome
  }
}
