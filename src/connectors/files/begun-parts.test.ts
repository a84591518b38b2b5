/** Whether a part that is begun is seen: by checkpoint alone, by records alone, and not any more when it is published. */
import { beforeAll, describe, expect, test } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import type { Sink, SinkRecovery } from "../../connect/sink.ts"
import { runProcess } from "../../connect/world.conformance.ts"
import type { Env } from "../../env/env.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { arrow, parquet, type FileOptions } from "./file-connector.ts"
import { BASE_DIRECTORY, withBaseDirectory } from "./file-world.conformance.ts"
import { arrowCode, begunPartsCode, parquetCode, partitionedCode } from "./on-demand.ts"

// What is loaded while a world is simulated would take time that the world does not have.
beforeAll(async () => {
  for (const code of [arrowCode, parquetCode, partitionedCode, begunPartsCode]) await code.get()
})

const Row = schema({ id: t.int32, side: t.string })
const ROWS = [
  { id: 1, side: "left" },
  { id: 2, side: "right" },
]
const NOTHING: SinkRecovery = { checkpoint: undefined, staged: [], reset: false, fresh: true }
const CHANGE = { before: "id int64", now: "id int32, side string" }
const arena = new Arena({ maxBytes: 1 << 22 })

/** What a log may have of two rows: all as records, a checkpoint alone, or the record behind a checkpoint. */
const LOGS = ["records", "checkpoint", "checkpoint and a record"] as const

const contextOf = (env: Env) => ({
  env,
  arena,
  schema: Row,
  job: "copying",
  output: "out",
  baseDirectory: BASE_DIRECTORY,
})

const epoch = async (sink: Sink, id: number): Promise<Uint8Array> => {
  const { batch, release } = batchOfRows(arena, Row, [ROWS[id]!])
  sink.write(batch)
  release()
  const staged = await sink.stage(false)
  await sink.apply(staged)
  return staged
}

describe.each([
  ["parquet", parquet, {}],
  ["parquet", parquet, { partitionBy: "side" }],
  ["arrow", arrow, {}],
  ["arrow", arrow, { partitionBy: "side" }],
] as const)("%s", (_, connector, options: FileOptions) => {
  const binding = connector("out", options)

  test.each(LOGS)(`E13 a part that is begun is seen: ${JSON.stringify(options)}, by %s`, async (logged) => {
    const world = withBaseDirectory(new SimWorld({ seed: 1 }))
    const run = await runProcess(world, async (env) => {
      const sink = await binding.openSink(contextOf(env), NOTHING)
      const first = await epoch(sink, 0)
      if (logged === "records") return { checkpoint: undefined, staged: [first, await epoch(sink, 1)] }
      if (logged === "checkpoint") {
        await epoch(sink, 1)
        return { checkpoint: await sink.checkpoint(), staged: [] }
      }
      const checkpoint = await sink.checkpoint()
      return { checkpoint, staged: [await epoch(sink, 1)] }
    })
    const recovery = { ...NOTHING, ...run!.value, fresh: false }
    const check = async (change: typeof CHANGE | undefined) =>
      await runProcess(world, (env) => binding.check!(contextOf(env), recovery, change))
    await check(undefined)
    await expect(check(CHANGE)).rejects.toMatchObject({
      code: "state-foreign",
      message: expect.stringMatching(
        options.partitionBy === undefined
          ? /^The output out .*\/work\/out\/\.part-00000\.\w+\.\w+\.inprogress cannot be completed with them\. They were id int64, and are id int32, side string\.$/
          : /\/work\/out\/side=left\/\.part-00000\.\w+\.\w+\.inprogress and 1 other part cannot be completed/,
      ) as string,
    })
    // The earlier program publishes what it has begun: whatever a log still says of it, nothing is begun any more.
    await runProcess(world, async (env) => {
      const sink = await binding.openSink(contextOf(env), recovery)
      await sink.apply(await sink.stage(true))
    })
    await check(CHANGE)
  })
})

describe.each([
  ["parquet", parquet],
  ["arrow", arrow],
] as const)("%s", (_, connector) => {
  test.each([
    ["fewer columns", schema({ id: t.int32 })],
    ["more columns", schema({ id: t.int32, side: t.string, more: t.string })],
  ])(
    "E13 a part that was begun with others, and %s now, is refused where no log has told of them, too",
    async (_name, other) => {
      const world = withBaseDirectory(new SimWorld({ seed: 1 }))
      const run = await runProcess(world, async (env) => {
        const sink = await connector("out").openSink(contextOf(env), NOTHING)
        return await epoch(sink, 0)
      })
      const recovery = { ...NOTHING, staged: [run!.value], fresh: false }
      const published = runProcess(world, async (env) => {
        const sink = await connector("out").openSink({ ...contextOf(env), schema: other }, recovery)
        await sink.apply(await sink.stage(true))
      })
      await expect(published).rejects.toMatchObject({
        code: "sink-failed",
        message: expect.stringContaining("begun by a program with other columns") as string,
      })
    },
  )
})
