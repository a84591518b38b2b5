import { expect, test } from "vitest"
import { EpochLength } from "./epoch-length.ts"

const BOUNDS = { minMicros: 5_000, maxMicros: 100_000 }

test("L1 an epoch is as short as it may be before anything was committed", () => {
  const length = new EpochLength(BOUNDS, 1_000)
  expect(length.restWhileReading(1_000)).toBe(5_000)
  expect(length.restWhileReading(6_000)).toBe(0)
})

test("L1 while there is more to read, commits take a twentieth of the time", () => {
  const length = new EpochLength(BOUNDS, 0)
  length.committed(10_000, 2_000)
  expect(length.restWhileReading(10_000)).toBe(40_000)
})

test("L1 no epoch is longer than the upper bound", () => {
  const length = new EpochLength(BOUNDS, 0)
  length.committed(0, 60_000)
  expect(length.restWhileReading(0)).toBe(100_000)
})

test("L1 with nothing to read the epoch ends at the lower bound, whatever commits take", () => {
  const length = new EpochLength(BOUNDS, 0)
  length.committed(10_000, 2_000)
  expect(length.restWhileIdle(12_000)).toBe(3_000)
})

test("L2 one slow commit among quick ones does not lengthen the epoch", () => {
  const length = new EpochLength(BOUNDS, 0)
  for (const micros of [400, 400, 400, 50_000]) length.committed(0, micros)
  expect(length.restWhileReading(0)).toBe(8_000)
})

test("L2 where all commits have become slow, the epoch grows", () => {
  const length = new EpochLength(BOUNDS, 0)
  for (let index = 0; index < 9; index++) length.committed(0, 400)
  for (let index = 0; index < 9; index++) length.committed(0, 4_000)
  expect(length.restWhileReading(0)).toBe(80_000)
})
