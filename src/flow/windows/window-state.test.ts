import { expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { KeyTable } from "./key-table.ts"
import { OpenSlices } from "./open-slices.ts"
import { SliceTable } from "./slice-table.ts"
import { Slices } from "./slices.ts"
import { WindowState } from "./window-state.ts"

const arena = new Arena({ maxBytes: 1 << 22 })
const slices = new Slices({ kind: "tumbling", sizeMicros: 10, offsetMicros: 0 })

function newState(): WindowState {
  const open = new OpenSlices(slices, () => new SliceTable([]))
  return new WindowState("window", slices, open, new KeyTable([t.string], arena))
}

/** Puts keys into the slice that holds a time. */
function put(state: WindowState, time: number, keys: readonly string[]): void {
  const { batch, release } = batchOfRows(
    arena,
    schema({ key: t.string }),
    keys.map((key) => ({ key })),
  )
  const [rows, ids] = [Int32Array.from(keys.keys()), new Int32Array(keys.length)]
  state.keys.resolve(batch.columns, rows, 0, keys.length, ids)
  const bounds = slices.of(time)
  const slice = state.open.at(bounds, bounds.firstWindowEnd)
  slice.table.resolve(ids, 0, ids.length, new Int32Array(keys.length))
  state.open.settle(slice)
  state.touch(slice)
  release()
}

/** Passes the window that ends first, as firing it does. */
function pass(state: WindowState): void {
  const groups = state.open.countGroups()
  state.open.pass(state.open.membersOfEarliest())
  state.collectKeys(groups)
}

function keysOf(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `key ${from + at}`)
}

it("forgets keys that come once, and keeps those that come again in each window", () => {
  const passing = newState()
  for (let window = 0; window < 10; window++) {
    put(passing, window * 10, keysOf(window * 1000, 1000))
    put(passing, window * 10 + 10, keysOf(window * 1000 + 1000, 1000))
    pass(passing)
    expect(passing.keys.size).toBeLessThanOrEqual(4000)
  }
  const staying = newState()
  for (let window = 0; window < 10; window++) {
    put(staying, window * 10, keysOf(0, 2000))
    pass(staying)
    expect(staying.keys.size).toBe(2000)
  }
})

it("finds the keys of open slices again after others were forgotten", () => {
  const state = newState()
  put(state, 0, keysOf(0, 5000))
  put(state, 10, ["kept", "key 7"])
  state.open.pass(state.open.membersOfEarliest())
  state.collectKeys(2)
  expect(state.keys.size).toBe(2)
  put(state, 10, ["key 7", "new", "kept"])
  const { table } = state.open.all[0]!
  expect([...table.ids.subarray(0, table.size)]).toEqual([0, 1, 2])
  const out = new ByteWriter()
  state.writeAll(out)
  const restored = newState()
  restored.applyChanges(new ByteReader(out.finish()))
  expect(restored.open.all[0]!.table.size).toBe(3)
})

it("writes what has changed since the last time, and nothing where nothing has", () => {
  const state = newState()
  const written = () => {
    const out = new ByteWriter()
    state.writeChanges(out)
    return out.length
  }
  expect(written()).toBe(0)
  put(state, 0, keysOf(0, 100))
  const first = written()
  expect(first).toBeGreaterThan(100 * "key 1".length)
  expect(written()).toBe(0)
  put(state, 0, ["key 7"])
  expect(written()).toBeLessThan(first / 10)
  state.watermark = 5
  expect(written()).toBeGreaterThan(0)
  state.watermark = 5
  expect(written()).toBe(0)
})

it.each([
  ["the last window of the slice has fired", 9, 0, 10],
  ["the slice has other edges", -Infinity, 3, 10],
  ["its records count from no end of a window on", -Infinity, 0, 15],
  ["its records count from a window on that does not hold it", -Infinity, 0, 20],
  ["the watermark is no time", NaN, 0, 10],
])("WS1 a slice is refused where %s", (_, watermark, start, countsFrom) => {
  const of = (...head: readonly [watermark: number, start: number, countsFrom: number]) => {
    const source = newState()
    put(source, 0, ["key"])
    const out = new ByteWriter()
    source.writeAll(out)
    const bytes = new DataView(out.finish().buffer)
    // The watermark; late rows and the number of slices, a byte each; then the slice.
    bytes.setFloat64(0, head[0], true)
    bytes.setFloat64(10, head[1], true)
    bytes.setFloat64(18, head[2], true)
    return new ByteReader(new Uint8Array(bytes.buffer))
  }
  const state = newState()
  state.applyChanges(of(8, 0, 10))
  expect(state.open.all).toHaveLength(1)
  expect(() => {
    newState().applyChanges(of(watermark, start, countsFrom))
  }).toThrow(expect.objectContaining({ code: "state-corrupt" }) as Error)
})
