/** What the job makes of a few rows, and how it goes on when it is killed. */
import { fromIso } from "tidemark"
import { runOnRows, testDriver } from "tidemark/testing"
import { expect, test } from "vitest"
import { requests } from "./requests.ts"

const at = (time: string) => fromIso(`2024-05-01T${time}Z`)

test("requests are counted by path and ten minutes, and those of probes are not", async () => {
  const { perPath } = await runOnRows(requests, {
    inputs: {
      requests: [
        { at: at("12:00:00"), path: "/", millis: 10 },
        { at: at("12:09:59"), path: "/", millis: 30 },
        { at: at("12:09:59"), path: "/health", millis: 1 },
      ],
    },
  })
  expect(perPath).toEqual([
    { path: "/", windowStart: at("12:00:00"), windowEnd: at("12:10:00"), requests: 2, mean: 20, slowest: 30 },
  ])
})

test("a crash repeats and loses nothing", async () => {
  const driver = await testDriver(requests)
  await driver.push("requests", [{ at: at("12:00:00"), path: "/", millis: 10 }])
  await driver.crash()
  await driver.restore()
  await driver.push("requests", [{ at: at("12:05:00"), path: "/", millis: 30 }])
  await driver.endInput("requests")
  driver.expect("perPath", [
    { path: "/", windowStart: at("12:00:00"), windowEnd: at("12:10:00"), requests: 2, mean: 20, slowest: 30 },
  ])
})
