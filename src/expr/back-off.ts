/** How often to try again what fails for a batch: after a failure one batch is left out, after the next two, and so on. */

const MAX_PAUSE = 64

/** See the head of this file. */
export class BackOff {
  #pause = 0
  #nextPause = 1

  /** Whether the next batch is to be left out. Each call is for another batch. */
  isResting(): boolean {
    if (this.#pause === 0) return false
    this.#pause--
    return true
  }

  succeeded(): void {
    this.#nextPause = 1
  }

  failed(): void {
    this.#pause = this.#nextPause
    this.#nextPause = Math.min(MAX_PAUSE, this.#nextPause * 2)
  }
}
