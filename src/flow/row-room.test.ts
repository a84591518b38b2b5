import { expect, test } from "vitest"
import { Arena } from "../batch/arena.ts"
import { withRowRoom } from "./row-room.ts"

const KIB = 1024

test("row numbers lie in the arena while they are used, and on the heap where it is full", () => {
  const arena = new Arena({ maxBytes: 4 * KIB })
  const buffers: unknown[] = []
  withRowRoom(arena, 256, (rows) => {
    buffers.push(rows.buffer, rows.length, arena.usedBytes)
    withRowRoom(arena, 1024, (others) => buffers.push(others.buffer === arena.buffer, others.length))
  })
  expect(buffers).toEqual([arena.buffer, 256, KIB, false, 1024])
  expect(arena.usedBytes).toBe(0)
})

test("the room is given back when the use of it throws", () => {
  const arena = new Arena({ maxBytes: 4 * KIB })
  const stop = new Error("stop")
  const use = (): never => {
    throw stop
  }
  expect(() => withRowRoom(arena, 1, use)).toThrow(stop)
  expect(arena.usedBytes).toBe(0)
})
