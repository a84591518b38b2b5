/** The readings of a CSV file in memory, as columns or as plain objects, for variants whose input is that. */
import { decodeFile, timeOf } from "./decoder.mjs"

/** What one row takes in the columns: bytes. */
const ROW_BYTES = 8 + 4 + 8 + 1

/** Typed arrays, and the sensors' names by code. */
export async function readColumns(path, rows) {
  const bytes = new SharedArrayBuffer(rows * ROW_BYTES)
  const columns = {
    length: rows,
    at: new Float64Array(bytes, 0, rows),
    value: new Float64Array(bytes, rows * 8, rows),
    sensor: new Int32Array(bytes, rows * 16, rows),
    ok: new Uint8Array(bytes, rows * 20, rows),
    names: [],
  }
  let done = 0
  await decodeFile("csv", path, (batch) => {
    const [at, sensor, value, ok] = batch.columns
    for (let row = 0; row < batch.length; row++, done++) {
      columns.at[done] = timeOf(at, row)
      columns.value[done] = value.values[row]
      columns.sensor[done] = sensor.values[row]
      columns.ok[done] = (ok.values[row >> 3] >> (row & 7)) & 1
    }
    for (let code = columns.names.length; code < sensor.dictionary.size; code++)
      columns.names.push(sensor.dictionary.text(code))
  })
  if (done !== rows) throw new Error(`${path} has ${done} rows, and not ${rows}`)
  return columns
}

/** An object a row, as a program of JavaScript has them. */
export async function readObjects(path, rows) {
  const { at, sensor, value, ok, names } = await readColumns(path, rows)
  return Array.from({ length: rows }, (_, row) => ({
    at: at[row],
    sensor: names[sensor[row]],
    value: value[row],
    ok: ok[row] === 1,
  }))
}
