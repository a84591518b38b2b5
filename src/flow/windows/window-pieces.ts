/**
 * The pieces of a window operator: finding and making them, and room for their entries.
 *
 * Pieces go in order of time; of those with the same bounds, the one whose records were earlier goes first. Most records
 * belong to the last piece, which kernels fill and follow with new ones by themselves. What comes here is the rest:
 * records for other pieces, room that is used up, windows to come.
 *
 * Records that come late for some of a slice's windows make a piece of their own (same bounds, but they count only from
 * a later window on). It waits apart until that window, so that the pieces before `sealed` never change.
 *
 * Entries of a piece lie together. One that must grow moves to the end; what it leaves is a hole until all are moved
 * together, when the room is used up.
 *
 * Invariants:
 * - WP1 Each piece has a range of entries of its own, and all ranges end at `entryTail` or before.
 * - WP2 The pieces in [head, tail) are sorted, and those before `sealed` do not change.
 */
import { assert } from "../../base/assert.ts"
import type { Arena } from "../../batch/arena.ts"
import { SMALLEST_ROOM } from "./kernels/disorder-control.ts"
import { countOpenWindows } from "./open-windows.ts"
import { PieceIndex } from "./kernels/piece-index.ts"
import { PieceList } from "./piece-list.ts"
import type { SliceBounds, Slices } from "./kernels/slices.ts"
import { CONTROL, PIECE } from "./kernels/window-control.ts"
import type { WindowMemory } from "./window-memory.ts"

/** Up to so many entries the room doubles whenever it is used up; then there is room for some times of what is used. */
const ROOM_MAX = 16_384
const ROOM_FACTOR = 3
/** From so many on it is less: what would be too much are hundreds of megabytes. */
const LARGE_ROOM = 1 << 20
const LARGE_ROOM_FACTOR = 1.5

/** A piece, by the list that it is in. Places change when pieces come or go. */
export interface PiecePlace {
  readonly list: PieceList
  readonly index: number
}

/** See the head of this file. */
export class WindowPieces {
  readonly #slices: Slices
  readonly #memory: WindowMemory
  readonly #main: PieceList
  /** Pieces that wait for the first window in which they count. */
  readonly #joining: PieceList
  #joiningCount = 0
  /** Where keys' entries are, for pieces that records came to in no order. */
  readonly #index: PieceIndex
  #moves = 0

  constructor(arena: Arena, slices: Slices, memory: WindowMemory) {
    this.#slices = slices
    this.#memory = memory
    this.#main = memory.pieces
    this.#joining = new PieceList(arena)
    this.#index = new PieceIndex(arena)
  }

  release(): void {
    this.#joining.release()
    this.#index.release()
  }

  /** It changes when entries of pieces have moved, or pieces are no longer ready or no longer count as changed. */
  get moves(): number {
    return this.#moves
  }

  /** Where the tables of pieces' keys lie, and up to which entry there is room for some. */
  get slots(): { readonly address: number; readonly capacity: number } {
    return this.#index
  }

  get #head(): number {
    return this.#memory.head
  }

  get #tail(): number {
    return this.#memory.tail
  }

  /** All pieces whose last window has not fired, where `floorEnd` is the end of the first window to come. */
  open(floorEnd: number): PiecePlace[] {
    return this.#select((list, index) => list.time(index, PIECE.lastWindowEnd) >= floorEnd)
  }

  /** Those of them that have changed since they were written. */
  changed(floorEnd: number): PiecePlace[] {
    return this.#select((list, index) => isChanged(list, index, floorEnd))
  }

  /** Those of the changed ones that wait for the first window in which they count. */
  changedJoining(floorEnd: number): PiecePlace[] {
    return this.#selectJoining((list, index) => isChanged(list, index, floorEnd))
  }

  /** Whether a piece in order of time is one of the changed ones. */
  isChanged(index: number, floorEnd: number): boolean {
    return isChanged(this.#main, index, floorEnd)
  }

  #select(isWanted: (list: PieceList, index: number) => boolean): PiecePlace[] {
    const places: PiecePlace[] = []
    for (let index = this.#head; index < this.#tail; index++) {
      if (isWanted(this.#main, index)) places.push({ list: this.#main, index })
    }
    return [...places, ...this.#selectJoining(isWanted)]
  }

  #selectJoining(isWanted: (list: PieceList, index: number) => boolean): PiecePlace[] {
    const places: PiecePlace[] = []
    for (let index = 0; index < this.#joiningCount; index++) {
      if (isWanted(this.#joining, index)) places.push({ list: this.#joining, index })
    }
    return places
  }

  /** The start of the last piece, −∞ where there is none. */
  get lastStart(): number {
    return this.#tail === this.#head ? -Infinity : this.#main.time(this.#tail - 1, PIECE.start)
  }

  /** Makes the piece with these bounds the last one, which it follows or is. */
  openLast(bounds: SliceBounds): void {
    if (this.lastStart === bounds.start) return
    assert(this.lastStart < bounds.start, "the last piece is the latest")
    this.#insert(this.#tail, bounds, bounds.firstWindowEnd)
  }

  /** The piece with these bounds whose records count from the given window on; a new one where there is none yet. */
  at(bounds: SliceBounds, countsFrom: number): PiecePlace {
    if (countsFrom === bounds.firstWindowEnd) {
      const index = this.#lowerBound(bounds.start, countsFrom)
      const isThere = index < this.#tail && this.#compare(index, bounds.start, countsFrom) === 0
      if (!isThere) this.#insert(index, bounds, countsFrom)
      return { list: this.#main, index: isThere ? index : this.#lowerBound(bounds.start, countsFrom) }
    }
    const waiting = this.#findWaiting(bounds.start, countsFrom)
    if (waiting !== undefined) return waiting
    this.#joining.reserve(this.#joiningCount + 1)
    this.#joining.write(this.#joiningCount, bounds, countsFrom, this.#memory.get(CONTROL.entryTail))
    return { list: this.#joining, index: this.#joiningCount++ }
  }

  /** The piece with that start whose records count from that window on, where there is one. */
  find(start: number, countsFrom: number): PiecePlace | undefined {
    const place = this.#lowerBound(start, countsFrom)
    if (place < this.#tail && this.#compare(place, start, countsFrom) === 0) return { list: this.#main, index: place }
    return this.#findWaiting(start, countsFrom)
  }

  /** The same, of those that wait apart. */
  #findWaiting(start: number, countsFrom: number): PiecePlace | undefined {
    for (let index = 0; index < this.#joiningCount; index++) {
      const isSame = this.#joining.time(index, PIECE.start) === start
      if (isSame && this.#joining.time(index, PIECE.countsFrom) === countsFrom) return { list: this.#joining, index }
    }
    return undefined
  }

  /** The first place whose piece is not before the given one. */
  #lowerBound(start: number, countsFrom: number): number {
    let low = this.#head
    let high = this.#tail
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#compare(middle, start, countsFrom) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #compare(index: number, start: number, countsFrom: number): number {
    return this.#main.time(index, PIECE.start) - start || this.#main.time(index, PIECE.countsFrom) - countsFrom
  }

  #insert(index: number, bounds: SliceBounds, countsFrom: number): void {
    assert(index >= this.#memory.get(CONTROL.sealed), "a piece comes behind those that are in windows")
    const place = this.#makePlace(index)
    this.#main.write(place, bounds, countsFrom, this.#memory.get(CONTROL.entryTail))
  }

  /** Moves the pieces from `index` on by one, and gives where the free place is. */
  #makePlace(index: number): number {
    const shift = this.reservePiece()
    const place = index - shift
    this.#main.move(place, place + 1, this.#tail - place)
    this.#memory.set(CONTROL.tail, this.#tail + 1)
    return place
  }

  /** Makes room for one more piece, and gives by how much the others have moved forward. */
  reservePiece(): number {
    if (this.#tail < this.#main.capacity) return 0
    const head = this.#head
    if (head * 2 < this.#tail) {
      this.#memory.reservePieces(this.#tail + 1)
      // More pieces need more cells.
      this.#moves++
      return 0
    }
    this.#main.move(head, 0, this.#tail - head)
    for (const field of [CONTROL.sealed, CONTROL.edge, CONTROL.tail, CONTROL.head]) {
      this.#memory.set(field, this.#memory.get(field) - head)
    }
    return head
  }

  /** Lists the pieces that count from the window on that ends at `end`; gives those that come among others in a window. */
  join(end: number): PiecePlace[] {
    const joined: { readonly start: number; readonly countsFrom: number }[] = []
    for (let index = 0; index < this.#joiningCount;) {
      const [start, countsFrom] = [this.#joining.time(index, PIECE.start), this.#joining.time(index, PIECE.countsFrom)]
      if (countsFrom > end) {
        index++
        continue
      }
      const at = this.#makePlace(this.#lowerBound(start, countsFrom))
      this.#main.copyFrom(this.#joining, index, at)
      this.#joining.move(index + 1, index, this.#joiningCount - index - 1)
      this.#joiningCount--
      if (this.#isShared(at, start)) joined.push({ start, countsFrom })
      if (at === this.#tail - 1) this.#findLastEntries(0)
    }
    return joined.map(({ start, countsFrom }) => ({ list: this.#main, index: this.#lowerBound(start, countsFrom) }))
  }

  /** Whether a piece that has come to a place is among those that were in a window; then it counts as one of them. */
  #isShared(index: number, start: number): boolean {
    const isOld = start < this.#memory.newStart
    if (!isOld && index >= this.#memory.get(CONTROL.sealed)) return false
    for (const field of isOld ? [CONTROL.sealed, CONTROL.edge] : [CONTROL.sealed]) {
      this.#memory.set(field, this.#memory.get(field) + 1)
    }
    return true
  }

  /** The end of the next window that has records, where `floorEnd` is the first that has not fired; +∞ where none has. */
  nextEnd(floorEnd: number): number {
    const sealed = this.#memory.get(CONTROL.sealed)
    const isGoingOn = sealed > this.#head && this.#main.time(sealed - 1, PIECE.lastWindowEnd) >= floorEnd
    if (isGoingOn) return floorEnd
    let next = sealed < this.#tail ? Math.max(floorEnd, this.#main.time(sealed, PIECE.countsFrom)) : Infinity
    for (let index = 0; index < this.#joiningCount; index++) {
      next = Math.min(next, Math.max(floorEnd, this.#joining.time(index, PIECE.countsFrom)))
    }
    return next
  }

  /** How many windows have records and have not fired. */
  countWindows(floorEnd: number): number {
    const ranges = this.open(floorEnd).map(({ list, index }) => ({
      from: Math.max(floorEnd, list.time(index, PIECE.countsFrom)),
      last: list.time(index, PIECE.lastWindowEnd),
    }))
    return countOpenWindows(ranges, this.#slices.slide)
  }

  /** How many entries the open pieces have together. */
  countEntries(floorEnd: number): number {
    let count = 0
    for (let index = this.#head; index < this.#tail; index++) {
      if (this.#main.time(index, PIECE.lastWindowEnd) >= floorEnd) count += this.#main.get(index, PIECE.size)
    }
    for (let index = 0; index < this.#joiningCount; index++) count += this.#joining.get(index, PIECE.size)
    return count
  }

  /** Whether pieces wait for the first window in which they count. */
  get areJoining(): boolean {
    return this.#joiningCount > 0
  }

  /** The ids of a piece's keys: a view, in which they may be replaced by others for the same keys. */
  idsOf({ list, index }: PiecePlace): { readonly ids: Int32Array; readonly size: number } {
    const from = list.get(index, PIECE.from)
    const size = list.get(index, PIECE.size)
    return { ids: this.#memory.entryIds.i32.subarray(from, from + size), size }
  }

  /** Makes the last piece the last one in the room for entries, so that kernels can let it grow. */
  moveLastToEnd(): void {
    const index = this.#tail - 1
    this.#moves++
    const end = this.#main.get(index, PIECE.from) + this.#main.get(index, PIECE.capacity)
    if (end === this.#memory.get(CONTROL.entryTail)) return
    this.#moveToEnd({ list: this.#main, index }, this.#main.get(index, PIECE.size))
  }

  /** Makes a piece ready for records in no order: its keys are in its table, and there is room for `more` of them. */
  prepare(place: PiecePlace, more = 0): void {
    this.#moves++
    this.#makeReady(place, more)
  }

  #makeReady(place: PiecePlace, more: number): void {
    const { list, index } = place
    const size = list.get(index, PIECE.size)
    const capacity = list.get(index, PIECE.capacity)
    const needed = Math.max(size + more, SMALLEST_ROOM)
    if (needed > capacity || !PieceIndex.hasRoom(capacity, size)) this.#widen(place, powerOfTwoFrom(needed))
    if (this.#index.reserve(this.#memory.entryCapacity)) this.#forgetTables()
    if (list.get(index, PIECE.shift) !== 0 && list.get(index, PIECE.indexed) === size) return
    list.set(index, PIECE.shift, PieceIndex.shiftOf(list.get(index, PIECE.capacity)))
    this.#index.build(this.#memory.entryIds.address, list.recordAddress(index))
  }

  /** Makes room for another entry in the piece whose record lies at an address, which no cell has any more. */
  grow(recordAddress: number): void {
    const index = this.#main.indexAt(recordAddress)
    const isMain = index >= this.#head && index < this.#tail
    const list = isMain ? this.#main : this.#joining
    this.#makeReady({ list, index: list.indexAt(recordAddress) }, 1)
  }

  /** Makes room for so many entries behind those that a piece has, and gives the first: then they are to be filled, and appended. */
  prepareEntries(place: PiecePlace, count: number): number {
    this.prepare(place, count)
    return place.list.get(place.index, PIECE.from) + place.list.get(place.index, PIECE.size)
  }

  /** Appends so many entries that were filled; `false` where one of their keys is in the piece already. */
  appendEntries({ list, index }: PiecePlace, count: number): boolean {
    const size = list.get(index, PIECE.size)
    list.set(index, PIECE.size, size + count)
    if (!this.#index.addNew(this.#memory.entryIds.address, list.recordAddress(index))) return false
    if (list === this.#main && index === this.#tail - 1) this.#findLastEntries(size)
    return true
  }

  /** Forgets the pieces whose windows end before `floorEnd`. Those that are left count as in no window yet. */
  drop(floorEnd: number): void {
    let head = this.#head
    while (head < this.#tail && this.#main.time(head, PIECE.lastWindowEnd) < floorEnd) head++
    for (const field of [CONTROL.head, CONTROL.sealed, CONTROL.edge]) this.#memory.set(field, head)
    for (let index = this.#joiningCount - 1; index >= 0; index--) {
      if (this.#joining.time(index, PIECE.lastWindowEnd) >= floorEnd) continue
      this.#joining.move(index + 1, index, this.#joiningCount - index - 1)
      this.#joiningCount--
    }
  }

  /** Gives a piece room for `capacity` entries: where it is, if no other is behind it. */
  #widen(place: PiecePlace, capacity: number): void {
    const { list, index } = place
    const end = list.get(index, PIECE.from) + list.get(index, PIECE.capacity)
    if (end !== this.#memory.get(CONTROL.entryTail)) {
      this.#moveToEnd(place, capacity)
      return
    }
    // Holes may be closed for it, and with them what the piece has left.
    this.reserveEntries(capacity - list.get(index, PIECE.size))
    list.set(index, PIECE.capacity, capacity)
    list.set(index, PIECE.shift, 0)
    this.#memory.set(CONTROL.entryTail, list.get(index, PIECE.from) + capacity)
  }

  /** Moves the entries of a piece behind all others, with room for `capacity`. */
  #moveToEnd(place: PiecePlace, capacity: number): void {
    const { list, index } = place
    this.reserveEntries(capacity)
    const to = this.#memory.get(CONTROL.entryTail)
    this.#memory.moveEntries(list.get(index, PIECE.from), to, list.get(index, PIECE.size))
    list.set(index, PIECE.from, to)
    list.set(index, PIECE.capacity, capacity)
    // Its table was where its entries were.
    list.set(index, PIECE.shift, 0)
    this.#memory.set(CONTROL.entryTail, to + capacity)
    if (list === this.#main && index === this.#tail - 1) this.#findLastEntries(0)
  }

  /** Makes room for so many entries behind the last. */
  reserveEntries(count: number): void {
    const memory = this.#memory
    if (memory.get(CONTROL.entryTail) + count <= memory.entryCapacity) return
    this.#closeHoles()
    const used = memory.get(CONTROL.entryTail)
    // A small share of the room is used, so that holes are closed seldom; and ever less often, up to a bound.
    const longer = Math.min(ROOM_MAX, memory.entryCapacity * 2)
    const needed = used + count
    const wanted = needed < LARGE_ROOM ? Math.max(longer, needed * ROOM_FACTOR) : largeRoom(used, count)
    if (wanted > memory.entryCapacity) memory.reserveEntries(wanted)
  }

  #closeHoles(): void {
    this.#moves++
    this.#memory.set(CONTROL.straightCount, 0)
    const places = this.#placesByEntries()
    let to = 0
    /** What is moved together: entries [start, end), which go to the place behind those before. */
    let [start, end] = [0, 0]
    const move = () => {
      if (start !== to) {
        this.#memory.moveEntries(start, to, end - start)
        this.#index.move(start, to, end - start)
      }
      to += end - start
    }
    for (const place of places) {
      const list = place < 0 ? this.#joining : this.#main
      const index = place < 0 ? ~place : place
      const from = list.get(index, PIECE.from)
      // A table reaches as far as there is room; a piece without one has what it needs.
      const room = list.get(index, list.get(index, PIECE.shift) === 0 ? PIECE.size : PIECE.capacity)
      if (from !== end) {
        move()
        start = from
      }
      end = from + room
      list.set(index, PIECE.from, to + from - start)
      list.set(index, PIECE.capacity, room)
    }
    move()
    this.#memory.set(CONTROL.entryTail, to)
    const { entryOf } = this.#memory
    entryOf.fill(0, entryOf.capacity)
    if (this.#tail > this.#head) this.#findLastEntries(0)
  }

  /** All pieces in order of their entries: indices in the list of those in order of time, and ~index of those that wait apart. */
  #placesByEntries(): number[] {
    const places: number[] = []
    let isSorted = this.#joiningCount === 0
    let last = -1
    // There may be thousands, nearly always in this order: so there is no object for each.
    for (let index = this.#head; index < this.#tail; index++) {
      const from = this.#main.get(index, PIECE.from)
      if (from < last) isSorted = false
      last = from
      places.push(index)
    }
    if (isSorted) return places
    for (let index = 0; index < this.#joiningCount; index++) places.push(~index)
    const fromOf = (place: number) =>
      place < 0 ? this.#joining.get(~place, PIECE.from) : this.#main.get(place, PIECE.from)
    return places.sort((one, other) => fromOf(one) - fromOf(other))
  }

  /** Says for the keys of the last piece, from its entry `group` on, where their entries are. */
  #findLastEntries(group: number): void {
    const memory = this.#memory
    const index = this.#tail - 1
    const from = this.#main.get(index, PIECE.from)
    const end = from + this.#main.get(index, PIECE.size)
    const ids = memory.entryIds.i32
    const entryOf = memory.entryOf.i32
    for (let entry = from + group; entry < end; entry++) entryOf[ids[entry]!] = entry
    const isGoingOn = memory.get(CONTROL.straightFrom) === from && memory.get(CONTROL.straightCount) === group
    if (group > 0 && !isGoingOn) return
    let straightEnd = from + group
    while (straightEnd < end && ids[straightEnd] === straightEnd - from) straightEnd++
    memory.set(CONTROL.straightFrom, from)
    memory.set(CONTROL.straightCount, straightEnd - from)
  }

  /** Takes note that pieces have been written, and so do not count as changed. */
  onWritten(): void {
    this.#moves++
  }

  /** Pieces have no tables any more. */
  #forgetTables(): void {
    for (let index = this.#head; index < this.#tail; index++) this.#main.set(index, PIECE.shift, 0)
    for (let index = 0; index < this.#joiningCount; index++) this.#joining.set(index, PIECE.shift, 0)
    this.#moves++
  }

  /** Takes note that `entryIds` has got other ids for the same keys. */
  onIdsMoved(): void {
    this.#forgetTables()
    for (let index = this.#head; index < this.#tail; index++) {
      // Lanes go by ids.
      if (this.#main.get(index, PIECE.dirty) !== 0) this.#main.set(index, PIECE.dirty, 1)
    }
    this.#memory.set(CONTROL.straightCount, 0)
    if (this.#tail > this.#head) this.#findLastEntries(0)
  }
}

function powerOfTwoFrom(count: number): number {
  return 2 ** (32 - Math.clz32(count - 1))
}

function isChanged(list: PieceList, index: number, floorEnd: number): boolean {
  return list.get(index, PIECE.dirty) !== 0 && list.time(index, PIECE.lastWindowEnd) >= floorEnd
}

/** Where a piece gets as many entries as there are, or half of that, they are room already. */
function largeRoom(used: number, count: number): number {
  return count * 2 < used ? (used + count) * LARGE_ROOM_FACTOR : used + count
}
