/**
 * Panes: what windows that fire more than once keep, each the partial results of one key for one window, by key and by when
 * something is due for it. A window without an end has the bounds −∞ and +∞.
 *
 * Invariants:
 * - PN1 The panes of a key are in ascending order of `end`, which no two of them share.
 * - PN2 What is due is given in ascending order of moments, then of starts, then of first records; each once.
 */
import { DueQueue } from "../general/due-queue.ts"
import { keyId } from "../general/keyed-cells.ts"

/** The key of a group of records. */
export interface PaneKey {
  readonly values: readonly unknown[]
  readonly id: unknown
  readonly panes: Pane[]
}

/** A result that was given and stands until another takes its place. */
export interface GivenResult {
  readonly start: number
  readonly end: number
  /** The aggregates. */
  readonly results: readonly unknown[]
}

/** A window of a key. */
export class Pane {
  readonly key: PaneKey
  start: number
  end: number
  /** The place of its first record among all that counted. */
  ordinal: number
  partials: unknown[]
  /** How many records have counted since it fired last. */
  news = 0
  /** The watermark at which it fires early, where it does; +∞ where nothing is new. */
  tick = Infinity
  /** What the clock says when it fires early, where it does; +∞ where nothing is new. */
  clockDue = Infinity
  /** Whether a result was given, where that can only be one. */
  hasGiven = false
  /** The results given that do not have its bounds any more, or still do: of windows that grow. */
  given: readonly GivenResult[] = []
  /** The watermark at which something is due for it. */
  moment = Infinity
  isGone = false
  hasChanged = false
  /** Under which end it was last written; NaN where it was not. */
  writtenEnd = NaN

  constructor(key: PaneKey, start: number, end: number, ordinal: number, partials: unknown[]) {
    this.key = key
    this.start = start
    this.end = end
    this.ordinal = ordinal
    this.partials = partials
  }
}

/** See the head of this file. */
export class Panes {
  readonly #lateness: number
  readonly #keys = new Map<unknown, PaneKey>()
  readonly #moments = new DueQueue<Pane>()
  readonly #clock = new DueQueue<Pane>()
  /** When panes are not needed any more. */
  readonly #expiries = new DueQueue<Pane>()
  #changed: Pane[] = []
  #goneEnds: { readonly key: PaneKey; readonly end: number }[] = []
  /** How many records have counted. */
  ordinal = 0

  /** @param lateness how long panes are kept after they have fired on time, in microseconds. */
  constructor(lateness: number) {
    this.#lateness = lateness
  }

  keyOf(values: readonly unknown[]): PaneKey {
    const id = keyId(values)
    return this.#keys.get(id) ?? { values: values.map((value) => (value === 0 ? 0 : value)), id, panes: [] }
  }

  *[Symbol.iterator](): Generator<Pane> {
    for (const { panes } of this.#keys.values()) yield* panes
  }

  /** The pane of a key with that end. */
  find({ panes }: PaneKey, end: number): Pane | undefined {
    const pane = panes[firstEnding(panes, end)]
    return pane?.end === end ? pane : undefined
  }

  add(pane: Pane): void {
    const { key } = pane
    if (key.panes.length === 0) this.#keys.set(key.id, key)
    place(key.panes, pane)
    this.#expire(pane)
    this.touch(pane)
  }

  #expire(pane: Pane): void {
    if (pane.end < Infinity) this.#expiries.put(pane.end - 1 + this.#lateness, pane)
  }

  touch(pane: Pane): void {
    if (pane.hasChanged) return
    pane.hasChanged = true
    this.#changed.push(pane)
  }

  /** Gives a pane other bounds. */
  stretch(pane: Pane, start: number, end: number): void {
    const { panes } = pane.key
    pane.start = start
    if (end === pane.end) return
    panes.splice(panes.indexOf(pane), 1)
    pane.end = end
    place(panes, pane)
    this.#expire(pane)
  }

  remove(pane: Pane): void {
    const { key } = pane
    pane.isGone = true
    key.panes.splice(key.panes.indexOf(pane), 1)
    if (key.panes.length === 0) this.#keys.delete(key.id)
    if (!Number.isNaN(pane.writtenEnd)) this.#goneEnds.push({ key, end: pane.writtenEnd })
  }

  /** Says when something is due for a pane. */
  schedule(pane: Pane, watermark: number): void {
    const onTime = watermark < pane.end - 1 ? pane.end - 1 : Infinity
    const moment = Math.min(onTime, pane.tick)
    if (moment === pane.moment) return
    pane.moment = moment
    if (moment < Infinity) this.#moments.put(moment, pane)
  }

  /** The next moment at which something is due; +∞ where nothing is. */
  nextMoment(): number {
    for (let pane = this.#moments.next; pane !== undefined; pane = this.#moments.next) {
      if (!pane.isGone && pane.moment === this.#moments.first) return pane.moment
      this.#moments.take()
    }
    return Infinity
  }

  /** Takes out the panes for which something is due at a moment: the next. */
  takeDue(moment: number): Pane[] {
    const due = new Set<Pane>()
    while (this.nextMoment() === moment) due.add(this.#moments.take())
    return inOrder([...due])
  }

  /** Says when a pane fires by the clock. */
  scheduleClock(pane: Pane, due: number): void {
    pane.clockDue = due
    if (due < Infinity) this.#clock.put(due, pane)
  }

  /** When the first pane fires by the clock; +∞ where none does. */
  nextClock(): number {
    for (let pane = this.#clock.next; pane !== undefined; pane = this.#clock.next) {
      if (!pane.isGone && pane.clockDue === this.#clock.first) return pane.clockDue
      this.#clock.take()
    }
    return Infinity
  }

  /** Takes out the panes that fire when the clock says `moment`: the next. */
  takeClockDue(moment: number): Pane[] {
    const due = new Set<Pane>()
    while (this.nextClock() === moment) due.add(this.#clock.take())
    return inOrder([...due])
  }

  /** Forgets the panes that no record may change any more. */
  passTo(watermark: number): void {
    const expiries = this.#expiries
    while (expiries.first <= watermark) {
      const pane = expiries.take()
      if (pane.isGone || pane.end - 1 + this.#lateness > watermark) continue
      pane.writtenEnd = NaN
      this.remove(pane)
    }
  }

  get hasChanged(): boolean {
    return this.#changed.length > 0 || this.#goneEnds.length > 0
  }

  /** What has changed, and under which ends what is gone was written, since this was last asked. */
  takeChanges(watermark: number): {
    readonly changed: readonly Pane[]
    readonly gone: readonly { readonly key: PaneKey; readonly end: number }[]
  } {
    const changed = this.#changed.filter(({ isGone }) => !isGone)
    const moved = changed.flatMap(({ key, end, writtenEnd }) =>
      Number.isNaN(writtenEnd) || writtenEnd === end ? [] : [{ key, end: writtenEnd }],
    )
    // Nobody needs to be told what is gone because nothing may change it.
    const gone = [...this.#goneEnds, ...moved].filter(({ end }) => end - 1 + this.#lateness > watermark)
    for (const pane of this.#changed) pane.hasChanged = false
    this.#changed = []
    this.#goneEnds = []
    return { changed, gone }
  }
}

/** The place of the first of a key's panes that does not end before `end`. */
export function firstEnding(panes: readonly Pane[], end: number): number {
  let [low, high] = [0, panes.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (panes[middle]!.end < end) low = middle + 1
    else high = middle
  }
  return low
}

function place(panes: Pane[], pane: Pane): void {
  panes.splice(firstEnding(panes, pane.end), 0, pane)
}

function inOrder(panes: Pane[]): Pane[] {
  // The bounds of windows without an end are equal, and their difference is no number.
  return panes.sort((one, other) =>
    one.start === other.start ? one.ordinal - other.ordinal : one.start < other.start ? -1 : 1,
  )
}
