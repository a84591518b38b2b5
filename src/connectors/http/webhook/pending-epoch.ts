/**
 * A committed epoch that is not all acknowledged: its requests by number, and which of them are.
 */
import { assert } from "../../../base/assert.ts"
import { ByteReader, type ByteWriter } from "../../../base/bytes.ts"
import type { StagedEpoch } from "./staged-requests.ts"

/** See the head of this file. */
export class PendingEpoch {
  readonly staged: StagedEpoch
  readonly #lanes: Float64Array
  readonly #ends: Float64Array
  readonly #rows: Float64Array
  readonly #isDone: Uint8Array
  #left: number
  #rowsLeft = 0

  /** @param index as it was staged. */
  constructor(staged: StagedEpoch, index: Uint8Array) {
    const { requests, bodyBytes } = staged
    this.staged = staged
    this.#lanes = new Float64Array(requests)
    this.#ends = new Float64Array(requests)
    this.#rows = new Float64Array(requests)
    this.#isDone = new Uint8Array(requests)
    this.#left = requests
    const reader = new ByteReader(index)
    let end = 0
    for (let request = 0; request < requests; request++) {
      this.#lanes[request] = reader.varint()
      this.#ends[request] = end += reader.varint()
      this.#rowsLeft += this.#rows[request] = reader.varint()
    }
    assert(reader.remaining === 0 && end === bodyBytes, "the index is that of the bodies")
  }

  get count(): number {
    return this.staged.requests
  }

  /** How many requests are not acknowledged ... */
  get left(): number {
    return this.#left
  }

  /** ... and how many rows are in them. */
  get rowsLeft(): number {
    return this.#rowsLeft
  }

  laneOf(request: number): number {
    return this.#lanes[request]!
  }

  rowsOf(request: number): number {
    return this.#rows[request]!
  }

  /** Where a request's body starts and ends. */
  placeOf(request: number): readonly [start: number, end: number] {
    return [request === 0 ? 0 : this.#ends[request - 1]!, this.#ends[request]!]
  }

  bytesOf(request: number): number {
    const [start, end] = this.placeOf(request)
    return end - start
  }

  isDone(request: number): boolean {
    return this.#isDone[request] === 1
  }

  /** A request is acknowledged. */
  finish(request: number): void {
    assert(!this.isDone(request), "a request is acknowledged once")
    this.#isDone[request] = 1
    this.#left--
    this.#rowsLeft -= this.#rows[request]!
  }

  /** Writes which requests are acknowledged: how many runs there are of those that are not and those that are, in turn, and how long each is. */
  writeDone(writer: ByteWriter): void {
    const runs: number[] = []
    for (let at = 0, isDone = 0; at < this.count; isDone = 1 - isDone) {
      const start = at
      while (at < this.count && this.#isDone[at] === isDone) at++
      runs.push(at - start)
    }
    writer.varint(runs.length)
    for (const run of runs) writer.varint(run)
  }

  /** Takes note of what `writeDone` wrote. */
  takeDone(runs: readonly number[]): void {
    let at = 0
    runs.forEach((run, index) => {
      if (index % 2 === 1) for (let request = at; request < at + run; request++) this.finish(request)
      at += run
    })
  }
}
