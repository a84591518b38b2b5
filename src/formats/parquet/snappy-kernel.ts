/** Snappy by WebAssembly, in a block of an arena; where there is no room, and for what is malformed, `snappy.ts` has it. */
import { assert } from "../../base/assert.ts"
import type { LinearMemory } from "../../base/linear-memory.ts"
import type { Arena } from "../../batch/arena.ts"
import { compiledModule } from "../../expr/compiled-module.ts"
import { snappyStart, unpackSnappy } from "./snappy.ts"
import { SNAPPY_SLACK_BYTES, writeSnappy, type SnappyFunctions } from "./snappy-code.ts"

/** By memory: the functions that work on it. */
const made = new WeakMap<LinearMemory, SnappyFunctions>()

function functionsOn(memory: LinearMemory): SnappyFunctions {
  let functions = made.get(memory)
  if (functions === undefined) {
    functions = compiledModule("snappy", writeSnappy).instantiate<SnappyFunctions>(memory)
    made.set(memory, functions)
  }
  return functions
}

/**
 * Unpacks `source[at, end)` to `target[0, length)`.
 *
 * @throws Malformed where it is not what Snappy makes, or of another length.
 */
export function unpackSnappyIn(
  arena: Arena,
  source: Uint8Array,
  at: number,
  end: number,
  target: Uint8Array,
  length: number,
): void {
  const from = snappyStart(source, at, end, length)
  const inputBytes = end - from + SNAPPY_SLACK_BYTES
  const block = arena.tryAllocate(inputBytes + length + SNAPPY_SLACK_BYTES)
  if (block === undefined) {
    unpackSnappy(source, at, end, target, length)
    return
  }
  try {
    const bytes = new Uint8Array(arena.buffer, block.offset, block.bytes)
    bytes.set(source.subarray(from, end))
    const to = block.offset + inputBytes
    const count = functionsOn(arena.memory).unpackSnappy(block.offset, block.offset + end - from, to, to + length)
    if (count === length) {
      target.set(bytes.subarray(inputBytes, inputBytes + length))
      return
    }
  } finally {
    arena.free(block)
  }
  unpackSnappy(source, at, end, target, length)
  assert(false, "both ways refuse the same pages")
}
