import { describe, expect, test } from "vitest"
import type { Env } from "../env/env.ts"
import { InterceptedDisk, withDisk } from "./intercepted-disk.ts"
import { Mutation, type Mutant, type MutationKind } from "./mutation.ts"
import { SimWorld } from "./sim-env.ts"

/** Replaces a file as a whole, as every textbook says: so that a crash leaves the old or the new one. */
async function replaceFile(env: Env, content: string): Promise<void> {
  const { disk } = env
  await disk.remove("/d/a.tmp", "replace.remove")
  const file = (await disk.open("/d/a.tmp", "create", "replace.create"))!
  await file.write(new TextEncoder().encode(content), 0, "replace.write")
  await file.sync("replace.sync")
  await file.close()
  await disk.rename("/d/a.tmp", "/d/a", "replace.rename")
  await disk.syncDirectory("/d", "replace.sync-directory")
}

/** Whether the file is wrong after a replacement that was acknowledged, or a crash in the middle of one. */
async function isKilled(mutant: Mutant, seed: number): Promise<boolean> {
  const world = new SimWorld({ seed })
  world.image.install("/d/a", new TextEncoder().encode("old"))
  world.image.install("/d/a.tmp", new TextEncoder().encode("left behind"))
  const acknowledged = seed % 2 === 0
  const env = world.boot()
  const mutation = new Mutation(mutant)
  const program = replaceFile(withDisk(env, new InterceptedDisk(env.disk, mutation)), "new content").then(
    () => "done",
    () => "failed",
  )
  if (acknowledged) {
    await world.run(program)
    if ((await program) === "failed") return true
  } else {
    await world.run(Promise.race([program, env.timers.sleep(seed * 37)]))
  }
  world.crash()
  const content = new TextDecoder().decode(world.image.readFile("/d/a"))
  return acknowledged ? content !== "new content" : !["old", "new content"].includes(content)
}

async function killingSeed(mutant: Mutant): Promise<number | undefined> {
  for (let seed = 1; seed <= 300; seed++) if (await isKilled(mutant, seed)) return seed
  return undefined
}

describe("mutants of a file's atomic replacement", () => {
  const steps = ["replace.remove", "replace.write", "replace.sync", "replace.rename", "replace.sync-directory"]
  const mutants = steps.flatMap((step) => (["drop", "swap"] as MutationKind[]).map((kind) => ({ step, kind })))

  test("the protocol itself is never killed", async () => {
    expect(await killingSeed({ step: "none", kind: "drop" })).toBeUndefined()
  })

  test.each(mutants)("I1, I2 $kind $step is killed by some seed", async (mutant) => {
    expect(await killingSeed(mutant)).toBeDefined()
  })
})

describe("a mutant that puts a call off", () => {
  async function callsOf(mutant: Mutant): Promise<(string | undefined)[]> {
    const world = new SimWorld({ seed: 1, keepsTrace: true })
    world.image.installDirectory("/d")
    const env = world.boot()
    const mutation = new Mutation(mutant)
    const program = replaceFile(withDisk(env, new InterceptedDisk(env.disk, mutation)), "new")
    await world.run(program.then(() => mutation.finish()))
    const calls = world.trace.events.filter(({ kind }) => kind === "call")
    return calls.map(({ text }) => text.split(" ")[0]).filter((step) => step !== "file.close")
  }
  const others = ["replace.remove", "replace.create", "replace.write"]

  test("I3 does it behind the step that it names", async () => {
    const late = await callsOf({ step: "replace.sync", kind: "late", behind: "replace.sync-directory" })
    expect(late).toEqual([...others, "replace.rename", "replace.sync-directory", "replace.sync"])
  })

  test("I4 does it at the end, where that step does not come", async () => {
    const late = await callsOf({ step: "replace.rename", kind: "late", behind: "replace.remove" })
    expect(late).toEqual([...others, "replace.sync", "replace.sync-directory", "replace.rename"])
  })

  test("I2 puts a sync behind the next change, past what changes nothing", async () => {
    const world = new SimWorld({ seed: 1, keepsTrace: true })
    world.image.install("/d/a", new TextEncoder().encode("a"))
    const env = world.boot()
    const disk = new InterceptedDisk(env.disk, new Mutation({ step: "first", kind: "swap" }))
    const program = async (): Promise<void> => {
      await disk.syncDirectory("/d", "first")
      await disk.open("/d/a", "read", "a read")
      await disk.syncDirectory("/d", "second")
      await disk.remove("/d/a", "a change")
    }
    await world.run(program())
    const calls = world.trace.events.filter(({ kind }) => kind === "call").map(({ text }) => text)
    expect(calls.map((text) => text.split(/ (open|sync|remove)/)[0])).toEqual(["a read", "second", "a change", "first"])
  })
})

test("I2 a swapped call takes effect behind the next one, and its file stays open for it", async () => {
  const world = new SimWorld({ seed: 1, keepsTrace: true })
  world.image.installDirectory("/d")
  const env = world.boot()
  let hits = 0
  let gaps = 0
  const mutation = new Mutation(
    { step: "replace.sync", kind: "swap" },
    { onHit: () => ++hits > 0, onGap: () => gaps++ },
  )
  await world.run(replaceFile(withDisk(env, new InterceptedDisk(env.disk, mutation)), "new"))
  const calls = world.trace.events.filter(({ kind }) => kind === "call").map(({ text }) => text.split(" ")[0])
  expect([hits, gaps]).toEqual([1, 1])
  expect(calls).toEqual([
    "replace.remove",
    "replace.create",
    "replace.write",
    "replace.rename",
    "replace.sync",
    "file.close",
    "replace.sync-directory",
  ])
})
