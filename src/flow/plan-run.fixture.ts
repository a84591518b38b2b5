/** A plan at work, for tests that drive it step by step: rows in, rows out, epochs written, all restored in between. */
import type { Arena } from "../batch/arena.ts"
import { batchOfRows, type Batch } from "../batch/batch.ts"
import { Schema } from "../batch/schema.ts"
import { Dataflow } from "./dataflow.ts"
import type { Plan } from "./plan.ts"
import type { Row } from "./windows/window-aggregate.reference.ts"
import { WindowAggregate } from "./windows/window-aggregate.ts"
import { allOf, WrittenStates } from "./written-states.fixture.ts"

/** How rows are given. */
export interface PushOptions {
  readonly partition?: number
  /** That of the plan's first node by default. */
  readonly input?: string
  /** How many rows a batch has; all by default. */
  readonly batchRows?: number
}

/** A dataflow, what came out of it, and what was written of its state. */
export class PlanRun {
  readonly #plan: Plan
  readonly #arena: Arena
  /** By output, since they were last taken. */
  readonly #outputs = new Map<string, Row[]>()
  readonly #written = new WrittenStates()
  #dataflow: Dataflow
  /** Rows that failed, result rows of windows among them. */
  failed = 0

  constructor(plan: Plan, arena: Arena) {
    this.#plan = plan
    this.#arena = arena
    for (const { name } of plan.outputs) this.#outputs.set(name, [])
    this.#dataflow = this.#makeDataflow()
  }

  #makeDataflow(): Dataflow {
    return new Dataflow(this.#plan, {
      arena: this.#arena,
      paramsSchema: new Schema([]),
      params: {},
      compile: { mode: "off", proof: undefined },
      emit: (output, batch) => {
        const rows = this.#outputs.get(output)!
        for (const row of batch.toRows()) rows.push(row)
      },
      onFailedRow: () => void this.failed++,
    })
  }

  get dataflow(): Dataflow {
    return this.#dataflow
  }

  /** The plan's first window. */
  get window(): WindowAggregate {
    return this.#dataflow.states.find((state) => state instanceof WindowAggregate)!
  }

  open(partition = 0): this {
    this.#dataflow.openPartition(this.#input, partition)
    return this
  }

  get #input(): string {
    const source = this.#plan.nodes[0]!
    if (source.kind !== "source") throw new TypeError("a plan begins with a source")
    return source.inputName
  }

  /** Gives rows, and fires what is due after each batch. */
  push(rows: readonly Row[], { partition = 0, batchRows = 65_536, input }: PushOptions = {}): void {
    for (let from = 0; from < rows.length; from += batchRows) {
      const origin = { partition, offsets: null, ordinals: null }
      const some = rows.slice(from, from + batchRows)
      const { batch, release } = batchOfRows(this.#arena, this.inputSchema, some, origin)
      this.pushBatch(batch, input)
      release()
    }
  }

  /** Pushes a batch of the input's schema, which stays the caller's. */
  pushBatch(batch: Batch, input = this.#input): void {
    this.#dataflow.push(input, batch)
    this.#dataflow.advance()
  }

  get inputSchema(): Schema {
    return this.#plan.nodes[0]!.schema
  }

  drain(): void {
    this.#dataflow.drain()
  }

  /** What came out of an output since this was last asked. */
  take(output = "results"): Row[] {
    return this.#outputs.get(output)!.splice(0)
  }

  /** Ends an epoch, and gives how many bytes it wrote. */
  writeEpoch(): number {
    return this.#written.writeEpoch(this.#dataflow.states)
  }

  /** Lets slices of all states follow; to be called right behind `writeEpoch`. */
  beginSlices(): void {
    this.#written.beginSlices(this.#dataflow.states)
  }

  /** Writes the next slice, where one is left. */
  writeSlice(bytes: number): void {
    if (this.#written.areSlicesLeft) this.#written.writeSlice(bytes)
  }

  /** How often all slices were written, and took the place of epochs. */
  get snapshots(): number {
    return this.#written.snapshots
  }

  /** Everything as one epoch, as a snapshot has it. */
  writeSnapshot(): ReadonlyMap<string, Uint8Array> {
    return new Map(this.#dataflow.states.map((state) => [state.id, allOf(state)]))
  }

  /** Goes on in a new dataflow, from all that was written or from a snapshot. */
  restart(from: "epochs" | "snapshot"): void {
    this.writeEpoch()
    if (from === "snapshot") this.#written.replace(this.writeSnapshot())
    this.release()
    this.#dataflow = this.#makeDataflow()
    this.#written.restore(this.#dataflow.states)
  }

  /** Goes on in a new dataflow, with these bytes as the whole state of one operator. */
  restartFrom(id: string, bytes: Uint8Array): void {
    this.writeEpoch()
    this.#written.replace(new Map([[id, bytes]]))
    this.release()
    this.#dataflow = this.#makeDataflow()
    this.#written.restore(this.#dataflow.states)
  }

  release(): void {
    this.#dataflow.release()
  }
}
