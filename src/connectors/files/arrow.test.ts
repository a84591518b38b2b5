/** Arrow files and streams: the conformance suite of sources, held against the rows that apache-arrow has written. */
import * as arrowLib from "apache-arrow"
import { describe, expect, it } from "vitest"
import { forEachSeed } from "../../../test/seeds.ts"
import { TidemarkError } from "../../base/errors.ts"
import { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { schema, type Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { describeSourceConformance, type ExpectedRecord } from "../../connect/source.conformance.ts"
import { RECORD_OFFSETS } from "../../formats/container.ts"
import { packLz4 } from "../../formats/arrow/lz4.fixture.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { arrowFormat } from "./arrow-format.ts"
import { arrow } from "./file-connector.ts"
import { BASE_DIRECTORY, SOURCE_SCHEMA, withBaseDirectory } from "./file-world.conformance.ts"
import { arrowCode } from "./on-demand.ts"
import { bombFrame, storedFrame } from "./zstd-frame.fixture.ts"
import { loadUnzstd } from "./zstd.ts"

const {
  Bool,
  compressionRegistry,
  CompressionType,
  DateDay,
  Dictionary,
  DurationMillisecond,
  DurationNanosecond,
  Field,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  LargeUtf8,
  List,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Struct,
  Table,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
  vectorFromArray,
} = arrowLib

const PACKINGS = { lz4: CompressionType.LZ4_FRAME, zstd: CompressionType.ZSTD } as const
compressionRegistry.set(PACKINGS.lz4, { encode: packLz4 })
// A frame put together by hand is smaller than what it holds where that is one byte, again and again.
const isOneByte = (bytes: Uint8Array): boolean =>
  bytes.length % 100_000 === 0 && bytes.every((byte) => byte === bytes[0])
compressionRegistry.set(PACKINGS.zstd, {
  encode: (bytes) => (isOneByte(bytes) ? bombFrame(bytes[0]!, bytes.length / 100_000) : storedFrame(bytes)),
})

// A library that is loaded while a world is simulated would take time that the world does not have.
await Promise.all([loadUnzstd(), arrowCode.get()])

type Form = "file" | "stream"
type Columns = Readonly<Record<string, { readonly type: arrowLib.DataType; readonly values: readonly unknown[] }>>

/** Values as a vector: times and dates as the numbers that they lie as, which the library would take for milliseconds. */
function vectorOf(values: readonly unknown[], type: arrowLib.DataType): arrowLib.Vector {
  const isTime = [arrowLib.DataType.isTimestamp, arrowLib.DataType.isDate, arrowLib.DataType.isDuration].some((is) =>
    is(type),
  )
  if (!isTime) return vectorFromArray(values as never[], type)
  const numbers = type instanceof DateDay ? new Int32() : new Int64()
  const { length, nullCount, values: data, nullBitmap } = vectorFromArray(values as never[], numbers).data[0]!
  return new arrowLib.Vector([arrowLib.makeData({ type, length, nullCount, data, nullBitmap } as never)])
}

/** What of the library's writers packs buffers. */
interface Packer {
  _compressBodyBuffers(buffers: readonly ArrayBufferView[]): { readonly buffers: readonly Uint8Array[] }
}

/** apache-arrow 21 says how long a buffer is packed, where the format has how long it is unpacked. */
function correctLengths(writer: object): void {
  const packer = writer as Packer
  const pack = packer._compressBodyBuffers.bind(packer)
  packer._compressBodyBuffers = (buffers) => {
    const packed = pack(buffers)
    buffers.forEach(({ byteLength }, index) => {
      const prefix = packed.buffers[2 * index]!
      const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.length)
      if (prefix.length > 0 && view.getBigInt64(0, true) !== -1n) view.setBigInt64(0, BigInt(byteLength), true)
    })
    return packed
  }
}

/** A table of some columns, in record batches of so many rows. */
function written(columns: Columns, form: Form, batchRows = Infinity, packing?: keyof typeof PACKINGS): Uint8Array {
  const names = Object.keys(columns)
  const rows = columns[names[0]!]!.values.length
  const options = { compressionType: packing === undefined ? null : PACKINGS[packing] }
  const writer = form === "file" ? new RecordBatchFileWriter(options) : new RecordBatchStreamWriter(options)
  correctLengths(writer)
  for (let from = 0; from < rows || from === 0; from += batchRows) {
    const vectors = names.map((name) => {
      const { type, values } = columns[name]!
      return [name, vectorOf(values.slice(from, from + batchRows), type)] as const
    })
    for (const batch of new Table(Object.fromEntries(vectors) as Record<string, arrowLib.Vector>).batches)
      writer.write(batch)
  }
  writer.finish()
  return writer.toUint8Array(true)
}

function diskFile(bytes: Uint8Array, reads: { bytes: number } = { bytes: 0 }) {
  const change = () => Promise.reject(new Error("is for reading"))
  return {
    read(target: Uint8Array, position: number): Promise<number> {
      const some = bytes.subarray(position, position + target.length)
      target.set(some)
      reads.bytes += some.length
      return Promise.resolve(some.length)
    },
    ...{ write: change, sync: change, writeDurably: change, truncate: change },
    ...{ readNow: () => 0, writeNow: () => undefined },
    ...{ size: () => Promise.resolve(bytes.length), fileId: () => Promise.resolve("0") },
    close: () => Promise.resolve(),
  }
}

const arena = new Arena({ maxBytes: 1 << 27 })
const STEPS = { readHead: "source.open.read-head", readFooter: "source.open.read-footer" } as const

interface Read {
  readonly rows: Record<string, unknown>[]
  readonly bad: { readonly ordinal: number; readonly reason: string }[]
}

/** All records from one on, in reads of so many. */
async function readArrow(bytes: Uint8Array, of: Schema, from = 0, limit = () => 65_536): Promise<Read> {
  const file = diskFile(bytes)
  const { footer } = await arrowFormat.readEnds(file, "the file", STEPS)
  const decoder = arrowFormat.container.openContainer(footer, { arena, schema: of })
  const read: Read = { rows: [], bad: [] }
  for (let record = from; record < decoder.records;) {
    for (let wanted = decoder.wanted(record); wanted !== undefined; wanted = decoder.wanted(record)) {
      if ((await file.read(wanted.target, wanted.offset)) < wanted.target.length)
        throw new Error("reads behind the end")
      decoder.supplied()
    }
    const { batch, bad, records, release } = decoder.decode(record, limit(), 0)
    read.rows.push(...(batch?.toRows() ?? []))
    read.bad.push(...bad.map(({ position, reason }) => ({ ordinal: position.ordinal, reason })))
    record += records
    release()
  }
  return read
}

async function failureOf(bytes: Uint8Array, of: Schema): Promise<TidemarkError> {
  const error: unknown = await readArrow(bytes, of).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(TidemarkError)
  return error as TidemarkError
}

/** Beyond int32: a bad record of `SOURCE_SCHEMA`. */
const TOO_GREAT = 2n ** 40n

type Row = readonly [id: bigint, text: string | null]

function writeRows(rows: readonly Row[], form: Form): { bytes: Uint8Array; records: ExpectedRecord[] } {
  const bytes = written(
    {
      text: { type: new Utf8(), values: rows.map(([, text]) => text) },
      ignored: { type: new Float64(), values: rows.map(() => 1.5) },
      id: { type: new Int64(), values: rows.map(([id]) => id) },
    },
    form,
    700,
  )
  const records = rows.map(([id, text], ordinal): ExpectedRecord => {
    const isBad = id === TOO_GREAT || text === null
    return { offset: ordinal * RECORD_OFFSETS, ordinal, row: isBad ? "bad" : { id: Number(id), text } }
  })
  return { bytes, records }
}

function manyRows(): Row[] {
  const prng = new Prng(42)
  return Array.from({ length: 3000 }, (_, id): Row => {
    const text = "0123456789ä".repeat(prng.below(10))
    return [prng.chance(0.01) ? TOO_GREAT : BigInt(id), prng.chance(0.01) ? null : text]
  })
}

const SMALL: Row[] = [
  [1n, "one"],
  [2n, "zwö 🦉"],
  [3n, ""],
]
const BAD: Row[] = [
  [TOO_GREAT, "x"],
  [4n, "good"],
  [5n, null],
]
const FILES = new Map([
  ["trips/a-no-records.arrow", writeRows([], "file")],
  ["trips/b-small.arrow", writeRows(SMALL, "file")],
  ["trips/c-bad.arrow", writeRows(BAD, "stream")],
  ["trips/d-large.arrow", writeRows(manyRows(), "file")],
  ["trips/e-stream.arrow", writeRows(manyRows(), "stream")],
])

const pathOf = (id: string): string => `${BASE_DIRECTORY}/${id}`

function replaceFile(world: SimWorld, id: string, bytes: Uint8Array): void {
  world.image.remove(pathOf(id))
  world.image.install(pathOf(id), bytes)
}

describeSourceConformance<SimWorld>("arrow", {
  createWorld(seed) {
    const world = withBaseDirectory(new SimWorld({ seed }))
    for (const [id, { bytes }] of FILES) world.image.install(pathOf(id), bytes)
    return world
  },
  baseDirectory: BASE_DIRECTORY,
  binding: arrow("trips/*.arrow"),
  schema: SOURCE_SCHEMA,
  expected: new Map([...FILES].map(([id, { records }]) => [id, records])),
  changes: [
    {
      name: "has other bytes",
      code: "source-changed",
      apply: (world, id) => replaceFile(world, id, writeRows([[1n, "two"], ...SMALL.slice(1)], "file").bytes),
    },
    {
      name: "has become longer",
      code: "source-changed",
      apply: (world, id) => replaceFile(world, id, writeRows([...SMALL, [4n, ""]], "file").bytes),
    },
    { name: "has vanished", code: "source-missing", apply: (world, id) => world.image.remove(pathOf(id)) },
  ],
  grow: undefined,
})

/** Columns of every type that is read: what the schema asks for, how it is written, and values with what they are read as. */
const MICROS = 1_704_067_200_123_456
const KINDS = [
  { type: t.int32, as: () => new Int8(), draw: (prng: Prng) => prng.below(256) - 128 },
  { type: t.int32, as: () => new Int16(), draw: (prng: Prng) => prng.below(65_536) - 32_768 },
  { type: t.int32, as: () => new Int32(), draw: (prng: Prng) => prng.uint32() | 0 },
  { type: t.uint8, as: () => new Uint8(), draw: (prng: Prng) => prng.below(256) },
  { type: t.int16, as: () => new Int32(), draw: (prng: Prng) => prng.below(65_536) - 32_768 },
  { type: t.uint32, as: () => new Uint32(), draw: (prng: Prng) => prng.uint32() },
  { type: t.uint64, as: () => new Uint64(), draw: (prng: Prng) => BigInt(prng.uint32()) << 32n },
  { type: t.float32, as: () => new Float32(), draw: (prng: Prng) => Math.fround(prng.float() * 1000 - 500) },
  { type: t.int32, as: () => new Uint8(), draw: (prng: Prng) => prng.below(256) },
  { type: t.int32, as: () => new Uint16(), draw: (prng: Prng) => prng.below(65_536) },
  { type: t.int53, as: () => new Uint32(), draw: (prng: Prng) => prng.uint32() },
  { type: t.int64, as: () => new Int64(), draw: (prng: Prng) => BigInt.asIntN(64, BigInt(prng.uint32()) << 31n) },
  { type: t.int64, as: () => new Uint64(), draw: (prng: Prng) => BigInt(prng.uint32()) << 30n },
  { type: t.float64, as: () => new Float64(), draw: (prng: Prng) => prng.float() * 1e6 - 5e5 },
  { type: t.float64, as: () => new Float32(), draw: (prng: Prng) => Math.fround(prng.float()) },
  { type: t.bool, as: () => new Bool(), draw: (prng: Prng) => prng.chance(0.5) },
  { type: t.string, as: () => new Utf8(), draw: (prng: Prng) => "añ🦉".repeat(prng.below(12)) },
  { type: t.string, as: () => new LargeUtf8(), draw: (prng: Prng) => `text ${prng.below(1000)}` },
  {
    type: t.string,
    as: (id: number) => new Dictionary(new Utf8(), new Int8(), id),
    draw: (prng: Prng) => `zone ${prng.below(20)}`,
  },
  {
    type: t.string,
    as: (id: number) => new Dictionary(new Utf8(), new Int32(), id),
    draw: (prng: Prng) => `zone ${prng.below(500)}`,
  },
  {
    type: t.string,
    as: (id: number) => new Dictionary(new LargeUtf8(), new Uint16(), id),
    draw: (prng: Prng) => `zone ${prng.below(9)}`,
  },
  { type: t.enum("a", "b"), as: () => new Utf8(), draw: (prng: Prng) => prng.pick(["a", "b"]) },
  { type: t.date, as: () => new DateDay(), draw: (prng: Prng) => prng.below(40_000) - 20_000 },
  {
    type: t.duration(),
    as: () => new DurationMillisecond(),
    draw: (prng: Prng) => (prng.below(1e9) - 5e8) * 1000,
    write: (value: number) => BigInt(value / 1000),
  },
  {
    type: t.duration({ format: "s" }),
    as: () => new DurationNanosecond(),
    draw: (prng: Prng) => prng.below(1e9) - 5e8,
    write: (value: number) => BigInt(value) * 1000n + 1n,
  },
  {
    type: t.duration({ format: "s" }),
    as: () => new Int32(),
    draw: (prng: Prng) => (prng.below(1e9) - 5e8) * 1_000_000,
    write: (value: number) => value / 1_000_000,
  },
  {
    type: t.timestamp(),
    as: () => new TimestampMicrosecond("UTC"),
    draw: (prng: Prng) => MICROS + prng.below(1e9),
    write: (value: number) => BigInt(value),
  },
  {
    type: t.timestamp(),
    as: () => new TimestampNanosecond("Europe/Zurich"),
    draw: (prng: Prng) => MICROS + prng.below(1e9),
    write: (value: number) => BigInt(value) * 1000n + 999n,
  },
  {
    type: t.timestamp({ zone: "UTC" }),
    as: () => new TimestampMillisecond(),
    draw: (prng: Prng) => prng.below(1e9) * 1000,
    write: (value: number) => BigInt(value / 1000),
  },
  {
    type: t.timestamp({ zone: "+01:00" }),
    as: () => new TimestampSecond(),
    draw: (prng: Prng) => prng.below(1e9) * 1_000_000,
    write: (value: number) => BigInt(value / 1_000_000 + 3600),
  },
  {
    type: t.timestamp({ zone: "UTC" }),
    as: () => new DateDay(),
    draw: (prng: Prng) => prng.below(20_000) * 86_400_000_000,
    write: (value: number) => value / 86_400_000_000,
  },
] as const

/** A column of some kind, its values, and what is written for them. */
function columnOf(prng: Prng, rows: number, kind: (typeof KINDS)[number], id: number) {
  const isNullable = prng.chance(0.5)
  const write = "write" in kind ? (kind.write as (value: unknown) => unknown) : (value: unknown) => value
  const values = Array.from({ length: rows }, () => (isNullable && prng.chance(0.2) ? null : kind.draw(prng)))
  return {
    type: isNullable ? kind.type.nullable() : kind.type,
    values,
    column: {
      type: kind.as(id) as arrowLib.DataType,
      values: values.map((each) => (each === null ? null : write(each))),
    },
  }
}

describe("Arrow", () => {
  it("AR1 AR3 gives what was written, of any types, from any record on, in reads of any size", async () => {
    const cases: { seed: number; prng: Prng }[] = []
    forEachSeed(40, (prng, seed) => cases.push({ seed, prng }))
    for (const { seed, prng } of cases) {
      const rows = 1 + prng.below(prng.pick([5, 3000]))
      const chosen = Array.from({ length: 1 + prng.below(6) }, () => prng.pick(KINDS))
      const columns = chosen.map((kind, id) => columnOf(prng, rows, kind, id))
      const of = schema(Object.fromEntries(columns.map(({ type }, index) => [`c${index}`, type])))
      const form = prng.pick(["file", "stream"] as const)
      const batchRows = prng.pick([Infinity, 1 + prng.below(rows)])
      const isDictionary = chosen.some(({ as }) => as(0) instanceof Dictionary)
      const bytes = written(
        Object.fromEntries(columns.map(({ column }, index) => [`c${index}`, column])),
        form,
        // A file has one dictionary for each column.
        isDictionary && form === "file" ? Infinity : batchRows,
        prng.pick([undefined, "lz4", "zstd"] as const),
      )
      const from = prng.chance(0.5) ? 0 : prng.below(rows)
      const read = await readArrow(bytes, of, from, () => 1 + prng.below(2000))
      const expected = Array.from({ length: rows - from }, (_, place) =>
        Object.fromEntries(columns.map(({ values }, index) => [`c${index}`, values[from + place]!])),
      )
      expect({ seed, ...read }).toEqual({ seed, rows: expected, bad: [] })
    }
    expect(arena.usedBytes).toBe(0)
  })

  it("AR1 reads what the library reads", async () => {
    const bytes = FILES.get("trips/d-large.arrow")!.bytes
    const twin = arrowLib.tableFromIPC(bytes)
    const of = schema({ id: t.int64, text: t.string.nullable() })
    const { rows } = await readArrow(bytes, of)
    expect(rows).toEqual(twin.toArray().map((row) => ({ id: row.id as bigint, text: row.text as string | null })))
  })

  it("AR3 reads windows of long batches, and texts a part at a time", async () => {
    const rows = 200_000
    const values = Array.from({ length: rows }, (_, row) => row)
    const text = "x".repeat(200)
    const bytes = written(
      {
        id: { type: new Int32(), values },
        even: { type: new Bool(), values: values.map((row) => row % 2 === 0) },
        text: { type: new Utf8(), values: values.map((row) => (row % 3 === 0 ? null : `${row} ${text}`)) },
      },
      "file",
    )
    const of = schema({ text: t.string.nullable(), id: t.int32, even: t.bool })
    const from = 65_530
    const read = await readArrow(bytes, of, from, () => 10_007)
    const wrong = read.rows.filter(({ id, even, text: found }, place) => {
      const row = from + place
      return id !== row || even !== (row % 2 === 0) || found !== (row % 3 === 0 ? null : `${row} ${text}`)
    })
    expect([read.rows.length, wrong]).toEqual([rows - from, []])
  })

  it.each(["file", "stream"] as const)("AR2 TY27 TY28 TY31 reads JSON text and bytes: %s", async (form) => {
    const texts = ['[1, "a"]', null, "[]", "[nope]", '[1, "a"]']
    const bytes = written(
      {
        id: { type: new Int32(), values: [0, 1, 2, 3, 4] },
        json: { type: new Utf8(), values: texts },
        indexed: { type: new Dictionary(new Utf8(), new Int8()), values: texts },
        object: { type: new LargeUtf8(), values: ['{"a":[1]}', null, '{"a":null}', "{}", '{"a":[9007199254740993]}'] },
        raw: {
          type: new arrowLib.Binary(),
          values: [Uint8Array.of(1), Uint8Array.of(), null, Uint8Array.of(2), Uint8Array.of(1)],
        },
      },
      form,
    )
    const of = schema({
      id: t.int32,
      json: t.list(t.json).nullable(),
      indexed: t.json.nullable(),
      object: t.object({ a: t.list(t.int64).nullable() }).nullable(),
      raw: t.binary.nullable(),
    })
    const { rows, bad } = await readArrow(bytes, of)
    expect(rows).toEqual([
      { id: 0, json: [1, "a"], indexed: [1, "a"], object: { a: [1n] }, raw: Uint8Array.of(1) },
      { id: 1, json: null, indexed: null, object: null, raw: Uint8Array.of() },
      { id: 2, json: [], indexed: [], object: { a: null }, raw: null },
      { id: 4, json: [1, "a"], indexed: [1, "a"], object: { a: [9007199254740993n] }, raw: Uint8Array.of(1) },
    ])
    expect(bad.map(({ ordinal, reason }) => `${ordinal}: ${reason}`)).toEqual(['3: the field "json" is not a list'])
  })

  it("AR2 makes bad records of what does not fit by value, and fills in what the file lacks", async () => {
    const bytes = written(
      {
        n: { type: new Uint64(), values: [1n, 2n ** 63n, 3n] },
        k: { type: new Utf8(), values: ["a", "a", "c"] },
        m: { type: new Int32(), values: [null, 5, 6] },
      },
      "file",
    )
    const of = schema({ n: t.int64, kind: t.enum("a", "b").from("k"), m: t.int32, more: t.float64.default(0.5) })
    const { rows, bad } = await readArrow(bytes, of)
    expect(rows).toEqual([])
    expect(bad.map(({ ordinal, reason }) => `${ordinal}: ${reason}`)).toEqual([
      '0: the field "m" is null, and the column is not nullable',
      '1: the field "n" is 9223372036854775808, outside the range of int64 (-9223372036854775808 to 9223372036854775807)',
      '2: the field "kind" is "c", which is not one of its symbols',
    ])
    const some = await readArrow(bytes, schema({ m: t.int32.nullable(), more: t.float64.default(0.5) }))
    expect(some.rows).toEqual([null, 5, 6].map((m) => ({ m, more: 0.5 })))
  })

  it.each([
    ["float64", new Int64(), [1n], t.float64, /holds Int64, and the schema asks for float64/],
    ["int32", new Float64(), [1], t.int32, /holds Float64/],
    ["string", new Int32(), [1], t.string, /holds Int32/],
    ["timestamp", new TimestampMillisecond(), [1n], t.timestamp(), /holds Timestamp\(ms, local\)/],
    ["date", new TimestampMillisecond(), [1n], t.date, /holds Timestamp\(ms, local\)/],
    ["duration", new Int64(), [1n], t.duration(), /holds Int64/],
    ["timestamp of durations", new DurationMillisecond(), [1n], t.timestamp({ format: "ms" }), /holds Duration\(ms\)/],
    ["list", new List(new Field("item", new Int32())), [[1]], t.int32, /holds list\(Int32\)/],
    ["struct", new Struct([new Field("x", new Int32())]), [{ x: 1 }], t.int32, /holds object\(x Int32\)/],
  ] as const)("AR2 refuses what does not fit the type: %s", async (_, type, values, asked, message) => {
    const bytes = written({ a: { type: type as arrowLib.DataType, values } }, "file")
    const error = await failureOf(bytes, schema({ a: asked }))
    expect([error.code, error.hint === undefined]).toEqual(["source-unreadable", false])
    expect(error.message).toMatch(message)
    expect((await failureOf(bytes, schema({ b: t.int32 }))).message).toMatch(/has no column "b"/)
  })

  it("AR1 reads dictionaries in parts, of which the later ones add to the first", async () => {
    const texts = vectorFromArray(["a", "b"], new Utf8()).concat(vectorFromArray(["c", "ä"], new Utf8()))
    const indexes = [
      { type: new Int8(), data: Int8Array.of(3, 0, 2, 1) },
      { type: new Uint32(), data: Uint32Array.of(3, 0, 2, 1) },
      { type: new Int64() as unknown as arrowLib.Int32, data: BigInt64Array.of(3n, 0n, 2n, 1n) },
    ]
    for (const index of indexes) {
      const type = new Dictionary(new Utf8(), index.type, 9)
      const options = { type, length: 4, nullCount: 0, data: index.data, dictionary: texts }
      const table = new Table({ text: new arrowLib.Vector([arrowLib.makeData(options as never)]) })
      for (const writer of [new RecordBatchStreamWriter(), new RecordBatchFileWriter()]) {
        for (const batch of table.batches) writer.write(batch)
        writer.finish()
        const { rows } = await readArrow(writer.toUint8Array(true), schema({ text: t.string }))
        expect(rows.map(({ text }) => text)).toEqual(["ä", "a", "c", "b"])
      }
    }
  })

  it("AR1 unpacks buffers of Zstandard", async () => {
    const columns = { id: { type: new Int32(), values: Array.from({ length: 100_000 }, () => 0x0707_0707) } }
    const bytes = written(columns, "file", Infinity, "zstd")
    expect(bytes.length).toBeLessThan(10_000)
    const { rows } = await readArrow(bytes, schema({ id: t.int32 }), 0, () => 30_000)
    expect([rows.length, rows.every(({ id }) => id === 0x0707_0707)]).toEqual([100_000, true])
  })

  it("AR1 passes over the buffers of nested columns", async () => {
    const bytes = written(
      {
        list: { type: new List(new Field("item", new Utf8())), values: [["a", "b"], null, []] },
        struct: {
          type: new Struct([new Field("x", new Int32()), new Field("y", new Utf8())]),
          values: [{ x: 1, y: "p" }, { x: 2, y: "q" }, null],
        },
        id: { type: new Int32(), values: [1, 2, 3] },
      },
      "stream",
    )
    expect((await readArrow(bytes, schema({ id: t.int32 }))).rows).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
  })

  it("AR4 refuses files that are cut anywhere, and what is no Arrow", async () => {
    const { bytes } = FILES.get("trips/b-small.arrow")!
    for (let length = 0; length < bytes.length; length++) {
      expect((await failureOf(bytes.subarray(0, length), SOURCE_SCHEMA)).code).toBe("source-unreadable")
    }
    const { bytes: stream } = writeRows(SMALL, "stream")
    const isWhole: number[] = []
    for (let length = 0; length < stream.length; length++) {
      await readArrow(stream.subarray(0, length), SOURCE_SCHEMA).then(
        (read) => {
          // A stream may end behind any message, without saying so.
          expect(read.rows.length === 0 || read.rows[0]!.id === 1).toBe(true)
          isWhole.push(length)
        },
        (error: unknown) => {
          expect((error as TidemarkError).code).toBe("source-unreadable")
        },
      )
    }
    expect(isWhole.length).toBeLessThan(5)
    expect((await failureOf(new TextEncoder().encode("id,text\n1,one\n"), SOURCE_SCHEMA)).message).toMatch(/no message/)
  })

  it("AR4 refuses buffers that say they unpack to more than any should, or to more than they do", async () => {
    const values = Array.from({ length: 25_000 }, () => 0x0707_0707)
    for (const packing of ["lz4", "zstd"] as const) {
      const whole = Buffer.from(written({ id: { type: new Int32(), values } }, "file", Infinity, packing))
      const prefix = whole.indexOf(new Uint8Array(BigInt64Array.of(100_000n).buffer))
      for (const said of [2n ** 62n, 2n ** 40n, 2n ** 30n, 256n * 2n ** 20n, 99_999n, 100_001n, -2n]) {
        const bytes = Buffer.from(whole)
        bytes.writeBigInt64LE(said, prefix)
        expect((await failureOf(bytes, schema({ id: t.int32 }))).message).toMatch(/unpack|an LZ4 frame has/)
      }
    }
  })

  it("AR4 refuses damaged bytes or reads other values, and never throws anything else", async () => {
    const { bytes } = writeRows(SMALL, "file")
    const dictionary = written(
      {
        id: { type: new Int32(), values: [1, 2] },
        text: { type: new Dictionary(new Utf8(), new Int8(), 3), values: ["a", "b"] },
      },
      "stream",
    )
    const packed = (["lz4", "zstd"] as const).map((packing) => {
      const values = SMALL.map(([, text]) => text!.repeat(50))
      const columns = { id: { type: new Int32(), values: [1, 2, 3] }, text: { type: new Utf8(), values } }
      return written(columns, "file", Infinity, packing)
    })
    const other: unknown[] = []
    const tries: Promise<void>[] = []
    forEachSeed(400, (prng) => {
      const damaged = Uint8Array.from(prng.pick([bytes, dictionary, ...packed]))
      for (let count = 1 + prng.below(4); count > 0; count--) {
        damaged[prng.below(damaged.length)] = prng.pick([0, 1, 0x7f, 0x80, 0xff, prng.below(256)])
      }
      tries.push(
        readArrow(damaged, SOURCE_SCHEMA).then(
          () => undefined,
          (error: unknown) => {
            if (!(error instanceof TidemarkError) || error.code !== "source-unreadable") other.push(error)
          },
        ),
      )
    })
    await Promise.all(tries)
    expect(other).toEqual([])
    expect(arena.usedBytes).toBe(0)
  })
})
