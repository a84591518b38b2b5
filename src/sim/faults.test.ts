import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import { FAULT_KINDS, FaultMatrix, faultKindsOf, RandomFaults, type DiskOperation } from "./faults.ts"

test("random faults strike rare steps about as often as frequent ones, and not more often than they may", () => {
  let rare = 0
  let frequent = 0
  for (let seed = 0; seed < 2000; seed++) {
    const faults = new RandomFaults(new Prng(seed), { intensity: 0.1, max: 2 })
    let strikes = 0
    for (let occurrence = 0; occurrence < 50; occurrence++) {
      const kind = faults.strike({ step: "frequent", operation: "write", occurrence })
      if (kind !== undefined) strikes++
    }
    frequent += strikes
    if (faults.strike({ step: "rare", operation: "write", occurrence: 0 }) !== undefined) rare++
    expect(strikes).toBeLessThanOrEqual(2)
  }
  expect(rare).toBeGreaterThan(100)
  // Fifty calls are struck about four and a half times as often as one (the harmonic sum), not fifty times.
  expect(frequent / rare).toBeLessThan(6)
})

test("every kind of call has its kinds of faults", () => {
  expect(faultKindsOf("write")).toEqual(FAULT_KINDS)
  expect(faultKindsOf("read")).not.toContain("enospc")
  const harmless: DiskOperation[] = ["close", "lock"]
  for (const operation of harmless) expect(faultKindsOf(operation)).not.toContain("eio")
})

test("matrices tell what is missing in them: steps never called, and faults that never struck", () => {
  const matrix = new FaultMatrix()
  matrix.countCall("a.read", "read")
  matrix.countCall("no.protocol", "read")
  matrix.countFault("a.read", "read", "eio")
  matrix.countFault("a.read", "read", "stall")
  const deaths = "crash-before, crash-after, kill-before, kill-after"
  expect(matrix.gaps(["a.read", "b.write"])).toEqual(["b.write: never called", `a.read: never ${deaths}`])
  for (const kind of FAULT_KINDS) matrix.countFault("a.read", "read", kind)
  expect(matrix.gaps(["a.read"])).toEqual([])
})

test("matrices add up and show what cannot strike", () => {
  const matrix = new FaultMatrix()
  matrix.countCall("a.read", "read")
  matrix.countFault("a.read", "read", "eio")
  const sum = new FaultMatrix()
  sum.add(matrix.rows)
  sum.add(matrix.rows)
  expect(sum.count("a.read", "eio")).toBe(2)
  const [header, row] = sum.format().split("\n")
  expect(header!.split(/ +/)).toEqual(["step", "calls", ...FAULT_KINDS])
  expect(row!.split(/ +/)).toEqual(["a.read", "2", "2", "-", "0", "0", "0", "0", "0"])
})
