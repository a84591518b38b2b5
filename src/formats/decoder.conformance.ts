/**
 * What every decoder must do (V1 to V3 of `decoder.ts`): a document is fed to it in windows of random size, with random
 * limits, and what comes out is compared with the records that the document has.
 */
import { expect } from "vitest"
import { assert } from "../base/assert.ts"
import type { Prng } from "../base/prng.ts"
import { MAX_BATCH_ROWS } from "../batch/batch.ts"
import type { BadRecord, Position } from "../batch/position.ts"
import type { Decoded, OversizedRecord, RecordDecoder } from "./decoder.ts"
import type { ReferenceRecords, ReferenceRow } from "./json-lines-decoder.reference.ts"

/** How a document is fed to a decoder. */
export interface Feeding {
  /** The size of the next window, at least 1. */
  windowBytes(): number
  /** The most records of the next call, at least 1. */
  maxRows(): number
  /** How far behind the position the next call may start records, at least 1. */
  reach(): number
  /** Whether to go on within an oversized record as offered, or to start it again with a larger window. */
  skipsOversized(): boolean
}

/** All of the document at once. */
export const WHOLE: Feeding = {
  windowBytes: () => Infinity,
  maxRows: () => MAX_BATCH_ROWS,
  reach: () => Infinity,
  skipsOversized: () => true,
}

/** Windows and limits of any size. */
export function randomFeeding(prng: Prng): Feeding {
  const size = 1 + prng.below(8 << prng.below(7))
  return {
    windowBytes: () => 1 + prng.below(size),
    maxRows: () => prng.pick([1, 2, 7, MAX_BATCH_ROWS]),
    reach: () => prng.pick([1, 10, 100, Infinity]),
    skipsOversized: () => prng.chance(0.7),
  }
}

/** Everything that a decoder makes of a document from a position on. */
export function decodeAll(
  decoder: RecordDecoder,
  document: Uint8Array,
  start: Position,
  feeding: Feeding,
): ReferenceRecords {
  const rows: ReferenceRow[] = []
  const bad: BadRecord[] = []
  let position = start
  let oversized: OversizedRecord | undefined
  let grown = 0
  for (let calls = 0; position.offset < document.length; calls++) {
    assert(calls < 10 * document.length + 100, "a decoder goes forward")
    const from = oversized?.resumeOffset ?? position.offset
    const to = Math.min(document.length, from + Math.max(grown, feeding.windowBytes()))
    // The window lies somewhere in a larger array, as it does in the connectors.
    const padding = calls % 3
    const bytes = new Uint8Array(padding + (to - from) + 5).fill(0x7d)
    bytes.set(document.subarray(from, to), padding)
    const limits = { maxRows: feeding.maxRows(), untilOffset: position.offset + feeding.reach() }
    const window = {
      bytes,
      from: padding,
      to: padding + to - from,
      position,
      atEnd: to === document.length,
      partition: 3,
    }
    const decoded = decoder.decode({ ...window, ...limits, oversized })
    take(decoded, limits.maxRows, rows, bad)
    const isStuck = decoded.next.offset === position.offset && decoded.bad.length === 0
    if (isStuck && decoded.oversized === undefined) {
      assert(decoded.needsMore, "a decoder goes forward or says why not")
      grown = 2 * (to - from) + 1
    } else {
      grown = 0
    }
    position = decoded.next
    oversized = decoded.oversized !== undefined && feeding.skipsOversized() ? decoded.oversized : undefined
    if (decoded.oversized !== undefined && oversized === undefined) grown = 2 * (to - position.offset) + 1
  }
  return { rows, bad }
}

function take(decoded: Decoded, maxRows: number, rows: ReferenceRow[], bad: BadRecord[]): void {
  const { batch } = decoded
  // Plain assertions: `expect` would take most of the time.
  assert((batch?.count ?? 0) + decoded.bad.length <= maxRows, "a decoder keeps to its limit")
  bad.push(...decoded.bad)
  if (batch !== undefined) {
    assert(batch.count === batch.length && batch.origin.partition === 3, "every row of a batch counts")
    const { offsets, ordinals } = batch.origin
    batch.forEachRow((row) => {
      rows.push({ position: { offset: offsets![row]!, ordinal: ordinals![row]! }, row: batch.row(row) })
    })
  }
  decoded.release()
}

/** Compares records, as text: that is much faster than comparing their parts, and tells 0 from −0. */
export function expectSame(actual: ReferenceRecords, expected: ReferenceRecords): void {
  const texts = [textOf(actual), textOf(expected)] as const
  if (texts[0] !== texts[1]) expect(texts[0]).toBe(texts[1])
}

function textOf({ rows, bad }: ReferenceRecords): string {
  const good = rows.map(({ position, row }) => [position.offset, position.ordinal, row])
  const refused = bad.map(({ position, field, reason, raw }) => [position.offset, position.ordinal, field, reason, raw])
  return [...good, ...refused].map((record) => JSON.stringify(record, replaceUnspeakable)).join("\n")
}

function replaceUnspeakable(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return `bigint ${value}`
  if (typeof value === "number" && (Object.is(value, -0) || !Number.isFinite(value))) {
    return Object.is(value, -0) ? "number -0" : `number ${value}`
  }
  return value === undefined ? "undefined" : value
}

/** Counts what documents held, to show that a test has tried something. */
export class Tally {
  #rows = 0
  #bad = 0

  add({ rows, bad }: ReferenceRecords): void {
    this.#rows += rows.length
    this.#bad += bad.length
  }

  /** Whether there were good records and bad ones, neither of them few. */
  get isVaried(): boolean {
    const all = this.#rows + this.#bad
    return this.#rows > all / 10 && this.#bad > all / 20
  }
}
