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
  const mutation = new Mutation(mutant, () => undefined)
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

test("I2 a swapped call takes effect behind the next one, and its file stays open for it", async () => {
  const world = new SimWorld({ seed: 1, keepsTrace: true })
  world.image.installDirectory("/d")
  const env = world.boot()
  let hits = 0
  const mutation = new Mutation({ step: "replace.sync", kind: "swap" }, () => hits++)
  await world.run(replaceFile(withDisk(env, new InterceptedDisk(env.disk, mutation)), "new"))
  const calls = world.trace.events.filter(({ kind }) => kind === "call").map(({ text }) => text.split(" ")[0])
  expect(hits).toBe(1)
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
