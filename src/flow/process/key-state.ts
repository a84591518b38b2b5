/**
 * All that an operator keeps of one key: its cells and its timers. There may be millions, so what few keys have is made when they do.
 *
 * Changes (see `keyed-states.ts` for what stands before them): those of its cells, in the order of the specs; varint how
 * many timers follow, each: varint kind, text tag, uint8 0 it is not set, 1 it is: float64 when it is due, varint its
 * sequence number.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Cell } from "./cell.ts"
import { ListCell } from "./list-cell.ts"
import { MapCell } from "./map-cell.ts"
import type { StateSpec } from "./process-spec.ts"
import type { Timer } from "./timer-queue.ts"
import { ValueCell } from "./value-cell.ts"

/** A timer of a key. */
export type KeyTimer = Timer<KeyState>

/** Which timer of a key one is. */
type TimerName = Pick<KeyTimer, "kind" | "tag">

const NO_TIMERS: ReadonlyMap<string, KeyTimer> = new Map()

/** See the head of this file. */
export class KeyState {
  /** By which the operator finds it. */
  readonly id: unknown
  /** The values of the key columns, in order. */
  readonly key: readonly unknown[]
  readonly cells: readonly Cell[]
  #timers: Map<string, KeyTimer> | undefined
  /** The timers that were set or went since the last write: kind and tag by id. */
  #changedTimers: Map<string, TimerName> | undefined
  /** Whether bytes of it have been written, so that its end must be, too. */
  isWritten = false
  /** In which slices of all states it is, by their number. */
  slicedIn = 0

  constructor(id: unknown, key: readonly unknown[], cells: readonly Cell[]) {
    this.id = id
    this.key = key
    this.cells = cells
  }

  /** The timers that are set, by `timerId`. */
  get timers(): ReadonlyMap<string, KeyTimer> {
    return this.#timers ?? NO_TIMERS
  }

  get isEmpty(): boolean {
    return this.timers.size === 0 && this.cells.every(({ isEmpty }) => isEmpty)
  }

  /** Takes note that a timer is set, in the place of one with the same id, or that there is none any more. */
  setTimer(id: string, kind: number, tag: string, timer: KeyTimer | undefined): void {
    this.restoreTimer(id, timer)
    this.#changedTimers ??= new Map()
    this.#changedTimers.set(id, { kind, tag })
  }

  /** The same, of what was written before. */
  restoreTimer(id: string, timer: KeyTimer | undefined): void {
    if (timer === undefined) this.#timers?.delete(id)
    else (this.#timers ??= new Map()).set(id, timer)
    if (this.#timers?.size === 0) this.#timers = undefined
  }

  writeChanges(out: ByteWriter): void {
    for (const cell of this.cells) cell.writeChanges(out)
    this.#writeTimers(out, this.#changedTimers ?? NO_TIMERS)
    this.#changedTimers = undefined
  }

  writeAll(out: ByteWriter): void {
    for (const cell of this.cells) cell.writeAll(out)
    this.#writeTimers(out, this.timers)
  }

  #writeTimers(out: ByteWriter, timers: ReadonlyMap<string, TimerName>): void {
    out.varint(timers.size)
    for (const [id, { kind, tag }] of timers) {
      const timer = this.timers.get(id)
      out.varint(kind)
      out.text(tag)
      out.uint8(timer === undefined ? 0 : 1)
      if (timer === undefined) continue
      out.float64(timer.time)
      out.varint(timer.sequence)
    }
  }

  /**
   * Takes over what was written.
   *
   * @param kinds how many kinds of timers there are.
   */
  apply(from: ByteReader, kinds: number): void {
    for (const cell of this.cells) cell.apply(from)
    for (let left = from.varint(); left > 0; left--) {
      const kind = from.varint()
      if (kind >= kinds) throw new RangeError(`there is no kind ${kind} of timers`)
      const tag = from.text()
      const id = timerId(kind, tag)
      if (from.uint8() === 0) this.restoreTimer(id, undefined)
      else {
        const time = from.float64()
        this.restoreTimer(id, { owner: this, kind, tag, time, sequence: from.varint(), isSet: true })
      }
    }
  }
}

/** Tells the timers of a key apart. */
export function timerId(kind: number, tag: string): string {
  return `${kind} ${tag}`
}

/** An empty cell. */
export function cellOf(spec: StateSpec): Cell {
  switch (spec.kind) {
    case "value":
    case "reducing":
      return new ValueCell(spec)
    case "list":
      return new ListCell(spec)
    case "map":
      return new MapCell(spec)
  }
}
