/** The engine's decoders, over the file's bytes in memory, window by window as files are read. `node ours.mjs FORMAT FILE` */
import { readFileSync } from "node:fs"
import { schema, t } from "tidemark"
import { Arena } from "../../dist/batch/arena.js"
import { CsvDecoder } from "../../dist/formats/csv-decoder.js"
import { csvLayout } from "../../dist/formats/csv-layout.js"
import { JsonLinesDecoder } from "../../dist/formats/json-lines-decoder.js"
import { answer } from "../frame/measured-process.mjs"
import { timed } from "../frame/usage.mjs"
import { Answer } from "./documents.mjs"

const WINDOW_BYTES = 256 * 1024

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
const arena = new Arena({ maxBytes: 2 ** 26 })
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
    if (batch !== undefined) take(batch)
    position = next
    release()
  }
}

await answer({
  check: () => {
    const whole = new Answer()
    decode((batch) => {
      for (const row of batch.toRows()) whole.add(row.at / 1000, row)
    })
    return whole
  },
  query: () => timed(() => decode(() => undefined)),
})
