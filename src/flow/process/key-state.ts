/**
 * All that an operator keeps of one key: its cells and its timers. There may be millions, so what few keys have is made when they do.
 *
 * Changes (see `keyed-states.ts` for what stands before them): those of its cells, in the order of the specs; varint how
 * many timers follow, each: varint kind, text tag, uint8 0 it is not set, 1 it is: float64 when it is due, varint its
 * sequence number.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Cell, CellSkip } from "./cell.ts"
import { ListCell, skipList } from "./list-cell.ts"
import { MapCell, skipMap } from "./map-cell.ts"
import type { StateSpec } from "./process-spec.ts"
import type { Timer } from "./timer-queue.ts"
import { skipValue, ValueCell } from "./value-cell.ts"

/** A timer of a key, which its owner is by its row. */
export type KeyTimer = Timer<number>

/** The timers of a key that are set, by `timerId`. */
export type KeyTimers = Map<string, KeyTimer>

/** Which timer of a key one is. */
type TimerName = Pick<KeyTimer, "kind" | "tag">

const NO_TIMERS: ReadonlyMap<string, KeyTimer> = new Map()

/** See the head of this file. */
export class KeyState {
  /** By which the operator finds it. */
  readonly row: number
  /** The values of the key columns, in order. */
  readonly key: readonly unknown[]
  readonly cells: readonly Cell[]
  #timers: KeyTimers | undefined
  /** The timers that were set or went since the last write: kind and tag by id. */
  #changedTimers: Map<string, TimerName> | undefined
  /** Whether bytes of it have been written, so that its end must be, too. */
  isWritten = false
  /** How many bytes it takes when it is written, about. */
  bytes = 0
  /** Whether somebody has come to it since it was looked at last. */
  isRecent = true

  /** @param timers that are set. */
  constructor(row: number, key: readonly unknown[], cells: readonly Cell[], timers?: KeyTimers) {
    this.row = row
    this.key = key
    this.cells = cells
    this.#timers = timers
  }

  /** The timers that are set. */
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

  /** Gives its timers up to who keeps them now. */
  takeTimers(): KeyTimers | undefined {
    const timers = this.#timers
    this.#timers = undefined
    return timers
  }

  writeChanges(out: ByteWriter): void {
    for (const cell of this.cells) cell.writeChanges(out)
    writeTimers(out, this.#changedTimers ?? NO_TIMERS, this.timers)
    this.#changedTimers = undefined
  }

  /** Appends all of its cells, as changes of empty ones. */
  writeCells(out: ByteWriter): void {
    for (const cell of this.cells) cell.writeAll(out)
  }

  /** Takes over what was written of its cells. */
  applyCells(from: ByteReader): void {
    for (const cell of this.cells) cell.apply(from)
  }
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

/** What leaves out changes of such a cell. */
export function cellSkipOf(spec: StateSpec): CellSkip {
  switch (spec.kind) {
    case "value":
    case "reducing":
      return skipValue(spec)
    case "list":
      return skipList(spec)
    case "map":
      return skipMap(spec)
  }
}

/** Appends what became of timers; `set` are those of them that are set. */
export function writeTimers(
  out: ByteWriter,
  names: ReadonlyMap<string, TimerName>,
  set: ReadonlyMap<string, KeyTimer>,
): void {
  out.varint(names.size)
  for (const [id, { kind, tag }] of names) {
    const timer = set.get(id)
    out.varint(kind)
    out.text(tag)
    out.uint8(timer === undefined ? 0 : 1)
    if (timer === undefined) continue
    out.float64(timer.time)
    out.varint(timer.sequence)
  }
}

/**
 * Takes over what became of timers of the key `owner`.
 *
 * @param kinds how many kinds of timers there are.
 * @param timers those that are set; `undefined` for none.
 * @returns those that are set now.
 */
export function readTimers(
  from: ByteReader,
  owner: number,
  kinds: number,
  timers: KeyTimers | undefined,
): KeyTimers | undefined {
  let set = timers
  for (let left = from.varint(); left > 0; left--) {
    const kind = from.varint()
    if (kind >= kinds) throw new RangeError(`there is no kind ${kind} of timers`)
    const tag = from.text()
    const id = timerId(kind, tag)
    if (from.uint8() === 0) set?.delete(id)
    else {
      const time = from.float64()
      set ??= new Map()
      set.set(id, { owner, kind, tag, time, sequence: from.varint(), isSet: true })
    }
  }
  return set === undefined || set.size === 0 ? undefined : set
}

/** Leaves out what became of timers; gives of how many. */
export function skipTimers(from: ByteReader): number {
  const count = from.varint()
  for (let left = count; left > 0; left--) {
    from.varint()
    from.skip(from.varint())
    if (from.uint8() === 0) continue
    from.float64()
    from.varint()
  }
  return count
}

/** Tells the timers of a key apart. */
export function timerId(kind: number, tag: string): string {
  return `${kind} ${tag}`
}
