/** How a snapshot goes on beside the stream, with work that ends when the test says so. */
import { expect, test } from "vitest"
import type { LogPlace } from "../log/log-reader.ts"
import type { EpochRecord, RunRecord } from "../state/commit-record.ts"
import type { StateSlices } from "../flow/operator.ts"
import { Snapshots } from "./snapshots.ts"

const RUN: RunRecord = { job: "j", fingerprint: "f", params: {}, operators: [], outputs: [], version: "0" }

/** A promise and its ends. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let [resolve, reject]: [(value: T) => void, (error: Error) => void] = [() => undefined, () => undefined]
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}

const PLACE = { generation: 1, offset: 99 }

/** What was called, and the work that waits for the test. */
class World {
  readonly calls: string[] = []
  isDue = true
  epoch = 7
  /** How many slices the state has left. */
  left = 2
  nowMicros = 0
  readonly begin = deferred<LogPlace>()
  readonly sinks = deferred<EpochRecord["outputs"]>()
  readonly end = deferred<void>()
  readonly trim = deferred<void>()
  readonly snapshots: Snapshots

  constructor(slicesMax = Infinity) {
    const called = <T>(call: string, result: T): T => {
      this.calls.push(call)
      return result
    }
    const isDue = (): boolean => this.isDue
    const store = {
      get isSnapshotDue() {
        return isDue()
      },
      beginSnapshot: (_run: RunRecord, { epoch }: EpochRecord) => called(`begin ${epoch}`, this.begin.promise),
      appendSlice: (operator: string) => Promise.resolve(called(`slice of ${operator}`, undefined)),
      endSnapshot: (outputs: EpochRecord["outputs"]) =>
        called(`end with ${[...outputs.keys()].join()}`, this.end.promise),
      trim: ({ offset }: LogPlace) => called(`trim ${offset}`, this.trim.promise),
    }
    const state: StateSlices = {
      next: (out) => {
        out.uint8(1)
        this.nowMicros += 400
        return --this.left > 0
      },
    }
    this.snapshots = new Snapshots({
      store,
      run: RUN,
      clock: { monotonicMicros: () => this.nowMicros },
      capture: () => called("capture", { everything: this.everything(), slices: new Map([["op", state]]) }),
      checkpoint: () => called("checkpoint", this.sinks.promise),
      onDone: (epoch) => called(`done ${epoch}`, undefined),
      slicesMax,
    })
  }

  everything(): EpochRecord {
    const nothing = { partitions: [], operators: new Map(), outputs: new Map(), counters: new Map() }
    return { epoch: this.epoch, finished: false, wallMicros: 0, active: undefined, ...nothing }
  }

  /** A batch and its commit; gives the calls since. */
  async step(): Promise<string[]> {
    await new Promise((resolve) => setImmediate(resolve))
    await this.snapshots.writeSlices()
    await this.snapshots.beforeCommit()
    this.epoch++
    this.snapshots.step()
    return this.calls.splice(0)
  }
}

test("SN1 SN4 epochs go on while a snapshot is written slice by slice, and one is under way at a time", async () => {
  const world = new World(1)
  expect(await world.step()).toEqual(["capture", "checkpoint", "begin 8"])
  world.begin.resolve(PLACE)
  expect(await world.step()).toEqual(["slice of op"])
  expect(await world.step()).toEqual(["slice of op"])
  expect(await world.step()).toEqual([])
  world.sinks.resolve(new Map([["out", new Uint8Array(1)]]))
  expect(await world.step()).toEqual(["end with out"])
  world.end.resolve()
  expect(await world.step()).toEqual(["trim 99"])
  expect(await world.step()).toEqual([])
  world.isDue = false
  world.trim.resolve()
  expect(await world.step()).toEqual(["done 8"])
})

test("SN4 a snapshot whose last slice is written waits for the commit of what the slice may show", async () => {
  const world = new World()
  await world.step()
  world.begin.resolve(PLACE)
  world.sinks.resolve(new Map())
  await new Promise((resolve) => setImmediate(resolve))
  world.calls.splice(0)
  world.nowMicros += 1e6
  await world.snapshots.writeSlices()
  await world.snapshots.writeSlices()
  expect(world.calls).toEqual(["slice of op", "slice of op"])
  world.snapshots.step()
  expect(world.calls).toEqual(["slice of op", "slice of op", "end with "])
})

test("SN5 slices take a share of the time since the last, and a bounded one", async () => {
  const world = new World()
  world.left = 1000
  await world.step()
  world.begin.resolve(PLACE)
  const slicesBehind = async (micros: number): Promise<number> => {
    await new Promise((resolve) => setImmediate(resolve))
    world.nowMicros += micros
    world.calls.splice(0)
    await world.snapshots.writeSlices()
    return world.calls.length
  }
  expect(await slicesBehind(100)).toBe(2)
  expect(await slicesBehind(8000)).toBe(5)
  expect(await slicesBehind(1e6)).toBe(8)
})

test.each(["begin", "end"] as const)("SN2 a commit waits at the %s of a snapshot", async (work) => {
  const world = new World()
  await world.step()
  if (work === "end") {
    world.begin.resolve(PLACE)
    world.sinks.resolve(new Map())
    await world.step()
  }
  let mayCommit = false
  const waiting = world.snapshots.beforeCommit().then(() => (mayCommit = true))
  await new Promise((resolve) => setImmediate(resolve))
  expect(mayCommit).toBe(false)
  if (work === "begin") world.begin.resolve(PLACE)
  else world.end.resolve()
  await waiting
})

test.each(["begin", "sinks", "end", "trim"] as const)("SN3 a job fails where %s fails beside it", async (work) => {
  const world = new World()
  await world.step()
  for (const each of ["begin", "sinks", "end", "trim"] as const) {
    if (each === work) world[each].reject(new Error("no disk"))
    else if (each === "begin") world.begin.resolve(PLACE)
    else if (each === "sinks") world.sinks.resolve(new Map())
    else world[each].resolve()
    if (each === work) break
    await world.step()
  }
  await expect(world.step()).rejects.toThrow("no disk")
})

test("SN3 a job that ends brings its snapshot to its end", async () => {
  const world = new World()
  world.begin.resolve(PLACE)
  world.sinks.resolve(new Map())
  world.end.resolve()
  world.trim.resolve()
  world.snapshots.step()
  world.isDue = false
  await world.snapshots.finish()
  const slices = ["slice of op", "slice of op"]
  expect(world.calls).toEqual(["capture", "checkpoint", "begin 7", ...slices, "end with ", "trim 99", "done 7"])
})
