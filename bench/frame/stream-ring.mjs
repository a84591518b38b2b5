/**
 * An endless stream in an arena: whole copies of a small data set, one after the other in time, in a ring that is larger
 * than any cache. When the ring has been read once, all its timestamps move on, so that the stream never ends and never
 * goes back; that happens while the clock stands.
 *
 * A cycle is `{ rows, periodMicros, columns }`: columns by name, each a typed array or, for timestamps, a `Float64Array`
 * of microseconds from 0.
 */
import { allocateColumns, Batch, MAX_BATCH_ROWS } from "../../dist/modules/batch/batch.js"
import { writeInt53, readInt53 } from "../../dist/modules/batch/column.js"
import { STREAM_START_MICROS } from "./stream-start.mjs"

/** See the head of this file. */
export class StreamRing {
  rows
  #schema
  /** Columns of 64 Ki rows each, in the order of the stream. */
  #pieces = []
  #spanMicros
  #timeIndex

  constructor(arena, schema, cycle, rows) {
    this.rows = rows
    this.#schema = schema
    this.#spanMicros = (rows / cycle.rows) * cycle.periodMicros
    this.#timeIndex = schema.fields.findIndex(({ type }) => type.kind === "timestamp")
    for (let from = 0; from < rows; from += MAX_BATCH_ROWS) {
      const length = Math.min(MAX_BATCH_ROWS, rows - from)
      const { columns } = allocateColumns(arena, schema, length)
      columns.forEach((column, index) =>
        fillColumn(column, cycle, cycle.columns[schema.fields[index].name], from, length),
      )
      this.#pieces.push({ columns, length })
    }
  }

  /** Where the ring's values lie, as `{ offset, bytes }`. */
  get blocks() {
    return this.#pieces.flatMap(({ columns }) =>
      columns.map(({ values }) => ({ offset: values.byteOffset, bytes: values.byteLength })),
    )
  }

  /** The ring as batches of up to so many rows: views, nothing is copied. They stand for the stream's next turn. */
  batches(batchRows) {
    const origin = { partition: 0, offsets: null, ordinals: null }
    return this.#pieces.flatMap(({ columns, length }) => {
      const starts = Array.from({ length: Math.ceil(length / batchRows) }, (_, index) => index * batchRows)
      return starts.map((from) => {
        const count = Math.min(batchRows, length - from)
        const views = columns.map((column) => viewOf(column, from, count))
        return new Batch({ schema: this.#schema, columns: views, length: count, origin })
      })
    })
  }

  /** Moves all timestamps behind the last one. */
  advance() {
    for (const { columns, length } of this.#pieces) shift(columns[this.#timeIndex].halves, length, this.#spanMicros)
  }
}

function shift(halves, length, micros) {
  for (let row = 0; row < length; row++) writeInt53(halves, row, readInt53(halves, row) + micros)
}

function fillColumn(column, cycle, values, from, length) {
  if (column.type.kind === "timestamp") {
    for (let row = 0; row < length; row++) {
      const time = STREAM_START_MICROS + Math.floor((from + row) / cycle.rows) * cycle.periodMicros
      writeInt53(column.halves, row, time + values[(from + row) % cycle.rows])
    }
    return
  }
  for (let row = 0; row < length;) {
    const start = (from + row) % cycle.rows
    const count = Math.min(length - row, cycle.rows - start)
    column.values.set(values.subarray(start, start + count), row)
    row += count
  }
}

function viewOf(column, from, count) {
  const values = column.values.subarray(from, from + count)
  if (column.storage !== "int64") return { ...column, values }
  return { ...column, values, halves: column.halves.subarray(2 * from, 2 * (from + count)) }
}
