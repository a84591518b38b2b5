import { expect, it } from "vitest"
import { Arena } from "../batch/arena.ts"
import { schema } from "../batch/schema.ts"
import { schemaData } from "../batch/schema-data.ts"
import { t } from "../batch/types.ts"
import type { DecodeTask, ThreadDecoder } from "../connect/decoders.ts"
import type { ThreadEvents, Threads } from "../env/env.ts"
import type { DecodeThreadStart, ToDecodeThread } from "../formats/threads/decode-messages.ts"
import { DecodeThread } from "../formats/threads/decode-thread.ts"
import { DecodePool } from "./decode-pool.ts"

const Row = schema({ id: t.int53, name: t.string.nullable() })
const SPEC = { format: "jsonl", schema: schemaData(Row), maxRecordBytes: 1000 } as const

/** Threads that do what they are told when the test says so. */
class HeldThreads implements Threads {
  readonly parallelism = 2
  readonly started: { readonly events: ThreadEvents; readonly waiting: ToDecodeThread[]; work(): void; die(): void }[] =
    []
  mayStart = true

  start(data: unknown, events: ThreadEvents) {
    if (!this.mayStart) return undefined
    const thread = new DecodeThread(data as DecodeThreadStart)
    const waiting: ToDecodeThread[] = []
    const work = () => {
      for (const message of waiting.splice(0)) {
        const answer = thread.take(message)
        if (answer !== undefined) events.onMessage(structuredClone(answer))
      }
    }
    this.started.push({ events, waiting, work, die: () => events.onDeath("the test wants it so") })
    return {
      send: (message: unknown) => void waiting.push(structuredClone(message) as ToDecodeThread),
      stop: () => Promise.resolve(),
    }
  }
}

class Bench {
  readonly arena = new Arena({ maxBytes: 1 << 24 })
  readonly threads = new HeldThreads()
  readonly deaths: boolean[] = []
  readonly pool: DecodePool
  readonly decoder: ThreadDecoder

  constructor(count = 1, askedMin = 1) {
    const onDeath = (_: string, isReplaced: boolean) => void this.deaths.push(isReplaced)
    this.pool = new DecodePool({ threads: this.threads, arena: this.arena, count, askedMin, onDeath })
    this.decoder = this.pool.decoder(SPEC)
  }

  /** Lines in the arena, as a task. */
  task(...lines: readonly string[]): DecodeTask {
    const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""))
    const { offset } = this.arena.allocate(bytes.length)
    new Uint8Array(this.arena.buffer, offset).set(bytes)
    return { address: offset, length: bytes.length, offset: 100, untilOffset: 100 + bytes.length }
  }
}

const START = { offset: 100, ordinal: 7 }

it("gives rows, bad records and the next position as those of the place where the records begin", async () => {
  const bench = new Bench()
  const slot = bench.decoder.slot()!
  const answer = slot.decode(bench.task('{"id":1,"name":"é"}', '{"id":"x"}', '{"id":2,"name":null}'))
  bench.threads.started[0]!.work()
  const decoded = (await answer)!
  const { batch, bad, next } = decoded.take(START, 3)
  expect(decoded.records).toBe(3)
  expect(batch!.toRows()).toEqual([
    { id: 1, name: "é" },
    { id: 2, name: null },
  ])
  expect([...batch!.origin.ordinals!]).toEqual([7, 9])
  expect(batch!.origin.partition).toBe(3)
  expect(bad).toMatchObject([{ position: { ordinal: 8 }, field: "id" }])
  expect(next.ordinal).toBe(10)
})

it("gives the batches of all threads one dictionary", async () => {
  const bench = new Bench(2)
  const slots = [bench.decoder.slot()!, bench.decoder.slot()!]
  const lines = ['{"id":1,"name":"a"}', '{"id":2,"name":"b"}']
  const answers = slots.map((slot, index) => slot.decode(bench.task(...(index === 0 ? lines : [...lines].reverse()))))
  for (const thread of bench.threads.started) thread.work()
  const columns = (await Promise.all(answers)).map((decoded) => decoded!.take(START, 0).batch!.columns[1]!)
  expect(columns.map((column) => column.storage === "dictionary" && [...column.values])).toEqual([
    [0, 1],
    [1, 0],
  ])
  expect(columns[0]).toMatchObject({ dictionary: (columns[1] as { dictionary?: unknown }).dictionary })
})

it("DP1 has six places a thread, and gives one again when it is released", async () => {
  const bench = new Bench()
  const slots = Array.from({ length: 6 }, () => bench.decoder.slot()!)
  expect(bench.decoder.slot()).toBeUndefined()
  const answer = slots[0]!.decode(bench.task('{"id":1}'))
  bench.threads.started[0]!.work()
  await answer
  expect(bench.decoder.slot()).toBeUndefined()
  slots[0]!.release()
  expect(bench.decoder.slot()).toBeDefined()
})

it("starts threads when enough was asked for", () => {
  const bench = new Bench(1, 3)
  expect([1, 2, 3].map(() => bench.decoder.slot() !== undefined)).toEqual([false, false, true])
})

it("DP2 gives the tasks of a dead thread to another, and keeps the batches that it had made", async () => {
  const bench = new Bench()
  const slots = [bench.decoder.slot()!, bench.decoder.slot()!, bench.decoder.slot()!]
  const first = slots[0]!.decode(bench.task('{"id":1,"name":"kept"}'))
  bench.threads.started[0]!.work()
  const kept = (await first)!.take(START, 0).batch!
  const second = slots[1]!.decode(bench.task('{"id":2,"name":"again"}'))
  bench.threads.started[0]!.die()
  const third = slots[2]!.decode(bench.task('{"id":3,"name":"after"}'))
  bench.threads.started[1]!.work()
  const rows = [await second, await third].map((decoded) => decoded!.take(START, 0).batch!.toRows()[0])
  expect([...kept.toRows(), ...rows]).toEqual([
    { id: 1, name: "kept" },
    { id: 2, name: "again" },
    { id: 3, name: "after" },
  ])
  expect(bench.deaths).toEqual([true])
  const before = bench.arena.usedBytes
  slots[0]!.release()
  expect(before - bench.arena.usedBytes).toBe(1 << 21)
})

it("DP2 answers that it could not after three deaths in a row, and asks no thread any more", async () => {
  const bench = new Bench()
  const slot = bench.decoder.slot()!
  const answer = slot.decode(bench.task('{"id":1}'))
  for (let death = 0; death < 3; death++) bench.threads.started[death]!.die()
  expect(await answer).toBeUndefined()
  slot.release()
  expect(bench.deaths).toEqual([true, true, false])
  expect(bench.decoder.slot()).toBeUndefined()
  expect(bench.threads.started).toHaveLength(3)
})

it("DP2 answers what is asked at a place whose thread has died for good", async () => {
  const bench = new Bench()
  const slot = bench.decoder.slot()!
  for (let death = 0; death < 3; death++) bench.threads.started[death]!.die()
  expect(await slot.decode(bench.task('{"id":1}'))).toBeUndefined()
  const before = bench.arena.usedBytes
  slot.release()
  expect(before - bench.arena.usedBytes).toBe(1 << 21)
})

it("gives no place where the process may start no thread, or has too little memory for one", () => {
  const bench = new Bench()
  bench.threads.mayStart = false
  expect(bench.decoder.slot()).toBeUndefined()
  const small = new DecodePool({
    threads: new HeldThreads(),
    arena: new Arena({ maxBytes: 1 << 20 }),
    count: 2,
    askedMin: 1,
  })
  expect(small.decoder(SPEC).slot()).toBeUndefined()
})

it("DP3 gives the memory back where what else there is may come to need it, when what was decoded is released", async () => {
  const bench = new Bench(2)
  const slots = [bench.decoder.slot()!, bench.decoder.slot()!]
  const first = slots[0]!.decode(bench.task('{"id":1,"name":"kept"}'))
  const second = slots[1]!.decode(bench.task('{"id":2,"name":"asked before"}'))
  bench.threads.started[0]!.work()
  const kept = (await first)!.take(START, 0).batch!
  bench.arena.allocate(1 << 23)
  expect(bench.decoder.slot()).toBeUndefined()
  bench.threads.started[1]!.work()
  expect((await second)!.take(START, 0).batch!.toRows()).toEqual([{ id: 2, name: "asked before" }])
  const before = bench.arena.usedBytes
  const freed = () => new Promise<void>((resolve) => bench.arena.onceFreed(resolve))
  slots[1]!.release()
  await freed()
  expect(before - bench.arena.usedBytes).toBe(1 << 21)
  expect(kept.toRows()).toEqual([{ id: 1, name: "kept" }])
  expect(bench.pool.leaving).toBeUndefined()
  slots[0]!.release()
  await bench.pool.leaving
  expect(before - bench.arena.usedBytes).toBe(1 << 22)
  expect(bench.decoder.slot()).toBeUndefined()
  expect(bench.threads.started).toHaveLength(2)
})

it("DP3 gives the memory of a thread back that dies while it leaves", async () => {
  const bench = new Bench()
  const slot = bench.decoder.slot()!
  const answer = slot.decode(bench.task('{"id":1,"name":"a"}'))
  bench.arena.allocate(1 << 23)
  expect(bench.decoder.slot()).toBeUndefined()
  bench.threads.started[0]!.die()
  expect(await answer).toBeUndefined()
  const before = bench.arena.usedBytes
  slot.release()
  expect(before - bench.arena.usedBytes).toBe(1 << 21)
  await bench.pool.close()
})

it("takes no notice of an answer that comes after it was closed", async () => {
  const bench = new Bench()
  const slot = bench.decoder.slot()!
  const answer = slot.decode(bench.task('{"id":1}'))
  await bench.pool.close()
  expect(await answer).toBeUndefined()
  slot.release()
  expect(() => bench.threads.started[0]!.work()).not.toThrow()
})

it("fails a task, and not the process, where what a thread has answered cannot be taken", async () => {
  const bench = new Bench()
  const slot = bench.decoder.slot()!
  const answer = slot.decode(bench.task('{"id":1,"name":"a"}'))
  const { events } = bench.threads.started[0]!
  const broken = { rows: 1, places: [0], offsets: 0, ordinals: 0, bad: [], next: START, texts: [] }
  expect(() => events.onMessage({ kind: "decoded", task: 1, ...broken })).not.toThrow()
  await expect(answer).rejects.toThrow()
})

it("answers what is open when it is closed", async () => {
  const bench = new Bench()
  const slot = bench.decoder.slot()!
  const answer = slot.decode(bench.task('{"id":1}'))
  await bench.pool.close()
  expect(await answer).toBeUndefined()
  expect(bench.decoder.slot()).toBeUndefined()
})
