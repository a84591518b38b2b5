/** Waiting until a log has grown. */

/** Wakes those who wait. Whoever waits leaves nothing behind, whatever wakes it. */
export class Growth {
  readonly #wakers = new Set<() => void>()

  /** Resolves at the next announcement, or when the signal is aborted. */
  next(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wakers.delete(wake)
        signal?.removeEventListener("abort", wake)
        resolve()
      }
      this.#wakers.add(wake)
      signal?.addEventListener("abort", wake)
    })
  }

  announce(): void {
    for (const wake of [...this.#wakers]) wake()
  }
}
