import { expect, test } from "vitest"
import { RecentNeed } from "./recent-need.ts"

test("a buffer is kept while it is small, or not much larger than what uses need", () => {
  const need = new RecentNeed()
  expect(need.keeps(65_536, 10)).toBe(true)
  expect(need.keeps(65_537, 10)).toBe(false)
  expect(need.keeps(400_000, 100_000)).toBe(true)
  expect(need.keeps(400_001, 100_000)).toBe(false)
  expect(need.keeps(16 << 20, 9 << 20)).toBe(false)
})

test("one that a busy moment has made large goes when that is some time ago, and not at the next smaller use", () => {
  const need = new RecentNeed()
  expect(need.keeps(2 << 20, 1 << 20)).toBe(true)
  let uses = 1
  while (need.keeps(2 << 20, 5_000)) uses++
  expect(uses).toBeGreaterThan(10)
  expect(uses).toBeLessThan(40)
  for (let use = 0; use < 1000; use++) expect(need.keeps(1 << 20, use % 8 === 0 ? 1 << 20 : 100)).toBe(true)
})
