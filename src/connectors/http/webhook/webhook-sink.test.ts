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

const Row = schema({ id: t.int32 })
const arena = new Arena({ maxBytes: 1 << 20 })
const LETTERS = "/job/state/outputs/rows/dead-letters.jsonl"
const LETTER = '{"at":"2026-11-28T16:00:00.000Z","key":"k","reason":"the answer was 422","row":{"id":1}}\n'

function worldOf(): WebhookWorld {
  const world = new WebhookWorld(1, { lossChance: 0 })
  world.image.installDirectory("/job/state/outputs/rows")
  return world
}

async function openSink(world: WebhookWorld, env: Env): Promise<Sink> {
  const place = { job: "ends", output: "rows", baseDirectory: "/job", stateDirectory: "/job/state" }
  const settings = webhookSettings({ url: "http://receiver/", onRejected: "dead-letter" })
  const recovery = { checkpoint: undefined, staged: [], reset: false, fresh: true }
  return await new WebhookBinding(settings, world).openSink({ env, arena, schema: Row, ...place }, recovery)
}

test("WH2 where the note of what was accepted fails as the sink ends, its end fails", async () => {
  const world = worldOf()
  let failed = 0
  const end = async (env: Env): Promise<void> => {
    const sink = await openSink(world, env)
    const { batch, release } = batchOfRows(arena, Row, [{ id: 1 }])
    sink.write(batch)
    release()
    await sink.apply(await sink.stage(true))
    expect(world.taken).toHaveLength(1)
    // It is under way: nobody waits for it.
    world.faults = {
      strike: ({ step }) => {
        if (step !== "sink.webhook.acknowledged.rename") return undefined
        failed++
        return "enospc"
      },
    }
    await sink.close()
  }
  const ended = end(world.boot())
  const outcome = expect(ended).rejects.toMatchObject({ code: "disk-full" })
  await world.run(ended.catch(() => undefined))
  await outcome
  expect(failed).toBe(1)
})

test("DF2 what a crash has left of dead letters is whole when the sink is open, also where no row is rejected", async () => {
  const world = worldOf()
  world.image.install(LETTERS, new TextEncoder().encode(`${LETTER}${"\0".repeat(40)}\n${LETTER.slice(0, 30)}`))
  const begin = async (env: Env): Promise<void> => {
    const sink = await openSink(world, env)
    await sink.close()
  }
  expect(await world.run(begin(world.boot()))).toBe("settled")
  world.crash()
  expect(new TextDecoder().decode(world.image.readFile(LETTERS))).toBe(LETTER)
})
