import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { propertyCases } from "../../test/seeds.ts"
import { ByteWriter } from "../base/bytes.ts"
import type { Env } from "../env/env.ts"
import { RandomFaults } from "../sim/faults.ts"
import { SimWorld } from "../sim/sim-env.ts"
import { Prng } from "../base/prng.ts"
import { decodeEpoch, decodeRun, encodeEpoch, encodeRun, type EpochRecord, type RunRecord } from "./commit-record.ts"
import type { LogPlace } from "../log/log-reader.ts"
import { EpochStore } from "./epoch-store.ts"

const DIRECTORY = "/state/log"
const RUN: RunRecord = { job: "j", fingerprint: "f", params: {}, operators: [], outputs: [], version: "0" }

/** A snapshot of the last epoch, with nothing beside. */
async function takeSnapshot(store: EpochStore, epoch: number): Promise<void> {
  const start = await store.beginSnapshot(RUN, { ...snapshotOf(epoch), operators: new Map() })
  await writeSlices(store, epoch)
  await store.endSnapshot(snapshotOf(epoch).outputs)
  await store.trim(start)
}

/** Slices of a state of that epoch: two, so that one may be missed. */
async function writeSlices(store: EpochStore, epoch: number): Promise<void> {
  const all = snapshotOf(epoch).operators.get("op")!
  await store.appendSlice("op", all.subarray(0, epoch >> 1))
  await store.appendSlice("op", all.subarray(epoch >> 1))
}

function bytesOf(...values: number[]): Uint8Array {
  return Uint8Array.from(values)
}

/** The epoch of that number: one operator's change, one partition's progress, one staged byte. */
function epochOf(epoch: number): EpochRecord {
  return {
    epoch,
    finished: false,
    wallMicros: 1_700_000_000_000_000 + epoch,
    active: epoch % 2 === 0 ? 0 : undefined,
    partitions: [
      {
        index: 0,
        input: "in",
        id: "a.csv",
        tieBreak: "t",
        identity: "i",
        offset: epoch * 10,
        ordinal: epoch,
        ended: false,
      },
    ],
    operators: new Map([["op", bytesOf(epoch % 256)]]),
    outputs: new Map([["out", bytesOf(epoch % 256)]]),
    counters: new Map([["rowsIn", epoch]]),
  }
}

/** What a snapshot of an epoch holds: here, the numbers of all epochs so far. */
function snapshotOf(epoch: number): EpochRecord {
  const all = bytesOf(...Array.from({ length: epoch }, (_, index) => (index + 1) % 256))
  return { ...epochOf(epoch), operators: new Map([["op", all]]), outputs: new Map([["out", all]]) }
}

function worldOf(seed: number): SimWorld {
  const world = new SimWorld({ seed })
  world.image.installDirectory("/state")
  return world
}

async function inProcess<T>(world: SimWorld, program: (env: Env) => Promise<T>): Promise<T> {
  const promise = program(world.boot())
  promise.catch(() => undefined)
  await world.run(promise)
  world.kill()
  return await promise
}

/** The state as numbers: what operator changes and sinks' bytes say of the epochs they stand for. */
async function summary(store: EpochStore) {
  const { epoch, operators, outputs, partitions, counters } = store.recovered
  const flat = (pieces: readonly Uint8Array[]) => pieces.flatMap((piece) => [...piece])
  const seen = store.seenRecords()
  const changes: Uint8Array[] = []
  for (const each of operators.get("op") ?? []) changes.push(each instanceof Uint8Array ? each : await seen.read(each))
  await seen.close()
  const output = outputs.get("out")
  return {
    epoch,
    operator: flat(changes),
    output: [...(output?.checkpoint ?? []), ...flat(output?.staged ?? [])],
    offset: partitions.get(0)?.offset ?? 0,
    rowsIn: counters.get("rowsIn") ?? 0,
  }
}

function expected(epoch: number) {
  const numbers = Array.from({ length: epoch }, (_, index) => (index + 1) % 256)
  return { epoch, operator: numbers, output: numbers, offset: epoch * 10, rowsIn: epoch }
}

const recovered = (world: SimWorld) =>
  inProcess(world, async ({ disk }) => summary(await EpochStore.open(disk, DIRECTORY)))

describe("records", () => {
  const bytes = fc.uint8Array({ maxLength: 20 })
  const epochs = fc.record({
    epoch: fc.nat(),
    finished: fc.boolean(),
    wallMicros: fc.nat(),
    active: fc.option(fc.nat(5), { nil: undefined }),
    partitions: fc.uniqueArray(
      fc.record({
        index: fc.nat(5),
        input: fc.string(),
        id: fc.string({ unit: "grapheme" }),
        tieBreak: fc.string(),
        identity: fc.string(),
        offset: fc.maxSafeNat(),
        ordinal: fc.maxSafeNat(),
        ended: fc.boolean(),
      }),
      { selector: ({ index }) => index },
    ),
    operators: fc.array(fc.tuple(fc.string(), bytes)).map((entries) => new Map(entries)),
    outputs: fc.array(fc.tuple(fc.string(), bytes)).map((entries) => new Map(entries)),
    counters: fc.array(fc.tuple(fc.string(), fc.maxSafeNat())).map((entries) => new Map(entries)),
  })

  test("M1 an epoch reads back as it was written", () => {
    fc.assert(
      fc.property(epochs, (epoch) => {
        const writer = new ByteWriter()
        encodeEpoch(writer, epoch, () => false)
        expect(decodeEpoch(writer.finish(), new Map())).toEqual(epoch)
      }),
      propertyCases(),
    )
  })

  test("M2 a partition that is known already is not described again", () => {
    const [partition] = epochOf(1).partitions
    const writer = new ByteWriter()
    encodeEpoch(writer, epochOf(2), () => true)
    expect(decodeEpoch(writer.finish(), new Map([[0, partition!]])).partitions).toEqual(epochOf(2).partitions)
    expect(() => decodeEpoch(writer.finish(), new Map())).toThrow(expect.objectContaining({ code: "state-corrupt" }))
  })

  test("M1 whatever else the bytes are is state-corrupt", () => {
    const writer = new ByteWriter()
    encodeEpoch(writer, epochOf(3), () => false)
    const whole = writer.finish()
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeEpoch(whole.slice(0, length), new Map())).toThrow(
        expect.objectContaining({ code: "state-corrupt" }),
      )
    }
  })

  test("a run reads back", () => {
    const run = { ...RUN, params: { limit: '"5"', name: '"ä"' } }
    expect(decodeRun(encodeRun(run))).toEqual(run)
  })
})

describe("an epoch store", () => {
  test("Z1 recovers what was committed, snapshots or not", async () => {
    const world = worldOf(1)
    await inProcess(world, async ({ disk }) => {
      const store = await EpochStore.open(disk, DIRECTORY, { policy: { minBytes: 200, growth: 1 } })
      await store.begin(RUN, false)
      let snapshots = 0
      for (let epoch = 1; epoch <= 40; epoch++) {
        await store.commit(epochOf(epoch))
        if (!store.isSnapshotDue) continue
        snapshots++
        await takeSnapshot(store, epoch)
      }
      expect(snapshots).toBeGreaterThan(3)
    })
    expect(await recovered(world)).toEqual(expected(40))
  })

  test("Z4 keeps one segment when a snapshot was just taken", async () => {
    const world = worldOf(2)
    await inProcess(world, async ({ disk }) => {
      const store = await EpochStore.open(disk, DIRECTORY)
      await store.begin(RUN, false)
      for (let epoch = 1; epoch <= 5; epoch++) {
        await store.commit(epochOf(epoch))
        await takeSnapshot(store, epoch)
      }
      expect((await disk.list(DIRECTORY)).filter((name) => name.endsWith(".wal"))).toHaveLength(1)
    })
  })

  test("E23 Z1 Z4 Z5 epochs that were committed while a snapshot was written are folded behind it", async () => {
    const world = worldOf(5)
    await inProcess(world, async ({ disk }) => {
      const store = await EpochStore.open(disk, DIRECTORY, { policy: { minBytes: 1, growth: 1 } })
      await store.begin(RUN, false)
      for (let epoch = 1; epoch <= 3; epoch++) await store.commit(epochOf(epoch))
      const start = await store.beginSnapshot(RUN, { ...snapshotOf(3), operators: new Map() })
      await store.commit(epochOf(4))
      await store.appendSlice("op", bytesOf(1))
      await store.commit(epochOf(5))
      await store.appendSlice("op", bytesOf(2, 3))
      await store.commit(epochOf(6))
      await store.endSnapshot(snapshotOf(3).outputs)
      const trimmed = store.trim(start)
      await store.commit(epochOf(7))
      await trimmed
      expect((await disk.list(DIRECTORY)).filter((name) => name.endsWith(".wal"))).toHaveLength(1)
    })
    expect(await recovered(world)).toEqual(expected(7))
  })

  test("Z2 refuses a log whose beginning is missing", async () => {
    const world = worldOf(3)
    for (const epoch of [1, 2, 3]) {
      await inProcess(world, async ({ disk }) => {
        const store = await EpochStore.open(disk, DIRECTORY)
        await store.begin(RUN, false)
        await store.commit(epochOf(epoch))
      })
    }
    const [oldest] = world.image.list(DIRECTORY)
    await inProcess(world, async ({ disk }) => disk.remove(`${DIRECTORY}/${oldest!}`, "test.remove"))
    await expect(recovered(world)).rejects.toMatchObject({ code: "state-corrupt" })
  })

  test("a reset makes void what came before, also when nothing is committed after it", async () => {
    const world = worldOf(4)
    await inProcess(world, async ({ disk }) => {
      const store = await EpochStore.open(disk, DIRECTORY)
      await store.begin(RUN, false)
      await store.commit(epochOf(1))
    })
    await inProcess(world, async ({ disk }) => (await EpochStore.open(disk, DIRECTORY)).begin(RUN, true))
    await inProcess(world, async ({ disk }) => {
      const store = await EpochStore.open(disk, DIRECTORY)
      expect(store.recovered.resetPending).toBe(true)
      expect(await summary(store)).toEqual(expected(0))
      await store.begin(RUN, false)
      await store.commit(epochOf(1))
    })
    expect(await recovered(world)).toEqual(expected(1))
  })

  test("E24 Z1 Z3 Z6 P21 SR1 hold whatever dies when, over many seeds", { timeout: 120_000 }, async () => {
    const scale = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
    let deaths = 0
    /** How often there was something to recover. */
    let recoveries = 0
    for (let seed = 0; seed < 250 * scale; seed++) {
      const world = worldOf(seed)
      const prng = new Prng(seed)
      let committed = 0
      let committing = 0
      // What is not kept is read once more.
      const keptBytesMax = prng.pick([0, 5, 30, Infinity])
      const live = async ({ disk }: Env): Promise<void> => {
        const store = await EpochStore.open(disk, DIRECTORY, { policy: { minBytes: 100, growth: 1 }, keptBytesMax })
        expect([committed, committing], `seed ${seed}`).toContain(store.epoch)
        expect(await summary(store), `seed ${seed}`).toEqual(expected(store.epoch))
        if (store.epoch > 0) recoveries++
        committed = store.epoch
        await store.begin(RUN, false)
        let underWay: { epoch: number; start: LogPlace; left: Uint8Array } | undefined
        let trim = Promise.resolve()
        for (let count = 0; count < 8; count++) {
          if (underWay !== undefined && underWay.left.length > 0 && prng.chance(0.7)) {
            const length = 1 + prng.below(underWay.left.length)
            await store.appendSlice("op", underWay.left.subarray(0, length))
            underWay.left = underWay.left.subarray(length)
          }
          committing = committed + 1
          await store.commit(epochOf(committing))
          committed = committing
          if (underWay?.left.length === 0) {
            await store.endSnapshot(snapshotOf(underWay.epoch).outputs)
            // The next epochs are committed meanwhile. Where it fails, so do they.
            trim = store.trim(underWay.start)
            trim.catch(() => undefined)
            underWay = undefined
          } else if (underWay === undefined && store.isSnapshotDue) {
            await trim
            const { operators, ...rest } = snapshotOf(committed)
            const start = await store.beginSnapshot(RUN, { ...rest, operators: new Map() })
            underWay = { epoch: committed, start, left: operators.get("op")! }
          }
        }
        await trim
      }
      for (let life = 0; life < 6; life++) {
        world.faults = new RandomFaults(prng.fork(), { intensity: prng.pick([0.01, 0.03, 0.1, 0.4]), max: 2 })
        const promise = live(world.boot())
        const end = await world.run(promise)
        if (end === "died") deaths++
        else {
          await promise.catch((error: unknown) => {
            expect(error, `seed ${seed}`).toMatchObject({ code: expect.stringMatching(/^disk-/) as string })
          })
        }
        if (!world.isAlive) continue
        if (prng.chance(0.5)) world.kill()
        else world.crash()
      }
    }
    expect(deaths).toBeGreaterThan(100)
    expect(recoveries).toBeGreaterThan(400)
  })
})
