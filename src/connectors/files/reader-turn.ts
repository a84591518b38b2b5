/**
 * What all readers of files have in common: a reader does one thing at a time, until it is closed, and what the disk fails with
 * is told with the file's name.
 */
import { assert } from "../../base/assert.ts"
import { nameUnreadable } from "./source-errors.ts"

/** See the head of this file. */
export class ReaderTurn {
  readonly #label: string
  #isBusy = false
  #isClosed = false

  /** @param label the file, for errors. */
  constructor(label: string) {
    this.#label = label
  }

  /** Whether something is under way. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Runs a task, with the disk's failures named after the file. */
  async take<T>(task: () => Promise<T>): Promise<T> {
    assert(!this.#isBusy && !this.#isClosed, "a reader does one thing at a time, until it is closed")
    this.#isBusy = true
    try {
      return await task()
    } catch (error) {
      throw nameUnreadable(error, this.#label)
    } finally {
      this.#isBusy = false
    }
  }

  /** Nothing is begun any more. */
  close(): void {
    this.#isClosed = true
  }
}
