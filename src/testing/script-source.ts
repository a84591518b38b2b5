/** The source of an input to which a test pushes. */
import { assert } from "../base/assert.ts"
import { batchOfRows } from "../batch/batch.ts"
import type { BadRecord, Position } from "../batch/position.ts"
import type {
  Partition,
  PartitionReader,
  ReadLimits,
  Source,
  SourceBatch,
  SourceBinding,
  SourceContext,
} from "../connect/source.ts"
import type { InputScript, Life, ScriptEntry, ScriptPartition } from "./input-script.ts"
import type { PlainRow } from "./run-plan.ts"

const NOTHING = () => {}

/** Binds what is pushed to an input, for one life of the job. */
export function scriptSource(script: InputScript, life: Life): SourceBinding {
  return {
    describe: () => "pushed by the test",
    openSource: (context) => Promise.resolve(new ScriptSource(script, life, context)),
  }
}

class ScriptSource implements Source {
  readonly #script: InputScript
  readonly #life: Life
  readonly #context: SourceContext

  constructor(script: InputScript, life: Life, context: SourceContext) {
    this.#script = script
    this.#life = life
    this.#context = context
  }

  partitions(): Promise<Partition[]> {
    const partitions = this.#script.partitions.get(this.#context.input)!
    return Promise.resolve(
      partitions.map((_, number) => {
        const id = String(number)
        return { id, tieBreak: id.padStart(5, "0"), identity: "pushed", size: undefined }
      }),
    )
  }

  open(partition: Partition, index: number, position: Position): Promise<PartitionReader> {
    const entries = this.#script.partitions.get(this.#context.input)![Number(partition.id)]!
    return Promise.resolve(new ScriptReader(this.#script, this.#life, this.#context, entries, index, position))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

class ScriptReader implements PartitionReader {
  readonly #script: InputScript
  readonly #life: Life
  readonly #context: SourceContext
  readonly #partition: ScriptPartition
  readonly #index: number
  #offset: number

  constructor(
    script: InputScript,
    life: Life,
    context: SourceContext,
    partition: ScriptPartition,
    index: number,
    position: Position,
  ) {
    this.#script = script
    this.#life = life
    this.#context = context
    this.#partition = partition
    this.#index = index
    this.#offset = position.offset
  }

  whenReadable(signal: AbortSignal): Promise<void> | undefined {
    if (this.#offset < this.#partition.entries.length) return undefined
    return this.#script.untilTold(signal, this.#life)
  }

  read(limits: ReadLimits): Promise<SourceBatch> {
    const first = this.#partition.entries[this.#offset]
    if (first === undefined) return Promise.resolve(this.#endAgain())
    if (first.kind === "watermark" || first.kind === "end") {
      const next = { offset: ++this.#offset, ordinal: first.ordinal }
      const isEnd = first.kind === "end"
      const told = isEnd ? {} : { watermark: first.micros }
      return Promise.resolve({ batch: undefined, bad: [], next, end: isEnd, ...told, release: NOTHING })
    }
    return Promise.resolve(this.#records(first, limits))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #endAgain(): SourceBatch {
    const last = this.#partition.entries.at(-1)
    assert(last?.kind === "end", "it is read where there is something to be read")
    const next = { offset: this.#offset, ordinal: last.ordinal }
    return { batch: undefined, bad: [], next, end: true, release: NOTHING }
  }

  /** The records from `first` on that were pushed one behind the other (IS1). */
  #records(first: ScriptEntry, { rows, untilOffset }: ReadLimits): SourceBatch {
    const { entries } = this.#partition
    const from = this.#offset
    const good: PlainRow[] = []
    const offsets: number[] = []
    const bad: BadRecord[] = []
    const until = Math.min(from + rows, Math.max(untilOffset, from + 1), entries.length)
    let ordinal = first.ordinal
    for (; this.#offset < until; this.#offset++) {
      const entry = entries[this.#offset]!
      const isNext = entry.turn === first.turn + this.#offset - from
      if (!isNext || (entry.kind !== "row" && entry.kind !== "bad")) break
      ordinal = entry.ordinal + 1
      if (entry.kind === "bad") bad.push({ ...entry.bad, position: { offset: this.#offset, ordinal: entry.ordinal } })
      else {
        good.push(entry.row)
        offsets.push(this.#offset)
      }
    }
    const next = { offset: this.#offset, ordinal }
    if (good.length === 0) return { batch: undefined, bad, next, end: false, release: NOTHING }
    const { batch, release } = batchOfRows(this.#context.arena, this.#context.schema, good, {
      partition: this.#index,
      offsets: Float64Array.from(offsets),
      ordinals: Float64Array.from(offsets, (offset) => entries[offset]!.ordinal),
    })
    return { batch, bad, next, end: false, release }
  }
}
