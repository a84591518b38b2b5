/** Cold bytes in memory, for tests: who reads gets a copy, and what was freed is gone. */
import { assert } from "../../base/assert.ts"
import type { Prng } from "../../base/prng.ts"
import type { ColdBytes, Spilling } from "./cold-bytes.ts"

/** See the head of this file. */
export class RememberedBytes implements ColdBytes {
  readonly #pieces = new Map<number, Uint8Array>()
  #next = 0
  /** How often something was written, and read. */
  writes = 0
  reads = 0

  /** How many pieces there are. */
  get size(): number {
    return this.#pieces.size
  }

  write(bytes: Uint8Array): number {
    this.writes++
    this.#pieces.set(this.#next, bytes.slice())
    // Whoever still reads what it has given away gets something else.
    bytes.fill(0xa5)
    return this.#next++
  }

  read(address: number, from: number, to: number): Uint8Array {
    this.reads++
    const bytes = this.#pieces.get(address)
    assert(bytes !== undefined && from <= to && to <= bytes.length, "what is read was written")
    return bytes.slice(from, to)
  }

  free(address: number): void {
    assert(this.#pieces.delete(address), "a piece is freed once")
  }
}

/** So little memory that much is cold. */
export function scarceMemory(prng: Prng): Spilling & { readonly cold: RememberedBytes } {
  const [memoryBytes, chunkBytes] = [prng.pick([0, 300, 1000, 3000]), prng.pick([16, 100, 400])]
  return { cold: new RememberedBytes(), memoryBytes, chunkBytes }
}
