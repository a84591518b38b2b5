import { expect, it } from "vitest"
import { EVERY_WAY, randomFieldText } from "../../../test/random-fields.ts"
import { forEachSeedInTurn } from "../../../test/seeds.ts"
import type { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { START, type Position } from "../../batch/position.ts"
import type { Decoders } from "../../connect/decoders.ts"
import { runProcess } from "../../connect/world.conformance.ts"
import type { Env } from "../../env/env.ts"
import type { DecodeThreadStart } from "../../formats/threads/decode-messages.ts"
import { DecodeThread } from "../../formats/threads/decode-thread.ts"
import { DecodePool } from "../../runtime/decode-pool.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { csvFormat } from "./csv-format.ts"
import type { FileFormat } from "./file-format.ts"
import { FileSource } from "./file-source.ts"
import { BASE_DIRECTORY, installText, withBaseDirectory } from "./file-world.conformance.ts"
import { jsonLinesFormat } from "./json-lines-format.ts"

const MAX_RECORD_BYTES = 2000
const names = EVERY_WAY.fields.map(({ name }) => name)

function randomCsv(prng: Prng): string {
  const [lineEnd, quotes, change] = [
    prng.pick(["\n", "\n", "\r\n"]),
    prng.pick([0, 0, 0.02, 0.5]),
    prng.pick([0, 0.01]),
  ]
  let text = `${prng.pick(["", "\ufeff"])}${names.join(",")}${lineEnd}`
  for (let record = 0, count = prng.below(120); record < count; record++) {
    const fields = names.map((name) => {
      const field = randomFieldText(prng, name, change)
      const isQuoted = prng.chance(quotes)
      const inner = isQuoted && name === "name" ? `${field}${prng.pick(["\n", "", ",", '""'])}` : field
      return isQuoted ? `"${inner}"` : field
    })
    text += `${fields.join(",")}${lineEnd}${prng.chance(0.02) ? lineEnd : ""}`
    if (prng.chance(0.005)) text += `${"x".repeat(prng.pick([1000, 3000]))}${lineEnd}`
  }
  return prng.chance(0.2) ? text.slice(0, -1) : text
}

function randomJsonLines(prng: Prng): string {
  let text = ""
  for (let record = 0, count = prng.below(120); record < count; record++) {
    const members = names.map((name) => {
      const field = randomFieldText(prng, name, 0)
      const isNumber = ["int32", "whole", "double", "count", "epoch", "flag"].includes(name)
      if (field === "") return `"${name}":${name === "text" ? '""' : name === "count" ? 1 : null}`
      return `"${name}":${isNumber ? field : JSON.stringify(field)}`
    })
    text += `{${members.join(",")}}${prng.chance(0.03) ? "}" : ""}\n${prng.chance(0.02) ? " \n" : ""}`
  }
  return text
}

/** Everything that reading gives, by its place, however it was read. */
async function readAll(
  env: Env,
  format: FileFormat,
  reading: { readonly prng: Prng; readonly stride: number; readonly threads: number },
): Promise<{ readonly records: string[]; readonly ahead: number }> {
  const arena = new Arena({ maxBytes: 1 << 24 })
  const { prng, stride, threads } = reading
  const pool = threads === 0 ? undefined : new DecodePool({ threads: env.threads!, arena, count: threads, askedMin: 1 })
  const counted = { ahead: 0 }
  const decoders = pool && counting(pool, counted)
  const context = { env, arena, decoders, schema: EVERY_WAY, input: "rows", baseDirectory: BASE_DIRECTORY }
  const source = new FileSource(context, format, ["*"])
  const records: string[] = []
  for (const [index, partition] of (await source.partitions()).entries()) {
    let position: Position = START
    let reader = await source.open(partition, index, position)
    for (let isAtEnd = false; !isAtEnd;) {
      const rows = prng.pick([1, 5, 50, 1000, 1000])
      const untilOffset = (Math.floor(position.offset / stride) + 1) * stride
      const { batch, bad, next, end, release } = await reader.read({ rows, untilOffset, stride })
      expect((batch?.count ?? 0) + bad.length).toBeLessThanOrEqual(rows)
      batch?.forEachRow((row) => {
        const { offsets, ordinals, partition } = batch.origin
        records.push(textOf([partition, offsets![row], ordinals![row], batch.row(row)]))
      })
      for (const { position, reason, field, raw } of bad) records.push(textOf([index, position, reason, field, raw]))
      release()
      position = next
      isAtEnd = end
      if (prng.chance(0.02)) {
        await reader.close()
        reader = await source.open(partition, index, position)
      }
    }
    await reader.close()
    records.push(textOf([index, "ends", position]))
  }
  await source.close()
  await pool?.close()
  // Rows and bad records of one read come apart: sorted, they show no batches.
  return { records: records.sort(), ahead: counted.ahead }
}

/** Counts what threads have decoded. */
function counting(pool: DecodePool, counted: { ahead: number }): Decoders {
  return {
    slots: pool.slots,
    get leaving() {
      return pool.leaving
    },
    decoder: (spec) => {
      const decoder = pool.decoder(spec as Parameters<DecodePool["decoder"]>[0])
      return {
        slot() {
          const slot = decoder.slot()
          return (
            slot && {
              release: () => slot.release(),
              decode: async (task) => {
                const decoded = await slot.decode(task)
                if (decoded !== undefined) counted.ahead++
                return decoded
              },
            }
          )
        },
      }
    },
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "bigint") return `bigint ${part}`
    return typeof part === "number" && (Object.is(part, -0) || !Number.isFinite(part)) ? `number ${1 / part}` : part
  })
}

it("RA1 gives what reading in order gives, whatever is guessed wrong and whoever dies", async () => {
  let ahead = 0
  await forEachSeedInTurn(250, async (prng, seed) => {
    const isCsv = prng.chance(0.5)
    const format = (isCsv ? csvFormat : jsonLinesFormat)({ maxRecordBytes: MAX_RECORD_BYTES })
    const threadProgram = (data: unknown) => new DecodeThread(data as DecodeThreadStart)
    const world = withBaseDirectory(new SimWorld({ seed, threadProgram }))
    for (let file = 0; file <= prng.below(2); file++) {
      installText(world, `${BASE_DIRECTORY}/${file}.txt`, isCsv ? randomCsv(prng) : randomJsonLines(prng))
    }
    const stride = prng.pick([50, 300, 1000, 5000])
    const reading = { prng: prng.fork(), stride, threads: 1 + prng.below(3) }
    const byThreads = await runProcess(world, (env) => readAll(env, format, reading))
    const inOrder = await runProcess(world, (env) => readAll(env, format, { prng, stride, threads: 0 }))
    expect(byThreads!.value.records).toEqual(inOrder!.value.records)
    ahead += byThreads!.value.ahead
  })
  expect(ahead).toBeGreaterThan(1000)
})
