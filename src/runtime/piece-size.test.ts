import { expect, test } from "vitest"
import { PieceSize } from "./piece-size.ts"

test("a piece without a limit has no limit of rows", () => {
  expect(new PieceSize().rowsFor(Infinity)).toBe(Infinity)
})

test("rows follow from how long a piece took", () => {
  const size = new PieceSize()
  size.took(1_000, 100)
  expect(size.rowsFor(500)).toBe(5_000)
})

test("a quicker piece counts at once, a slower one bit by bit", () => {
  const size = new PieceSize()
  size.took(1_000, 1_000)
  size.took(1_000, 100)
  size.took(1_000, 9_000)
  expect(size.rowsFor(500)).toBe(Math.floor(500 / (0.1 * 1.1)))
})

test("B1 a job goes on whatever was measured", () => {
  const size = new PieceSize()
  size.took(1_000, 1e9)
  expect(size.rowsFor(500)).toBe(128)
})
