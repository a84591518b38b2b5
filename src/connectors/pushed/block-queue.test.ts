/** Blocks in memory: their order, who is let in, and what is told of those that wait. */
import { describe, expect, test } from "vitest"
import { BlockQueue } from "./block-queue.ts"
import type { PushedBlock } from "./pushed-block.ts"

describe("the queue of blocks", () => {
  const blockOf = (released: number[], id: number): PushedBlock => ({
    batch: undefined,
    bad: [{ reason: String(id), field: undefined, raw: "" }],
    dropped: 0,
    form: "",
    skipped: 0,
    place: undefined,
    release: () => void released.push(id),
  })

  test("PU2 PU4 BQ1 BQ2 gives blocks in order, and lets in one after the other", async () => {
    const [queue, released, entered] = [new BlockQueue(100), [] as number[], [] as number[]]
    const enter = async (id: number) => {
      const turn = queue.room()
      if (turn !== undefined) await turn
      const entry = queue.enter()
      entered.push(id)
      queue.fill(entry, 60)
      await Promise.resolve()
      queue.ready(entry, blockOf(released, id))
    }
    const all = Promise.all([0, 1, 2, 3, 4].map(enter))
    await Promise.resolve()
    await Promise.resolve()
    expect(entered).toEqual([0, 1])
    for (let id = 0; id < 5; id++) {
      while (queue.head === undefined) await queue.arrival(new AbortController().signal)
      const block = queue.shift()
      expect(block.bad[0]?.reason).toBe(String(id))
      block.release()
    }
    await all
    expect(entered).toEqual([0, 1, 2, 3, 4])
    expect(released).toEqual([0, 1, 2, 3, 4])
  })
})

test("PU2 PU4 BQ1 nobody is let in while others come first, and then one after the other", async () => {
  const [queue, entered] = [new BlockQueue(1000), [] as number[]]
  let passed = (): void => expect.fail("nothing is paused")
  const enter = async (id: number) => {
    const turn = queue.room()
    if (turn !== undefined) await turn
    const entry = queue.enter()
    entered.push(id)
    if (id % 2 === 0) queue.pause(new Promise((resolve) => (passed = resolve)))
    queue.fill(entry, 1)
  }
  const all = Promise.all([0, 1, 2, 3].map(enter))
  const turns = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  }
  await turns()
  expect(entered).toEqual([0])
  passed()
  await turns()
  expect(entered).toEqual([0, 1, 2])
  passed()
  await all
  expect(entered).toEqual([0, 1, 2, 3])
})

test("PU4 whether more is pushed than there is time for is told until the job has committed, or nothing is on its way", () => {
  const queue = new BlockQueue(1000)
  expect([queue.isBusy, queue.isFollowed(true), queue.isFollowed(false)]).toEqual([false, true, false])
  const entry = queue.enter()
  queue.fill(entry, 1)
  expect(queue.isBusy).toBe(false)
  queue.pause(new Promise(() => undefined))
  expect(queue.isFollowed(false)).toBe(false)
  void queue.room(false, true)
  expect([queue.isBusy, queue.isFollowed(false)]).toEqual([true, true])
  queue.committed()
  expect(queue.isBusy).toBe(false)
  void queue.room()
  queue.fill(queue.enter(), 1000)
  // Who waits for room waits for a disk, and no block waits for it.
  expect([queue.isBusy, queue.isFollowed(true), queue.isFollowed(false)]).toEqual([true, false, false])
})

test("PU4 nobody's block waits for one that takes its time, nor behind one", () => {
  const queue = new BlockQueue(1000)
  queue.pause(new Promise(() => undefined))
  void queue.room()
  void queue.room(false, true)
  expect(queue.isFollowed(false)).toBe(false)
})
