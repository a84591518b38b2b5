/** What is pushed as the source closes. */
import { expect, test } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import type { SourceContext } from "../../connect/source.ts"
import type { Env } from "../../env/env.ts"
import { inProcess, worldOf } from "../../log/records/log-world.fixture.ts"
import { BlockRecords } from "./block-record.ts"
import { PushedSource } from "./pushed-source.ts"
import { PushedStore } from "./pushed-store.ts"

const Piece = schema({ id: t.int53, index: t.int53 })

const contextOf = (env: Env): SourceContext => {
  const arena = new Arena({ maxBytes: 1 << 23 })
  return { env, arena, schema: Piece, input: "pieces", baseDirectory: "/", stateDirectory: "/data" }
}

test("PU1 a push of columns whose pieces wait for each other is stored whole where the source closes meanwhile", async () => {
  const count = 150_000
  const columns = { id: new Float64Array(count), index: Float64Array.from({ length: count }, (_, index) => index) }
  await inProcess(worldOf(7), async (env) => {
    const settings = { segmentBytes: 2 ** 20, trimBytes: 2 ** 20 }
    const open = async () => await PushedStore.open(env, "/data/pieces", "pieces", settings)
    const parts = { store: await open(), maxWaitingBytes: Infinity, onClose: () => undefined }
    const source = new PushedSource(contextOf(env), parts)
    const push = source.push(columns)
    await Promise.all([source.close(), push])
    const store = await open()
    const records = new BlockRecords(contextOf(env))
    let rows = 0
    for await (const { payload } of store.kept(undefined)) rows += records.decode(payload, "it").batch!.count
    expect(rows).toBe(count)
    await store.close()
  })
})
