import { expect, test } from "vitest"
import { Silence } from "./silence.ts"

const listened = [{ index: 3, input: "in", idleAfterMicros: 10 }]

/** A clock that a test moves. */
function clocked() {
  const clock = { now: 100, monotonicMicros: () => clock.now, wallMicros: () => clock.now }
  return { clock, silence: new Silence(clock) }
}

test("T13 the time begins when there is nothing to read, and a record begins it anew", () => {
  const { clock, silence } = clocked()
  expect([silence.due(listened), silence.untilDue(listened)]).toEqual([[], Infinity])
  silence.heard(3, false)
  clock.now = 109
  silence.heard(3, false)
  expect([silence.due(listened), silence.untilDue(listened)]).toEqual([[], 1])
  clock.now = 112
  expect(silence.due(listened)).toEqual([{ index: 3, input: "in", silentMicros: 12 }])
  expect(silence.untilDue(listened)).toBe(0)
  silence.heard(3, true)
  expect([silence.due(listened), silence.untilDue(listened)]).toEqual([[], Infinity])
  silence.read(3, true)
  silence.heard(3, false)
  expect([silence.due(listened), silence.untilDue(listened)]).toEqual([[], 10])
})

test("T13 a read that brings nothing does not begin it anew", () => {
  const { clock, silence } = clocked()
  silence.heard(3, false)
  clock.now = 109
  silence.heard(3, true)
  silence.read(3, false)
  silence.heard(3, false)
  clock.now = 110
  expect(silence.due(listened)).toEqual([{ index: 3, input: "in", silentMicros: 10 }])
})
