/**
 * The order in which a sink calls the disk: one task after the other, as they were asked for, and none after one has failed.
 */

/** See the head of this file. */
export class SinkTurns {
  #tail: Promise<unknown> = Promise.resolve()
  #failure: { readonly error: unknown } | undefined

  /** Runs a task when all before it are done; none runs after one has failed. */
  take<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(() => {
      if (this.#failure !== undefined) throw this.#failure.error
      return task()
    })
    this.#tail = result.catch((error: unknown) => this.fail(error))
    return result
  }

  /** Takes note of a failure beside the tasks: none runs any more. */
  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  /** When all that was asked for is done, or has failed. */
  async settled(): Promise<void> {
    await this.#tail
  }
}
