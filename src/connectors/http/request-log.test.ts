/** Requests that are pushed into a job: what was acknowledged counts, and counts once, wherever the process dies and whatever is repeated. */
import { describe, expect, test } from "vitest"
import { Prng } from "../../base/prng.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import type { SourceBinding } from "../../connect/source.ts"
import type { Env } from "../../env/env.ts"
import { inProcess, losePower, worldOf } from "../../log/records/log-world.fixture.ts"
import { ArrayTarget } from "../../runtime/array-sink.fixture.ts"
import { runJob } from "../../runtime/run-job.ts"
import { Bench } from "../../runtime/simulated-job.fixture.ts"
import { NO_FAULTS, RandomFaults } from "../../sim/faults.ts"
import { job } from "../../stream/job.ts"
import { pushedSource } from "./pushed-source.ts"
import { RequestLog, type Acceptance, type RequestLogSettings } from "./request-log.ts"
import { encodeRequest, recordsOf, type PushedRequest } from "./request-record.ts"

const DAY = 86_400_000_000
const SETTINGS: RequestLogSettings = {
  backlogBytes: 1 << 20,
  keys: { count: 1_000_000, micros: DAY },
  trimBytes: 1 << 20,
  segmentBytes: 64 * 1024,
}
const encoder = new TextEncoder()
const digestOf = (name: string): Uint8Array => encoder.encode(name.padEnd(16, ".").slice(0, 16))

/** A request of records `{ id, index }`, whose key is its id where it has one. */
function requestOf(id: number, count: number, hasKey = true, sent = `${id}/${count}`): PushedRequest {
  const records = Array.from({ length: count }, (_, index) => encoder.encode(JSON.stringify({ id, index })))
  return { key: hasKey ? { digest: digestOf(`key ${id}`), sent: digestOf(sent) } : undefined, records }
}

describe("a request as a record", () => {
  test("gives its records back, those without bytes, too", () => {
    for (const texts of [["{}"], [""], ["", ""], ["a", "", "b"], ["{}", "[1]", ""]]) {
      for (const key of [undefined, { digest: digestOf("k"), sent: digestOf("s") }]) {
        const records = texts.map((text) => encoder.encode(text))
        const read = recordsOf(encodeRequest({ key, records }))
        expect(read.map((bytes) => new TextDecoder().decode(bytes))).toEqual(texts)
      }
    }
  })

  test("of a newer format is refused", () => {
    expect(() => recordsOf(Uint8Array.of(2, 0, 1))).toThrow(expect.objectContaining({ code: "log-newer-format" }))
  })
})

describe("requests", () => {
  const inLog = <T>(
    world: ReturnType<typeof worldOf>,
    use: (requests: RequestLog, env: Env) => Promise<T>,
    settings = {},
  ) =>
    inProcess(world, async (env) => {
      const requests = await RequestLog.open(env, "/data/orders", { ...SETTINGS, ...settings })
      const result = await use(requests, env)
      await requests.close()
      return result
    })

  test("H2 with the key of another are not stored, while that is being stored, and over restarts and a loss of power", async () => {
    const world = worldOf(1)
    const kinds = await inLog(world, async (requests) => {
      const answers = await Promise.all([requests.accept(requestOf(1, 3)), requests.accept(requestOf(1, 3))])
      return [...answers, await requests.accept(requestOf(1, 3)), await requests.accept(requestOf(1, 4))]
    })
    expect(kinds).toEqual([
      { kind: "stored", records: 3 },
      { kind: "repeated", records: 3 },
      { kind: "repeated", records: 3 },
      { kind: "key-taken" },
    ])
    losePower(world)
    const after = await inLog(world, async (requests) => [
      await requests.accept(requestOf(1, 3)),
      await requests.accept(requestOf(1, 2)),
    ])
    expect(after.map(({ kind }) => kind)).toEqual(["repeated", "key-taken"])
  })

  test("H2 are known by their keys when the log has let them go", async () => {
    const world = worldOf(2)
    await inLog(
      world,
      async (requests) => {
        for (let id = 0; id < 50; id++) await requests.accept(requestOf(id, 5))
        const { generation, offset } = { generation: 1, offset: 1e9 }
        requests.committed({ generation, offset })
      },
      { trimBytes: 1 },
    )
    losePower(world)
    const kinds = await inLog(world, async (requests) => {
      let left = 0
      for await (const { kind } of requests.log.read()) if (kind === "record") left++
      expect(left).toBe(0)
      return await Promise.all(Array.from({ length: 51 }, (_, id) => requests.accept(requestOf(id, 5))))
    })
    expect(kinds.map(({ kind }) => kind)).toEqual([...Array<string>(50).fill("repeated"), "stored"])
  })

  test("H2 are forgotten by time and by number, the oldest first", async () => {
    const world = worldOf(3)
    await inLog(
      world,
      async (requests, env) => {
        const kindOf = async (id: number) => (await requests.accept(requestOf(id, 1))).kind
        for (let id = 0; id < 4; id++) await kindOf(id)
        expect([await kindOf(1), await kindOf(3), await kindOf(0)]).toEqual(["repeated", "repeated", "stored"])
        await env.timers.sleep(2_000_000)
        expect(await kindOf(3)).toBe("stored")
      },
      { keys: { count: 3, micros: 1_000_000 } },
    )
  })

  test("H3 beyond the backlog are refused until the job has committed; what was repeated is not", async () => {
    const world = worldOf(4)
    await inLog(
      world,
      async (requests) => {
        let id = 0
        while ((await requests.accept(requestOf(id, 5))).kind === "stored") id++
        expect(id).toBeGreaterThan(2)
        expect(requests.isFull).toBe(true)
        expect((await requests.accept(requestOf(0, 5))).kind).toBe("repeated")
        requests.committed({ generation: 1, offset: 1e9 })
        expect((await requests.accept(requestOf(id, 5))).kind).toBe("stored")
      },
      { backlogBytes: 500 },
    )
  })

  test("are refused when it closes", async () => {
    await inProcess(worldOf(5), async (env) => {
      const requests = await RequestLog.open(env, "/data/orders", SETTINGS)
      const stored = requests.accept(requestOf(1, 1))
      const closed = requests.close()
      expect(await requests.accept(requestOf(2, 1))).toEqual({ kind: "closing" })
      expect((await stored).kind).toBe("stored")
      await closed
    })
  })

  test("a damaged file of keys is refused by name", async () => {
    const world = worldOf(6)
    await inLog(
      world,
      async (requests) => {
        await requests.accept(requestOf(1, 1))
        requests.committed({ generation: 1, offset: 1e9 })
      },
      { trimBytes: 1 },
    )
    await inProcess(world, async (env) => {
      const file = await env.disk.open("/data/orders/keys", "update", "test")
      await file!.write(Uint8Array.of(77), 20, "test")
      await file!.close()
    })
    await expect(inLog(world, () => Promise.resolve())).rejects.toMatchObject({
      code: "log-corrupt",
      message: "/data/orders/keys is damaged: it does not check.",
    })
  })
})

const Piece = schema({ id: t.int53, index: t.int53 })
const copy = job({ name: "copy", inputs: { pieces: Piece }, flow: ({ pieces }) => ({ pieces }) })

/** What senders know: they outlive the process. */
class Senders {
  readonly total: number
  readonly acknowledged = new Set<number>()
  readonly attempts = new Map<number, number>()
  readonly #prng: Prng
  repeated = 0

  constructor(prng: Prng, total: number) {
    this.#prng = prng
    this.total = total
  }

  hasKey(id: number): boolean {
    return id % 4 !== 0
  }

  countOf(id: number): number {
    return 1 + (id % 7)
  }

  /** Several send what was not acknowledged yet, each until that it is; now and then something again that was. */
  async send(requests: RequestLog, env: Env): Promise<void> {
    const waiting = Array.from({ length: this.total }, (_, id) => id).filter((id) => !this.acknowledged.has(id))
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
          const isSentTwice = this.hasKey(id) && this.#prng.chance(0.2)
          await Promise.all([this.#sendOne(requests, env, id), isSentTwice && this.#sendOne(requests, env, id)])
          const old = this.#prng.below(id + 1)
          if (this.hasKey(old) && this.acknowledged.has(old)) {
            expect((await this.#sendOne(requests, env, old)).kind).toMatch(/^(repeated|closing)$/)
          }
          await env.timers.sleep(this.#prng.below(200_000))
        }
      }),
    )
  }

  async #sendOne(requests: RequestLog, env: Env, id: number): Promise<Acceptance> {
    for (;;) {
      this.attempts.set(id, (this.attempts.get(id) ?? 0) + 1)
      const answer = await requests.accept(requestOf(id, this.countOf(id), this.hasKey(id)))
      if (answer.kind === "backlog-full") {
        this.attempts.set(id, this.attempts.get(id)! - 1)
        await env.timers.sleep(50_000)
        continue
      }
      // The job has failed, and this process comes to its end.
      if (answer.kind === "closing") return answer
      expect(answer).toMatchObject({ records: this.countOf(id) })
      if (answer.kind === "repeated") this.repeated++
      this.acknowledged.add(id)
      return answer
    }
  }
}

/** A process with the job, until all is acknowledged and committed, or something fails; tells which. */
async function live(bench: Bench, out: ArrayTarget, senders: Senders, epochRows: number): Promise<boolean> {
  const { world } = bench
  let requests: RequestLog | undefined
  const binding: SourceBinding = {
    describe: () => "pushed",
    openSource: async (context) => {
      const settings = { ...SETTINGS, backlogBytes: 2000, trimBytes: 300, segmentBytes: 2000 }
      const directory = `${context.stateDirectory}/inputs/pieces`
      const opened = await RequestLog.open(context.env, directory, settings)
      requests = opened
      const onClose = () => opened.close()
      return pushedSource(context, opened, { id: "/pieces", maxRecordBytes: 1000, directory, onClose })
    },
  }
  const program = async (env: Env): Promise<void> => {
    const bound = copy.with({
      inputs: { pieces: binding },
      outputs: { pieces: out.binding() },
      deadLetter: bench.bad.binding(),
      // Long enough for what was let go too early to be gone before the commit.
      epoch: { min: "2s", max: "2s" },
    })
    const options = { directory: "/job/state", baseDirectory: "/job", batchRows: 5, epochRows }
    const handle = await runJob(bound, { env, ...options })
    await Promise.race([senders.send(requests!, env), handle.finished])
    while (requests!.backlogBytes > 0) {
      await Promise.race([env.timers.sleep(20_000), handle.finished])
    }
    await handle.stop()
  }
  const promise = program(world.boot())
  const end = await world.run(promise)
  if (world.isAlive) world.kill()
  if (end === "died") return false
  const failure: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (failure !== undefined) expect(failure).toMatchObject({ code: expect.stringMatching(/^disk-/) as string })
  return failure === undefined
}

test("H1 H2 H3 what was acknowledged counts once, in one piece, wherever the process dies", async () => {
  let deaths = 0
  let repeated = 0
  const scale = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
  for (let seed = 1; seed <= 60 * scale; seed++) {
    const prng = new Prng(seed)
    const bench = new Bench(seed)
    const out = new ArrayTarget("pieces")
    const senders = new Senders(prng.fork(), 20 + prng.below(80))
    for (let life = 0; ; life++) {
      bench.world.faults = life < 12 ? new RandomFaults(prng.fork(), { intensity: 0.15, max: 2 }) : NO_FAULTS
      if (await live(bench, out, senders, prng.pick([12, 100, 1000]))) break
      deaths++
      expect(life, `seed ${seed} comes to its end`).toBeLessThan(20)
    }
    repeated += senders.repeated
    // Requests come in one piece each: all of its records, in order.
    const times = new Map<number, number>()
    for (let at = 0; at < out.rows.length;) {
      const id = out.rows[at]!["id"] as number
      const count = senders.countOf(id)
      const piece = out.rows.slice(at, at + count)
      expect(piece, `seed ${seed}, request ${id}`).toEqual(Array.from({ length: count }, (_, index) => ({ id, index })))
      times.set(id, (times.get(id) ?? 0) + 1)
      at += count
    }
    for (let id = 0; id < senders.total; id++) {
      const stored = times.get(id) ?? 0
      if (senders.hasKey(id)) expect(stored, `seed ${seed}, keyed ${id}`).toBe(1)
      else {
        expect(stored, `seed ${seed}, ${id}`).toBeGreaterThanOrEqual(1)
        expect(stored, `seed ${seed}, ${id}`).toBeLessThanOrEqual(senders.attempts.get(id)!)
      }
    }
  }
  expect(deaths).toBeGreaterThan(60)
  expect(repeated).toBeGreaterThan(100)
}, 600_000)
