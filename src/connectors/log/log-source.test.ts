/** A log as an input: its records, each once, in its order, whatever dies and begins meanwhile. */
import { describe, expect, test } from "vitest"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { START, type Position } from "../../batch/position.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import type { SourceBinding, SourceContext, SourceNotice } from "../../connect/source.ts"
import type { Env } from "../../env/env.ts"
import { inProcess, losePower, openLog, openReader, SMALL, worldOf } from "../../log/records/log-world.fixture.ts"
import { ArrayTarget } from "../../runtime/array-sink.fixture.ts"
import { runJob } from "../../runtime/run-job.ts"
import { Bench } from "../../runtime/simulated-job.fixture.ts"
import { NO_FAULTS, RandomFaults } from "../../sim/faults.ts"
import type { SimWorld } from "../../sim/sim-env.ts"
import { job } from "../../stream/job.ts"
import { LogSource, type LogSourceParts } from "./log-source.ts"

const Order = schema({ n: t.int53 })
const ALL = { rows: 65_536, untilOffset: Infinity }

async function openSource(
  context: Pick<SourceContext, "env" | "arena">,
  parts: Partial<LogSourceParts> = {},
): Promise<LogSource> {
  const reader = await openReader(context.env)
  return new LogSource(
    { ...context, schema: Order, input: "orders", baseDirectory: "/" },
    {
      id: "orders.log",
      reader,
      isFollowed: false,
      begin: () => Promise.resolve("start"),
      maxRecordBytes: 1000,
      onClose: () => reader.close(),
      ...parts,
    },
  )
}

/** Appends records in a process of its own, and gives their LSNs. */
function append(world: SimWorld, texts: readonly string[], isLast = false): Promise<readonly bigint[]> {
  return inProcess(world, async (env) => {
    const log = await openLog(env, SMALL, { segmentBytes: 2000 })
    const lsns = await log.appendBatch(texts)
    if (isLast) await log.seal()
    await log.close()
    return lsns
  })
}

const textOf = (n: number): string => JSON.stringify({ n })
const numbers = (from: number, until: number): string[] =>
  Array.from({ length: until - from }, (_, index) => textOf(from + index))

/** What a job keeps of an input. */
interface Kept {
  readonly position: Position
  readonly state: Uint8Array
  readonly identity: string | undefined
}

const NOTHING: Kept = { position: START, state: new Uint8Array(0), identity: undefined }

interface Told {
  readonly rows: number[]
  readonly bad: number[]
  readonly notices: SourceNotice[]
  readonly kept: Kept
}

/** Reads on in a process of its own, to the end or so many reads. */
function readOn(
  world: SimWorld,
  kept: Kept,
  options: { reads?: number; prng?: Prng; parts?: Partial<LogSourceParts> } = {},
) {
  const { reads = Infinity, prng, parts = {} } = options
  return inProcess(world, async (env): Promise<Told> => {
    const arena = new Arena({ maxBytes: 1 << 22 })
    const source = await openSource({ env, arena }, parts)
    if (kept.state.length > 0) source.state.applyChanges(new ByteReader(kept.state))
    const [partition] = await source.partitions()
    const reader = await source.open(partition!, 7, kept.position)
    let { position } = kept
    const told = { rows: [] as number[], bad: [] as number[], notices: [] as SourceNotice[] }
    for (let read = 0; read < reads; read++) {
      const rows = prng?.pick([1, 2, 3, 100]) ?? ALL.rows
      const untilOffset = prng === undefined || prng.chance(0.5) ? Infinity : position.offset + 1 + prng.below(500)
      const taken = await reader.read({ rows, untilOffset })
      taken.batch?.forEachRow((row) => told.rows.push(taken.batch!.row(row)["n"] as number))
      for (const bad of taken.bad) {
        told.bad.push(bad.position.ordinal)
        expect(reader.placeOf!(bad.position)!.id).toMatch(/^orders\.log \d+:\d+$/)
      }
      told.notices.push(...(taken.notices ?? []))
      taken.release()
      position = taken.next
      if (taken.end) break
    }
    await reader.close()
    await source.close()
    expect(arena.usedBytes).toBe(0)
    const state = new ByteWriter()
    source.state.writeAll(state)
    return { ...told, kept: { position, state: state.finish(), identity: partition!.identity } }
  })
}

describe("records", () => {
  test("L15 come once each, in order, however reads are cut and processes end", async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const prng = new Prng(seed)
      const world = worldOf(seed)
      const wrong = ["", "{", "7", '{"n":"x"}', "\n"]
      const texts = Array.from({ length: 1 + prng.below(300) }, (_, n) =>
        prng.chance(0.1) ? prng.pick(wrong) : textOf(n),
      )
      for (let from = 0; from < texts.length;) {
        const until = Math.min(texts.length, from + 1 + prng.below(150))
        await append(world, texts.slice(from, until))
        if (prng.chance(0.3)) losePower(world)
        from = until
      }
      const rows: number[] = []
      const bad: number[] = []
      let kept = NOTHING
      for (let run = 0; run < 6; run++) {
        const reads = run === 5 ? Infinity : prng.below(8)
        const told = await readOn(world, kept, { reads, prng })
        rows.push(...told.rows)
        bad.push(...told.bad)
        expect(told.notices).toEqual([])
        kept = told.kept
      }
      const isGood = (n: number) => texts[n] === textOf(n)
      const all = texts.map((_, n) => n)
      expect(rows, `seed ${seed}`).toEqual(all.filter(isGood))
      expect(bad, `seed ${seed}`).toEqual(all.filter((n) => !isGood(n)))
      expect(kept.position.ordinal).toBe(texts.length)
    }
  })

  test("that are appended later are read by a later run", async () => {
    const world = worldOf(1)
    await append(world, numbers(0, 10))
    const first = await readOn(world, NOTHING)
    expect(await readOn(world, first.kept)).toMatchObject({ rows: [], kept: { identity: first.kept.identity } })
    await append(world, numbers(10, 15))
    const second = await readOn(world, first.kept)
    expect([...first.rows, ...second.rows]).toEqual(Array.from({ length: 15 }, (_, n) => n))
    expect(second.kept.identity).not.toBe(first.kept.identity)
  })

  test("before the place at which a job begins are not read, also where it has read nothing else", async () => {
    const world = worldOf(2)
    const lsns = await append(world, numbers(0, 10))
    expect((await readOn(world, NOTHING, { parts: { begin: () => Promise.resolve(lsns[7]!) } })).rows).toEqual([
      7, 8, 9,
    ])
    const end = await readOn(world, NOTHING, { parts: { begin: () => Promise.resolve("end") } })
    expect(end).toMatchObject({ rows: [], kept: { position: START } })
  })

  test("L16 that were trimmed before they were read are a gap, and those of before the first are none", async () => {
    const world = worldOf(3)
    const lsns = await append(world, numbers(0, 100))
    const some = await readOn(world, NOTHING, { reads: 3, prng: new Prng(9) })
    const trim = (at: bigint) =>
      inProcess(world, async (env) => {
        const log = await openLog(env, SMALL)
        await log.trim(at)
        await log.close()
      })
    await trim(lsns[90]!)
    const rest = await readOn(world, some.kept)
    expect(rest.rows).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99])
    expect(rest.notices).toMatchObject([
      {
        isGap: true,
        message: expect.stringMatching(
          /^The log orders\.log of the input orders was trimmed from 1:\d+ up to 1:\d+ before/,
        ) as string,
      },
    ])
    const fresh = await readOn(world, NOTHING)
    expect([fresh.rows[0], fresh.notices]).toEqual([90, []])
  })

  test("L17 of another log under the same name are refused", async () => {
    const kept = async (world: SimWorld) => (await readOn(world, NOTHING)).kept
    const world = worldOf(4)
    await append(world, numbers(0, 20))
    const whole = await kept(world)
    const shorter = worldOf(5)
    await append(shorter, numbers(0, 3))
    const other = worldOf(6)
    await inProcess(other, async (env) => {
      await env.timers.sleep(5_000_000)
      const log = await openLog(env, SMALL)
      await log.appendBatch(numbers(0, 50))
      await log.close()
    })
    for (const another of [shorter, other]) {
      await expect(readOn(another, whole)).rejects.toMatchObject({
        code: "source-changed",
        message: expect.stringMatching(
          /^The log orders\.log of the input orders is not the one that was read/,
        ) as string,
      })
    }
    expect((await readOn(world, whole)).rows).toEqual([])
  })

  test("L17 of another log are refused as far as that shows, also where their place was trimmed in it", async () => {
    const appended = async (seed: number, waitMicros: number, count: number) => {
      const world = worldOf(seed)
      await inProcess(world, async (env) => {
        await env.timers.sleep(waitMicros)
        const log = await openLog(env, SMALL, { segmentBytes: 2000 })
        const lsns = await log.appendBatch(numbers(0, count))
        await log.trim(lsns[count - 2]!)
        await log.close()
      })
      return world
    }
    const world = worldOf(4)
    await inProcess(world, (env) => env.timers.sleep(1e12))
    await append(world, numbers(0, 20))
    const { kept } = await readOn(world, NOTHING)
    const parts = { kept: { label: "What was sent", hint: "Copy it." } }
    await expect(readOn(await appended(5, 0, 50), kept, { parts })).rejects.toMatchObject({
      code: "source-changed",
      message: expect.stringMatching(/^What was sent is not the one that was read: .* is older than/) as string,
      hint: "Copy it.",
    })
    await expect(readOn(await appended(6, 0, 8), kept)).rejects.toMatchObject({ code: "source-changed" })
    // Nobody can tell here: what is left may have come behind what was read.
    expect((await readOn(await appended(7, 3e12, 50), kept)).rows).toEqual([48, 49])
  })
})

const copy = job({ name: "copy", inputs: { orders: Order }, flow: ({ orders }) => ({ orders }) })

/** A process that appends numbers and runs a job over them, to the end or until something fails; tells which. */
async function live(bench: Bench, out: ArrayTarget, total: number, prng: Prng): Promise<boolean> {
  const { world } = bench
  const program = async (env: Env): Promise<void> => {
    const log = await openLog(env, {}, { segmentBytes: 2000 })
    // A process that died may have appended more than it was told of.
    let next = 0
    for await (const { kind } of log.read()) if (kind === "record") next++
    const binding: SourceBinding = {
      describe: () => "fromLog(log)",
      openSource: (context) => openSource(context, { isFollowed: true, reader: log, onClose: () => Promise.resolve() }),
    }
    const bound = copy.with({
      inputs: { orders: binding },
      outputs: { orders: out.binding() },
      deadLetter: bench.bad.binding(),
    })
    const options = { directory: "/job/state", baseDirectory: "/job", batchRows: 7, epochRows: 20 }
    const handle = await runJob(bound, { env, ...options })
    while (next < total) {
      const until = Math.min(total, next + 1 + prng.below(30))
      await log.appendBatch(numbers(next, until))
      next = until
      await env.timers.sleep(prng.below(300_000))
    }
    await log.seal()
    await handle.finished
    await log.close()
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

test("L15 a job reads each record once, in order, beside who appends, wherever the process dies", async () => {
  let deaths = 0
  for (let seed = 1; seed <= 60; seed++) {
    const prng = new Prng(seed)
    const bench = new Bench(seed)
    bench.world.image.installDirectory("/data")
    const out = new ArrayTarget("orders")
    const total = 20 + prng.below(300)
    for (let life = 0; ; life++) {
      bench.world.faults = life < 12 ? new RandomFaults(prng.fork(), { intensity: 0.15, max: 2 }) : NO_FAULTS
      if (await live(bench, out, total, prng)) break
      deaths++
      expect(life, `seed ${seed} comes to its end`).toBeLessThan(20)
    }
    expect(
      out.rows.map(({ n }) => n),
      `seed ${seed}`,
    ).toEqual(Array.from({ length: total }, (_, n) => n))
  }
  expect(deaths).toBeGreaterThan(60)
})
