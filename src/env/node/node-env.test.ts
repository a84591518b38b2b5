import { expect, test } from "vitest"
import { nodeEnv } from "./node-env.ts"

const env = nodeEnv()

test("Z3 a sleep lasts at least its time", async () => {
  for (const micros of [0, 300, 20_000]) {
    const before = env.clock.monotonicMicros()
    await env.timers.sleep(micros)
    expect(env.clock.monotonicMicros() - before).toBeGreaterThanOrEqual(micros - 1)
  }
})

test("Z3 a sleep ends at its signal, also at one that was given before", async () => {
  const before = env.clock.monotonicMicros()
  const controller = new AbortController()
  const sleep = env.timers.sleep(60_000_000, controller.signal)
  controller.abort()
  await sleep
  await env.timers.sleep(60_000_000, controller.signal)
  expect(env.clock.monotonicMicros() - before).toBeLessThan(10_000_000)
})

test("the wall clock is in microseconds since 1970", () => {
  expect(Math.abs(env.clock.wallMicros() / 1000 - Date.now())).toBeLessThan(5000)
})

test("random numbers have 32 bits and differ", () => {
  const numbers = new Set(Array.from({ length: 100 }, () => env.randomUint32()))
  expect(numbers.size).toBeGreaterThan(95)
  expect([...numbers].every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32)).toBe(true)
})
