/**
 * Room for the numbers of the rows that an operator selects from a batch. It lies in the arena, so that kernels can
 * write there and read from there, and it is given back when the operator is done with the batch.
 */
import type { Arena } from "../batch/arena.ts"

/** Calls `use` with room for `length` row numbers, whose content is unspecified; it must not be kept. */
export function withRowRoom(arena: Arena, length: number, use: (rows: Int32Array) => void): void {
  const block = arena.tryAllocate(length * Int32Array.BYTES_PER_ELEMENT)
  // Room on the heap is as good, but slower: kernels copy what lies there.
  if (block === undefined) {
    use(new Int32Array(length))
    return
  }
  try {
    use(new Int32Array(arena.buffer, block.offset, length))
  } finally {
    arena.free(block)
  }
}
