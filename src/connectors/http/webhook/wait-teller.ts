/** Tells whoever watches the job once when an output begins to wait for its receiver, and once when it goes on. */
import type { SinkContext } from "../../../connect/sink.ts"

/** See the head of this file. */
export class WaitTeller {
  readonly #context: Pick<SinkContext, "env" | "output" | "onEvent">
  #sinceMicros: number | undefined

  constructor(context: Pick<SinkContext, "env" | "output" | "onEvent">) {
    this.#context = context
  }

  /** @param reason what it waits for, as a clause. */
  tell(reason: string | undefined): void {
    const { env, output, onEvent } = this.#context
    const nowMicros = env.clock.monotonicMicros()
    if (reason !== undefined && this.#sinceMicros === undefined) {
      this.#sinceMicros = nowMicros
      onEvent?.({ kind: "output-waiting", output, reason })
    } else if (reason === undefined && this.#sinceMicros !== undefined) {
      onEvent?.({ kind: "output-resumed", output, waitedMicros: nowMicros - this.#sinceMicros })
      this.#sinceMicros = undefined
    }
  }
}
