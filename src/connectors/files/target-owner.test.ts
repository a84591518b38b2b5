/** Whose output a directory holds: who may go on in it, who may take it over, and what crashes leave of that. */
import { describe, expect, test } from "vitest"
import type { TidemarkError } from "../../base/errors.ts"
import { DEATHS, FaultAt, noFaults, runProcess } from "../../connect/world.conformance.ts"
import type { Env } from "../../env/env.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { BASE_DIRECTORY, installText, withBaseDirectory } from "./file-world.conformance.ts"
import { MutantWorld } from "./mutant-world.fixture.ts"
import { claimTarget, refuseOthers } from "./target-owner.ts"

const TARGET = `${BASE_DIRECTORY}/out`
const PART = `${TARGET}/part-00000.jsonl`

function emptyWorld(world = new SimWorld({ seed: 1 })): SimWorld {
  withBaseDirectory(world)
  world.image.installDirectory(TARGET)
  return world
}

function claim(env: Env, job: string, committed?: number, fresh = 7): Promise<number> {
  return claimTarget({ disk: env.disk, directory: TARGET, job }, committed, () => fresh)
}

async function inProcess<T>(world: SimWorld, program: (env: Env) => Promise<T>): Promise<T> {
  return (await runProcess(world, program))!.value
}

async function refusal(world: SimWorld, program: (env: Env) => Promise<unknown>): Promise<TidemarkError> {
  return await inProcess(world, program).then(
    () => expect.unreachable("it is refused"),
    (error: unknown) => error as TidemarkError,
  )
}

const markers = (world: SimWorld): string[] => world.image.list(TARGET).filter((name) => name.startsWith(".owner."))

describe("a directory", () => {
  test("that is nobody's becomes that of the job, and stays it with the same token", async () => {
    const world = emptyWorld()
    expect(await inProcess(world, (env) => claim(env, "hourly-revenue"))).toBe(7)
    expect(markers(world)).toEqual([".owner.00000007.hourly-revenue"])
    expect(await inProcess(world, (env) => claim(env, "hourly-revenue", 7, 8))).toBe(7)
    expect(markers(world)).toEqual([".owner.00000007.hourly-revenue"])
  })

  test("whose marker somebody has taken away goes on with the token that is committed", async () => {
    const world = emptyWorld()
    installText(world, PART, "{}\n")
    expect(await inProcess(world, (env) => claim(env, "fares", 5))).toBe(5)
    expect(markers(world)).toEqual([".owner.00000005.fares"])
  })

  test("in which nothing of a job is committed gets a token of its own at each start", async () => {
    const world = emptyWorld()
    await inProcess(world, (env) => claim(env, "fares"))
    expect(await inProcess(world, (env) => claim(env, "fares", undefined, 8))).toBe(8)
    expect(markers(world)).toEqual([".owner.00000008.fares"])
  })

  test.each([PART, `${TARGET}/.part-00000.00000007.jsonl.inprogress`, `${TARGET}/day=1/hour=2/part-00000.csv`])(
    "with a part of another job (%s) is neither written to nor set aside",
    async (part) => {
      const world = emptyWorld()
      await inProcess(world, (env) => claim(env, "fares"))
      if (part.includes("=")) world.image.installDirectory(part.slice(0, part.lastIndexOf("/")))
      installText(world, part, "{}\n")
      const target = (env: Env) => ({ disk: env.disk, directory: TARGET, job: "tips" })
      const programs = [(env: Env) => refuseOthers(target(env)), (env: Env) => claim(env, "tips")]
      for (const program of programs) {
        expect(await refusal(world, program)).toMatchObject({
          code: "sink-occupied",
          message: `${TARGET} holds output of the job fares.`,
        })
      }
      expect(markers(world)).toEqual([".owner.00000007.fares"])
    },
  )

  test("in which another job has nothing is taken over, and that is then refused where it has committed", async () => {
    const world = emptyWorld()
    await inProcess(world, (env) => claim(env, "fares"))
    await inProcess(world, (env) => claim(env, "tips", undefined, 9))
    expect(markers(world)).toEqual([".owner.00000009.tips"])
    expect(await refusal(world, (env) => claim(env, "fares", 7))).toMatchObject({
      code: "sink-occupied",
      message: `${TARGET} is written to by the job tips since this one ran last.`,
    })
  })

  test("that another state of the same job has taken over by a reset is refused", async () => {
    const world = emptyWorld()
    await inProcess(world, (env) => claim(env, "fares"))
    installText(world, PART, "{}\n")
    const reset = async (env: Env) => {
      await refuseOthers({ disk: env.disk, directory: TARGET, job: "fares" })
      return await claim(env, "fares", undefined, 8)
    }
    expect(await inProcess(world, reset)).toBe(8)
    const { message } = await refusal(world, (env) => claim(env, "fares", 7))
    expect(message).toBe(`${TARGET} is written to by another state of the job fares since this one ran last.`)
  })
})

describe("TO1 TO2 a crash at any call", () => {
  /** A job starts anew on its own directory, where the given call of that dies; tells whether one did. */
  async function trial(world: SimWorld, call: number): Promise<boolean> {
    emptyWorld(world)
    await inProcess(world, (env) => claim(env, "fares"))
    world.crash()
    expect(markers(world)).toEqual([".owner.00000007.fares"])
    world.faults = new FaultAt(call, DEATHS[call % DEATHS.length]!)
    const claimed = await runProcess(world, (env) => claim(env, "fares", undefined, 8))
    world.faults = noFaults()
    world.crash()
    if (claimed !== undefined) expect(markers(world)).toEqual([".owner.00000008.fares"])
    const left = markers(world).filter((name) => !/^\.owner\.0000000[78]\.fares$/.test(name))
    expect(left).toEqual([])
    // By the new token something can be committed only where the claim has returned.
    const token = await inProcess(world, (env) => claim(env, "fares", claimed?.value, 9))
    expect(markers(world)).toEqual([`.owner.0000000${token}.fares`])
    return claimed === undefined
  }

  async function trials(makeWorld: (seed: number) => SimWorld): Promise<void> {
    for (let seed = 0; seed < 20; seed++) for (let call = 0; await trial(makeWorld(seed), call); call++);
  }

  test("leaves the marker of before, that of now, both or none", () => trials((seed) => new SimWorld({ seed })))

  test.each(["sink.claim.remove", "sink.claim.sync-directory"] as const)(
    "is noticed where %s does nothing",
    async (step) => {
      await expect(trials((seed) => new MutantWorld(seed, { step, kind: "drop" }))).rejects.toThrow()
    },
  )
})
