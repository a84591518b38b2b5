/** How a snapshot goes on beside the stream, with work that ends when the test says so. */
import { expect, test } from "vitest"
import type { LogPlace } from "../log/log-reader.ts"
import type { EpochRecord, RunRecord } from "../state/commit-record.ts"
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

/** What was called, and the work that waits for the test. */
class World {
  readonly calls: string[] = []
  isDue = true
  epoch = 7
  readonly sinks = deferred<EpochRecord["outputs"]>()
  readonly write = deferred<LogPlace>()
  readonly trim = deferred<void>()
  readonly snapshots: Snapshots

  constructor() {
    const called = <T>(call: string, result: T): T => {
      this.calls.push(call)
      return result
    }
    const isDue = (): boolean => this.isDue
    const store = {
      get isSnapshotDue() {
        return isDue()
      },
      beginSnapshot: () => called("begin", undefined),
      snapshot: (_run: RunRecord, { epoch, outputs }: EpochRecord) =>
        called(`write ${epoch} with ${[...outputs.keys()].join()}`, this.write.promise),
      trim: ({ offset }: LogPlace) => called(`trim ${offset}`, this.trim.promise),
    }
    this.snapshots = new Snapshots({
      store,
      run: RUN,
      capture: () => called("capture", this.everything()),
      checkpoint: () => called("checkpoint", this.sinks.promise),
      onDone: (epoch) => called(`done ${epoch}`, undefined),
    })
  }

  everything(): EpochRecord {
    const nothing = { partitions: [], operators: new Map(), outputs: new Map(), counters: new Map() }
    return { epoch: this.epoch, finished: false, wallMicros: 0, active: undefined, ...nothing }
  }

  /** Lets what has ended be noticed, and gives the calls since. */
  async step(): Promise<string[]> {
    await new Promise((resolve) => setImmediate(resolve))
    await this.snapshots.beforeCommit()
    this.epoch++
    this.snapshots.step()
    return this.calls.splice(0)
  }
}

test("SN1 epochs go on while sinks sync and segments are removed, and one snapshot is under way at a time", async () => {
  const world = new World()
  expect(await world.step()).toEqual(["begin", "capture", "checkpoint"])
  expect(await world.step()).toEqual([])
  world.sinks.resolve(new Map([["out", new Uint8Array(1)]]))
  expect(await world.step()).toEqual(["write 8 with out"])
  world.write.resolve({ generation: 1, offset: 99 })
  expect(await world.step()).toEqual(["trim 99"])
  expect(await world.step()).toEqual([])
  world.isDue = false
  world.trim.resolve()
  expect(await world.step()).toEqual(["done 8"])
})

test("SN2 a commit waits while a snapshot is written", async () => {
  const world = new World()
  await world.step()
  world.sinks.resolve(new Map())
  await world.step()
  let mayCommit = false
  const waiting = world.snapshots.beforeCommit().then(() => (mayCommit = true))
  await new Promise((resolve) => setImmediate(resolve))
  expect(mayCommit).toBe(false)
  world.write.resolve({ generation: 1, offset: 5 })
  await waiting
  expect(world.calls).toContain("trim 5")
})

test.each(["sinks", "write", "trim"] as const)("SN3 a job fails where %s fails beside it", async (work) => {
  const world = new World()
  world.sinks.promise.catch(() => undefined)
  await world.step()
  for (const each of ["sinks", "write", "trim"] as const) {
    if (each === work) world[each].reject(new Error("no disk"))
    else if (each === "write") world.write.resolve({ generation: 1, offset: 5 })
    else if (each === "sinks") world.sinks.resolve(new Map())
    if (each === work) break
    await world.step()
  }
  await expect(world.step()).rejects.toThrow("no disk")
})

test("SN3 a job that ends brings its snapshot to its end", async () => {
  const world = new World()
  world.sinks.resolve(new Map())
  world.write.resolve({ generation: 1, offset: 5 })
  world.trim.resolve()
  const finished = world.snapshots.finish()
  await finished
  expect(world.calls).toEqual(["begin", "capture", "checkpoint", "write 7 with ", "trim 5", "done 7"])
})
