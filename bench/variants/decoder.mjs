/** Makes the project's own decoder for a file, as the hand-written loop uses it: the same parser for both. */
import { CsvDecoder } from "../../dist/modules/formats/csv-decoder.js"
import { csvLayout } from "../../dist/modules/formats/csv-layout.js"
import { JsonLinesDecoder } from "../../dist/modules/formats/json-lines-decoder.js"

const MAX_RECORD_BYTES = 1 << 20
const HEAD_BYTES = 4096

/** Gives a function that decodes a window of bytes, and where the first record starts. */
export async function createDecoder(format, schema, arena, file) {
  const options = { arena, schema, maxRecordBytes: MAX_RECORD_BYTES }
  if (format !== "csv") return decoding(new JsonLinesDecoder(options), { offset: 0, ordinal: 0 })
  const head = new Uint8Array(HEAD_BYTES)
  const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0)
  const layout = csvLayout(
    schema,
    { bytes: head.subarray(0, bytesRead), isWhole: bytesRead < HEAD_BYTES, label: "the input" },
    {},
  )
  return decoding(new CsvDecoder({ ...options, layout }), layout.start)
}

function decoding(decoder, start) {
  const limits = { maxRows: 65_536, untilOffset: Infinity, partition: 0 }
  return { start, decode: (window) => decoder.decode({ ...window, ...limits }) }
}
