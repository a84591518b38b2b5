/**
 * What a row costs to decode and to encode, next to `JSON.parse` and to splitting lines. By hand:
 *
 *   npx esbuild src/formats/decoder.bench.ts --bundle --platform=node --format=esm --outfile=temp/decoder.bench.mjs
 *   node temp/decoder.bench.mjs
 *
 * Each number is the best of many runs over the same 40,000 rows: what is lost to others on the machine is not counted.
 */
import { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { START, type Position } from "../batch/position.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { ByteOutput } from "./byte-output.ts"
import { CsvDecoder } from "./csv-decoder.ts"
import { CsvEncoder } from "./csv-encoder.ts"
import { csvLayout } from "./csv-layout.ts"
import type { RecordDecoder, RecordEncoder } from "./decoder.ts"
import { JsonLinesDecoder } from "./json-lines-decoder.ts"
import { JsonLinesEncoder } from "./json-lines-encoder.ts"

const ROWS = 40_000
const RUNS = 60
const WINDOW_BYTES = 256 * 1024

const Trip = schema({ at: t.timestamp(), zone: t.string, fare: t.float64, tip: t.float64.nullable(), riders: t.int32 })
const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })
const encoder = new TextEncoder()

function makeRows() {
  const prng = new Prng(1)
  return Array.from({ length: ROWS }, (_, index) => ({
    at: new Date(1.7e12 + index * 1000 + prng.below(1000)).toISOString(),
    zone: `zone-${prng.below(260)}`,
    fare: prng.below(10_000) / 100,
    tip: prng.below(1_000) / 100,
    riders: prng.below(6),
  }))
}

/** The least time of many runs, in nanoseconds a row. */
function measure(name: string, run: () => number): void {
  let best = Infinity
  for (let count = 0; count < RUNS; count++) {
    const start = process.hrtime.bigint()
    if (run() !== ROWS) throw new Error(`${name} lost rows`)
    best = Math.min(best, Number(process.hrtime.bigint() - start))
  }
  console.log(`${name.padEnd(44)}${(best / ROWS).toFixed(0).padStart(6)} ns a row`)
}

function decodeAll(decoder: RecordDecoder, bytes: Uint8Array, start: Position, recoder?: RecordEncoder): number {
  const out = new ByteOutput()
  let rows = 0
  for (let position = start; position.offset < bytes.length;) {
    const from = position.offset
    const to = Math.min(bytes.length, from + WINDOW_BYTES)
    const limits = { atEnd: to === bytes.length, maxRows: 65_536, untilOffset: Infinity, partition: 0 }
    const { batch, next, release } = decoder.decode({ bytes, from, to, position, ...limits })
    rows += batch?.length ?? 0
    out.length = 0
    if (batch !== undefined) recoder?.encode(batch, out)
    position = next
    release()
  }
  return rows
}

function benchCsv(lines: readonly string[], name: string, lineEnd: string): void {
  const text = lines.join(lineEnd) + lineEnd
  const bytes = encoder.encode(text)
  const layout = csvLayout(Trip, { bytes, isWhole: true, label: "the rows" })
  const decoder = new CsvDecoder({ arena, schema: Trip, layout })
  measure(`CsvDecoder, ${name}`, () => decodeAll(decoder, bytes, layout.start))
  if (name !== "LF") return
  measure("CsvDecoder and CsvEncoder", () =>
    decodeAll(decoder, bytes, layout.start, new CsvEncoder({ arena, schema: Trip })),
  )
  measure("split, Date.parse and Number", () => {
    let rows = 0
    for (const line of new TextDecoder().decode(bytes).split("\n").slice(1)) {
      const [at, zone, fare, tip, riders] = line.split(",")
      const row = { at: Date.parse(at!), zone, fare: Number(fare), tip: Number(tip), riders: Number(riders) }
      if (row.riders >= 0) rows++
    }
    return rows
  })
}

function benchJson(lines: readonly string[], name: string): void {
  const bytes = encoder.encode(`${lines.join("\n")}\n`)
  const decoder = new JsonLinesDecoder({ arena, schema: Trip })
  measure(`JsonLinesDecoder, ${name}`, () => decodeAll(decoder, bytes, START))
  if (name === "as the schema") {
    measure("JsonLinesDecoder and JsonLinesEncoder", () =>
      decodeAll(decoder, bytes, START, new JsonLinesEncoder({ arena, schema: Trip })),
    )
  }
  measure(`split and JSON.parse, ${name}`, () => {
    let rows = 0
    for (const line of new TextDecoder().decode(bytes).split("\n")) {
      if (line !== "" && (JSON.parse(line) as { riders: number }).riders >= 0) rows++
    }
    return rows
  })
}

const rows = makeRows()
const header = Trip.fields.map(({ name }) => name).join(",")
benchCsv([header, ...rows.map((row) => Object.values(row).join(","))], "LF", "\n")
benchCsv([header, ...rows.map((row) => Object.values(row).join(","))], "CRLF", "\r\n")
benchCsv(
  [
    header,
    ...rows.map((row) =>
      Object.values(row)
        .map((value) => `"${value}"`)
        .join(","),
    ),
  ],
  "quoted",
  "\n",
)
benchJson(
  rows.map((row) => JSON.stringify(row)),
  "as the schema",
)
benchJson(
  rows.map((row, id) => JSON.stringify({ id, ...row, tags: ["a", { b: 'say "c"' }] })),
  "unknown fields",
)
