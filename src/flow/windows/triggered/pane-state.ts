/**
 * The state of windows that fire more than once as bytes (format 5 of windows, named in the operator's signature).
 *
 * One call of `writeChanges` or `writeAll` writes nothing where nothing has changed, else:
 *
 *     float64   the watermark
 *     float64   what the clock said last
 *     varint    rows that came late
 *     varint    how many records have counted
 *     varint    number of panes that are gone, or have another end than they had, each: its key, float64 the end it had
 *     varint    number of panes that are new or have changed, each:
 *       its key
 *       float64   its start, its end
 *       varint    the place of its first record among all that counted
 *       varint    records since it fired last
 *       float64   the watermark at which it fires early, then what the clock says when it does; +∞ for never
 *       uint8     whether a result was given: 0 or 1
 *       varint    number of results given of windows that grow, each: float64 start, float64 end, the aggregates
 *       the partial results of each aggregate
 *
 * A key, and the aggregates of a result, are values in the form of `value-bytes.ts`.
 *
 * Invariants:
 * - F3 Applying all that was written since the beginning, in order, gives the same state.
 * - WS1 No bytes make `apply` do anything but restore or throw a RangeError.
 */
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import type { ColumnType } from "../../../batch/type.ts"
import { readValue, writeValue } from "../../aggregates/value-bytes.ts"
import type { Partials } from "../general/partials.ts"
import { Pane, type GivenResult, type PaneKey, type Panes } from "./panes.ts"

/** What the state is made of. */
export interface PaneStateParts {
  readonly keys: readonly ColumnType[]
  /** The types of the aggregates' results. */
  readonly results: readonly ColumnType[]
  readonly panes: Panes
  readonly partials: Partials
  isPane(start: number, end: number): boolean
}

/** The numbers that are not those of panes. */
export interface PaneHead {
  readonly watermark: number
  readonly nowMicros: number
  readonly lateRows: number
}

/** See the head of this file. */
export class PaneState {
  readonly #parts: PaneStateParts

  constructor(parts: PaneStateParts) {
    this.#parts = parts
  }

  writeChanges(head: PaneHead, out: ByteWriter): void {
    const { changed, gone } = this.#parts.panes.takeChanges(head.watermark)
    this.#writeHead(head, out)
    out.varint(gone.length)
    for (const { key, end } of gone) {
      this.#writeKey(key, out)
      out.float64(end)
    }
    out.varint(changed.length)
    for (const pane of changed) {
      this.#writePane(pane, out)
      pane.writtenEnd = pane.end
    }
  }

  writeAll(head: PaneHead, out: ByteWriter): void {
    const panes = [...this.#parts.panes]
    this.#writeHead(head, out)
    out.varint(0)
    out.varint(panes.length)
    for (const pane of panes) this.#writePane(pane, out)
  }

  #writeHead({ watermark, nowMicros, lateRows }: PaneHead, out: ByteWriter): void {
    out.float64(watermark)
    out.float64(nowMicros)
    out.varint(lateRows)
    out.varint(this.#parts.panes.ordinal)
  }

  #writeKey({ values }: PaneKey, out: ByteWriter): void {
    this.#parts.keys.forEach((type, index) => writeValue(type, values[index], out))
  }

  #writePane(pane: Pane, out: ByteWriter): void {
    this.#writeKey(pane.key, out)
    out.float64(pane.start)
    out.float64(pane.end)
    out.varint(pane.ordinal)
    out.varint(pane.news)
    out.float64(pane.tick)
    out.float64(pane.clockDue)
    out.uint8(pane.hasGiven ? 1 : 0)
    out.varint(pane.given.length)
    for (const { start, end, results } of pane.given) {
      out.float64(start)
      out.float64(end)
      this.#parts.results.forEach((type, index) => writeValue(type, results[index], out))
    }
    this.#parts.partials.write(pane.partials, out)
  }

  /** Takes over changes; the state before them had this watermark. */
  apply(changes: ByteReader, before: number): PaneHead {
    const { panes } = this.#parts
    const [watermark, nowMicros, lateRows] = [changes.float64(), changes.float64(), changes.varint()]
    if (Number.isNaN(watermark) || watermark < before || watermark === Infinity) refuse(`${watermark} as watermark`)
    if (Number.isNaN(nowMicros) || nowMicros === Infinity) refuse(`${nowMicros} as the time`)
    panes.passTo(watermark)
    const ordinal = changes.varint()
    if (ordinal < panes.ordinal) refuse("a number of records that goes back")
    panes.ordinal = ordinal
    for (let left = changes.varint(); left > 0; left--) {
      const pane = panes.find(this.#readKey(changes), changes.float64())
      if (pane !== undefined) panes.remove(pane)
    }
    for (let left = changes.varint(); left > 0; left--) this.#readPane(changes, watermark)
    panes.takeChanges(watermark)
    return { watermark, nowMicros, lateRows }
  }

  #readKey(changes: ByteReader): PaneKey {
    return this.#parts.panes.keyOf(this.#parts.keys.map((type) => readValue(type, changes)))
  }

  #readPane(changes: ByteReader, watermark: number): void {
    const { panes, partials } = this.#parts
    const key = this.#readKey(changes)
    const [start, end, ordinal, news] = [changes.float64(), changes.float64(), changes.varint(), changes.varint()]
    if (!(start < end) || !this.#parts.isPane(start, end)) refuse("a window with other bounds than there are")
    if (ordinal >= panes.ordinal) refuse("a record that has not come")
    const [tick, clockDue, given] = [changes.float64(), changes.float64(), changes.uint8()]
    if (Number.isNaN(tick) || tick <= watermark || Number.isNaN(clockDue)) refuse("a firing that is not to come")
    if (given > 1) refuse(`${given} for whether a result was given`)
    const before = panes.find(key, end)
    if (before !== undefined) panes.remove(before)
    const results = this.#readGiven(changes)
    const pane = new Pane(key, start, end, ordinal, partials.read(changes))
    pane.news = news
    pane.tick = tick
    pane.hasGiven = given === 1
    pane.given = results
    pane.writtenEnd = end
    panes.add(pane)
    panes.schedule(pane, watermark)
    panes.scheduleClock(pane, clockDue)
  }

  #readGiven(changes: ByteReader): GivenResult[] {
    const given: GivenResult[] = []
    for (let left = changes.varint(); left > 0; left--) {
      const [start, end] = [changes.float64(), changes.float64()]
      if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) refuse("a result without bounds")
      given.push({ start, end, results: this.#parts.results.map((type) => readValue(type, changes)) })
    }
    return given
  }
}

function refuse(what: string): never {
  throw new RangeError(`there is ${what}`)
}
