import { expect, it } from "vitest"
import { SliceTable } from "./slice-table.ts"

function resolve(table: SliceTable, ...ids: number[]): number[] {
  const groups = new Int32Array(ids.length)
  table.resolve(Int32Array.from(ids), 0, ids.length, groups)
  table.markDirty(groups, 0, ids.length)
  return [...groups]
}

it("ST1 groups are numbered in order of the first record of their key", () => {
  const table = new SliceTable([])
  expect(resolve(table, 7, 3, 7, 900, 3)).toEqual([0, 1, 0, 2, 1])
  expect(resolve(table, 900, 5)).toEqual([2, 3])
  expect([...table.ids.subarray(0, table.size)]).toEqual([7, 3, 900, 5])
  expect([table.groupOf(5), table.groupOf(6)]).toEqual([3, -1])
})

it("ST2 what has changed since it was written is the dirty groups and the new ones", () => {
  const table = new SliceTable([])
  resolve(table, 1, 2, 3)
  expect([table.writtenSize, [...table.dirtyGroups]]).toEqual([0, []])
  table.markWritten()
  resolve(table, 3, 4, 1, 3, 4)
  expect([table.writtenSize, [...table.dirtyGroups], table.size]).toEqual([3, [2, 0], 4])
  table.markWritten()
  resolve(table, 4)
  expect([table.writtenSize, [...table.dirtyGroups]]).toEqual([4, [3]])
})

it("keeps its groups when keys get other ids", () => {
  const table = new SliceTable([])
  const ids = Array.from({ length: 100 }, (_, at) => at * 1000)
  resolve(table, ...ids)
  for (let group = 0; group < 100; group++) table.ids[group] = 99 - group
  table.onIdsMoved()
  expect(resolve(table, 99, 0, 50)).toEqual([0, 99, 49])
  expect(table.size).toBe(100)
})
