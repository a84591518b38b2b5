/**
 * The stateless prefixes that sources run before they keep records, and the plan behind them, which the coordinator runs.
 *
 * A prefix is a dataflow of its own. What it leaves is copied, as what operators emit lives as long as the call.
 */
import { assert } from "../base/assert.ts"
import type { Arena } from "../batch/arena.ts"
import { allocateColumns, Batch } from "../batch/batch.ts"
import type { BadRecord } from "../batch/position.ts"
import type { Schema } from "../batch/schema.ts"
import { writtenRow } from "../batch/written-row.ts"
import type { KeptRows, SourcePrefix } from "../connect/source.ts"
import type { CompileOptions } from "../expr/compile.ts"
import { Dataflow } from "../flow/dataflow.ts"
import { ColumnCopier } from "../flow/parts/column-copier.ts"
import type { OperatorContext } from "../flow/operator.ts"
import type { Plan } from "../flow/plan.ts"
import {
  columnsOfPrefix,
  planBehind,
  planOfPrefix,
  PREFIX_OUTPUT,
  prefixFingerprint,
  statelessPrefix,
  type StatelessPrefix,
} from "../flow/stateless-prefix.ts"
import type { ExecutableJob } from "./executable-job.ts"
import type { RunJobOptions } from "./run-options.ts"
import { SecretMask } from "./secret-mask.ts"

/** The most of a row that failed which is kept, in UTF-16 units. */
const MAX_RAW_LENGTH = 4096

const NOTHING = () => {}

/** See the head of this file. */
export class SourcePrefixes {
  /** The plan behind the prefixes. */
  readonly plan: Plan
  /** What all operators of the job may use, wherever they run. */
  readonly operators: Pick<OperatorContext, "params" | "paramsSchema" | "compile">
  readonly #running = new Map<string, RunningPrefix>()

  constructor(job: ExecutableJob, options: Pick<RunJobOptions, "compile" | "env">, arena: Arena) {
    const { plan, inputs, params, paramsSchema, onError } = job
    const compile = { mode: options.compile ?? "auto", proof: options.env.scopes }
    this.operators = { params, paramsSchema, compile }
    const prefixes = Object.entries(inputs).flatMap(([input, { source }]) => {
      if (source.runsPrefix !== true) return []
      const prefix = statelessPrefix(plan, input, { paramsSchema, compile, onError })
      return prefix.nodes.length === 0 ? [] : [prefix]
    })
    this.plan = prefixes.length === 0 ? plan : planBehind(plan, prefixes)
    for (const prefix of prefixes) this.#running.set(prefix.input, new RunningPrefix(job, prefix, compile, arena))
  }

  /** That of an input, where its source runs one. */
  of(input: string): SourcePrefix | undefined {
    return this.#running.get(input)
  }

  /** Gives the memory of all of them back. */
  release(): void {
    for (const prefix of this.#running.values()) prefix.release()
  }
}

class RunningPrefix implements SourcePrefix {
  readonly schema: Schema
  readonly reads: ReadonlySet<string>
  readonly fingerprint: string
  readonly #input: string
  readonly #arena: Arena
  readonly #dataflow: Dataflow
  readonly #copier: ColumnCopier
  #kept: KeptRows | undefined
  #failed: Omit<BadRecord, "position">[] = []

  constructor(job: ExecutableJob, prefix: StatelessPrefix, compile: CompileOptions, arena: Arena) {
    const { plan, paramsSchema, params, onError } = job
    const own = planOfPrefix(plan, prefix)
    const mask = new SecretMask(job)
    this.schema = own.nodes.at(-1)!.schema
    this.reads = columnsOfPrefix(plan, prefix, { paramsSchema, compile, onError })
    this.fingerprint = prefixFingerprint(plan, prefix, paramsSchema, params)
    this.#input = prefix.input
    this.#arena = arena
    this.#copier = new ColumnCopier(arena.memory)
    this.#dataflow = new Dataflow(own, {
      arena,
      paramsSchema,
      params,
      compile,
      onFailedRow: ({ operator, batch, row, error }) => {
        const reason = mask.text(error instanceof Error ? error.message : String(error))
        const raw = writtenRow(batch, row).slice(0, MAX_RAW_LENGTH)
        this.#failed.push({ operator, reason, field: undefined, raw })
      },
      emit: (output, batch) => this.#keep(output, batch),
    })
  }

  run(batch: Batch): KeptRows {
    this.#failed = []
    this.#kept = undefined
    this.#dataflow.push(this.#input, batch)
    const { batch: kept, release } = this.#kept ?? { batch: undefined, release: NOTHING }
    return { batch: kept, failed: this.#failed, release }
  }

  release(): void {
    this.#dataflow.release()
  }

  #keep(output: string, { columns: given, selection, count }: Batch): void {
    assert(output === PREFIX_OUTPUT && this.#kept === undefined, "a prefix gives one batch of each")
    const { columns, release } = allocateColumns(this.#arena, this.schema, count)
    this.#copier.copy(given, columns, selection, count)
    this.#kept = { batch: new Batch({ schema: this.schema, columns, length: count }), failed: [], release }
  }
}
