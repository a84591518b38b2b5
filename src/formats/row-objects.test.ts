/** Tests of rows as plain objects. */
import { expect, test } from "vitest"
import { Arena } from "../batch/arena.ts"
import { readValue } from "../batch/column.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { RowObjects } from "./row-objects.ts"

const Trip = schema({
  id: t.int32,
  zone: t.enum("JFK", "LGA"),
  note: t.string.nullable(),
  at: t.object({ lat: t.float64.nullable() }).nullable(),
  paid: t.bool.default(true),
})

/** Records, good and bad, as they come out when so many are asked for at once. */
function read(rows: readonly unknown[], count: number) {
  const arena = new Arena({ maxBytes: 1 << 22 })
  const columns = new RowObjects(arena, Trip)
  const good: unknown[] = []
  const bad: unknown[] = []
  for (let first = 0; first < rows.length;) {
    const range = { first, count: Math.min(count, rows.length - first), stride: 16, partition: 3 }
    const taken = columns.take(range, (number) => (typeof rows[number] === "function" ? rows[number]() : rows[number]))
    taken.batch?.forEachRow((row) => {
      const { offsets, ordinals, partition } = taken.batch!.origin
      good.push([offsets![row], ordinals![row], partition, taken.batch!.row(row)])
    })
    bad.push(...taken.bad)
    first += taken.records
    taken.release()
  }
  expect(arena.usedBytes).toBe(0)
  return { good, bad }
}

const ROWS: readonly unknown[] = [
  { id: 1, zone: "JFK", note: "a", at: { lat: 1.5 }, paid: false },
  { id: 2, zone: "LGA", more: 1 },
  { id: 1.5, zone: "JFK" },
  { id: 3, zone: "EWR" },
  { zone: "JFK" },
  null,
  [1],
  () => {
    throw new Error("no such trip")
  },
  { id: 4, zone: "JFK", note: 5n },
  { id: 5, zone: "JFK", note: null, at: null, paid: true },
  { id: 6, zone: "JFK", note: "x".repeat(5000), at: { lat: null } },
  { id: 7, zone: "JFK", note: 1, at: "y".repeat(5000) },
]

test("RO1 every record is a row or a bad record, with its place, reason and field", () => {
  const { good, bad } = read(ROWS, 100)
  expect(good).toEqual([
    [0, 0, 3, { id: 1, zone: "JFK", note: "a", at: { lat: 1.5 }, paid: false }],
    [16, 1, 3, { id: 2, zone: "LGA", note: null, at: null, paid: true }],
    [144, 9, 3, { id: 5, zone: "JFK", note: null, at: null, paid: true }],
    [160, 10, 3, { id: 6, zone: "JFK", note: "x".repeat(5000), at: { lat: null }, paid: true }],
  ])
  expect(bad).toMatchObject([
    { position: { offset: 32, ordinal: 2 }, reason: 'the field "id" is not a whole number', field: "id" },
    { position: { offset: 48, ordinal: 3 }, field: "zone", raw: '{"id":3,"zone":"EWR"}' },
    { position: { offset: 64, ordinal: 4 }, reason: 'the field "id" is missing', field: "id" },
    { position: { offset: 80, ordinal: 5 }, reason: "it is null, not an object of fields", field: undefined },
    { position: { offset: 96, ordinal: 6 }, reason: "it is an array, not an object of fields", raw: "[1]" },
    { position: { offset: 112, ordinal: 7 }, reason: "it could not be made: no such trip", raw: "" },
    { position: { offset: 128, ordinal: 8 }, field: "note", raw: '{"id":4,"zone":"JFK","note":"5"}' },
    { position: { offset: 176, ordinal: 11 }, field: "note" },
  ])
  expect((bad.at(-1) as { raw: string }).raw).toHaveLength(4096)
})

test("RO1 a record that JSON cannot write is a bad record all the same", () => {
  const cyclic: Record<string, unknown> = { id: "x" }
  cyclic["self"] = cyclic
  const throwing = {
    id: 1,
    zone: "JFK",
    get note(): string {
      throw new Error("later")
    },
  }
  expect(read([cyclic, throwing], 2).bad).toMatchObject([
    { field: "id", raw: "an object" },
    { reason: "it could not be made: later", raw: "an object" },
  ])
})

test("RO2 how many records are asked for at once makes no difference", () => {
  const whole = read(ROWS, 100)
  for (const count of [1, 2, 3, 7]) expect(read(ROWS, count)).toEqual(whole)
})

test("records that would take too much memory come in parts", () => {
  const arena = new Arena({ maxBytes: 1 << 20 })
  const taken = new RowObjects(arena, Trip).take({ first: 0, count: 65_536, stride: 1, partition: 0 }, (id) => ({
    id,
    zone: "JFK",
  }))
  expect(taken.records).toBeGreaterThan(100)
  expect(taken.records).toBeLessThan(65_536)
  expect(taken.batch!.length).toBe(taken.records)
  taken.release()
})

test("RO1 columns that nobody wants are checked, and not written", () => {
  const arena = new Arena({ maxBytes: 1 << 22 })
  const columns = new RowObjects(arena, Trip, new Set(["id", "paid"]))
  const range = { first: 0, count: ROWS.length, stride: 16, partition: 3 }
  const rowOf = (number: number): unknown => (typeof ROWS[number] === "function" ? ROWS[number]() : ROWS[number])
  const { batch, bad, release } = columns.take(range, rowOf)
  expect(bad).toEqual(read(ROWS, 100).bad)
  const [id, , note, , paid] = batch!.columns
  const wanted = Array.from({ length: batch!.length }, (_, row) => [readValue(id!, row), readValue(paid!, row)])
  expect(wanted).toEqual([
    [1, false],
    [2, true],
    [5, true],
    [6, true],
  ])
  expect(note).toMatchObject({ storage: "dictionary", dictionary: { size: 0 } })
  release()
})
