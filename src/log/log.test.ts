import { describe, expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import type { Env } from "../env/env.ts"
import { NO_FAULTS, RandomFaults } from "../sim/faults.ts"
import { SimWorld } from "../sim/sim-env.ts"
import { Log } from "./log.ts"
import type { LogRecord } from "./log-reader.ts"
import { segmentName } from "./segment.ts"

const DIRECTORY = "/state/log"

interface Reading {
  readonly log: Log
  readonly texts: string[]
  readonly isComplete: boolean
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const decode = ({ type, payload }: LogRecord): string => `${type}:${new TextDecoder().decode(payload.slice())}`

async function openLog(env: Env): Promise<Reading> {
  const texts: string[] = []
  let isComplete = false
  const log = await Log.open(env.disk, DIRECTORY, {
    begin: (complete) => void (isComplete = complete),
    record: (record) => void texts.push(decode(record)),
  })
  return { log, texts, isComplete }
}

function worldOf(seed: number): SimWorld {
  const world = new SimWorld({ seed })
  world.image.installDirectory("/state")
  return world
}

/** Runs a program in a process that nothing goes wrong with, and ends the process in order. */
async function inProcess<T>(world: SimWorld, program: (env: Env) => Promise<T>): Promise<T> {
  const promise = program(world.boot())
  promise.catch(() => undefined)
  await world.run(promise)
  world.kill()
  return await promise
}

/** The machine loses power while no process works on it. */
function losePower(world: SimWorld): void {
  world.boot()
  world.crash()
}

async function writeThree(world: SimWorld): Promise<void> {
  await inProcess(world, async (env) => {
    const { log } = await openLog(env)
    for (const text of ["one", "two", "three"]) {
      await log.append(1, encode(text))
      await log.sync("commit")
    }
  })
}

function damage(world: SimWorld, name: string, change: (bytes: Uint8Array) => Uint8Array): void {
  const path = `${DIRECTORY}/${name}`
  world.image.install(path, change(world.image.readFile(path)!.slice()))
}

const readAgain = (world: SimWorld) => inProcess(world, async (env) => (await openLog(env)).texts)

describe("a log", () => {
  test("G3 reads back what was synced, over generations", async () => {
    const world = worldOf(1)
    await writeThree(world)
    await inProcess(world, async (env) => {
      const { log, texts } = await openLog(env)
      expect(texts).toEqual(["1:one", "1:two", "1:three"])
      await log.append(2, encode("four"))
      await log.sync("commit")
    })
    losePower(world)
    expect(await readAgain(world)).toEqual(["1:one", "1:two", "1:three", "2:four"])
  })

  test("G3 holds for what a dead process wrote and the next one read, though it was never synced", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const world = worldOf(seed)
      await writeThree(world)
      await inProcess(world, async (env) => {
        const { log } = await openLog(env)
        await log.append(1, new Uint8Array(1.1 * (1 << 20)))
      })
      const seen = await readAgain(world)
      losePower(world)
      expect(await readAgain(world)).toEqual(seen)
    }
  })

  test("trims what lies before a place, and says that it is not complete any more", async () => {
    const world = worldOf(2)
    await writeThree(world)
    await inProcess(world, async (env) => {
      const { log, isComplete } = await openLog(env)
      expect(isComplete).toBe(true)
      await log.sync("commit")
      await log.append(1, encode("old"))
      await log.sync("commit")
      const start = await log.roll([{ type: 3, payload: encode("new") }])
      expect(await log.trim(start)).toBeGreaterThan(1)
    })
    const { texts, isComplete } = await inProcess(world, openLog)
    expect(texts).toEqual(["3:new"])
    expect(isComplete).toBe(false)
  })

  test("G3 tells a writer whose file was removed that nothing can be read back", async () => {
    const world = worldOf(3)
    const failure = inProcess(world, async (env) => {
      const { log } = await openLog(env)
      await log.append(1, encode("one"))
      await log.sync("commit")
      world.image.remove(`${DIRECTORY}/${segmentName(log.generation, 0)}`)
      await log.append(1, encode("two"))
      await log.sync("commit")
    })
    await expect(failure).rejects.toMatchObject({
      code: "state-corrupt",
      message: expect.stringContaining("has vanished while the job ran") as string,
    })
  })

  test("G5 E12 tells a writer that another has taken over, and voids what it appends", async () => {
    const world = worldOf(3)
    const failure = inProcess(world, async (env) => {
      const { log: old } = await openLog(env)
      await old.append(1, encode("mine"))
      await old.sync("commit")
      const { log: young } = await openLog(env)
      await young.append(1, encode("yours"))
      await young.sync("commit")
      await old.append(1, encode("void"))
      await old.sync("commit")
    })
    await expect(failure).rejects.toMatchObject({ code: "state-fenced" })
    expect(await readAgain(world)).toEqual(["1:mine", "1:yours"])
  })

  test("G6 refuses everything after a failed sync", async () => {
    const world = worldOf(4)
    const outcome = await inProcess(world, async (env) => {
      const { log } = await openLog(env)
      await log.append(1, encode("one"))
      world.faults = { strike: ({ step }) => (step === "log.commit.sync" ? "eio" : undefined) }
      const first = await log.sync("commit").catch((error: unknown) => error)
      world.faults = NO_FAULTS
      const second = await log.append(1, encode("two")).catch((error: unknown) => error)
      return { first, second }
    })
    expect(outcome.first).toMatchObject({ code: "disk-failed" })
    expect(outcome.second).toBe(outcome.first)
  })

  test("G2 names file and position where a record in the middle is damaged", async () => {
    const world = worldOf(5)
    await writeThree(world)
    damage(world, segmentName(1, 0), (bytes) => {
      bytes[48 + 17 + 1]! ^= 1
      return bytes
    })
    await expect(readAgain(world)).rejects.toMatchObject({
      code: "state-corrupt",
      message: expect.stringContaining(`${segmentName(1, 0)} is damaged at byte 48`) as string,
    })
  })

  test("refuses a segment whose header is damaged", async () => {
    const world = worldOf(6)
    await writeThree(world)
    damage(world, segmentName(1, 0), (bytes) => {
      bytes[9]! ^= 0xff
      bytes[13]! ^= 1
      return bytes
    })
    await expect(readAgain(world)).rejects.toMatchObject({ code: expect.stringMatching(/^state-/) as string })
  })

  test("names the version where a newer one wrote it", async () => {
    const world = worldOf(7)
    await writeThree(world)
    damage(world, segmentName(1, 0), (bytes) => {
      bytes[8] = 9
      return bytes
    })
    await expect(readAgain(world)).rejects.toMatchObject({ code: "state-newer-format" })
  })

  test("takes a torn tail for what it is", async () => {
    const world = worldOf(8)
    await writeThree(world)
    damage(world, segmentName(1, 0), (bytes) => bytes.subarray(0, bytes.length - 2))
    expect(await readAgain(world)).toEqual(["1:one", "1:two"])
  })
})

/** Appends, syncs, rolls and trims at random until the process dies; tells what was appended and what was acknowledged. */
async function writeAtRandom(env: Env, prng: Prng, history: History): Promise<void> {
  const { log, texts } = await openLog(env)
  history.check(texts)
  for (let operation = 0; operation < 12; operation++) {
    const choice = prng.below(10)
    if (choice < 6) {
      const text = `${history.appended}`.padEnd(prng.chance(0.1) ? 3000 : 5, ".")
      history.appended++
      history.pending.push(`1:${text}`)
      await log.append(1, encode(text))
    } else {
      await log.sync("commit")
      history.acknowledge()
      if (choice === 9 && log.end.offset > 0) await rollAtRandom(log, prng, history)
    }
  }
}

/** Rolls and trims: with how many records the segment begins, and that they come together, the history knows. */
async function rollAtRandom(log: Log, prng: Prng, history: History): Promise<void> {
  await log.append(1, encode(`${history.appended}`))
  history.pending.push(`1:${history.appended++}`)
  await log.sync("commit")
  history.acknowledge()
  const texts = Array.from({ length: prng.below(4) }, () => `${history.appended++}`.padEnd(prng.pick([5, 3000]), "."))
  history.pending.push(...texts.map((text) => `1:${text}`))
  history.together = texts.length
  await log.roll(texts.map((text) => ({ type: 1, payload: encode(text) })))
  history.acknowledge()
}

/** What a log must hold: all that was acknowledged, then a prefix of what was pending when the process died. */
class History {
  appended = 0
  acknowledged: string[] = []
  pending: string[] = []
  /** How many of those that are pending come together, or not at all (G7). */
  together = 0

  acknowledge(): void {
    this.acknowledged.push(...this.pending)
    this.pending = []
    this.together = 0
  }

  check(texts: readonly string[]): void {
    const possible = [...this.acknowledged, ...this.pending]
    expect(texts).toEqual(possible.slice(0, texts.length))
    const rest = texts.length - this.acknowledged.length
    expect(rest).toBeGreaterThanOrEqual(0)
    if (this.together > 0) expect([0, this.together]).toContain(rest)
    this.acknowledged = [...texts]
    this.pending = []
    this.together = 0
  }
}

test("G3 G4 G7 hold whatever dies when, over many seeds", { timeout: 120_000 }, async () => {
  const scale = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
  let deaths = 0
  for (let seed = 0; seed < 400 * scale; seed++) {
    const world = worldOf(seed)
    const prng = new Prng(seed)
    const history = new History()
    for (let life = 0; life < 6; life++) {
      world.faults = new RandomFaults(prng.fork(), { intensity: 0.5, max: 3 })
      const promise = writeAtRandom(world.boot(), prng, history)
      const end = await world.run(promise)
      if (end === "died") deaths++
      else
        await promise.catch((error: unknown) =>
          expect(error, `seed ${seed}`).toMatchObject({ code: expect.stringMatching(/^disk-/) as string }),
        )
      if (world.isAlive) {
        if (prng.chance(0.5)) world.kill()
        else world.crash()
      }
    }
  }
  expect(deaths).toBeGreaterThan(100)
})
