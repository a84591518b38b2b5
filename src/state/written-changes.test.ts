import { expect, test } from "vitest"
import { ChangesMemory, writtenOf } from "./written-changes.ts"

const partOf = (from: number) => ({ place: { generation: 1, offset: 0 }, recordBytes: 99, from, length: 10 })
const bytes = () => new Uint8Array(10)

test("P21 WR1 above the limit nothing is kept any more but where it is, whatever came before, and what lies nowhere", () => {
  const memory = new ChangesMemory(30)
  const nowhere = memory.keep("a", bytes(), undefined)
  const first = [1, 2].map((from) => memory.keep("a", bytes(), partOf(from)))
  expect(first.map(writtenOf)).toEqual([bytes(), bytes()])
  const last = memory.keep("b", bytes(), partOf(3))
  const next = memory.keep("b", bytes(), partOf(4))
  expect([...first, last, next].map(writtenOf)).toEqual([1, 2, 3, 4].map(partOf))
  expect([nowhere, memory.keep("a", bytes(), undefined)].map(writtenOf)).toEqual([bytes(), bytes()])
})

test("WR1 what is not needed any more has no share in the limit", () => {
  const memory = new ChangesMemory(30)
  for (let round = 0; round < 5; round++) {
    const kept = memory.keep("a", bytes(), partOf(round))
    memory.keep("a", bytes(), partOf(100))
    memory.keepOnly([kept])
    expect(kept.bytes).toEqual(bytes())
  }
})
