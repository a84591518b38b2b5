/** A file by the project's own decoder, as the hand-written loop uses it: the same parser for both. */
import { open } from "node:fs/promises"
import { Arena } from "../../dist/modules/batch/arena.js"
import { schema } from "../../dist/modules/batch/schema.js"
import { t } from "../../dist/modules/batch/types.js"
import { CsvDecoder } from "../../dist/modules/formats/csv-decoder.js"
import { csvLayout } from "../../dist/modules/formats/csv-layout.js"
import { JsonLinesDecoder } from "../../dist/modules/formats/json-lines-decoder.js"

const MAX_RECORD_BYTES = 1 << 20
const HEAD_BYTES = 4096
const CHUNK_BYTES = 256 * 1024

/** What the benches' files hold. */
export const READINGS = schema({ at: t.timestamp(), sensor: t.string, value: t.float64, ok: t.bool })

/** Gives all batches of a file to `take`, one after the other; each is void when that returns. */
export async function decodeFile(format, path, take) {
  const arena = new Arena({ maxBytes: 64 << 20 })
  const file = await open(path)
  const { decode, start } = await createDecoder(format, arena, file)
  const { size } = await file.stat()
  const bytes = new Uint8Array(CHUNK_BYTES * 2)
  let carried = 0
  let offset = start.offset
  for (let position = start; position.offset < size;) {
    const { bytesRead } = await file.read(bytes, carried, CHUNK_BYTES, offset)
    offset += bytesRead
    const to = carried + bytesRead
    const decoded = decode({ bytes, from: 0, to, position, atEnd: offset >= size })
    if (decoded.batch !== undefined) take(decoded.batch)
    decoded.release()
    const used = decoded.next.offset - position.offset
    bytes.copyWithin(0, used, to)
    carried = to - used
    position = decoded.next
  }
  await file.close()
}

/** The time of a row of a batch, in microseconds. */
export function timeOf({ halves }, row) {
  return halves[row * 2 + 1] * 4294967296 + (halves[row * 2] >>> 0)
}

async function createDecoder(format, arena, file) {
  const options = { arena, schema: READINGS, maxRecordBytes: MAX_RECORD_BYTES }
  if (format !== "csv") return decoding(new JsonLinesDecoder(options), { offset: 0, ordinal: 0 })
  const head = new Uint8Array(HEAD_BYTES)
  const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0)
  const layout = csvLayout(
    READINGS,
    { bytes: head.subarray(0, bytesRead), isWhole: bytesRead < HEAD_BYTES, label: "the input" },
    {},
  )
  return decoding(new CsvDecoder({ ...options, layout }), layout.start)
}

function decoding(decoder, start) {
  const limits = { maxRows: 65_536, untilOffset: Infinity, partition: 0 }
  return { start, decode: (window) => decoder.decode({ ...window, ...limits }) }
}
