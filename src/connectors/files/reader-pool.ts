/**
 * The readers of one input whose files are open.
 *
 * Invariant:
 * - O8 However many partitions are read in turn, at most `MAX_OPEN_FILES` files are open, and they hold at most
 *   `HELD_BYTES_MAX` of buffers beside the one that is read: the one not used for longest is parked for the next.
 */

/** How many files are open at once, for one input. */
export const MAX_OPEN_FILES = 32

/** How many bytes of buffers files may hold that are open and are not the one that is read. */
const HELD_BYTES_MAX = 256 * 1024 * 1024

/** A reader of a file that can be closed until it is needed again. */
export interface PooledReader {
  /** Whether a read is under way, so that the reader cannot be parked. */
  readonly isBusy: boolean
  /** How many bytes of buffers it holds. */
  readonly heldBytes: number
  /** Closes the file until the next read. */
  park(): Promise<void>
  /** Closes the file for good. */
  close(): Promise<void>
}

/** Parks readers so that others have room. */
export class ReaderPool {
  readonly #readers = new Set<PooledReader>()
  /** The readers whose files are open, the one not used for longest first. There are few, so an array is searched. */
  readonly #open: PooledReader[] = []

  readonly #slots: () => number

  /** @param slots how many stretches of files threads may decode at once. */
  constructor(slots: () => number) {
    this.#slots = slots
  }

  /**
   * How many stretches of its file a reader may have decoded ahead, with the one that it reads. One file is read at a time, so
   * all share what one stretch leaves.
   */
  depth(): number {
    return 1 + Math.max(0, Math.floor((this.#slots() - 1) / Math.max(1, this.#open.length)))
  }

  /** Takes a reader in, until it is retired. */
  add(reader: PooledReader): void {
    this.#readers.add(reader)
  }

  /** The reader is about to be used: makes room for its file where it is not open. */
  async enter(reader: PooledReader): Promise<void> {
    if (this.#open.at(-1) !== reader) {
      this.leave(reader)
      this.#open.push(reader)
    }
    if (this.#hasRoom(reader)) return
    for (const other of [...this.#open]) {
      if (this.#hasRoom(reader)) return
      if (other !== reader && !other.isBusy) await other.park()
    }
  }

  /** The reader's file is closed. */
  leave(reader: PooledReader): void {
    const place = this.#open.indexOf(reader)
    if (place >= 0) this.#open.splice(place, 1)
  }

  /** The reader is closed for good. */
  retire(reader: PooledReader): void {
    this.#readers.delete(reader)
  }

  async close(): Promise<void> {
    for (const reader of [...this.#readers]) await reader.close()
  }

  #hasRoom(reader: PooledReader): boolean {
    let bytes = 0
    for (const other of this.#open) if (other !== reader) bytes += other.heldBytes
    return this.#open.length <= MAX_OPEN_FILES && bytes <= HELD_BYTES_MAX
  }
}
