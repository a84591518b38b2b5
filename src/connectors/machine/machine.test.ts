/** Tests of the machine as inputs. */
import { expect, test } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { START, type Position } from "../../batch/position.ts"
import type { Schema } from "../../batch/schema.ts"
import type { SourceBinding } from "../../connect/source.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { growth, parseDiskStats, parseNetDev, type Counters } from "./counters.ts"
import { machine, machineInputs, type MachineInputs } from "./machine.ts"
import type { Probe } from "./probe.ts"
import { CoreSample, DiskSample, MemorySample, NetworkSample } from "./schemas.ts"

const DISKSTATS = `   7       0 loop0 11 0 28 0 0 0 0 0 0 4 0
   8       0 sda 100 5 2000 30 50 6 4000 70 0 80 90
   8       1 sda1 90 5 1900 30 50 6 3900 70 0 80 90
 259       0 nvme0n1 1 0 8 0 2 0 16 0 0 4 0
 259       1 nvme0n1p1 1 0 8 0 2 0 16 0 0 4 0
`

const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1000      10    0    0    0     0          0         0     1000      10    0    0    0     0       0          0
  eth0:5000      50    0    0    0     0          0         0     700       7    0    0    0     0       0          0
`

test("reads what Linux counts, of whole disks", () => {
  expect([...parseDiskStats(DISKSTATS)]).toEqual([
    ["sda", { read: 2000 * 512, written: 4000 * 512 }],
    ["nvme0n1", { read: 8 * 512, written: 16 * 512 }],
  ])
  expect([...parseNetDev(NET_DEV)]).toEqual([
    ["lo", { received: 1000, sent: 1000 }],
    ["eth0", { received: 5000, sent: 700 }],
  ])
})

test("growth is that of what was there before, and a counter that began anew has grown by what it shows", () => {
  const counters = (entries: Readonly<Record<string, Counters>>) => new Map(Object.entries(entries))
  const before = counters({ a: { n: 5, m: 1 }, gone: { n: 1 } })
  expect(growth(before, counters({ a: { n: 7, m: 0 }, b: { n: 9 } }))).toEqual([["a", { n: 2, m: 0 }]])
  expect(growth(before, counters({ a: { n: 3, m: 1 } }))).toEqual([["a", { n: 3, m: 0 }]])
})

/** A machine whose cores spend each sample's time as the next of a list says. */
function fakeProbe(counts: readonly (readonly [idle: number, user: number, system: number])[]): Probe {
  let [sample, idle, user, system] = [0, 1000, 100, 10]
  return {
    cores() {
      const [more, programs, kernel] = counts[sample++ % counts.length]!
      ;[idle, user, system] = [idle + more, user + programs, system + kernel]
      return new Map([0, 1].map((core) => [String(core), { idle, user, system }]))
    },
    memory: () => ({ totalBytes: 16, freeBytes: 4, load: [1, 0.5, 0.25] }),
    disks: async () => parseDiskStats(DISKSTATS),
    networks: async () => undefined,
  }
}

/** Reads so many records from a position on, in reads of at most so many. */
async function read(binding: SourceBinding, schema: Schema, count: number, from: Position = START, rows = 100) {
  const world = new SimWorld({ seed: 1 })
  const env = world.boot()
  const arena = new Arena({ maxBytes: 1 << 22 })
  const reading = (async () => {
    const start = env.clock.monotonicMicros()
    const source = await binding.openSource({ env, arena, schema, input: "machine", baseDirectory: "/work" })
    const [partition] = await source.partitions()
    const reader = await source.open(partition!, 0, from)
    const records: Record<string, unknown>[] = []
    const times: number[] = []
    let at = from
    while (records.length < count) {
      await reader.whenReadable!(new AbortController().signal)
      const taken = await reader.read({ rows, untilOffset: Infinity })
      expect([taken.end, taken.bad]).toEqual([false, []])
      expect(taken.next.offset).toBeGreaterThan(at.offset)
      at = taken.next
      for (const row of taken.batch!.toRows()) {
        records.push(row)
        times.push(env.clock.monotonicMicros() - start)
      }
      taken.release()
    }
    await reader.close()
    await source.close()
    expect(arena.usedBytes).toBe(0)
    return { records, times, at }
  })()
  await world.run(reading)
  return await reading
}

const inputsOf = (probe: Probe): MachineInputs => machineInputs(probe, 1_000_000, "machine()")

test("MA1 each core has a row a sample, with the shares of the time since the last one", async () => {
  const { cores } = inputsOf(
    fakeProbe([
      [0, 0, 0],
      [50, 30, 20],
      [100, 0, 0],
      [0, 0, 0],
    ]),
  )
  const { records, times } = await read(cores, CoreSample, 4)
  expect(records).toMatchObject([
    { core: 0, busy: 0.5, user: 0.3, system: 0.2 },
    { core: 1, busy: 0.5, user: 0.3, system: 0.2 },
    { core: 0, busy: 0, user: 0, system: 0 },
    { core: 1, busy: 0, user: 0, system: 0 },
  ])
  expect(times.map((micros) => Math.floor(micros / 1_000_000))).toEqual([1, 1, 2, 2])
  expect((records[2]!["at"] as number) - (records[0]!["at"] as number)).toBeGreaterThanOrEqual(900_000)
})

test("MA2 records are numbered on from where a run before has committed, whatever the limits", async () => {
  const whole = await read(inputsOf(fakeProbe([[1, 1, 0]])).cores, CoreSample, 4)
  expect(whole.at).toEqual({ ordinal: 4, offset: 4 * 2 ** 20 })
  const { records, at } = await read(inputsOf(fakeProbe([[1, 1, 0]])).cores, CoreSample, 4, whole.at, 1)
  expect(at).toEqual({ ordinal: 8, offset: 8 * 2 ** 20 })
  expect(records.map(({ core }) => core)).toEqual([0, 1, 0, 1])
})

test("memory and disks are told of, and what the system does not tell stops the job", async () => {
  const { memory, disks, networks } = inputsOf(fakeProbe([[1, 1, 1]]))
  expect((await read(memory, MemorySample, 1)).records).toMatchObject([
    { totalBytes: 16, freeBytes: 4, load1: 1, load5: 0.5, load15: 0.25 },
  ])
  expect((await read(disks, DiskSample, 2)).records).toMatchObject([
    { disk: "sda", readBytes: 0, writtenBytes: 0 },
    { disk: "nvme0n1", readBytes: 0, writtenBytes: 0 },
  ])
  await expect(read(networks, NetworkSample, 1)).rejects.toMatchObject({ code: "source-unreadable" })
})

test("this machine answers", async () => {
  const { records } = await read(machine().memory, MemorySample, 1)
  expect(records[0]!["totalBytes"]).toBeGreaterThan(1e6)
  expect(records[0]!["freeBytes"]).toBeGreaterThan(0)
})

test("says what it is and what it guarantees, and refuses what it does not know", () => {
  expect(machine({ every: "2s" }).cores.describe()).toBe('machine({ every: "2s" }).cores')
  expect(machine().memory).toMatchObject({ readGuarantee: "at-most-once" })
  expect(() => machine({ every: "1ms" })).toThrow("too often")
  expect(() => machine({ often: true } as never)).toThrow('"often"')
})
