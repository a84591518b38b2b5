import { expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { START, type Position } from "../../batch/position.ts"
import { runProcess } from "../../connect/world.conformance.ts"
import type { DecodeThreadStart } from "../../formats/threads/decode-messages.ts"
import { DecodeThread } from "../../formats/threads/decode-thread.ts"
import { DecodePool } from "../../runtime/decode-pool.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { FileSource } from "./file-source.ts"
import { BASE_DIRECTORY, installText, SOURCE_SCHEMA, withBaseDirectory } from "./file-world.conformance.ts"
import { jsonLinesFormat } from "./json-lines-format.ts"

const STRIDE = 1000

it("O4 tells that a file became shorter while threads read ahead", async () => {
  const threadProgram = (data: unknown) => new DecodeThread(data as DecodeThreadStart)
  const world = withBaseDirectory(new SimWorld({ seed: 1, threadProgram }))
  installText(world, `${BASE_DIRECTORY}/a.jsonl`, '{"id":1,"text":"a"}\n'.repeat(5000))
  const result = await runProcess(world, async (env) => {
    const arena = new Arena({ maxBytes: 1 << 24 })
    const decoders = new DecodePool({ threads: env.threads!, arena, count: 1, askedMin: 1 })
    const context = { env, arena, decoders, schema: SOURCE_SCHEMA, input: "rows", baseDirectory: BASE_DIRECTORY }
    const source = new FileSource(context, jsonLinesFormat({ maxRecordBytes: STRIDE }), ["*"])
    const [partition] = await source.partitions()
    const reader = await source.open(partition!, 0, START)
    let position: Position = START
    try {
      for (;;) {
        const untilOffset = (Math.floor(position.offset / STRIDE) + 1) * STRIDE
        const taken = await reader.read({ rows: 1000, untilOffset, stride: STRIDE })
        taken.release()
        if (taken.end) return "it ended"
        position = taken.next
        const file = (await env.disk.open(`${BASE_DIRECTORY}/a.jsonl`, "update", "test"))!
        if (position.offset > 10 * STRIDE) await file.truncate(STRIDE, "test")
        await file.close()
      }
    } catch (error) {
      return error
    } finally {
      await source.close()
      await decoders.close()
    }
  })
  expect(result!.value).toMatchObject({ code: "source-changed" })
})
