/**
 * The rows that an operator holds until their calls are answered: its state. Each has a ticket, by which its answer finds
 * it and by whose order rows came.
 *
 * State (format 1, named in the signature; nothing is written where nothing has changed):
 *
 *     varint   the next ticket
 *     varint   number of tickets that follow, of rows that were written before and have left: each a varint
 *     varint   number of rows that follow, those that have come since and are held, in order of their tickets:
 *       varint    its ticket
 *       varint    index of its partition + 1; 0 where the job made it
 *       uint8     1 where its place in the partition follows: float64 offset, float64 ordinal; 0 where it has none
 *       uint8     1 where its partition's watermark follows: float64; 0 where it is ahead of that
 *       its values, as `row-bytes.ts` has them
 *
 * What was answered and waits for its turn is not written: it is asked for again.
 *
 * Invariants:
 * - HR1 Tickets are given once each, ascending, over the life of the state.
 * - HR2 `leastHold` is the least of what the rows held hold the watermark at.
 */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Field } from "../../batch/schema.ts"
import { readRow, writeRow } from "../row-bytes.ts"
import { takeChanges } from "../taken-changes.ts"

/** A row and where it came from. */
export interface ArrivedRow {
  readonly row: Readonly<Record<string, unknown>>
  /** -1 where the job made it. */
  readonly partition: number
  readonly place: { readonly offset: number; readonly ordinal: number } | null
  /** Its partition's watermark before it; `null` where it is ahead of that. */
  readonly watermark: number | null
}

/** A row that is held. */
export interface HeldRow extends ArrivedRow {
  readonly ticket: number
  /** The watermark may not pass this as long as the row is held. */
  readonly hold: number
  /** What its call has given, by column, or why it has failed; `undefined` where there is no answer yet. */
  answer: ReadonlyMap<string, unknown> | Error | undefined
}

/** What held rows are made with. */
export interface HeldRowsOptions {
  /** Whose they are. */
  readonly operator: string
  readonly fields: readonly Field[]
  /** What a row holds the watermark at. */
  readonly holdOf: (row: ArrivedRow) => number
}

/** See the head of this file. */
export class HeldRows {
  readonly #options: HeldRowsOptions
  /** In order of tickets. */
  readonly #rows = new Map<number, HeldRow>()
  #nextTicket = 0
  /** Tickets below it were written, or have left before that. */
  #writtenBelow = 0
  #leftSinceWritten: number[] = []
  #leastHold: number | undefined = Infinity

  constructor(options: HeldRowsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#rows.size
  }

  /** In the order in which they came. */
  [Symbol.iterator](): IterableIterator<HeldRow> {
    return this.#rows.values()
  }

  /** The one that came first. */
  get first(): HeldRow | undefined {
    return this.#rows.values().next().value
  }

  of(ticket: number): HeldRow {
    const row = this.#rows.get(ticket)
    assert(row !== undefined, "CA1: a call is answered once, while its row is held")
    return row
  }

  /** The least of what the rows hold the watermark at; +∞ where there is none. */
  get leastHold(): number {
    if (this.#leastHold === undefined) {
      this.#leastHold = Infinity
      for (const { hold } of this.#rows.values()) this.#leastHold = Math.min(this.#leastHold, hold)
    }
    return this.#leastHold
  }

  /** Takes a row. */
  add(arrived: ArrivedRow): HeldRow {
    return this.#put(this.#nextTicket++, arrived)
  }

  #put(ticket: number, arrived: ArrivedRow): HeldRow {
    const held = { ...arrived, ticket, hold: this.#options.holdOf(arrived), answer: undefined }
    this.#rows.set(ticket, held)
    if (this.#leastHold !== undefined) this.#leastHold = Math.min(this.#leastHold, held.hold)
    return held
  }

  /** Takes note that a row leaves. */
  remove({ ticket, hold }: HeldRow): void {
    const wasHeld = this.#rows.delete(ticket)
    assert(wasHeld, "only a row that is held leaves")
    if (ticket < this.#writtenBelow) this.#leftSinceWritten.push(ticket)
    if (hold === this.#leastHold) this.#leastHold = undefined
  }

  writeChanges(out: ByteWriter): void {
    if (this.#nextTicket === this.#writtenBelow && this.#leftSinceWritten.length === 0) return
    this.#write(this.#leftSinceWritten, this.#writtenBelow, out)
    this.#leftSinceWritten = []
    this.#writtenBelow = this.#nextTicket
  }

  writeAll(out: ByteWriter): void {
    if (this.#nextTicket > 0) this.#write([], 0, out)
  }

  #write(left: readonly number[], from: number, out: ByteWriter): void {
    out.varint(this.#nextTicket)
    out.varint(left.length)
    for (const ticket of left) out.varint(ticket)
    const added =
      from === 0 ? [...this.#rows.values()] : [...this.#rows.values()].filter(({ ticket }) => ticket >= from)
    out.varint(added.length)
    for (const { ticket, partition, place, watermark, row } of added) {
      out.varint(ticket)
      out.varint(partition + 1)
      out.uint8(place === null ? 0 : 1)
      if (place !== null) {
        out.float64(place.offset)
        out.float64(place.ordinal)
      }
      out.uint8(watermark === null ? 0 : 1)
      if (watermark !== null) out.float64(watermark)
      writeRow(this.#options.fields, row, out)
    }
  }

  applyChanges(changes: ByteReader): void {
    takeChanges(this.#options.operator, changes, (each) => {
      this.#apply(each)
    })
  }

  #apply(changes: ByteReader): void {
    const next = changes.varint()
    const leftCount = changes.varint()
    for (let each = 0; each < leftCount; each++) {
      const ticket = changes.varint()
      if (!this.#rows.delete(ticket)) throw new RangeError(`the row ${ticket} has left and was not held`)
    }
    this.#leastHold = undefined
    let least = this.#nextTicket
    const addedCount = changes.varint()
    for (let each = 0; each < addedCount; each++) {
      const ticket = changes.varint()
      if (ticket < least || ticket >= next) throw new RangeError(`${ticket} is not the ticket of a row that has come`)
      least = ticket + 1
      this.#put(ticket, this.#readArrived(changes))
    }
    if (next < least) throw new RangeError(`${next} is not the next ticket`)
    this.#nextTicket = next
    this.#writtenBelow = next
  }

  #readArrived(from: ByteReader): ArrivedRow {
    const partition = from.varint() - 1
    const place = readFlag(from) ? { offset: from.float64(), ordinal: from.float64() } : null
    const watermark = readFlag(from) ? from.float64() : null
    if (Number.isNaN(watermark)) throw new RangeError("no time stands for a watermark")
    return { partition, place, watermark, row: readRow(this.#options.fields, from) }
  }
}

function readFlag(from: ByteReader): boolean {
  const flag = from.uint8()
  if (flag > 1) throw new RangeError(`${flag} stands for a flag`)
  return flag === 1
}
