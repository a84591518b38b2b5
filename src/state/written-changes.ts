/**
 * What a log says of the states of operators, while it is being read: kept as bytes, up to a limit; behind it all that is kept is where to read it again.
 *
 * Invariants:
 * - WR1 Nothing that is kept refers to what was read, but bytes of changes that are kept, and those have a limit.
 */
import { assert } from "../base/assert.ts"
import type { LogPart } from "../log/seen-records.ts"

/** Changes of an operator's state: bytes, or where the log has them. */
export type WrittenChanges = Uint8Array | LogPart

/** The same, as long as it may be forgotten. */
export interface KeptChanges {
  readonly operator: string
  /** `undefined` where they have been forgotten. */
  bytes: Uint8Array | undefined
  /** `undefined` where they do not lie in one record. */
  readonly part: LogPart | undefined
}

/** See the head of this file. */
export class ChangesMemory {
  readonly #bytesMax: number
  #kept: KeptChanges[] = []
  #bytes = 0
  #isFull = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Changes that were read, as they are kept. */
  keep(operator: string, bytes: Uint8Array, part: LogPart | undefined): KeptChanges {
    if (this.#isFull && part !== undefined) return { operator, bytes: undefined, part }
    const changes = { operator, bytes, part }
    if (this.#bytesMax === Infinity) return changes
    this.#kept.push(changes)
    this.#bytes += bytes.length
    if (this.#bytes > this.#bytesMax) this.#forget()
    return changes
  }

  /** Only these are needed any more. */
  keepOnly(kept: readonly KeptChanges[]): void {
    if (this.#bytesMax === Infinity) return
    this.#kept = kept.filter(({ bytes }) => bytes !== undefined)
    this.#bytes = this.#kept.reduce((sum, { bytes }) => sum + bytes!.length, 0)
  }

  /** From here on nothing is kept but where it is. */
  #forget(): void {
    this.#isFull = true
    for (const changes of this.#kept) if (changes.part !== undefined) changes.bytes = undefined
    this.#kept = []
  }
}

/** What was kept of changes. */
export function writtenOf({ bytes, part }: KeptChanges): WrittenChanges {
  return bytes ?? part!
}

/** The bytes of changes that were read by who keeps all of them. */
export function keptBytes(changes: WrittenChanges): Uint8Array {
  assert(changes instanceof Uint8Array, "changes are forgotten where there is a limit")
  return changes
}
