/**
 * The engine's decoders, over the file's bytes in memory, window by window as files are read; its encoders, from the batches
 * that came of it, which stay in memory, to nowhere. `node ours.mjs FORMAT FILE`
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs"
import { schema, t } from "../../dist/modules/index.js"
import { Arena } from "../../dist/modules/batch/arena.js"
import { ByteOutput } from "../../dist/modules/formats/byte-output.js"
import { CsvDecoder } from "../../dist/modules/formats/csv-decoder.js"
import { CsvEncoder } from "../../dist/modules/formats/csv-encoder.js"
import { csvLayout } from "../../dist/modules/formats/csv-layout.js"
import { JsonLinesDecoder } from "../../dist/modules/formats/json-lines-decoder.js"
import { JsonLinesEncoder } from "../../dist/modules/formats/json-lines-encoder.js"
import { answer } from "../frame/measured-process.mjs"
import { timed } from "../frame/usage.mjs"
import { Answer } from "./documents.mjs"

const WINDOW_BYTES = 256 * 1024
/** A sink's buffer is written when it has so many bytes. */
const BUFFER_BYTES = 2 ** 20
/** What is said of a batch that is not to be released. */
const KEEP = Symbol("keep")

const [format, file] = process.argv.slice(2)
const Trip = schema({
  at: t.timestamp(),
  trip: t.int53,
  zone: t.string,
  status: t.string,
  fare: t.float64,
  tip: t.float64.nullable(),
  riders: t.int32,
  shared: t.bool,
})
const arena = new Arena({ maxBytes: 2 ** 30 })
const bytes = new Uint8Array(readFileSync(file))
const { decoder, start } = open()

function open() {
  if (format !== "csv") {
    return { decoder: new JsonLinesDecoder({ arena, schema: Trip }), start: { offset: 0, ordinal: 0 } }
  }
  const layout = csvLayout(Trip, { bytes, isWhole: true, label: "the document" })
  return { decoder: new CsvDecoder({ arena, schema: Trip, layout }), start: layout.start }
}

function decode(take) {
  for (let position = start; position.offset < bytes.length;) {
    const from = position.offset
    const to = Math.min(bytes.length, from + WINDOW_BYTES)
    const limits = { atEnd: to === bytes.length, maxRows: 65_536, untilOffset: Infinity, partition: 0 }
    const { batch, bad, next, release } = decoder.decode({ bytes, from, to, position, ...limits })
    if (bad.length > 0) throw new Error(`a record was refused: ${bad[0].reason}`)
    if (batch === undefined || take(batch) !== KEEP) release()
    position = next
  }
}

/** All batches, once somebody asks for them. */
let batches

function encode(file) {
  const encoder =
    format === "csv" ? new CsvEncoder({ arena, schema: Trip }) : new JsonLinesEncoder({ arena, schema: Trip })
  const descriptor = openSync(file, "w")
  const out = new ByteOutput()
  writeSync(descriptor, encoder.header)
  const flush = () => {
    writeSync(descriptor, out.bytes, 0, out.length)
    out.length = 0
  }
  for (const batch of batches) {
    encoder.encode(batch, out)
    if (out.length >= BUFFER_BYTES) flush()
  }
  flush()
  closeSync(descriptor)
}

function encodeTo(file) {
  if (batches === undefined) {
    batches = []
    decode((batch) => {
      batches.push(batch)
      return KEEP
    })
  }
  return timed(() => encode(file))
}

await answer({
  check: () => {
    const whole = new Answer()
    decode((batch) => {
      for (const row of batch.toRows()) whole.add(row.at / 1000, row)
    })
    return whole
  },
  decode: () => timed(() => decode(() => undefined)),
  write: encodeTo,
  encode: () => encodeTo("/dev/null"),
})
