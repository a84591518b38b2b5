/** A sink's directory: made durably, and emptied without losing anything. */
import { expect, test } from "vitest"
import { DEATHS, FaultAt, noFaults, runProcess } from "../../connect/world.conformance.ts"
import type { Env } from "../../env/env.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { fileText, installText, withBaseDirectory } from "./file-world.conformance.ts"
import { makeDirectories, setAside } from "./target-directory.ts"

const TARGET = "/work/out/daily/results"

function losePower(world: SimWorld): void {
  world.boot()
  world.crash()
}

test("M1 directories survive a crash once they are made, whoever made them and died", async () => {
  const make = (env: Env): Promise<void> => makeDirectories(env.disk, TARGET, "/work")
  for (let call = 0, isMore = true; isMore; call++) {
    for (let seed = 0; seed < 12; seed++) {
      const world = withBaseDirectory(new SimWorld({ seed }))
      const faults = new FaultAt(call, DEATHS[seed % DEATHS.length]!)
      world.faults = faults
      await runProcess(world, make)
      isMore = faults.hasStruck
      world.faults = noFaults()
      await runProcess(world, make)
      losePower(world)
      expect(world.image.find(TARGET)?.kind, `seed ${seed}, call ${call}`).toBe("directory")
    }
  }
})

test("M2 each reset has a directory of its own, in which everything is found again", async () => {
  const world = withBaseDirectory(new SimWorld({ seed: 3 }))
  const reset = (env: Env): Promise<void> => setAside(env.disk, "/work/out")
  for (const run of ["first", "second"]) {
    installText(world, "/work/out/part-00000.csv", `${run} result`)
    installText(world, "/work/out/.part-00001.00c0ffee.csv.inprogress", `${run} in progress`)
    installText(world, "/work/out/notes.txt", "not ours")
    await runProcess(world, reset)
    losePower(world)
  }
  await runProcess(world, reset)
  expect(world.image.list("/work")).toEqual(["out", "out.superseded-1", "out.superseded-2"])
  expect(world.image.list("/work/out")).toEqual(["notes.txt"])
  expect(fileText(world, "/work/out.superseded-1/part-00000.csv")).toBe("first result")
  expect(fileText(world, "/work/out.superseded-2/part-00000.csv")).toBe("second result")
  expect(fileText(world, "/work/out.superseded-2/.part-00001.00c0ffee.csv.inprogress")).toBe("second in progress")
})
