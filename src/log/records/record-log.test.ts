import { describe, expect, test } from "vitest"
import type { Env } from "../../env/env.ts"
import { NO_FAULTS } from "../../sim/faults.ts"
import type { SimWorld } from "../../sim/sim-env.ts"
import { segmentName, segmentNames } from "../segment.ts"
import type { Log } from "./log.ts"
import type { LogEntry, ReadLogOptions } from "./log-entry.ts"
import {
  DIRECTORY,
  entriesOf,
  inProcess,
  losePower,
  openLog,
  openReader,
  shown,
  SMALL,
  textsOf,
  worldOf,
} from "./log-world.fixture.ts"
import { placeOf, type Lsn } from "./lsn.ts"

const readAll = (world: SimWorld, options?: ReadLogOptions) =>
  inProcess(world, async (env) => textsOf(await openReader(env), options))

async function writeThree(world: SimWorld): Promise<Lsn[]> {
  return await inProcess(world, async (env) => {
    const log = await openLog(env)
    return await Promise.all(["one", "two", "three"].map((text) => log.append(text)))
  })
}

function damage(world: SimWorld, name: string, change: (bytes: Uint8Array) => Uint8Array): void {
  const path = `${DIRECTORY}/${name}`
  world.image.install(path, change(world.image.readFile(path)!.slice()))
}

describe("appending", () => {
  test("RL1 L1 what was resolved for is read back under its LSN, over generations and a loss of power", async () => {
    const world = worldOf(1)
    const lsns = await writeThree(world)
    losePower(world)
    const four = await inProcess(world, async (env) => (await openLog(env)).append("four"))
    losePower(world)
    const entries = await inProcess(world, async (env) => entriesOf(await openReader(env)))
    expect(entries.map(shown)).toEqual(["one", "two", "three", "bridge", "four"])
    expect(entries.filter(({ kind }) => kind === "record").map(({ lsn }) => lsn)).toEqual([...lsns, four])
    expect(placeOf(four).generation).toBe(2)
  })

  test("RL2 LSNs ascend in the order of calls, of batches as well", async () => {
    const lsns = await inProcess(worldOf(2), async (env) => {
      const log = await openLog(env)
      const [one, batch, last] = await Promise.all([log.append("a"), log.appendBatch(["b", "c"]), log.append("d")])
      return [one, ...batch, last]
    })
    expect([...lsns].sort((a, b) => (a < b ? -1 : 1))).toEqual(lsns)
    expect(new Set(lsns).size).toBe(4)
  })

  test("L2 those who append at the same time share a sync", async () => {
    const world = worldOf(3)
    const syncs = await inProcess(world, async (env) => {
      const log = await openLog(env)
      const before = countOf(world, "records.append.sync")
      await Promise.all(Array.from({ length: 16 }, (_, index) => log.append(`${index}`)))
      await Promise.all(
        Array.from({ length: 16 }, async (_, index) => {
          await log.append(`${index}`)
          await log.append(`${index}`)
        }),
      )
      return countOf(world, "records.append.sync") - before
    })
    expect(syncs).toBeLessThanOrEqual(4)
  })

  test("L14 what waits beyond a batch stays with its callers, and comes in order", async () => {
    const world = worldOf(3)
    await inProcess(world, async (env) => {
      const log = await openLog(env)
      const payload = new Uint8Array(2.5 * 2 ** 20)
      const before = countOf(world, "records.append.write")
      const lsns = await Promise.all(Array.from({ length: 4 }, () => log.append(payload)))
      // Two fit: the second one is begun before the batch is full.
      expect(countOf(world, "records.append.write") - before).toBe(2)
      expect([...lsns].sort((a, b) => (a < b ? -1 : 1))).toEqual(lsns)
    })
  })

  test("an append of nothing resolves at once, an empty record is one", async () => {
    const texts = await inProcess(worldOf(4), async (env) => {
      const log = await openLog(env)
      expect(await log.appendBatch([])).toEqual([])
      await log.append("")
      return await textsOf(log)
    })
    expect(texts).toEqual([""])
  })

  test("RL4 L5 tells a writer that another has taken over, and voids what it appends", async () => {
    const world = worldOf(5)
    const failure = inProcess(world, async (env) => {
      const old = await openLog(unlocked(env))
      await old.append("mine")
      const young = await openLog(unlocked(env))
      await young.append("yours")
      await old.append("void")
    })
    await expect(failure).rejects.toMatchObject({ code: "log-fenced" })
    expect(await readAll(world)).toEqual(["mine", "bridge", "yours"])
  })

  test.each([1, 80])("RL4 tells it so with %i segments, and where its own has vanished", async (segments) => {
    const after = async (meddle: (env: Env, segment: string) => Promise<unknown>): Promise<unknown> =>
      await inProcess(worldOf(8), async (env) => {
        const log = await openLog(unlocked(env), {}, { segmentBytes: 100 })
        for (let index = 1; index < segments; index++) await log.append("x".repeat(100))
        await log.append("x")
        const names = segmentNames(await env.disk.list(DIRECTORY))
        expect(names.length).toBe(segments)
        await meddle(env, `${DIRECTORY}/${names.at(-1)!.name}`)
        return await log.append("void").catch((error: unknown) => error)
      })
    expect(await after((env) => openLog(unlocked(env)))).toMatchObject({ code: "log-fenced" })
    const vanished = await after((env, segment) => env.disk.remove(segment, "test.remove"))
    expect(vanished).toMatchObject({ code: "log-corrupt" })
    expect(vanished).toHaveProperty("message", expect.stringContaining("vanished"))
    expect(await after(() => Promise.resolve())).toBeTypeOf("bigint")
  })

  test("L5 a second one cannot open it, and can when the first has closed it", async () => {
    await inProcess(worldOf(6), async (env) => {
      const log = await openLog(env)
      await expect(openLog(env)).rejects.toMatchObject({ code: "log-locked" })
      await log.close()
      await log.close()
      await expect(log.append("x")).rejects.toMatchObject({ code: "log-closed" })
      await (await openLog(env)).close()
    })
  })

  test("RL5 refuses everything after a failed sync, and rejects all that waits", async () => {
    const world = worldOf(7)
    await inProcess(world, async (env) => {
      const log = await openLog(env)
      await log.append("one")
      world.faults = { strike: ({ step }) => (step === "records.append.sync" ? "eio" : undefined) }
      const outcomes = await Promise.allSettled([log.append("two"), log.append("three")])
      world.faults = NO_FAULTS
      for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: "disk-failed" } })
      await expect(log.append("four")).rejects.toMatchObject({ code: "disk-failed" })
      await log.close()
      const again = await openLog(env)
      expect((await textsOf(again))[0]).toBe("one")
    })
  })

  test("refuses what is no record, and one that is too long, without appending any of its batch", async () => {
    await inProcess(worldOf(8), async (env) => {
      const log = await openLog(env)
      await expect(log.append(1 as never)).rejects.toMatchObject({ code: "invalid-options" })
      const long = new Uint8Array(64 * 2 ** 20 + 1)
      await expect(log.appendBatch(["short", long])).rejects.toMatchObject({ code: "log-record-too-long" })
      expect(await textsOf(log)).toEqual([])
    })
  })

  test("L8 times never go back, whatever the clock does", async () => {
    await inProcess(worldOf(9), async (env) => {
      let micros = 1_000_000
      const log = await openLog(timed(env, () => micros))
      for (micros of [5_000_000, 3_000_000, 6_000_000]) await log.append("x")
      const times = (await entriesOf(log)).map((entry) => (entry.kind === "record" ? entry.timeMicros : 0))
      expect(times).toEqual([5_000_000, 5_000_000, 6_000_000])
      await log.close()
      micros = 1_000_000
      const again = await openLog(timed(env, () => micros))
      await again.append("y")
      expect((await entriesOf(again)).at(-1)).toMatchObject({ timeMicros: 6_000_000 })
    })
  })
})

describe("segments", () => {
  test("follow each other, and are read as one", async () => {
    const world = worldOf(10)
    const texts = Array.from({ length: 300 }, (_, index) => `${index}`.padEnd(1000, "."))
    const lsns = await inProcess(world, async (env) => {
      const log = await openLog(env, SMALL)
      const all: Lsn[] = []
      for (let at = 0; at < texts.length; at += 7) all.push(...(await log.appendBatch(texts.slice(at, at + 7))))
      expect(await textsOf(log)).toEqual(texts)
      return all
    })
    expect(segmentNames(world.image.list(DIRECTORY)).length).toBeGreaterThan(3)
    const entries = await inProcess(world, async (env) => entriesOf(await openReader(env)))
    expect(entries.map(shown)).toEqual(texts)
    expect(entries.map(({ lsn }) => lsn)).toEqual(lsns)
  })

  test("take a batch that is longer than one, and a record that is", async () => {
    const texts = [
      "a".repeat(150_000),
      ...Array.from({ length: 200 }, (_, index) => `${index}`.repeat(400)),
      "b".repeat(70_000),
    ]
    const world = worldOf(11)
    await inProcess(world, async (env) => {
      const log = await openLog(env, SMALL)
      await log.appendBatch(texts)
      await log.close()
    })
    expect(await readAll(world)).toEqual(texts)
  })

  test("begin a generation where one is full", async () => {
    const world = worldOf(12)
    const texts = Array.from({ length: 400 }, (_, index) => `${index}`.padEnd(1000, "."))
    const lsns = await inProcess(world, async (env) => {
      const log = await openLog(env, SMALL, { generationBytes: 100_000 })
      const appended = await log.appendBatch(texts)
      expect((await textsOf(log)).filter((text) => text !== "bridge")).toEqual(texts)
      return appended
    })
    expect(placeOf(lsns.at(-1)!).generation).toBeGreaterThan(2)
    losePower(world)
    expect((await readAll(world)).filter((text) => text !== "bridge")).toEqual(texts)
  })
})

describe("reading", () => {
  test("L6 begins at any place, also where no record begins, and ends before one", async () => {
    await inProcess(worldOf(20), async (env) => {
      const log = await openLog(env, SMALL)
      const texts = Array.from({ length: 200 }, (_, index) => `${index}`.padEnd(1000, "."))
      const lsns = await log.appendBatch(texts)
      for (const at of [0, 1, 63, 64, 65, 130, 199]) {
        const from = lsns[at]!
        expect(await textsOf(log, { from })).toEqual(texts.slice(at))
        expect(await textsOf(log, { from: from + 1n })).toEqual(texts.slice(at + 1))
        expect(await textsOf(log, { until: from })).toEqual(texts.slice(0, at))
        expect(await textsOf(log, { from: lsns[at >> 1]!, until: from + 1n })).toEqual(texts.slice(at >> 1, at + 1))
      }
      expect(await textsOf(log, { from: "end" })).toEqual([])
      expect(await textsOf(log, { from: 0n })).toEqual(texts)
      expect(await textsOf(log, { filter: ({ payload }) => payload[0] === 0x37 })).toEqual(
        texts.filter((text) => text.startsWith("7")),
      )
    })
  })

  test("L6 follows what is appended, and ends when it is told to", async () => {
    await inProcess(worldOf(21), async (env) => {
      const log = await openLog(env)
      const seen: string[] = []
      const control = new AbortController()
      const reading = (async () => {
        for await (const entry of log.read({ follow: true, signal: control.signal })) {
          seen.push(shown(entry))
          if (seen.length === 3) control.abort()
        }
      })()
      for (const text of ["one", "two", "three"]) {
        await log.append(text)
        await env.timers.sleep(1000)
      }
      await reading
      expect(seen).toEqual(["one", "two", "three"])
    })
  })

  test("L13 following ends where the log is sealed, and appending too", async () => {
    const world = worldOf(22)
    await inProcess(world, async (env) => {
      const log = await openLog(env)
      const reading = textsOf(log, { follow: true })
      await log.append("one")
      await log.seal()
      await log.seal()
      expect(await reading).toEqual(["one"])
      await expect(log.append("two")).rejects.toMatchObject({ code: "log-sealed" })
    })
    await inProcess(world, async (env) => {
      expect(await textsOf(await openReader(env), { follow: true })).toEqual(["one"])
      const log = await openLog(env)
      await expect(log.append("two")).rejects.toMatchObject({ code: "log-sealed" })
      expect(await log.isSealed()).toBe(true)
      await log.trim(await log.end())
      expect(await textsOf(log)).toEqual([])
    })
  })

  test("FL1 L4 a reader in another process follows by the mark, and sees nothing before it is durable", async () => {
    await inProcess(worldOf(23), async (env) => {
      const log = await openLog(env)
      await log.append("one")
      const reader = await openReader(env, true)
      const control = new AbortController()
      const seen: string[] = []
      const reading = (async () => {
        for await (const entry of reader.read({ follow: true, signal: control.signal })) seen.push(shown(entry))
      })()
      await env.timers.sleep(1_000_000)
      expect(seen).toEqual(["one"])
      await log.append("two")
      await env.timers.sleep(1_000_000)
      expect(seen).toEqual(["one", "two"])
      await log.close()
      const again = await openLog(env)
      await again.append("three")
      await env.timers.sleep(1_000_000)
      expect(seen).toEqual(["one", "two", "bridge", "three"])
      control.abort()
      await reading
    })
  })

  test("FL1 FL2 where its writer has died, the tail is durable before a reader shows it", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const world = worldOf(seed)
      world.faults = { strike: ({ step }) => (step === "records.append.sync" ? "kill-before" : undefined) }
      await world.run(openLog(world.boot()).then((log) => log.append("one")))
      expect(world.isAlive).toBe(false)
      world.faults = NO_FAULTS
      expect(await readAll(world)).toEqual(["one"])
      losePower(world)
      expect(await readAll(world), `seed ${seed}`).toEqual(["one"])
    }
  })

  test("RL6 L4 nothing is shown before it is durable: records, what is trimmed, and that the log is sealed", async () => {
    const world = worldOf(26)
    await inProcess(world, async (env) => {
      const log = await openLog(env)
      const [one, two] = await log.appendBatch(["one", "two"])
      world.faults = { strike: ({ step }) => (step === "records.append.sync" ? "stall" : undefined) }
      const pending = [log.append("three"), log.trim(two!), log.seal()]
      const [{ lsn }] = (await entriesOf(log)) as [LogEntry]
      expect(await textsOf(log)).toEqual(["one", "two"])
      expect([lsn, await log.trimmed(), await log.isSealed()]).toEqual([one, 0n, false])
      await Promise.all(pending)
      expect(await textsOf(log)).toEqual(["two", "three"])
      expect([await log.trimmed(), await log.isSealed()]).toEqual([two, true])
    })
  })

  test("there is no log where none was made", async () => {
    await inProcess(worldOf(24), async (env) => {
      await expect(openReader(env)).rejects.toMatchObject({ code: "log-missing" })
    })
  })

  test("L9 finds the first record of a time or later", async () => {
    await inProcess(worldOf(25), async (env) => {
      let micros = 0
      const log = await openLog(
        timed(env, () => micros),
        SMALL,
      )
      const lsns: Lsn[] = []
      for (let second = 0; second < 300; second++) {
        micros = Math.floor(second / 3) * 3_000_000
        lsns.push(await log.append(`${second}`.padEnd(1000, ".")))
      }
      const reader = await openReader(env)
      for (const each of [log, reader]) {
        expect(await each.findTime(new Date(0))).toBe(lsns[0])
        expect(await each.findTime(new Date(150_000))).toBe(lsns[150])
        expect(await each.findTime(new Date(150_001))).toBe(lsns[153])
        expect(await each.findTime(new Date(149_999))).toBe(lsns[150])
        expect(await each.findTime(new Date(1e12))).toBe(await each.end())
      }
      await log.trim(lsns[160]!)
      expect(await log.findTime(new Date(150_000))).toBe(lsns[160])
    })
  })

  test("L9 finds it where the tail of a writer that has died was copied, too", async () => {
    const world = worldOf(26)
    const lsns: Lsn[] = []
    const append = async (env: Env) => {
      let micros = 0
      const log = await openLog(
        timed(env, () => micros),
        SMALL,
      )
      for (let second = 1; second <= 5; second++) {
        micros = second * 1_000_000
        lsns.push(await log.append(`${second}`))
      }
    }
    await inProcess(world, append)
    await inProcess(world, async (env) => {
      const log = await openLog(env, SMALL)
      for (const [index, lsn] of lsns.entries()) {
        expect(await log.findTime(new Date((index + 1) * 1000))).toBe(lsn)
        expect(await log.findTime(new Date((index + 1) * 1000 - 1))).toBe(lsn)
      }
    })
  })
})

describe("letting go", () => {
  test("L10 what is trimmed is not read, told as a gap, and its segments go", async () => {
    const world = worldOf(30)
    await inProcess(world, async (env) => {
      const log = await openLog(env, SMALL)
      const lsns = await log.appendBatch(Array.from({ length: 300 }, (_, index) => `${index}`.padEnd(1000, ".")))
      const before = segmentNames(await env.disk.list(DIRECTORY)).length
      await log.trim(lsns[200]!)
      await log.append("more")
      expect(segmentNames(await env.disk.list(DIRECTORY)).length).toBeLessThan(before - 1)
      expect((await textsOf(log)).length).toBe(101)
      const entries = await entriesOf(log, { from: lsns[10]! })
      expect(entries[0]).toEqual({ kind: "gap", reason: "trimmed", lsn: lsns[10], next: lsns[200] })
      expect(entries[1]).toMatchObject({ kind: "record", lsn: lsns[200] })
      await log.trim(lsns[100]!)
      expect(await log.trimmed()).toBe(lsns[200])
    })
    expect((await readAll(world)).length).toBe(101)
  })

  test("L10 an end that nobody has reached is no more than the log's end", async () => {
    await inProcess(worldOf(31), async (env) => {
      const log = await openLog(env)
      await log.append("one")
      await log.trim((1n << 62n) - 1n)
      await log.append("two")
      expect(await textsOf(log)).toEqual(["two"])
    })
  })

  test("L11 by size, age and consumers", async () => {
    const text = "x".repeat(1000)
    const fill = async (log: Log, records = 300) => log.appendBatch(Array.from({ length: records }, () => text))
    await inProcess(worldOf(32), async (env) => {
      const log = await openLog(env, { ...SMALL, retention: { bytes: 150_000 } })
      await fill(log)
      await log.append(text)
      const count = (await textsOf(log)).length
      expect(count).toBeGreaterThan(80)
      expect(count).toBeLessThan(150)
    })
    await inProcess(worldOf(33), async (env) => {
      let micros = 0
      const log = await openLog(
        timed(env, () => micros),
        { ...SMALL, retention: { age: "1m" } },
      )
      await fill(log)
      micros = 30_000_000
      const [first] = await fill(log)
      micros = 80_000_000
      await log.append(text)
      await log.append(text)
      const [oldest] = await entriesOf(log)
      expect(oldest!.lsn < first!).toBe(true)
      expect((await entriesOf(log)).length).toBeLessThan(380)
    })
    await inProcess(worldOf(34), async (env) => {
      const log = await openLog(env, { ...SMALL, retention: { consumed: true } })
      const lsns = await fill(log)
      expect((await textsOf(log)).length).toBe(300)
      const [slow, quick] = [log.consumer("slow"), log.consumer("quick")]
      await slow.commit(lsns[100]!)
      await quick.commit(lsns[299]!)
      await log.append(text)
      const count = (await textsOf(log)).length
      expect(count).toBeGreaterThan(200)
      expect(count).toBeLessThan(300)
      await slow.remove()
      await log.append(text)
      expect((await textsOf(log)).length).toBeLessThan(80)
    })
  })

  test("L12 consumers go on where they have committed, over restarts and a loss of power", async () => {
    const world = worldOf(35)
    const [, two] = await writeThree(world)
    await inProcess(world, async (env) => {
      const log = await openLog(env)
      const consumer = log.consumer("billing")
      expect(consumer.position).toBeUndefined()
      for await (const entry of consumer.read()) {
        await consumer.commit(entry.next)
        if (entry.lsn === two) break
      }
    })
    losePower(world)
    await inProcess(world, async (env) => {
      const log = await openLog(env)
      expect(log.consumers()).toEqual(["billing"])
      const texts: string[] = []
      for await (const entry of log.consumer("billing").read()) texts.push(shown(entry))
      expect(texts).toEqual(["three", "bridge", "bridge"].slice(0, texts.length))
      expect(texts[0]).toBe("three")
    })
  })
})

describe("damage", () => {
  test("L7 DM1 is an error with file and byte, also in what was appended last, as the mark says that it was durable", async () => {
    for (const at of [0, 1, 2]) {
      const world = worldOf(40)
      const lsns = await writeThree(world)
      const position = 48 + placeOf(lsns[at]!).offset
      const path = `${DIRECTORY}/${segmentName(1, 0)}`
      damage(world, segmentName(1, 0), (bytes) => {
        bytes[position + 20]! ^= 1
        return bytes
      })
      const message = expect.stringContaining(`${path} is damaged at byte ${position}: `) as string
      for (const open of [openReader, openLog]) {
        const opening = inProcess(world, (env) => open(env))
        await expect(opening).rejects.toMatchObject({ code: "log-corrupt", message })
      }
    }
  })

  test("L7 in a segment that is closed, the rest is read behind a gap", async () => {
    const world = worldOf(41)
    const texts = Array.from({ length: 300 }, (_, index) => `${index}`.padEnd(1000, "."))
    const lsns = await inProcess(world, async (env) => (await openLog(env, SMALL)).appendBatch(texts))
    const place = placeOf(lsns[20]!)
    const name = segmentName(1, 0)
    damage(world, name, (bytes) => {
      bytes[48 + place.offset + 500]! ^= 1
      return bytes
    })
    const message = `${DIRECTORY}/${name} is damaged at byte ${48 + place.offset}: a record that was durable does not check.`
    await expect(readAll(world)).rejects.toMatchObject({ code: "log-corrupt", message })
    const entries = await inProcess(world, async (env) => entriesOf(await openReader(env), { onDamage: "gap" }))
    expect(entries[20]).toEqual({ kind: "gap", reason: "lost", lsn: lsns[20], next: lsns[21] })
    expect(entries.filter(({ kind }) => kind === "record").map(shown)).toEqual(texts.filter((_, index) => index !== 20))
  })

  test("a torn tail is none", async () => {
    const world = worldOf(42)
    await writeThree(world)
    const name = segmentName(1, 0)
    const whole = world.image.readFile(`${DIRECTORY}/${name}`)!
    const last = whole.findLastIndex((byte) => byte !== 0)
    world.image.remove(`${DIRECTORY}/durable`)
    damage(world, name, (bytes) => bytes.fill(0, last - 2))
    expect(await readAll(world)).toEqual(["one", "two"])
    await inProcess(world, async (env) => (await openLog(env)).append("four"))
    expect(await readAll(world)).toEqual(["one", "two", "bridge", "four"])
  })

  test("the log of a job is none that can be opened", async () => {
    const world = worldOf(43)
    await writeThree(world)
    damage(world, segmentName(1, 0), (bytes) => {
      bytes.set(new TextEncoder().encode("TIDEWAL\n"))
      return bytes
    })
    await expect(readAll(world)).rejects.toMatchObject({ code: "log-corrupt" })
  })
})

function countOf(world: SimWorld, step: string): number {
  return world.matrix.rows.find((row) => row.step === step)?.calls ?? 0
}

/** A world in which nobody is kept from opening a log twice. */
function unlocked(env: Env): Env {
  return Object.assign(Object.create(env) as Env, {
    lockDirectory: () => Promise.resolve({ release: () => Promise.resolve() }),
  })
}

/** A world whose wall clock a test sets. */
function timed(env: Env, wallMicros: () => number): Env {
  const clock = { monotonicMicros: () => env.clock.monotonicMicros(), wallMicros }
  return Object.assign(Object.create(env) as Env, {
    clock,
    disk: env.disk,
    lockDirectory: (path: string) => env.lockDirectory(path),
  })
}
