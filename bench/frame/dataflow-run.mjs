/**
 * A job's plan at work over batches in memory, as the runtime's coordinator drives it: rows in, watermarks up, due windows
 * out, and from time to time an epoch's cut, at which the changes of state are written to bytes (here: and dropped).
 */
import { ByteWriter } from "../../dist/modules/base/bytes.js"
import { nodeScopes } from "../../dist/modules/env/node/scopes.js"
import { Dataflow } from "../../dist/modules/flow/dataflow.js"
import { cpuSeconds } from "./usage.mjs"

/** An epoch of the runtime lasts 5 ms to seconds; by rows, so that rounds do not differ. */
export const EPOCH_ROWS = 1 << 20

/** One dataflow over one partition of a job with one input. */
export class DataflowRun {
  #dataflow
  #input
  #rowsSinceCut = 0
  /** By state: what its changes are written to, which serves again, as the coordinator's does. */
  #changes = new Map()
  /** Processor time in which changes of state were written. */
  cutCpuSeconds = 0

  /** @param emit takes the result batches of all outputs. */
  constructor(job, arena, emit) {
    this.#input = Object.keys(job.inputSchemas)[0]
    this.#dataflow = new Dataflow(job.plan, {
      arena,
      params: {},
      paramsSchema: job.paramsSchema,
      compile: { mode: "auto", proof: nodeScopes() },
      emit: (_output, batch) => emit(batch),
      onFailedRow: ({ error }) => {
        throw error
      },
    })
    this.#dataflow.openPartition(this.#input, 0)
  }

  push(batch) {
    this.#dataflow.push(this.#input, batch)
    this.#dataflow.advance()
    this.#rowsSinceCut += batch.length
    if (this.#rowsSinceCut >= EPOCH_ROWS) this.#cut()
  }

  #cut() {
    const start = cpuSeconds()
    for (const state of this.#dataflow.states) {
      const changes = this.#changes.get(state.id) ?? new ByteWriter()
      changes.clear()
      state.writeChanges(changes)
      this.#changes.set(state.id, changes)
    }
    this.cutCpuSeconds += cpuSeconds() - start
    this.#rowsSinceCut = 0
  }

  /** Fires all that is open, as at the end of bounded input. */
  drain() {
    this.#dataflow.drain()
  }
}
