/** Tests of printed outputs. */
import { expect, test } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import type { Sink, SinkRecovery } from "../../connect/sink.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { stdout, StdoutBinding, type StdoutOptions } from "./stdout.ts"

const Trip = schema({ zone: t.string, trips: t.int32, at: t.timestamp().nullable(), paid: t.bool })
type Row = Readonly<Record<string, unknown>>
const ROWS: readonly Row[] = [
  { zone: "JFK", trips: 12, at: 1_767_225_600_000_000, paid: true },
  { zone: "a\nlong\tname", trips: -7, at: null, paid: false },
  { zone: "x".repeat(70), trips: 100_000, at: null, paid: true },
]
const arena = new Arena({ maxBytes: 1 << 20 })
const FRESH: SinkRecovery = { checkpoint: undefined, staged: [], reset: false, fresh: true }

/** An open sink, and what it has printed. */
async function open(format: "jsonl" | "table", recovery = FRESH): Promise<{ sink: Sink; printed: string[] }> {
  const printed: string[] = []
  const binding = new StdoutBinding(format, async (text) => void printed.push(text))
  const env = new SimWorld({ seed: 1 }).boot()
  const sink = await binding.openSink(
    { env, arena, schema: Trip, job: "trial", output: "trips", baseDirectory: "/work" },
    recovery,
  )
  return { sink, printed }
}

function write(sink: Sink, rows: readonly Row[]): void {
  const { batch, release } = batchOfRows(arena, Trip, rows)
  sink.write(batch)
  release()
}

test("K1 prints an epoch when it is applied, and nothing before", async () => {
  const { sink, printed } = await open("jsonl")
  write(sink, ROWS.slice(0, 1))
  expect(sink.bufferedBytes).toBeGreaterThan(10)
  await sink.flush()
  const staged = await sink.stage(false)
  write(sink, ROWS.slice(1, 2))
  expect(printed).toEqual([])
  await sink.apply(staged)
  expect(printed).toEqual(['{"zone":"JFK","trips":12,"at":"2026-01-01T00:00:00Z","paid":true}\n'])
  await sink.apply(await sink.stage(true))
  expect(printed[1]).toBe('{"zone":"a\\nlong\\tname","trips":-7,"at":null,"paid":false}\n')
  await sink.apply(await sink.stage(true))
  expect(printed).toHaveLength(2)
})

test("a job that goes on prints its last epoch again, and no other", async () => {
  const { sink } = await open("jsonl")
  const staged: Uint8Array[] = []
  for (const row of ROWS) {
    write(sink, [row])
    staged.push(await sink.stage(false))
  }
  const { printed } = await open("jsonl", { ...FRESH, staged, fresh: false })
  expect(printed).toEqual([`{"zone":"${"x".repeat(70)}","trips":100000,"at":null,"paid":true}\n`])
})

test("a table has columns as wide as what stands in them", async () => {
  const { sink, printed } = await open("table")
  write(sink, ROWS)
  await sink.apply(await sink.stage(false))
  const wide = `${"x".repeat(59)}…`
  expect(printed[0]!.split("\n")).toEqual([
    `${"zone".padEnd(60)}   trips  ${"at".padEnd(20)}  paid`,
    `${"─".repeat(60)}  ──────  ${"─".repeat(20)}  ─────`,
    `${"JFK".padEnd(60)}      12  2026-01-01T00:00:00Z  true`,
    `${"a\uFFFDlong\uFFFDname".padEnd(60)}      -7  ${" ".repeat(20)}  false`,
    `${wide}  100000  ${" ".repeat(20)}  true`,
    "",
    "",
  ])
  expect((await sink.stage(false)).length).toBe(0)
})

test("says what it is and what it guarantees, and refuses what it does not know", () => {
  expect(stdout()).toMatchObject({ guarantee: "at-least-once" })
  expect([stdout().describe(), stdout({ format: "table" }).describe()]).toEqual([
    "stdout()",
    'stdout({ format: "table" })',
  ])
  expect(() => stdout({ format: "csv" } as unknown as StdoutOptions)).toThrow('format is "csv"')
  expect(() => stdout({ colour: true } as unknown as StdoutOptions)).toThrow('"colour"')
})
