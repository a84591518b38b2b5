/** Notes that belong to another line of a job's state, as after a backup was put back, and notes that are not whole. */
import { expect, test } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { batchOfRows } from "../../../batch/batch.ts"
import { schema } from "../../../batch/schema.ts"
import { t } from "../../../batch/types.ts"
import type { Sink } from "../../../connect/sink.ts"
import type { Env } from "../../../env/env.ts"
import { WebhookBinding } from "./webhook-binding.ts"
import { webhookSettings } from "./webhook-options.ts"
import { WebhookWorld } from "./webhook-world.fixture.ts"

const Row = schema({ n: t.int32 })
const arena = new Arena({ maxBytes: 1 << 22 })
const NOTE = "/job/state/outputs/rows/acknowledged"

class Place {
  readonly world = new WebhookWorld(1, { lossChance: 0 })

  constructor() {
    this.world.image.installDirectory("/job/state")
  }

  /** A process that does something with the output, and is killed. */
  async process(log: { checkpoint?: Uint8Array; staged?: Uint8Array[] }, program: (sink: Sink) => Promise<unknown>) {
    const { checkpoint, staged = [] } = log
    const env: Env = this.world.boot()
    const live = async (): Promise<void> => {
      const settings = webhookSettings({ url: "http://receiver/", maxUnsent: { rows: 0 } })
      const place = { job: "notes", output: "rows", baseDirectory: "/job", stateDirectory: "/job/state" }
      const fresh = checkpoint === undefined && staged.length === 0
      const recovery = { checkpoint, staged, reset: false, fresh }
      const sink = await new WebhookBinding(settings, this.world).openSink(
        { env, arena, schema: Row, ...place },
        recovery,
      )
      await program(sink)
    }
    const promise = live()
    await this.world.run(promise)
    await promise
    this.world.kill()
  }

  get sent(): number[] {
    return this.world.taken.map(({ text }) => (JSON.parse(text) as { n: number }).n)
  }
}

async function stage(sink: Sink, n: number): Promise<Uint8Array> {
  const { batch, release } = batchOfRows(arena, Row, [{ n }])
  sink.write(batch)
  release()
  return (await sink.stage(false)).slice()
}

test("AF1 WH3 notes of another line of the state are passed over: its epochs have the numbers of others", async () => {
  const place = new Place()
  let checkpoint: Uint8Array | undefined
  await place.process({}, async (sink) => {
    await sink.apply(await stage(sink, 1))
    checkpoint = (await sink.checkpoint()).slice()
    await sink.apply(await stage(sink, 2))
    // Closed, so that what is acknowledged is noted.
    await sink.close()
  })
  const log = { checkpoint: checkpoint!, staged: [] as Uint8Array[] }
  // The log is as it was at the checkpoint: the next epoch is another second one.
  await place.process(log, async (sink) => void log.staged.push(await stage(sink, 3)))
  await place.process(log, async (sink) => sink.apply(await stage(sink, 4)))
  expect(place.sent).toEqual([1, 2, 3, 4])
  expect(place.world.findings).toEqual([])
})

test.each([0, 3, 20, 31])("AF1 notes that are not whole are passed over: byte %i is changed", async (byte) => {
  const place = new Place()
  const log = { staged: [] as Uint8Array[] }
  await place.process(log, async (sink) => {
    for (const n of [1, 2, 3]) {
      log.staged.push(await stage(sink, n))
      await sink.apply(log.staged.at(-1)!)
    }
    await sink.close()
  })
  const note = place.world.image.readFile(NOTE)!.slice()
  expect(byte).toBeLessThan(note.length)
  note[byte]! ^= 4
  place.world.image.remove(NOTE)
  place.world.image.install(NOTE, note)
  await place.process(log, async (sink) => sink.apply(await stage(sink, 4)))
  expect(place.sent).toEqual([1, 2, 3, 4])
  expect(place.world.repeats).toBe(3)
})

test("WH2 what was noted is not sent again", async () => {
  const place = new Place()
  const log = { staged: [] as Uint8Array[] }
  await place.process(log, async (sink) => {
    for (const n of [1, 2, 3]) {
      log.staged.push(await stage(sink, n))
      await sink.apply(log.staged.at(-1)!)
    }
    await sink.close()
  })
  await place.process(log, async (sink) => sink.apply(await stage(sink, 4)))
  expect(place.sent).toEqual([1, 2, 3, 4])
  expect(place.world.repeats).toBe(0)
})
