import { expect, test } from "vitest"
import { Prng } from "../../../base/prng.ts"
import { backOffMicros, CircuitBreaker } from "./circuit-breaker.ts"

const policy = { failures: 3, initialMicros: 1000, maxMicros: 8000 }

test("CB1 some failures in a row open it, for longer each time, and one request at a time passes in between", () => {
  const breaker = new CircuitBreaker(policy, () => 0)
  breaker.failed(0, "a")
  breaker.failed(0, "b")
  expect([breaker.allowed(0), breaker.reason]).toEqual([Infinity, undefined])
  breaker.failed(0, "c")
  expect([breaker.allowed(499), breaker.openUntil(499), breaker.reason]).toEqual([0, 500, "c"])
  expect([breaker.allowed(500), breaker.openUntil(500), breaker.reason]).toEqual([1, undefined, "c"])
  const waits = [1000, 2000, 4000, 4000].map((wait) => {
    const now = 1_000_000 * wait
    breaker.failed(now, "again")
    return breaker.openUntil(now)! - now
  })
  expect(waits).toEqual([1000, 2000, 4000, 4000])
})

test("CB2 it is open for as long as the receiver has asked for, from the first such answer on", () => {
  const breaker = new CircuitBreaker(policy, () => 1)
  breaker.failed(0, "busy", 70_000)
  expect(breaker.openUntil(0)).toBe(70_000)
  // What was under way says so, too, or says less.
  breaker.failed(10, "busy", 80_000)
  breaker.failed(20, "busy", 5)
  breaker.failed(30, "gone")
  expect(breaker.openUntil(30)).toBe(80_010)
})

test("CB3 an answer closes it, and failures count anew", () => {
  const breaker = new CircuitBreaker(policy, () => 0)
  for (let count = 0; count < 3; count++) breaker.failed(0, "gone")
  breaker.answered()
  expect([breaker.allowed(0), breaker.reason]).toEqual([Infinity, undefined])
  breaker.failed(0, "gone")
  breaker.failed(0, "gone")
  expect(breaker.allowed(0)).toBe(Infinity)
  breaker.failed(0, "gone")
  expect(breaker.openUntil(0)).toBe(500)
})

test("WH5 waits are anywhere from nothing to a time that doubles up to the longest", () => {
  const prng = new Prng(1)
  const longest = [1000, 2000, 4000, 8000, 8000, 8000]
  longest.forEach((most, failures) => {
    const waits = Array.from({ length: 400 }, () => backOffMicros(policy, failures + 1, () => prng.float()))
    expect(Math.max(...waits)).toBeLessThanOrEqual(most)
    expect(Math.max(...waits)).toBeGreaterThan(most * 0.95)
    expect(Math.min(...waits)).toBeLessThan(most * 0.05)
  })
})
