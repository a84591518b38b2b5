/**
 * A window operator's memory at work without the operator, for tests that look into it: pieces, lists and arrays, and a
 * model of what they should hold.
 */
import { expect } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import { t } from "../../batch/types.ts"
import { AGGREGATES } from "../aggregates/definitions.ts"
import type { SlicedWindowSpec } from "../plan.ts"
import { joinPieces } from "./joined-pieces.ts"
import { keyLayout } from "./keys/key-layout.ts"
import { Slices, type SliceBounds } from "./kernels/slices.ts"
import { windowFunctions, type WindowFunctions } from "./kernels/window-code.ts"
import { CONTROL, PIECE, STOP, type ListName } from "./kernels/window-control.ts"
import { WindowDisorder } from "./window-disorder.ts"
import { WindowMemory } from "./window-memory.ts"
import { WindowPieces, type PiecePlace } from "./window-pieces.ts"
import { WindowShape } from "./kernels/window-shape.ts"

/** The window fields of the two aggregates, a count, which is a total, and a float sum, which is not. */
const COUNT = 0
const SUM = 1
/** The words of a key, which is its id in other words. */
const wordOf = (id: number) => id * 7 + 3

/** What a piece should hold: by key, in order of its first record. */
interface ModelPiece {
  readonly bounds: SliceBounds
  readonly countsFrom: number
  readonly keys: Map<number, { count: number; sum: number }>
}

/** A record of the bench: when, whose, what. */
export interface BenchRecord {
  readonly time: number
  readonly id: number
  readonly value: number
}

/** A window operator's memory at work, without the operator; and the model. */
export class WindowBench {
  readonly arena = new Arena({ maxBytes: 1 << 24 })
  readonly slices: Slices
  readonly #shape: WindowShape
  readonly memory: WindowMemory
  readonly pieces: WindowPieces
  readonly #code: WindowFunctions
  readonly #disorder: WindowDisorder
  readonly #i32 = new Int32Array(this.arena.buffer)
  readonly #i64 = new BigInt64Array(this.arena.buffer)
  readonly #f64 = new Float64Array(this.arena.buffer)
  /** Records on their way in: their rows, times and values by row, and the ids of their keys. */
  readonly #rows = new LinearArray(this.arena, 4, 1024)
  readonly #times = new LinearArray(this.arena, 8, 1024)
  readonly #values = new LinearArray(this.arena, 8, 1024)
  readonly #ids = new LinearArray(this.arena, 4, 1024)
  readonly #words = new LinearArray(this.arena, 4, 1024)
  model: ModelPiece[] = []
  keyCount = 0
  floorEnd: number

  constructor(window: SlicedWindowSpec, start: number) {
    this.slices = new Slices(window)
    const aggregates = [
      { name: "count", kernel: AGGREGATES.count.kernel(undefined) },
      { name: "sum float64", kernel: AGGREGATES.sum.kernel(t.float64) },
    ]
    this.#shape = new WindowShape(this.slices, 0, aggregates, keyLayout([t.int32]))
    this.memory = new WindowMemory(this.arena, this.#shape)
    this.pieces = new WindowPieces(this.arena, this.slices, this.memory)
    this.#code = windowFunctions(this.#shape, this.arena.memory)
    const { arena, slices, memory, pieces } = this
    this.#disorder = new WindowDisorder({ arena, slices, memory, pieces, code: this.#code, timeShift: 0 })
    this.floorEnd = this.slices.firstWindowEndBehind(start)
  }

  release(): void {
    this.memory.release()
    this.pieces.release()
    this.#disorder.release()
    for (const array of [this.#rows, this.#times, this.#values, this.#ids, this.#words]) array.release()
    expect(this.arena.usedBytes).toBe(0)
  }

  #bind(records: readonly BenchRecord[]): void {
    records.forEach(({ time, id, value }, row) => {
      this.#rows.i32[row] = row
      this.#times.i64[row] = BigInt(time)
      this.#values.f64[row] = value
      this.#ids.i32[row] = id
      this.keyCount = Math.max(this.keyCount, id + 1)
    })
    this.#words.reserve(this.keyCount)
    for (let id = 0; id < this.keyCount; id++) this.#words.i32[id] = wordOf(id)
    this.memory.setAt(CONTROL.keyWords, this.#words.address)
    this.memory.reserveKeys(this.keyCount)
    this.memory.setAt(CONTROL.times, this.#times.address)
    this.memory.setAt(this.#shape.control.inputValues(0), this.#values.address)
    this.memory.setAt(this.#shape.control.inputValidity(0), 0)
  }

  #addToModel(bounds: SliceBounds, countsFrom: number, { id, value }: BenchRecord): void {
    let piece = this.model.find((each) => each.bounds.start === bounds.start && each.countsFrom === countsFrom)
    if (piece === undefined) this.model.push((piece = { bounds, countsFrom, keys: new Map() }))
    const found = piece.keys.get(id)
    if (found === undefined) piece.keys.set(id, { count: 1, sum: value })
    else {
      found.count++
      found.sum += value
    }
  }

  /** Adds records that are in order of time and not before the last piece. */
  ingest(records: readonly BenchRecord[]): void {
    this.#bind(records)
    for (const record of records) {
      const bounds = this.slices.of(record.time)
      this.#addToModel(bounds, bounds.firstWindowEnd, record)
    }
    this.pieces.openLast(this.slices.of(records[0]!.time))
    for (let at = 0; ;) {
      this.pieces.moveLastToEnd()
      this.checkLast()
      const { controlAddress } = this.memory
      at = this.#code.ingest(controlAddress, at, records.length, this.#rows.address, this.#ids.address)
      const reason = this.memory.get(CONTROL.reason)
      if (reason === STOP.done) return
      if (reason === STOP.newSlice) this.pieces.openLast(this.slices.of(records[at]!.time))
      else {
        expect(reason).toBe(STOP.noRoom)
        this.pieces.reserveEntries(1)
        this.pieces.reservePiece()
      }
    }
  }

  /** Adds records of one slice to the piece that counts from a window on. */
  add(bounds: SliceBounds, countsFrom: number, records: readonly BenchRecord[]): void {
    this.#bind(records)
    for (const record of records) this.#addToModel(bounds, countsFrom, record)
    const refused = () => expect.fail("floats are never refused")
    this.#disorder.addTo(this.pieces.at(bounds, countsFrom), this.#rows.i32, records.length, this.#ids, refused)
  }

  get lastStart(): number {
    return this.pieces.lastStart
  }

  /** Turns to the window that ends first. */
  fire(): void {
    this.model = this.model.filter(({ bounds }) => bounds.lastWindowEnd >= this.floorEnd)
    const end = Math.min(...this.model.map(({ countsFrom }) => Math.max(countsFrom, this.floorEnd)))
    expect(this.pieces.nextEnd(this.floorEnd)).toBe(end)
    joinPieces(end, this.pieces, this.memory, this.#code)
    this.#code.advance(this.memory.controlAddress, end)
    this.floorEnd = end + this.slices.slide
    expect(this.#resultsInMemory()).toEqual(this.#resultsOfModel(end))
  }

  /** What comes when most keys were dropped: all that is known by key is found anew. */
  forgetKeys(): void {
    this.pieces.drop(this.floorEnd)
    this.memory.forgetKeys()
    this.pieces.onIdsMoved()
  }

  /** Which pieces were in the window that fired last, and what they held. */
  sealed(): string[] {
    const places: string[] = []
    for (let index = this.memory.get(CONTROL.head); index < this.memory.get(CONTROL.sealed); index++) {
      places.push(this.#textOf({ list: this.memory.pieces, index }))
    }
    return places
  }

  #word(offset: number): number {
    return this.#i32[(this.memory.controlAddress + offset) >> 2]!
  }

  /** What a list holds: by place, from 1 on. */
  #list(name: ListName) {
    const [ids, length, across, places] =
      name === "old"
        ? ([CONTROL.oldIds, CONTROL.oldLength, CONTROL.oldAcross, CONTROL.oldPlaces] as const)
        : ([CONTROL.newIds, CONTROL.newLength, CONTROL.newAcross, CONTROL.newPlaces] as const)
    const { control } = this.#shape
    const item = (array: number, place: number) => this.#i32[(this.#word(array) >> 2) + place]!
    const field = (index: number, place: number) => (this.#word(control.atPlaces(name, index)) >> 3) + place
    return {
      length: this.#word(length),
      id: (place: number) => item(ids, place),
      across: (place: number) => item(across, place),
      place: (id: number) => item(places, id),
      word: (place: number) => item(control.listed(name, 0), place),
      count: (place: number) => Number(this.#i64[field(COUNT, place)]!),
      sum: (place: number) => this.#f64[field(SUM, place)]!,
      later: (place: number) => this.#f64[(this.#word(control.later(SUM)) >> 3) + place]!,
    }
  }

  #resultsInMemory() {
    const [older, newer] = [this.#list("old"), this.#list("new")]
    const rows = placesOf(older).map((place) => {
      const sum = older.sum(place) + older.later(place)
      return { id: older.id(place), count: older.count(place), sum }
    })
    for (const place of placesOf(newer)) {
      if (newer.across(place) !== 0) continue
      rows.push({ id: newer.id(place), count: newer.count(place), sum: -0 + newer.sum(place) })
    }
    return rows
  }

  /** Rules W4 and W13. */
  #resultsOfModel(end: number) {
    const { size, slide, offset, blockLength } = this.slices
    const start = end - size
    const intoBlock = (((start - offset) % blockLength) + blockLength) % blockLength
    const newStart = intoBlock === 0 ? start : start - intoBlock + blockLength
    expect(blockLength).toBe(Math.ceil(size / slide) * slide)
    const inside = this.model
      .filter(({ bounds, countsFrom }) => countsFrom <= end && end <= bounds.lastWindowEnd && bounds.start < end)
      .sort((one, other) => one.bounds.start - other.bounds.start || one.countsFrom - other.countsFrom)
    const older = inside.filter(({ bounds }) => bounds.start < newStart)
    const newer = inside.filter(({ bounds }) => bounds.start >= newStart)
    const ids = new Set([...older.toReversed(), ...newer].flatMap(({ keys }) => [...keys.keys()]))
    return [...ids].map((id) => {
      const of = (pieces: readonly ModelPiece[]) => pieces.flatMap(({ keys }) => keys.get(id) ?? [])
      const sums = [
        of(older).reduceRight((later, { sum }) => sum + later, -0),
        of(newer).reduce((earlier, { sum }) => earlier + sum, -0),
      ] as const
      const count = of(inside).reduce((all, each) => all + each.count, 0)
      return { id, count, sum: sums[0] + sums[1] }
    })
  }

  /** A piece's place in time and what it holds. */
  #textOf({ list, index }: PiecePlace): string {
    const [count, sum] = this.memory.entryFields
    const from = list.get(index, PIECE.from)
    const entries = Array.from({ length: list.get(index, PIECE.size) }, (_, at) => {
      return `${this.memory.entryIds.i32[from + at]!}:${count!.i64[from + at]!}:${sum!.f64[from + at]!}`
    })
    return `${list.time(index, PIECE.start)}/${list.time(index, PIECE.countsFrom)} ${entries.join(" ")}`
  }

  check(): void {
    expect(this.#wrongPieces()).toEqual([])
    expect(this.#wrongLists()).toEqual([])
  }

  /** WP1 and WP2, and that pieces hold what they should. */
  #wrongPieces(): string[] {
    const wrong: string[] = []
    const places = this.pieces.open(this.floorEnd)
    const open = this.model.filter(({ bounds }) => bounds.lastWindowEnd >= this.floorEnd)
    const expected = open.map(({ bounds, countsFrom, keys }) => {
      const entries = [...keys].map(([id, { count, sum }]) => `${id}:${count}:${sum}`)
      return `${bounds.start}/${countsFrom} ${entries.join(" ")}`
    })
    const given = places.map((place) => this.#textOf(place)).sort()
    if (given.join("\n") !== expected.sort().join("\n")) wrong.push("what pieces hold")
    const ranges = places.map(({ list, index }) => {
      const [from, size, capacity] = [
        list.get(index, PIECE.from),
        list.get(index, PIECE.size),
        list.get(index, PIECE.capacity),
      ]
      if (size > capacity) wrong.push(`the room of a piece at ${from}`)
      return { from, end: from + capacity }
    })
    ranges.sort((one, other) => one.from - other.from)
    const tail = this.memory.get(CONTROL.entryTail)
    ranges.forEach(({ from, end }, at) => {
      if (end > (ranges[at + 1]?.from ?? tail)) wrong.push(`entries from ${from} on`)
    })
    if (tail > this.memory.entryCapacity) wrong.push("the end of entries")
    const main = this.memory.pieces
    for (let index = this.memory.get(CONTROL.head) + 1; index < this.memory.get(CONTROL.tail); index++) {
      const starts = main.time(index, PIECE.start) - main.time(index - 1, PIECE.start)
      const counts = main.time(index, PIECE.countsFrom) - main.time(index - 1, PIECE.countsFrom)
      if (starts < 0 || (starts === 0 && counts <= 0)) wrong.push(`the order at ${index}`)
    }
    return wrong
  }

  /** WC3 and WC4, and that lists hold the keys' words. */
  #wrongLists(): string[] {
    const wrong: string[] = []
    const lists = { old: this.#list("old"), new: this.#list("new") }
    for (const [name, other] of [
      ["old", "new"],
      ["new", "old"],
    ] as const) {
      const list = lists[name]
      const ids = placesOf(list).map(list.id)
      for (let id = 0; id < this.keyCount; id++) {
        if (list.place(id) !== ids.indexOf(id) + 1) wrong.push(`the place of ${id} in the ${name} list`)
      }
      for (const place of placesOf(list)) {
        const id = list.id(place)
        if (list.across(place) !== lists[other].place(id)) wrong.push(`across from ${id} in the ${name} list`)
        if (list.word(place) !== wordOf(id)) wrong.push(`the words of ${id} in the ${name} list`)
      }
    }
    return wrong
  }

  /** WC5, where a kernel is about to add to the last piece. */
  checkLast(): void {
    const index = this.memory.get(CONTROL.tail) - 1
    const from = this.memory.pieces.get(index, PIECE.from)
    const ids = this.memory.entryIds.i32.subarray(from, from + this.memory.pieces.get(index, PIECE.size))
    const entryOf = this.memory.entryOf.i32
    const wrong = [...ids].filter((id, place) => entryOf[id] !== from + place)
    for (let id = 0; id < this.memory.entryOf.capacity; id++) {
      if (entryOf[id]! >= from && ids[entryOf[id]! - from] !== id) wrong.push(id)
    }
    expect(wrong).toEqual([])
  }
}

function placesOf({ length }: { readonly length: number }): number[] {
  return Array.from({ length }, (_, index) => index + 1)
}
