import { expect, test } from "vitest"
import { TimeUse } from "./time-use.ts"

class Hand {
  micros = 0
  wallMicros = () => 0
  monotonicMicros = () => this.micros
}

test("TU1 shares add up to 1, the greatest first, with what goes on now", () => {
  const clock = new Hand()
  const time = new TimeUse(clock)
  expect(time.shares()).toEqual([])
  time.turnTo("input")
  clock.micros += 100
  time.turnTo("output", "hourly")
  clock.micros += 250
  time.turnTo("output", "late")
  clock.micros += 50
  time.turnTo("input")
  clock.micros += 100
  expect(time.shares()).toEqual([
    { on: "output", name: "hourly", share: 0.5 },
    { on: "input", name: undefined, share: 0.4 },
    { on: "output", name: "late", share: 0.1 },
  ])
})

test("TU1 forgets what was more than four seconds ago, and keeps what has gone on for longer", () => {
  const clock = new Hand()
  const time = new TimeUse(clock)
  time.turnTo("compute")
  clock.micros += 1_000_000
  time.turnTo("log")
  clock.micros += 10_000_000
  expect(time.shares()[0]).toMatchObject({ on: "log", share: 10 / 11 })
  clock.micros += 2_000_000
  expect(time.shares()).toEqual([{ on: "log", name: undefined, share: 1 }])
})
