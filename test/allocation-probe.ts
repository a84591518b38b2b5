/**
 * What decoders and encoders allocate on the heap, in bytes a row: run by `memory.test.ts` in a process of its own, whose
 * young generation is so large that nothing is collected while it is measured. Prints a JSON object, by kind and way.
 */
import { assert } from "../src/base/assert.ts"
import { Prng } from "../src/base/prng.ts"
import { Arena } from "../src/batch/arena.ts"
import { START } from "../src/batch/position.ts"
import { schema } from "../src/batch/schema.ts"
import type { ColumnType } from "../src/batch/type.ts"
import { t } from "../src/batch/types.ts"
import { ByteOutput } from "../src/formats/byte-output.ts"
import { CsvDecoder } from "../src/formats/csv-decoder.ts"
import { CsvEncoder } from "../src/formats/csv-encoder.ts"
import { csvLayout } from "../src/formats/csv-layout.ts"
import type { RecordDecoder, RecordEncoder } from "../src/formats/decoder.ts"
import { JsonLinesDecoder } from "../src/formats/json-lines-decoder.ts"
import { JsonLinesEncoder } from "../src/formats/json-lines-encoder.ts"

declare const gc: () => void

const ROWS = 10_000
/** Code is optimised some time after it has become hot. */
const ROUNDS_MAX = 150
/** Then there is nothing more to wait for. */
const ENOUGH_BYTES = 8

const encoder = new TextEncoder()
const arena = new Arena({ maxBytes: 64 << 20 })

interface Column {
  readonly type: ColumnType
  readonly text: (prng: Prng) => string
  readonly isQuoted?: true
}

const startMillis = Date.UTC(2024, 0, 1)
const iso = (prng: Prng) => new Date(startMillis + prng.below(1e9)).toISOString()

/** A column of every kind whose text has a fast way. */
const COLUMNS: Readonly<Record<string, Column>> = {
  timestamp: { type: t.timestamp(), text: iso, isQuoted: true },
  zoned: {
    type: t.timestamp({ zone: "America/New_York" }),
    text: (prng) => iso(prng).slice(0, 19),
    isQuoted: true,
  },
  offset: { type: t.timestamp(), text: (prng) => `${iso(prng).slice(0, 19)}+02:00`, isQuoted: true },
  millis: { type: t.timestamp({ format: "ms" }), text: (prng) => String(startMillis + prng.below(1e9)) },
  nanos: {
    type: t.timestamp({ format: "ns" }),
    text: (prng) => `${startMillis + prng.below(1e9)}123456`,
    isQuoted: true,
  },
  money: { type: t.float64, text: (prng) => (prng.float() * 1000).toFixed(2) },
  ratio: { type: t.float64, text: (prng) => String(prng.float()) },
  perhaps: { type: t.float64.nullable(), text: (prng) => (prng.chance(0.5) ? "" : prng.float().toFixed(4)) },
  int32: { type: t.int32, text: (prng) => String(prng.below(2 ** 31)) },
  int53: { type: t.int53, text: (prng) => String(prng.below(2 ** 50)) },
  int64: { type: t.int64, text: (prng) => `${1 + prng.below(2 ** 29)}${prng.below(2 ** 29)}`, isQuoted: true },
  text: { type: t.string, text: (prng) => `sensor-${prng.below(500)}`, isQuoted: true },
  symbol: { type: t.enum("on", "off"), text: (prng) => prng.pick(["on", "off"]), isQuoted: true },
  bool: { type: t.bool, text: (prng) => prng.pick(["true", "false"]) },
}

/** Decodes all rows, and encodes them where there is an encoder. */
function passer(decoder: RecordDecoder, bytes: Uint8Array, encoder?: RecordEncoder): () => void {
  const out = new ByteOutput()
  const limits = { atEnd: true, maxRows: 65_536, untilOffset: Infinity, partition: 0 }
  return () => {
    let rows = 0
    for (let position = START; position.offset < bytes.length;) {
      const from = position.offset
      const { batch, next, release } = decoder.decode({ bytes, from, to: bytes.length, position, ...limits })
      assert(batch !== undefined, "all rows are good")
      rows += batch.length
      out.length = 0
      encoder?.encode(batch, out)
      release()
      position = next
    }
    assert(rows === ROWS, "no row is lost")
  }
}

/** The bytes a row that `pass` allocates on the heap, once its code is as good as it gets. */
function bytesARow(pass: () => void): number {
  let least = Infinity
  for (let round = 0; round < ROUNDS_MAX && least > ENOUGH_BYTES; round++) {
    gc()
    const before = process.memoryUsage().heapUsed
    pass()
    least = Math.min(least, (process.memoryUsage().heapUsed - before) / ROWS)
  }
  return least
}

function measureFormats(): Record<string, number> {
  const results: Record<string, number> = {}
  for (const [name, { type, text, isQuoted }] of Object.entries(COLUMNS)) {
    const prng = new Prng(1)
    const values = Array.from({ length: ROWS }, () => text(prng))
    const fields = schema({ x: type, y: t.bool })
    const csvBytes = encoder.encode(values.map((value) => `${value},true\n`).join(""))
    const layout = csvLayout(fields, { bytes: csvBytes, isWhole: true, label: "" }, { header: false })
    const inJson = (value: string) => (value === "" ? "null" : isQuoted ? `"${value}"` : value)
    const jsonBytes = encoder.encode(values.map((value) => `{"x":${inJson(value)},"y":true}\n`).join(""))
    const csvDecoder = new CsvDecoder({ arena, schema: fields, layout })
    const jsonDecoder = new JsonLinesDecoder({ arena, schema: fields })
    results[`${name} from CSV`] = bytesARow(passer(csvDecoder, csvBytes))
    results[`${name} to CSV`] = bytesARow(passer(csvDecoder, csvBytes, new CsvEncoder({ arena, schema: fields })))
    results[`${name} from JSON`] = bytesARow(passer(jsonDecoder, jsonBytes))
    results[`${name} to JSON`] = bytesARow(
      passer(jsonDecoder, jsonBytes, new JsonLinesEncoder({ arena, schema: fields })),
    )
  }
  return results
}

console.log(JSON.stringify(measureFormats()))
