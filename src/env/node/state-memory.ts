/** How much memory keys of `process` may take, where nobody says so. */
import { totalmem } from "node:os"
import { constrainedMemory } from "node:process"
import { getHeapStatistics } from "node:v8"

/** What is left is for columns, for what the program itself keeps, and for the system, which holds files in it. */
const SHARE = 1 / 4

/** A share of what the machine has, or the container, and no more than fits on V8's heap, where half of it may be. */
export function defaultStateMemoryBytes(): number {
  const limit = constrainedMemory()
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  return Math.min(Math.floor(bytes * SHARE), getHeapStatistics().heap_size_limit)
}
