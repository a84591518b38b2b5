import { expect, test } from "vitest"
import { InterceptedDisk } from "./intercepted-disk.ts"
import { KillAtStep, type KillMoment } from "./kill-at-step.ts"
import { SimWorld } from "./sim-env.ts"

test.each(["before", "during", "after"] as KillMoment[])("A1 kills %s the call that was named", async (moment) => {
  const world = new SimWorld({ seed: 1 })
  world.image.installDirectory("/d")
  const env = world.boot()
  const seen: { names: string[]; isDone: boolean }[] = []
  let isDone = false
  const kill = (): void => void seen.push({ names: world.image.list("/d"), isDone })
  const disk = new InterceptedDisk(env.disk, new KillAtStep({ step: "test.make", call: 2, moment }, kill))
  const program = async (): Promise<void> => {
    await disk.makeDirectory("/d/a", "test.make")
    await disk.makeDirectory("/d/other", "test.other")
    await disk.makeDirectory("/d/b", "test.make")
    isDone = true
    await disk.makeDirectory("/d/c", "test.make")
  }
  await world.run(program())
  expect(seen).toEqual([{ names: moment === "after" ? ["a", "b", "other"] : ["a", "other"], isDone: false }])
})
