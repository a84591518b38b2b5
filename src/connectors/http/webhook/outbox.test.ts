import { expect, test } from "vitest"
import { ByteWriter } from "../../../base/bytes.ts"
import { NO_EPOCH } from "../../../connect/epoch-mark.ts"
import { Outbox } from "./outbox.ts"
import { PendingEpoch } from "./pending-epoch.ts"
import { LANE_A_KEY, NO_LANES, numberedLanes, type Lanes } from "./staged-requests.ts"

/** An epoch of requests with one byte and one row each. */
function epochOf(sequence: number, lanes: Lanes, lanesOfRequests: readonly number[]): PendingEpoch {
  const index = new ByteWriter()
  for (const lane of lanesOfRequests) for (const number of [lane, 1, 1]) index.varint(number)
  const requests = lanesOfRequests.length
  const mark = { token: "t", sequence, id: String(sequence).padStart(16, "0") }
  const staged = { ...mark, body: "object", isLast: false, lanes, requests, bodyBytes: requests } as const
  return new PendingEpoch({ ...staged, indexBytes: index.length, inline: undefined }, index.finish())
}

function takeAll(outbox: Outbox) {
  const taken = []
  for (let next = outbox.take(); next !== undefined; next = outbox.take()) taken.push(next)
  return taken
}
const numbers = (requests: readonly { readonly epoch: PendingEpoch; readonly number: number }[]) =>
  requests.map(({ epoch, number }) => `${epoch.staged.sequence}.${number}`)

test("OB1 the next of a lane is given out when the one before is acknowledged", () => {
  const outbox = new Outbox(NO_EPOCH)
  outbox.add(epochOf(1, LANE_A_KEY, [7, 7, 9]))
  outbox.add(epochOf(2, LANE_A_KEY, [9, 7]))
  const [first, other] = takeAll(outbox)
  expect(numbers([first!, other!])).toEqual(["1.0", "1.2"])
  outbox.acknowledge(first!)
  const [next, ...more] = takeAll(outbox)
  expect([numbers([next!]), more]).toEqual([["1.1"], []])
  outbox.acknowledge(other!)
  expect(numbers(takeAll(outbox))).toEqual(["2.0"])
  expect([outbox.rows, outbox.bytes, outbox.done]).toEqual([3, 3, NO_EPOCH])
  outbox.acknowledge(next!)
  expect(outbox.done.sequence).toBe(1)
})

test("OB2 what was lined up otherwise waits for all before it", () => {
  const outbox = new Outbox(NO_EPOCH)
  outbox.add(epochOf(1, numberedLanes(2), [0, 1]))
  outbox.add(epochOf(2, LANE_A_KEY, [5]))
  const [first, second] = takeAll(outbox)
  outbox.acknowledge(second!)
  expect(takeAll(outbox)).toEqual([])
  outbox.acknowledge(first!)
  expect(numbers(takeAll(outbox))).toEqual(["2.0"])
})

test("OB3 a request that is to be tried again comes behind the others", () => {
  const outbox = new Outbox(NO_EPOCH)
  outbox.add(epochOf(1, NO_LANES, [0, 0, 0]))
  outbox.putBack(outbox.take()!)
  expect(numbers(takeAll(outbox))).toEqual(["1.1", "1.2", "1.0"])
})
