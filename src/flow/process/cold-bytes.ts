/**
 * Where bytes lie that are not in memory: a cache, of which nothing is left when the job has ended. To who computes it is there at once;
 * whoever drives it sees to it that what was given has gone to the disk before too much of it waits.
 */

/** See the head of this file. */
export interface ColdBytes {
  /** Takes bytes, which nobody changes any more; gives their address. */
  write(bytes: Uint8Array): number
  /**
   * The bytes `[from, to)` of what was written at an address, and perhaps some of those behind.
   *
   * @throws TidemarkError `disk-failed` where they cannot be read, or are not what was written.
   */
  read(address: number, from: number, to: number): Uint8Array
  /** What was written at an address is not needed any more. */
  free(address: number): void
}

/** How much of what an operator keeps by key may be in memory, and where the rest goes. */
export interface Spilling {
  readonly cold: ColdBytes
  /** Bytes of the operator's keys and values, packed or open, that may be in memory. */
  readonly memoryBytes: number
  /** How many bytes are moved at once. */
  readonly chunkBytes: number
}
