import { describe, expect, test } from "vitest"
import { forEachSeedInTurn } from "../../test/seeds.ts"
import type { Env } from "../env/env.ts"
import { SimWorld } from "../sim/sim-env.ts"
import { readLog, type LogVisitor } from "./log-reader.ts"
import { Log } from "./log.ts"

const DIRECTORY = "/state/log"

const NOBODY: LogVisitor = { begin: () => undefined, record: () => undefined }

class Texts implements LogVisitor {
  isComplete = false
  readonly texts: string[] = []

  begin(isComplete: boolean): void {
    this.isComplete = isComplete
  }

  record({ payload }: { readonly payload: Uint8Array }): void {
    this.texts.push(new TextDecoder().decode(payload))
  }
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const read = (env: Env) => readLog(env.disk, DIRECTORY, () => new Texts())

async function inWorld(seed: number, program: (env: Env, world: SimWorld) => Promise<void>): Promise<void> {
  const world = new SimWorld({ seed })
  world.image.installDirectory("/state")
  const running = program(world.boot(), world)
  running.catch(() => undefined)
  await world.run(running)
  world.kill()
  await running
}

describe("reading a log that somebody writes", () => {
  test("LR1 shows a prefix that holds all that was synced, whatever is written meanwhile", async () => {
    let behind = 0
    await forEachSeedInTurn(60, (prng, seed) =>
      inWorld(seed, async (env) => {
        let synced = 0
        let appended = 0
        const write = async () => {
          for (let opening = 0; opening < 3; opening++) {
            const log = await Log.open(env.disk, DIRECTORY, NOBODY, 40)
            for (let round = 0; round < 8; round++) {
              for (let count = prng.below(4); count > 0; count--) await log.append(1, bytesOf(`record ${appended++}`))
              await log.sync("commit")
              synced = appended
              if (prng.chance(0.7)) continue
              await log.append(1, bytesOf(`record ${appended++}`))
              await log.sync("commit")
              await log.roll([{ type: 1, payload: bytesOf(`record ${appended++}`) }])
              synced = appended
            }
            await log.close()
          }
        }
        const look = async () => {
          for (let round = 0; round < 20; round++) {
            const before = synced
            const { texts, isComplete } = await read(env)
            expect(isComplete).toBe(true)
            expect(texts).toEqual(texts.map((_, index) => `record ${index}`))
            expect(texts.length).toBeGreaterThanOrEqual(before)
            if (texts.length < appended) behind++
            await env.timers.sleep(prng.below(400))
          }
        }
        await Promise.all([write(), look()])
      }),
    )
    expect(behind).toBeGreaterThan(0)
  })

  test("LR1 begins anew as often as segments are trimmed while it looks for them", async () => {
    await inWorld(1, async (env) => {
      const log = await Log.open(env.disk, DIRECTORY, NOBODY)
      await log.append(1, bytesOf("old"))
      await log.sync("commit")
      let left = 12
      const disk = {
        ...env.disk,
        list: async (path: string) => {
          const names = await env.disk.list(path)
          // Behind the list, and before the first segment is opened.
          if (left-- > 0) await log.trim(await log.roll([{ type: 1, payload: bytesOf("new") }]))
          return names
        },
        open: env.disk.open.bind(env.disk),
      }
      const { texts, isComplete } = await readLog(disk as Env["disk"], DIRECTORY, () => new Texts())
      expect({ texts, isComplete }).toEqual({ texts: ["new"], isComplete: false })
      await log.close()
    })
  })

  test("LR2 fences nobody and leaves the directory as it is", async () => {
    await inWorld(2, async (env, world) => {
      const log = await Log.open(env.disk, DIRECTORY, NOBODY)
      await log.append(1, bytesOf("one"))
      await log.sync("commit")
      const before = world.image.list(DIRECTORY)
      expect((await read(env)).texts).toEqual(["one"])
      expect(world.image.list(DIRECTORY)).toEqual(before)
      await log.append(1, bytesOf("two"))
      await log.sync("commit")
      expect((await read(env)).texts).toEqual(["one", "two"])
      await log.close()
    })
  })

  test("tells damage as damage, and of no log nothing", async () => {
    await inWorld(3, async (env, world) => {
      expect((await read(env)).texts).toEqual([])
      const log = await Log.open(env.disk, DIRECTORY, NOBODY)
      for (const text of ["one", "two"]) {
        await log.append(1, bytesOf(text))
        await log.sync("commit")
      }
      await log.close()
      const [name] = world.image.list(DIRECTORY)
      const file = await env.disk.open(`${DIRECTORY}/${name!}`, "update", "test.damage")
      await file!.write(Uint8Array.of(255), 66, "test.damage")
      await file!.close()
      await expect(read(env)).rejects.toMatchObject({ code: "state-corrupt" })
    })
  })
})
