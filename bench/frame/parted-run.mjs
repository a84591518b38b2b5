/**
 * A job's plan at work on several threads over batches in memory, as the runtime's coordinator drives it: parts of the stream
 * go to threads, which count the result rows where they make them, as `dataflow-run.mjs` does on its one thread; what they
 * have counted comes in the order of the stream. From time to time an epoch is cut, at which the changes of state come as
 * bytes (here: and are dropped).
 */
import { nodeThreads } from "../../dist/modules/env/node/node-threads.js"
import { nodeScopes } from "../../dist/modules/env/node/scopes.js"
import { partPlan } from "../../dist/modules/flow/parts/part-plan.js"
import { EMPTY_START, PartedFlow } from "../../dist/modules/runtime/parted-flow.js"
import { EPOCH_ROWS } from "./dataflow-run.mjs"

const PROGRAM = new URL("part-thread.mjs", import.meta.url)

/** One dataflow over one partition of a job with one input, on so many threads. */
export class PartedRun {
  #flow
  #rowsSinceCut = 0

  /**
   * @param counts joins what threads have counted: `ResultSums` or `ResultHash`.
   * @param options `workers`: how many threads; `kind`: `"sums"` or `"hash"`; `keptRowsMax`: how many rows may be under way, or
   *   kept for what follows.
   */
  constructor(job, arena, counts, { workers, kind, keptRowsMax }) {
    const { plan, paramsSchema } = job
    const parts = partPlan(plan, { paramsSchema, params: {}, compile: { mode: "auto", proof: nodeScopes() } })
    if (parts.reason !== undefined) throw new Error(`${job.name} does not run on threads: ${parts.reason}`)
    const { parallelism, start } = nodeThreads(PROGRAM)
    const threads = { parallelism, start: (data, events) => start({ ...data, counts: kind }, events) }
    const take = { start: EMPTY_START, emit: () => undefined, onFolded: (counted) => counts.join(counted) }
    this.#flow = PartedFlow.start({ plan, parts, arena, threads, count: workers, keptRowsMax, ...take })
    if (this.#flow === undefined) throw new Error("there are no threads")
  }

  /** Resolves when another batch may come. */
  async push(batch) {
    this.#flow.take(batch, () => undefined)
    this.#rowsSinceCut += batch.length
    if (this.#rowsSinceCut >= EPOCH_ROWS) {
      this.#flow.cut(() => undefined)
      this.#rowsSinceCut = 0
    }
    await this.#flow.room()
  }

  /** Waits until all that was pushed is computed; then batches may become others. */
  async settle() {
    await this.#flow.settle()
    this.#flow.forget()
  }

  async close() {
    await this.#flow.close()
  }
}
