/**
 * Random lives of a job's output over a bad network: processes die at any time, and come back with other options. In the end each row has been taken,
 * or set aside, in the order that was asked for; a key never stands for two bodies; nothing was sent that was not committed.
 */
import { expect, test } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { batchOfRows } from "../../../batch/batch.ts"
import { schema } from "../../../batch/schema.ts"
import { t } from "../../../batch/types.ts"
import { Prng } from "../../../base/prng.ts"
import type { Sink } from "../../../connect/sink.ts"
import type { Env } from "../../../env/env.ts"
import { FaultAt, noFaults } from "../../../connect/world.conformance.ts"
import { WebhookBinding } from "./webhook-binding.ts"
import { webhookSettings, type WebhookOptions } from "./webhook-options.ts"
import { WebhookWorld } from "./webhook-world.fixture.ts"

const SEEDS = Math.round(60 * Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1))
const KEYS = 4
const Row = schema({ id: t.int32, key: t.string, text: t.string })
const arena = new Arena({ maxBytes: 1 << 24 })

interface SentRow {
  readonly id: number
  readonly key: string
}

/** What the log would keep. */
interface Log {
  checkpoint: Uint8Array | undefined
  staged: Uint8Array[]
  rows: number
}

/** One job's output over its lives. */
class Output {
  readonly world: WebhookWorld
  readonly log: Log = { checkpoint: undefined, staged: [], rows: 0 }
  readonly prng: Prng
  readonly total: number
  readonly isOrdered: boolean
  rejected: Set<number>

  constructor(seed: number) {
    this.prng = new Prng(seed)
    this.total = 40 + this.prng.below(160)
    this.isOrdered = this.prng.chance(0.8)
    this.rejected = new Set(Array.from({ length: this.prng.below(4) }, () => this.prng.below(this.total)))
    this.world = new WebhookWorld(seed, {
      lossChance: this.prng.pick([0, 0.1, 0.3]),
      rejects: (body) => [...this.rejected].some((id) => body.includes(`"id":${id},`)),
    })
    this.world.image.installDirectory("/job/state")
  }

  options(): WebhookOptions {
    const { prng } = this
    const order = this.isOrdered ? prng.pick(["output", { by: "key" }] as const) : "none"
    return {
      url: "http://receiver/",
      order,
      onRejected: "dead-letter",
      retry: { initial: "5ms", max: "200ms" },
      timeout: "80ms",
      maxUnsent: { rows: prng.pick([0, 5, 60]) },
      ...(order !== "output" && { concurrency: 1 + prng.below(5) }),
      ...(prng.chance(0.4) && {
        batch: { rows: 1 + prng.below(6), bytes: 200, format: prng.pick(["json", "json-lines"]) },
      }),
    }
  }

  /** A process: writes on behind what is committed, up to the end. */
  async live(env: Env): Promise<void> {
    const { log, prng } = this
    const sink = await this.#open(env)
    while (log.rows < this.total) await this.#epoch(env, sink, Math.min(this.total - log.rows, prng.below(12)))
    await this.#epoch(env, sink, 0, true)
    await sink.close()
  }

  async #epoch(env: Env, sink: Sink, count: number, final = false): Promise<void> {
    const { log, prng } = this
    this.#write(sink, count)
    if (prng.chance(0.2)) await sink.flush()
    const staged = await sink.stage(final)
    // The commit takes its time.
    await env.timers.sleep(prng.below(50_000))
    log.staged.push(staged.slice())
    log.rows += count
    await sink.apply(staged)
    if (!prng.chance(0.3)) return
    const records = log.staged.length
    const checkpoint = await sink.checkpoint()
    // Nor is a snapshot whole at once.
    await env.timers.sleep(prng.below(400_000))
    log.checkpoint = checkpoint.slice()
    log.staged = log.staged.slice(records)
  }

  async #open(env: Env): Promise<Sink> {
    const { checkpoint, staged } = this.log
    const place = { job: "lives", output: "rows", baseDirectory: "/job", stateDirectory: "/job/state" }
    const binding = new WebhookBinding(webhookSettings(this.options()), this.world)
    const fresh = checkpoint === undefined && staged.length === 0
    const recovery = { checkpoint, staged: [...staged], reset: false, fresh }
    return await binding.openSink({ env, arena, schema: Row, ...place }, recovery)
  }

  #write(sink: Sink, count: number): void {
    if (count === 0) return
    const { rows: from } = this.log
    const long = this.prng.chance(0.1) ? "y".repeat(300_000) : ""
    const rows = Array.from({ length: count }, (_, index) => {
      const id = from + index
      return { id, key: `k${(id * 7) % KEYS}`, text: index === 0 ? long : "two\nlines" }
    })
    const { batch, release } = batchOfRows(arena, Row, rows)
    sink.write(batch)
    release()
  }

  get taken(): SentRow[] {
    return this.world.taken.flatMap(({ text }) => rowsOf(text))
  }

  get setAside(): SentRow[] {
    const bytes = this.world.image.readFile("/job/state/outputs/rows/dead-letters.jsonl")
    if (bytes === undefined) return []
    const lines = new TextDecoder().decode(bytes).split("\n")
    return lines.filter((line) => line !== "").map((line) => (JSON.parse(line) as { row: SentRow }).row)
  }
}

function rowsOf(text: string): SentRow[] {
  if (text.startsWith("[")) return JSON.parse(text) as SentRow[]
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as SentRow)
}

/** Lives one life, which ends by a death where there is one to come. */
async function life(output: Output, death: { readonly micros: number; readonly kind: "kill" | "crash" } | undefined) {
  const { world } = output
  const promise = output.live(world.boot())
  if (death !== undefined) {
    world.scheduler.schedule(death.micros, () => {
      if (world.isAlive) world[death.kind]()
    })
  }
  if ((await world.run(promise)) === "died") return false
  await promise
  world.kill()
  return true
}

async function lives(seed: number): Promise<Output> {
  const output = new Output(seed)
  const { prng, world } = output
  for (let deaths = 1 + prng.below(6); deaths > 0; deaths--) {
    const kind = prng.pick(["kill", "crash"] as const)
    // Half of them at some call, half at some time.
    const atCall = prng.chance(0.5)
    world.faults = atCall
      ? new FaultAt(prng.below(200), `${kind}-${prng.pick(["before", "after"] as const)}`)
      : noFaults()
    if (await life(output, atCall ? undefined : { micros: prng.below(3_000_000), kind })) break
    const uncommitted = output.taken.filter(({ id }) => id >= output.log.rows)
    expect(uncommitted, `seed ${seed}: rows were sent that are not committed`).toEqual([])
  }
  world.faults = noFaults()
  world.heal()
  await life(output, undefined)
  return output
}

test("WH1 WH2 WH3 WH4 WH7 each row is taken or set aside, in order, whatever dies and whenever", async () => {
  let [repeats, aside] = [0, 0]
  for (let seed = 1; seed <= SEEDS; seed++) {
    const output = await lives(seed)
    const { taken, setAside, world, total } = output
    expect(world.findings, `seed ${seed}`).toEqual([])
    const ids = [...taken, ...new Map(setAside.map((row) => [row.id, row])).values()].map(({ id }) => id)
    expect(
      ids.sort((a, b) => a - b),
      `seed ${seed}`,
    ).toEqual(Array.from({ length: total }, (_, id) => id))
    for (let key = 0; output.isOrdered && key < KEYS; key++) {
      const of = taken.filter((row) => row.key === `k${key}`).map(({ id }) => id)
      expect(of, `seed ${seed}, the order of k${key}`).toEqual(of.toSorted((a, b) => a - b))
    }
    repeats += world.repeats
    aside += setAside.length
  }
  expect(repeats).toBeGreaterThan(0)
  expect(aside).toBeGreaterThan(0)
})
