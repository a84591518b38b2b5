/**
 * What a job counts over its life, restarts included, and what an epoch's commit record says of that: whoever reads the log
 * can tell how far a job is without having its program.
 *
 * Counters of the commit record, beside `rows.<output>`: `rowsIn`, `rowsIn.<input>`, `badRecords`, `inputGaps`, and by operator that waits
 * for a watermark `late.<id>` (rows too late for it), `open.<id>` (windows that have not fired) and `due.<id>` (the watermark at
 * which the next of these, or the next timer, is due, in µs, where it is not before 1970; 0 for none); by operator that keeps what
 * the user's functions give it `keys.<id>` and `timers.<id>`, by one that calls `held.<id>` (rows that wait for the answer).
 *
 * Invariant:
 * - JC1 An epoch holds the counters that have changed since the last one that was committed, a snapshot all of them.
 */
import { assert } from "../base/assert.ts"
import type { DataflowStatus } from "../flow/dataflow-status.ts"

/** See the head of this file. */
export class JobCounters {
  rowsIn = 0
  badRecords = 0
  inputGaps = 0
  readonly #rowsInByInput = new Map<string, number>()
  /** By partition: when its last record was read in this run, by the clock. */
  readonly #lastRead = new Map<number, number>()
  #committed: ReadonlyMap<string, number> = new Map()

  /** @param inputs the names of the job's inputs. */
  constructor(inputs: readonly string[]) {
    for (const input of inputs) this.#rowsInByInput.set(input, 0)
  }

  /** Goes on from what the log says. */
  restore(counters: ReadonlyMap<string, number>): void {
    this.rowsIn = counters.get("rowsIn") ?? 0
    this.badRecords = counters.get("badRecords") ?? 0
    this.inputGaps = counters.get("inputGaps") ?? 0
    for (const input of this.#rowsInByInput.keys()) {
      this.#rowsInByInput.set(input, counters.get(`rowsIn.${input}`) ?? 0)
    }
  }

  /** Takes note of records, good and bad, of a partition. */
  read(input: string, partition: number, records: number, wallMicros: number): void {
    const before = this.#rowsInByInput.get(input)
    assert(before !== undefined, "records are of an input of the job")
    this.rowsIn += records
    this.#rowsInByInput.set(input, before + records)
    if (records > 0) this.#lastRead.set(partition, wallMicros)
  }

  /** When the last record of a partition was read, by the clock; `undefined` where this run has read none. */
  lastReadMicros(partition: number): number | undefined {
    return this.#lastRead.get(partition)
  }

  get rowsInByInput(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#rowsInByInput)
  }

  /** All counters at this moment, for the commit record. */
  all(rowsOut: ReadonlyMap<string, number>, flow: DataflowStatus): Map<string, number> {
    const counters = new Map([
      ["rowsIn", this.rowsIn],
      ["badRecords", this.badRecords],
      ["inputGaps", this.inputGaps],
    ])
    for (const [name, rows] of this.#rowsInByInput) counters.set(`rowsIn.${name}`, rows)
    for (const [name, rows] of rowsOut) counters.set(`rows.${name}`, rows)
    for (const { id, kind, isTimed, lateRows, openWindows, nextDue, kept, heldRows } of flow.operators) {
      if (kept !== undefined)
        counters.set(`keys.${id}`, kept.keys).set(`timers.${id}`, kept.timers).set(`spilled.${id}`, kept.spilledBytes)
      if (kind === "asyncMap") counters.set(`held.${id}`, heldRows)
      if (!isTimed) continue
      counters.set(`late.${id}`, lateRows)
      counters.set(`open.${id}`, openWindows)
      counters.set(`due.${id}`, Math.max(0, nextDue ?? 0))
    }
    return counters
  }

  /** Those that are not as the last commit has them (JC1). */
  changed(all: ReadonlyMap<string, number>): Map<string, number> {
    return new Map([...all].filter(([name, value]) => this.#committed.get(name) !== value))
  }

  /** Takes note that these are in a commit record. */
  committed(all: ReadonlyMap<string, number>): void {
    this.#committed = all
  }
}
