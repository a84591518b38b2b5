/** A sink into arrays that a test looks at: what is visible, what is staged, and in which order it was called. */
import { ByteReader, ByteWriter } from "../base/bytes.ts"
import type { Batch } from "../batch/batch.ts"
import type { Sink, SinkBinding, SinkRecovery } from "../connect/sink.ts"

/** The target of array sinks: it outlives runs, as a directory would. */
export class ArrayTarget {
  /** What readers see, by the epoch that brought it. */
  readonly published = new Map<number, readonly Record<string, unknown>[]>()
  /** The calls of all sinks, in order. */
  readonly calls: string[] = []
  /** How the last `openSink` was told to begin. */
  recovery: SinkRecovery | undefined
  readonly name: string

  constructor(name = "array") {
    this.name = name
  }

  /** All rows that readers see, in order. */
  get rows(): readonly Record<string, unknown>[] {
    return [...this.published.values()].flat()
  }

  /** Binds the target to an output. */
  binding(): SinkBinding {
    return {
      guarantee: "exactly-once",
      describe: () => this.name,
      openSink: (_context, recovery) => Promise.resolve(new ArraySink(this, recovery)),
    }
  }
}

const revive = (_key: string, value: unknown): unknown =>
  typeof value === "string" && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value
const replace = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}n` : value)

class ArraySink implements Sink {
  readonly #target: ArrayTarget
  #rows: Record<string, unknown>[] = []
  #sequence: number

  constructor(target: ArrayTarget, recovery: SinkRecovery) {
    this.#target = target
    target.recovery = recovery
    if (recovery.reset) target.published.clear()
    const checkpoint = recovery.checkpoint === undefined ? 0 : new ByteReader(recovery.checkpoint).varint()
    this.#sequence = checkpoint + recovery.staged.length
    for (const staged of recovery.staged) this.#publish(staged)
  }

  get bufferedBytes(): number {
    return this.#rows.length
  }

  write(batch: Batch): void {
    this.#rows.push(...batch.toRows())
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  stage(final: boolean): Promise<Uint8Array> {
    this.#target.calls.push(final ? "stage final" : "stage")
    const staged = new ByteWriter()
    staged.varint(++this.#sequence)
    staged.text(JSON.stringify(this.#rows, replace))
    this.#rows = []
    return Promise.resolve(staged.finish())
  }

  apply(staged: Uint8Array): Promise<void> {
    this.#target.calls.push("apply")
    this.#publish(staged)
    return Promise.resolve()
  }

  checkpoint(): Promise<Uint8Array> {
    const state = new ByteWriter()
    state.varint(this.#sequence)
    return Promise.resolve(state.finish())
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #publish(staged: Uint8Array): void {
    const reader = new ByteReader(staged)
    const sequence = reader.varint()
    this.#target.published.set(sequence, JSON.parse(reader.text(), revive) as Record<string, unknown>[])
  }
}
