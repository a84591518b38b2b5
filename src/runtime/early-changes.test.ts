import { expect, test } from "vitest"
import type { OperatorState } from "../flow/operator.ts"
import { EarlyChanges } from "./early-changes.ts"

/** A state of which writing a key takes two microseconds of a clock. */
function stateOf(keys: number) {
  const clock = { now: 0, monotonicMicros: () => clock.now }
  const state = {
    changedKeys: keys,
    writeEarly(count: number) {
      const written = Math.min(count, state.changedKeys)
      state.changedKeys -= written
      clock.now += written * 2
    },
  }
  return { clock, state, states: [state as unknown as OperatorState] }
}

test("EC2 writing begins when a quarter of the rest is as long as it takes", () => {
  const { clock, state, states } = stateOf(10_000)
  const early = new EarlyChanges(clock, undefined)
  clock.now = 1000
  early.write(states, 80_001)
  expect(state.changedKeys).toBe(10_000)
  early.write(states, 79_999)
  expect(state.changedKeys).toBeLessThan(10_000)
})

test("EC2 it takes a quarter of the time since, half a millisecond at least and three at most", () => {
  const { clock, state, states } = stateOf(100_000)
  const early = new EarlyChanges(clock, undefined)
  for (const [sinceMicros, keys] of [
    [100, 300],
    [4000, 500],
    [1_000_000, 1500],
  ] as const) {
    const before = state.changedKeys
    clock.now += sinceMicros
    early.write(states, 0)
    expect(before - state.changedKeys).toBe(keys)
  }
})

test("EC2 some keys are left for the cut", () => {
  const { clock, state, states } = stateOf(1600)
  const early = new EarlyChanges(clock, undefined)
  for (let call = 0; call < 10; call++) {
    clock.now += 100_000
    early.write(states, 0)
  }
  expect(state.changedKeys).toBe(1000)
})
