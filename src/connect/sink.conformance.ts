/**
 * The conformance suite of sinks: K1 to K5 of `sink.ts`, under deaths and failures at every call to the world.
 *
 * A driver brings a sink, a world for it and a reader for its target; `sink-trial.conformance.ts` says what a trial is.
 */
import { describe, expect, test } from "vitest"
import {
  countCalls,
  expectRows,
  newLog,
  occupiedWorld,
  OCCUPYING_ROWS,
  playScript,
  playWithFault,
  recoverAndFinish,
  resetWithFault,
  Runtime,
  SCRIPT,
  TOTAL_ROWS,
  trial,
  type SinkConformanceDriver,
} from "./sink-trial.conformance.ts"
import { DEATHS, runProcess, type ConformanceWorld } from "./world.conformance.ts"

/** How many outcomes are tried of what was not synced when a process died or the power went. */
const SEEDS = 2 * Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)

/**
 * Declares the tests that every sink must pass.
 *
 * @param stride at every how many calls a process dies: 1 is all of them, for the first sink of its kind.
 */
export function describeSinkConformance<W extends ConformanceWorld>(
  name: string,
  driver: SinkConformanceDriver<W>,
  stride = 1,
): void {
  describe(`${name} as a sink`, () => {
    describePlainRuns(driver)
    describeFaults(driver, stride)
    if (driver.setAside !== undefined) describeForeignOutput(driver, stride)
  })
}

function describePlainRuns<W extends ConformanceWorld>(driver: SinkConformanceDriver<W>): void {
  test("publishes every row once, in order", async () => {
    const world = driver.createWorld(1)
    await runProcess(world, (env) => playScript(world, env, driver, newLog()))
    expectRows(await driver.published(world), 0, TOTAL_ROWS)
  })

  test("K1 shows nothing of what was written, flushed and staged", async () => {
    const world = driver.createWorld(2)
    await runProcess(world, async (env) => {
      const runtime = await Runtime.open(world, env, driver, newLog())
      await runtime.writePieces([30, 30])
      await runtime.sink.flush()
      expect(await driver.published(world)).toEqual([])
      const staged = await runtime.sink.stage(true)
      expect(await driver.published(world)).toEqual([])
      await runtime.sink.apply(staged)
      expectRows(await driver.published(world), 0, 60)
    })
  })

  test("counts what it holds in memory, until it is flushed or staged", async () => {
    const world = driver.createWorld(3)
    await runProcess(world, async (env) => {
      const runtime = await Runtime.open(world, env, driver, newLog())
      const { sink } = runtime
      expect(sink.bufferedBytes).toBe(0)
      runtime.write(10)
      const held = sink.bufferedBytes
      expect(held).toBeGreaterThan(10)
      runtime.write(10)
      expect(sink.bufferedBytes).toBeGreaterThan(held)
      await sink.flush()
      expect(sink.bufferedBytes).toBe(0)
      runtime.write(1)
      await sink.stage(false)
      expect(sink.bufferedBytes).toBe(0)
    })
  })

  test("K2 puts the rows into an epoch that were written before `stage` was called, not those written while it runs", async () => {
    const world = driver.createWorld(4)
    const log = newLog()
    await runProcess(world, async (env) => {
      const runtime = await Runtime.open(world, env, driver, log)
      runtime.write(5)
      const staging = runtime.sink.stage(true)
      runtime.write(5)
      log.staged.push((await staging).slice())
      log.rows = 5
    })
    await recoverAndFinish(world, driver, log)
  })

  test("K3 changes nothing that is visible where it applies a run of records again", async () => {
    const world = driver.createWorld(5)
    await runProcess(world, async (env) => {
      const log = newLog()
      const runtime = await Runtime.open(world, env, driver, log)
      for (const epoch of SCRIPT) {
        await runtime.play({ ...epoch, checkpoint: false })
        const before = (await driver.published(world)).length
        for (let from = 0; from < log.staged.length; from++) {
          for (const staged of log.staged.slice(from)) await runtime.sink.apply(staged)
        }
        expectRows(await driver.published(world), 0, before)
      }
      expectRows(await driver.published(world), 0, TOTAL_ROWS)
    })
  })

  test("K4 recovers again and again from the same records", async () => {
    const world = driver.createWorld(6)
    const log = newLog()
    for (const epoch of SCRIPT.slice(0, 9)) {
      await runProcess(world, async (env) => (await Runtime.open(world, env, driver, log)).play(epoch))
      await runProcess(world, async (env) => Runtime.open(world, env, driver, log))
    }
    await recoverAndFinish(world, driver, log)
  })

  test("K4 does not publish again what a reader has taken away", async () => {
    const world = driver.createWorld(7)
    const log = newLog()
    await runProcess(world, async (env) => {
      const runtime = await Runtime.open(world, env, driver, log)
      await runtime.play({ pieces: [20] })
      await runtime.play({ pieces: [20], final: true })
    })
    expectRows(await driver.published(world), 0, 40)
    await driver.takeAway(world)
    log.taken = 40
    await runProcess(world, async (env) => (await Runtime.open(world, env, driver, log)).finish())
    expectRows(await driver.published(world), 40, TOTAL_ROWS)
  })

  test("publishes nothing where nothing was written", async () => {
    const world = driver.createWorld(8)
    const log = newLog()
    await runProcess(world, async (env) => {
      const runtime = await Runtime.open(world, env, driver, log)
      await runtime.play({ pieces: [], checkpoint: true })
      await runtime.play({ pieces: [], final: true })
    })
    expect(await driver.published(world)).toEqual([])
  })
}

function describeFaults<W extends ConformanceWorld>(driver: SinkConformanceDriver<W>, stride: number): void {
  for (const kind of DEATHS) {
    test(`K2, K4, K5 loses and repeats nothing: ${kind} any call`, async () => {
      const calls = await countCalls(driver)
      for (let call = 0; call < calls; call += stride) {
        // What a process leaves that is merely killed is in less doubt.
        const seeds = kind.startsWith("crash") ? SEEDS : SEEDS / 2
        for (let seed = call; seed < call + seeds; seed++) {
          await trial(`seed ${seed}, ${kind} call ${call}`, () => playWithFault(driver, seed, { call, kind }))
        }
      }
    })
  }

  test("K4 loses and repeats nothing where recovery dies too, at any call", async () => {
    const calls = await countCalls(driver)
    for (let call = 0; call < calls; call += 4 * stride) {
      const kind = DEATHS[(call / 4) % DEATHS.length]!
      for (let again = 0, isMore = true; isMore; again++) {
        const recovery = { call: again, kind: DEATHS[again % DEATHS.length]! }
        const name = `seed ${call}, ${kind} call ${call}, then ${recovery.kind} call ${again} of recovery`
        isMore = await trial(name, () => playWithFault(driver, call, { call, kind }, recovery))
      }
    }
  })

  test("loses and repeats nothing where any call fails, and does nothing more after it", async () => {
    const calls = await countCalls(driver)
    for (let call = 0; call < calls; call += stride) {
      for (let seed = 0; seed < SEEDS / 2; seed++) {
        const kind = (call + seed) % 2 === 0 ? "eio" : "enospc"
        await trial(`seed ${seed}, ${kind} call ${call}`, () => playWithFault(driver, seed, { call, kind }))
      }
    }
  })
}

function describeForeignOutput<W extends ConformanceWorld>(driver: SinkConformanceDriver<W>, stride: number): void {
  test("refuses a target that holds the output of another job", async () => {
    const world = await occupiedWorld(driver, 20)
    const opening = runProcess(world, (env) => Runtime.open(world, env, driver, newLog()))
    await expect(opening).rejects.toMatchObject({ code: "sink-occupied" })
    expectRows(await driver.published(world), 0, OCCUPYING_ROWS)
  })

  test("refuses a target that another sink writes to now", async () => {
    const world = driver.createWorld(21)
    await runProcess(world, async (env) => {
      await Runtime.open(world, env, driver, newLog())
      await expect(Runtime.open(world, env, driver, newLog())).rejects.toMatchObject({ code: "sink-occupied" })
    })
  })

  test("a reset sets the output aside and starts anew, also where it dies at any call", async () => {
    for (let call = 0, isMore = true; isMore; call += stride) {
      for (let seed = 0; seed < SEEDS; seed++) {
        const kind = DEATHS[(call + seed) % DEATHS.length]!
        isMore = await trial(`seed ${seed}, ${kind} call ${call}`, () => resetWithFault(driver, seed, { call, kind }))
      }
    }
  })
}
