/** Records that a program pushes: what was acknowledged counts, once and in order, wherever the process dies. */
import { describe, expect, test, vi } from "vitest"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import type { SourceBinding, SourceContext, SourcePrefix } from "../../connect/source.ts"
import type { Env } from "../../env/env.ts"
import { inProcess, losePower, worldOf } from "../../log/records/log-world.fixture.ts"
import { ArrayTarget } from "../../runtime/array-sink.fixture.ts"
import { runJob, type JobHandle } from "../../runtime/run-job.ts"
import { Bench } from "../../runtime/simulated-job.fixture.ts"
import { NO_FAULTS, RandomFaults } from "../../sim/faults.ts"
import { job } from "../../stream/job.ts"
import { PushedSource } from "./pushed-source.ts"
import { PushedStore } from "./pushed-store.ts"
import { pushed } from "./pushed.ts"

const Piece = schema({ id: t.int53, index: t.int53, text: t.string.nullable() })
const copy = job({ name: "copy", inputs: { pieces: Piece }, flow: ({ pieces }) => ({ pieces }) })

/** The rows of one push. */
function rowsOf(id: number) {
  return Array.from({ length: 1 + (id % 7) }, (_, index) => ({ id, index, text: id % 3 === 0 ? null : `piece ${id}` }))
}

/** The same, as columns. */
function columnsOf(id: number) {
  const rows = rowsOf(id)
  const ids = Float64Array.from(rows, (row) => row.id)
  return { id: ids, index: Int32Array.from(rows, ({ index }) => index), text: rows.map(({ text }) => text) }
}

/** An input with small segments, that lets go often; whoever pushes is given the source. */
function bindingOf(
  give: (source: PushedSource) => void,
  maxWaitingBytes = 4000,
  runsPrefix = false,
  valuesAtOnce = 2 ** 17,
): SourceBinding {
  return {
    describe: () => "pushed",
    runsPrefix,
    openSource: async (context) => {
      const directory = `${context.stateDirectory}/inputs/pieces`
      const settings = { segmentBytes: 2000, trimBytes: 500 }
      const store = await PushedStore.open(context.env, directory, "pieces", settings)
      const source = new PushedSource(context, { store, maxWaitingBytes, valuesAtOnce, onClose: () => undefined })
      give(source)
      return source
    },
  }
}

describe("a pushed input", () => {
  const contextOf = (env: Env): SourceContext => {
    const arena = new Arena({ maxBytes: 1 << 22 })
    return { env, arena, schema: Piece, input: "pieces", baseDirectory: "/", stateDirectory: "/data" }
  }

  test("takes nothing while no job runs, nor behind its end", async () => {
    const input = pushed(Piece)
    await expect(input.push(rowsOf(1))).rejects.toMatchObject({ code: "input-closed" })
    expect(() => input.end()).toThrow(expect.objectContaining({ code: "input-closed" }))
    await inProcess(worldOf(1), async (env) => {
      const source = await input.openSource(contextOf(env))
      await expect(input.openSource(contextOf(env))).rejects.toMatchObject({ code: "invalid-options" })
      await input.push(rowsOf(1))
      await input.push({ id: [1, 2], index: new Int8Array(2) })
      await expect(input.push({ id: [1, 2], index: [1] })).rejects.toMatchObject({ code: "invalid-options" })
      await expect(input.push({} as never)).rejects.toThrow("none of the columns")
      const columns = { id: Float64Array.of(1), index: Float64Array.of(0) }
      structuredClone(columns.index, { transfer: [columns.index.buffer] })
      await expect(input.push(columns)).rejects.toThrow('The buffer of the column "index" has been transferred')
      await expect(input.push({ ...columns, id: [] })).rejects.toMatchObject({ code: "invalid-options" })
      await input.push({ id: new Float64Array(0), index: [] })
      input.end()
      await expect(input.push(rowsOf(2))).rejects.toMatchObject({ code: "input-closed" })
      await source.close()
      expect(input.isOpen).toBe(false)
    })
  })

  test("PU8 is given rows and columns without what may be null or has a default", async () => {
    const Sample = schema({ id: t.int53, weight: t.float64.default(1), note: t.string.nullable() })
    const input = pushed(Sample)
    await inProcess(worldOf(6), async (env) => {
      const source = await input.openSource({ ...contextOf(env), schema: Sample })
      await input.push([{ id: 1 }, { id: 2, weight: 3, note: "two" }])
      await input.push({ id: [3] })
      await input.push({ id: Int8Array.of(4), weight: Float32Array.of(0.5), note: ["four"] })
      const [partition] = await source.partitions()
      const reader = await source.open(partition!, 0, { offset: 0, ordinal: 0 })
      const rows: unknown[] = []
      for (let block = 0; block < 3; block++) {
        const { batch, release } = await reader.read({ rows: 10, untilOffset: Infinity })
        rows.push(...batch!.toRows())
        release()
      }
      expect(rows).toEqual([
        { id: 1, weight: 1, note: null },
        { id: 2, weight: 3, note: "two" },
        { id: 3, weight: 1, note: null },
        { id: 4, weight: 0.5, note: "four" },
      ])
      await reader.close()
      await source.close()
    })
  })

  test("is that of one input, also while it is being opened", async () => {
    const input = pushed(Piece)
    const [one, other] = [worldOf(4), worldOf(5)]
    await inProcess(one, async (env) => {
      const opening = input.openSource(contextOf(env))
      await expect(input.openSource(contextOf(other.boot()))).rejects.toMatchObject({ code: "invalid-options" })
      const source = await opening
      await input.push(rowsOf(1))
      await source.close()
      const again = await input.openSource(contextOf(env))
      await again.close()
    })
  })

  test("of other columns than the job's is refused, as are options without meaning", async () => {
    await inProcess(worldOf(2), async (env) => {
      const other = pushed(schema({ id: t.int53 }))
      await expect(other.openSource(contextOf(env))).rejects.toMatchObject({ code: "invalid-options" })
    })
    expect(() => pushed({} as never)).toThrow("not a schema")
    expect(() => pushed(Piece, { maxWaitingBytes: 0 })).toThrow("maxWaitingBytes is 0")
    expect(() => pushed(Piece, { isDurable: "yes" as never })).toThrow('isDurable is "yes"')
    await expect(pushed(Piece).push("rows" as never)).rejects.toThrow("no rows and no columns")
  })

  test("PU1 PU5 is read again from where the job was, by row, over a loss of power; what is not what was read is refused", async () => {
    const world = worldOf(3)
    const open = async (env: Env, state?: Uint8Array) => {
      const holder: { source?: PushedSource } = {}
      const context = contextOf(env)
      await bindingOf((source) => (holder.source = source), 1e6).openSource(context)
      if (state !== undefined) holder.source!.state.applyChanges(new ByteReader(state))
      return { source: holder.source!, arena: context.arena }
    }
    let state = new Uint8Array(0)
    let position = { offset: 0, ordinal: 0 }
    const seen: number[] = []
    for (let life = 0; life < 6; life++) {
      await inProcess(world, async (env) => {
        const { source, arena } = await open(env, state)
        if (life === 0) for (const id of [6, 13, 20]) await source.push(rowsOf(id))
        const [partition] = await source.partitions()
        const reader = await source.open(partition!, 0, position)
        const { batch, next, release } = await reader.read({ rows: 5, untilOffset: Infinity })
        for (const { id, index } of batch!.toRows()) seen.push(Number(id) * 10 + Number(index))
        expect([...batch!.origin.ordinals!].slice(-1)[0]).toBeGreaterThanOrEqual(next.ordinal - 1)
        release()
        position = next
        const out = new ByteWriter()
        source.state.writeAll(out)
        state = out.finish()
        await reader.close()
        await source.close()
        expect(arena.usedBytes).toBeLessThan(1 << 17)
      })
      losePower(world)
    }
    expect(seen).toEqual([6, 13, 20].flatMap((id) => Array.from({ length: 7 }, (_, index) => id * 10 + index)))
    state[state.length - 2]! ^= 1
    await inProcess(world, async (env) => {
      const { source } = await open(env, state)
      const [partition] = await source.partitions()
      await expect(source.open(partition!, 0, position)).rejects.toMatchObject({ code: "source-changed" })
      await source.close()
    })
  })
})

test("PU7 a push that was read in part as it was pushed goes on behind the prefix, and not behind another one", async () => {
  const world = worldOf(7)
  const Even = schema({ id: t.int53, index: t.int53 })
  const prefixOf = (arena: Arena, fingerprint: string): SourcePrefix => ({
    schema: Even,
    reads: new Set(["id", "index"]),
    fingerprint,
    run(batch) {
      const rows = batch.toRows().filter(({ index }) => (index as number) % 2 === 0)
      return { ...batchOfRows(arena, Even, rows), failed: [] }
    },
  })
  let state = new Uint8Array(0)
  let position = { offset: 0, ordinal: 0 }
  const readSome = (fingerprint: string | undefined, rows: number, isPushing = false) =>
    inProcess(world, async (env) => {
      const arena = new Arena({ maxBytes: 1 << 22 })
      const prefix = fingerprint === undefined ? undefined : prefixOf(arena, fingerprint)
      const context = {
        env,
        arena,
        schema: Piece,
        prefix,
        input: "pieces",
        baseDirectory: "/",
        stateDirectory: "/data",
      }
      let source: PushedSource | undefined
      await bindingOf((opened) => (source = opened)).openSource(context)
      try {
        source!.state.applyChanges(new ByteReader(state))
        if (isPushing) await source!.push(rowsOf(13))
        const [partition] = await source!.partitions()
        const reader = await source!.open(partition!, 0, position)
        const { batch, next, release } = await reader.read({ rows, untilOffset: Infinity })
        const indexes = batch!.toRows().map(({ index }) => index)
        release()
        await reader.close()
        const out = new ByteWriter()
        source!.state.writeAll(out)
        state = out.finish()
        position = next
        return indexes
      } finally {
        await source!.close()
      }
    })
  expect(await readSome(undefined, 1, true)).toEqual([0])
  expect(await readSome(undefined, 2)).toEqual([1, 2])
  expect(await readSome("one", 1)).toEqual([4])
  await expect(readSome("other", 1)).rejects.toMatchObject({ code: "source-changed" })
  expect(await readSome("one", 5)).toEqual([6])
})

test("PU7 what fails in the prefix is a dead letter of its operator, and what it drops is counted as read", async () => {
  const bench = new Bench(1)
  const out = new ArrayTarget("pieces")
  const long = job({
    name: "long",
    inputs: { pieces: Piece },
    flow: ({ pieces }) => ({ pieces: pieces.filter((row) => row.text!.length > 7).select("id") }),
  })
  const program = async (env: Env) => {
    let source: PushedSource | undefined
    const bound = long.with({
      inputs: { pieces: bindingOf((opened) => (source = opened), 1e6, true) },
      outputs: { pieces: out.binding() },
      deadLetter: bench.bad.binding(),
    })
    const handle = await runJob(bound, { env, directory: "/job/state", baseDirectory: "/job" })
    await source!.push([
      { id: 1, index: 0, text: "short" },
      { id: 2, index: 0, text: null },
      { id: 3, index: "none", text: null },
      { id: 4, index: 0, text: "long enough" },
    ])
    await source!.push([{ id: 5, index: 0, text: "short" }])
    await source!.push({ id: [6, 7, 8], index: [0, 0, 0.5], text: ["long, and good", null, "long, and bad"] })
    await source!.push({ id: [9, 10], index: [0, 0], text: ["still longer", null] })
    source!.end()
    return await handle.finished
  }
  const promise = program(bench.world.boot())
  await bench.world.run(promise)
  const { status } = await promise
  expect(out.rows).toEqual([{ id: 4 }, { id: 6 }, { id: 9 }])
  expect(status.rowsIn).toBe(10)
  expect(bench.bad.rows).toMatchObject([
    { operator: null, field: "index" },
    { operator: "pieces/filter", raw: '{"id":2,"index":0,"text":null}' },
    { operator: null, field: "index", raw: '{"id":8,"index":0.5,"text":"long, and bad"}' },
    { operator: "pieces/filter", raw: '{"id":7,"index":0,"text":null}' },
    { operator: "pieces/filter", raw: '{"id":10,"index":0,"text":null}' },
  ])
})

test("PU3 a job whose input has ended starts again, and goes on with what is pushed then", async () => {
  const bench = new Bench(3)
  const out = new ArrayTarget("pieces")
  const rows: unknown[] = []
  for (let life = 1; life <= 3; life++) {
    const program = async (env: Env) => {
      let source: PushedSource | undefined
      const bound = copy.with({
        inputs: { pieces: bindingOf((opened) => (source = opened), 1e7) },
        outputs: { pieces: out.binding() },
        deadLetter: bench.bad.binding(),
      })
      const handle = await runJob(bound, { env, directory: "/job/state", baseDirectory: "/job" })
      await source!.push(rowsOf(life))
      source!.end()
      await handle.finished
    }
    const promise = program(bench.world.boot())
    await bench.world.run(promise)
    await promise
    bench.world.kill()
    rows.push(...rowsOf(life))
    expect(out.rows).toEqual(rows)
  }
})

test("PU2 BQ1 what was pushed before the end is called counts, however much it is, and nothing of other pushes comes between", async () => {
  const bench = new Bench(2)
  const out = new ArrayTarget("pieces")
  const program = async (env: Env) => {
    let source: PushedSource | undefined
    const bound = copy.with({
      inputs: { pieces: bindingOf((opened) => (source = opened), 1e7) },
      outputs: { pieces: out.binding() },
      deadLetter: bench.bad.binding(),
    })
    const handle = await runJob(bound, { env, directory: "/job/state", baseDirectory: "/job" })
    const many = (id: number) => Array.from({ length: 200_000 }, (_, index) => ({ id, index, text: null }))
    const pushes = [many(1), rowsOf(2), rowsOf(3), many(4), rowsOf(5), many(6)].map((rows) => source!.push(rows))
    source!.end()
    await expect(source!.push(rowsOf(7))).rejects.toMatchObject({ code: "input-closed" })
    await Promise.all(pushes)
    await handle.finished
  }
  const promise = program(bench.world.boot())
  await bench.world.run(promise)
  await promise
  const pieces: { readonly id: unknown; rows: number }[] = []
  for (const { id } of out.rows) {
    if (pieces.at(-1)?.id !== id) pieces.push({ id, rows: 0 })
    pieces.at(-1)!.rows++
  }
  expect(pieces.map(({ id, rows }) => [id, rows])).toEqual([
    [1, 200_000],
    [2, 3],
    [3, 4],
    [4, 200_000],
    [5, 6],
    [6, 200_000],
  ])
  expect(bench.bad.rows).toEqual([])
})

test.each([
  ["rows", 1],
  ["columns", 1],
])(
  "PU1 a push (%s, %i bytes wait) that has begun when the job stops is stored whole, and one that has not is refused whole",
  async (as, maxWaitingBytes) => {
    const bench = new Bench(4)
    const out = new ArrayTarget("pieces")
    const many = Array.from({ length: 200_000 }, (_, index) => ({ id: 1, index, text: null }))
    const columns = {
      id: new Float64Array(many.length).fill(1),
      index: Int32Array.from(many, ({ index }) => index),
      text: many.map(() => null),
    }
    const run = async (env: Env, use: (source: PushedSource, handle: JobHandle) => Promise<void>) => {
      let source: PushedSource | undefined
      const bound = copy.with({
        inputs: { pieces: bindingOf((opened) => (source = opened), maxWaitingBytes) },
        outputs: { pieces: out.binding() },
        deadLetter: bench.bad.binding(),
      })
      const handle = await runJob(bound, { env, directory: "/job/state", baseDirectory: "/job" })
      await use(source!, handle)
      await handle.finished
    }
    const inWorld = async (use: (source: PushedSource, handle: JobHandle) => Promise<void>) => {
      const promise = run(bench.world.boot(), use)
      await bench.world.run(promise)
      await promise
      bench.world.kill()
    }
    let stored = 0
    await inWorld(async (source, handle) => {
      const pushes = [source.push(as === "rows" ? many : columns), source.push(rowsOf(6))]
      const [, outcomes] = await Promise.all([handle.stop(), Promise.allSettled(pushes)])
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"])
      stored = out.rows.length
    })
    expect(stored).toBeLessThan(many.length)
    await inWorld(async (source) => {
      await source.push(rowsOf(6))
      source.end()
    })
    expect(out.rows.length).toBe(many.length + 7)
    expect(out.rows.slice(0, many.length).every(({ id, index }, at) => id === 1 && index === at)).toBe(true)
    expect(out.rows.slice(many.length)).toEqual(rowsOf(6))
  },
)

test("PU4 blocks of columns go to the disk together where others follow them at once, and those of rows do not", async () => {
  const bench = new Bench(5)
  const append = vi.spyOn(PushedStore.prototype, "append")
  const program = async (env: Env): Promise<void> => {
    let source: PushedSource | undefined
    const bound = copy.with({
      inputs: { pieces: bindingOf((opened) => (source = opened), 1_000_000, false, 6) },
      outputs: { pieces: new ArrayTarget("pieces").binding() },
      deadLetter: bench.bad.binding(),
    })
    const handle = await runJob(bound, { env, directory: "/job/state", baseDirectory: "/job" })
    for (const of of [columnsOf, rowsOf]) await Promise.all(Array.from({ length: 10 }, () => source!.push(of(1))))
    source!.end()
    await handle.finished
  }
  const promise = program(bench.world.boot())
  await bench.world.run(promise)
  await promise
  expect(append.mock.calls.map(([payloads]) => payloads.length)).toEqual([
    1,
    4,
    4,
    1,
    ...Array.from({ length: 10 }, () => 1),
  ])
  append.mockRestore()
})

/** What those know who push: they outlive the process. */
class Pushers {
  readonly total: number
  readonly acknowledged = new Set<number>()
  readonly attempts = new Map<number, number>()
  readonly #prng: Prng

  constructor(prng: Prng, total: number) {
    this.#prng = prng
    this.total = total
  }

  /** Several push what was not acknowledged yet. */
  async push(source: PushedSource, env: Env): Promise<void> {
    const waiting = Array.from({ length: this.total }, (_, id) => id).filter((id) => !this.acknowledged.has(id))
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
          this.attempts.set(id, (this.attempts.get(id) ?? 0) + 1)
          await source.push(this.#prng.chance(0.5) ? rowsOf(id) : columnsOf(id))
          this.acknowledged.add(id)
          if (this.#prng.chance(0.7)) await env.timers.sleep(this.#prng.below(100_000))
        }
      }),
    )
  }
}

/** A program, and where it persists what is pushed. */
interface Program {
  readonly job: typeof copy
  readonly runsPrefix: boolean
}

const COPY: Program = { job: copy, runsPrefix: false }

/** A process with the job, until all is acknowledged and the input has ended, or something fails; tells which. */
async function live(
  bench: Bench,
  out: ArrayTarget,
  pushers: Pushers,
  { valuesAtOnce, ...options }: { batchRows: number; epochRows: number; valuesAtOnce: number },
  { job: own, runsPrefix } = COPY,
): Promise<boolean | "changed"> {
  const { world } = bench
  const program = async (env: Env): Promise<void> => {
    let source: PushedSource | undefined
    const bound = own.with({
      inputs: { pieces: bindingOf((opened) => (source = opened), 4000, runsPrefix, valuesAtOnce) },
      outputs: { pieces: out.binding() },
      deadLetter: bench.bad.binding(),
      epoch: { min: "1s", max: "1s" },
    })
    const handle = await runJob(bound, { env, directory: "/job/state", baseDirectory: "/job", ...options })
    const pushing = pushers.push(source!, env)
    pushing.catch(() => undefined)
    await Promise.race([pushing, handle.finished])
    source!.end()
    await handle.finished
  }
  const promise = program(world.boot())
  const end = await world.run(promise)
  if (world.isAlive) world.kill()
  if (end === "died") return false
  const failure: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if ((failure as { code?: string } | undefined)?.code === "source-changed") return "changed"
  if (failure !== undefined)
    expect(failure).toMatchObject({ code: expect.stringMatching(/^(disk-|input-closed)/) as string })
  return failure === undefined
}

test("PU1 PU2 PU3 what was acknowledged counts once, in one piece, wherever the process dies", async () => {
  let deaths = 0
  const scale = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
  for (let seed = 1; seed <= 40 * scale; seed++) {
    const prng = new Prng(seed)
    const bench = new Bench(seed)
    const out = new ArrayTarget("pieces")
    const pushers = new Pushers(prng.fork(), 20 + prng.below(80))
    for (let life = 0; ; life++) {
      bench.world.faults = life < 12 ? new RandomFaults(prng.fork(), { intensity: 0.15, max: 2 }) : NO_FAULTS
      const options = {
        batchRows: prng.pick([3, 64]),
        epochRows: prng.pick([12, 100, 1000]),
        valuesAtOnce: prng.pick([1, 30, 2 ** 17]),
      }
      if (await live(bench, out, pushers, options)) break
      deaths++
      expect(life, `seed ${seed} comes to its end`).toBeLessThan(20)
    }
    // Pushes come in one piece each: all of its rows, in order.
    const times = new Map<number, number>()
    for (let at = 0; at < out.rows.length;) {
      const id = out.rows[at]!["id"] as number
      const rows = rowsOf(id)
      expect(out.rows.slice(at, at + rows.length), `seed ${seed}, push ${id}`).toEqual(rows)
      times.set(id, (times.get(id) ?? 0) + 1)
      at += rows.length
    }
    for (let id = 0; id < pushers.total; id++) {
      expect(times.get(id) ?? 0, `seed ${seed}, ${id}`).toBeGreaterThanOrEqual(1)
      expect(times.get(id), `seed ${seed}, ${id}`).toBeLessThanOrEqual(pushers.attempts.get(id)!)
      if (pushers.attempts.get(id) === 1) expect(times.get(id)).toBe(1)
    }
  }
  expect(deaths).toBeGreaterThan(40)
}, 600_000)

/** Programs whose operators leave the same of each record, in other words and by other ways: rows with an even index, and not their text. */
const EVEN: readonly Program[] = [
  job({
    name: "even",
    inputs: { pieces: Piece },
    flow: ({ pieces }) => ({ pieces: pieces.filter((row) => row.index % 2 === 0).select("id", "index") }),
  }),
  job({
    name: "even",
    inputs: { pieces: Piece },
    flow: ({ pieces }) => ({
      pieces: pieces
        .filter((row) => row.text === null || row.text !== "")
        .filter((piece) => piece.index % 2 < 1)
        .select("id", "index"),
    }),
  }),
].flatMap((each) => [true, false].map((runsPrefix) => ({ job: each as unknown as typeof copy, runsPrefix })))

test("PU1 PU2 PU7 what the prefix leaves of what was acknowledged counts once, wherever the process dies and whatever program goes on", async () => {
  let [deaths, changes] = [0, 0]
  const scale = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
  for (let seed = 1; seed <= 40 * scale; seed++) {
    const prng = new Prng(seed + 1000)
    const bench = new Bench(seed)
    const out = new ArrayTarget("pieces")
    const pushers = new Pushers(prng.fork(), 20 + prng.below(80))
    const mayChange = prng.chance(0.7)
    let program = prng.pick(EVEN)
    for (let life = 0; ; life++) {
      bench.world.faults = life < 12 ? new RandomFaults(prng.fork(), { intensity: 0.15, max: 2 }) : NO_FAULTS
      const options = {
        batchRows: prng.pick([3, 64]),
        epochRows: prng.pick([12, 100, 1000]),
        valuesAtOnce: prng.pick([1, 30, 2 ** 17]),
      }
      const end = await live(bench, out, pushers, options, program)
      if (end === true) break
      if (end === "changed") changes++
      else deaths++
      if (mayChange) program = prng.pick(EVEN)
      expect(life, `seed ${seed} comes to its end`).toBeLessThan(60)
    }
    const times = new Map<number, number>()
    for (let at = 0; at < out.rows.length;) {
      const id = out.rows[at]!["id"] as number
      const rows = rowsOf(id).flatMap(({ index }) => (index % 2 === 0 ? { id, index } : []))
      expect(out.rows.slice(at, at + rows.length), `seed ${seed}, push ${id}`).toEqual(rows)
      times.set(id, (times.get(id) ?? 0) + 1)
      at += rows.length
    }
    for (let id = 0; id < pushers.total; id++) {
      expect(times.get(id) ?? 0, `seed ${seed}, ${id}`).toBeGreaterThanOrEqual(1)
      expect(times.get(id), `seed ${seed}, ${id}`).toBeLessThanOrEqual(pushers.attempts.get(id)!)
      if (pushers.attempts.get(id) === 1) expect(times.get(id)).toBe(1)
    }
  }
  expect(deaths).toBeGreaterThan(40)
  expect(changes).toBeGreaterThan(0)
}, 600_000)
