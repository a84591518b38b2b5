import { expect, test } from "vitest"
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
