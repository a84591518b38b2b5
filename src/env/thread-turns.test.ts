import { expect, test } from "vitest"
import { nodeTurns } from "./node/node-turns.ts"
import { ThreadTurns } from "./thread-turns.ts"

const turns = () => new ThreadTurns(() => Promise.resolve())

test("N1 a batch job has the thread for itself while nobody is in a hurry", () => {
  const all = turns()
  all.enter("batch")
  const turn = all.enter("batch")
  expect(turn.next()).toBeUndefined()
  expect(turn.pieceMicros()).toBe(Infinity)
})

test("N1 a batch job yields, and makes short pieces, from when a latency job enters until it leaves", () => {
  const all = turns()
  const turn = all.enter("batch")
  const hurried = all.enter("latency")
  expect(turn.next()).toBeInstanceOf(Promise)
  expect(turn.pieceMicros()).toBeLessThanOrEqual(1000)
  hurried.leave()
  hurried.leave()
  expect(turn.next()).toBeUndefined()
})

test("N1 a latency job that leaves twice does not take another one's place", () => {
  const all = turns()
  const turn = all.enter("batch")
  const first = all.enter("latency")
  all.enter("latency")
  first.leave()
  first.leave()
  expect(turn.next()).toBeInstanceOf(Promise)
})

test("N2 latency jobs do not yield to each other", () => {
  const all = turns()
  all.enter("latency")
  expect(all.enter("latency").next()).toBeUndefined()
})

test("who would keep others waiting for long lets them come first, whoever is in a hurry", async () => {
  const passed: number[] = []
  const all = new ThreadTurns(() => Promise.resolve().then(() => void passed.push(1)))
  await all.pass()
  expect(passed).toEqual([1])
})

test("N3 the event loop goes round when it has not for 10 ms, for jobs of either priority, and then not at once again", async () => {
  let micros = 0
  const all = new ThreadTurns(
    () => Promise.resolve(),
    () => micros,
  )
  for (const priority of ["batch", "latency"] as const) {
    const turn = all.enter(priority)
    micros += 10_000
    expect(turn.next()).toBeUndefined()
    micros += 1
    const round = turn.next()
    expect(round).toBeInstanceOf(Promise)
    await round
    expect(turn.next()).toBeUndefined()
    turn.leave()
  }
})

test("N3 timers come while a job computes whose source has all of its records at once", async () => {
  const turn = nodeTurns.enter("batch")
  let isDue = false
  setTimeout(() => (isDue = true), 1)
  // Without rounds of the event loop, this would not end.
  while (!isDue) await (turn.next() ?? Promise.resolve())
  expect(isDue).toBe(true)
  turn.leave()
})
