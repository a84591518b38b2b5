/**
 * What `process` keeps and memory has no room for: pieces of bytes in one file of the job's directory. It is a cache. A start makes it anew
 * from snapshot and log, so it is never synced, and nothing of it is left when the job has ended.
 *
 * Pieces are given and read while records are computed, which waits for nobody: reading is done when it returns, as that takes a fifth of
 * the processor's time of a read that is waited for, and some µs where the system has the bytes in memory. What is given waits in memory
 * until `flush`, between two batches; where it is too much before that, it is written at once.
 *
 * The file is made of slots; a piece has as many as it needs, one behind the other.
 *
 * Invariants:
 * - SF1 What is read is what was written, or reading fails: the checksums are in memory.
 * - SF2 Behind `flush` nothing waits. Once there is a file, no more than `WAITING_BYTES_MAX` and a piece do.
 * - SF3 There is a file when there was something to write, and until `close`; one that a run has left that was killed goes when the next begins.
 */
import { assert } from "../base/assert.ts"
import { crc32c } from "../base/crc32c.ts"
import { TidemarkError } from "../base/errors.ts"
import type { Disk, DiskFile } from "../env/env.ts"
import type { ColdBytes } from "../flow/process/cold-bytes.ts"
import { SPILL_STEPS } from "./steps.ts"

/** So many bytes have a checksum of their own, and are read together. */
const BLOCK_BYTES = 1024
const WAITING_BYTES_MAX = 8 << 20

interface Piece {
  readonly address: number
  readonly length: number
  readonly slots: number
  /** As long as they are not in the file. */
  bytes: Uint8Array | undefined
  /** Of its blocks, in order. */
  readonly checksums: Uint32Array
}

/** See the head of this file. */
export class SpillFile implements ColdBytes {
  readonly #disk: Disk
  readonly #path: string
  readonly #slotBytes: number
  readonly #pieces = new Map<number, Piece>()
  readonly #waiting = new Set<Piece>()
  #waitingBytes = 0
  /** By how many slots: the addresses of so many that are free. */
  readonly #free = new Map<number, number[]>()
  /** Slots from here on were never taken. */
  #end = 0
  #file: DiskFile | undefined

  /** @param slotBytes how long most pieces are. */
  constructor(disk: Disk, path: string, slotBytes: number) {
    this.#disk = disk
    this.#path = path
    this.#slotBytes = slotBytes
  }

  /** Removes what an earlier run has left. */
  async begin(): Promise<void> {
    await this.#disk.remove(this.#path, SPILL_STEPS.removeStale)
  }

  write(bytes: Uint8Array): number {
    const { length } = bytes
    const slots = Math.ceil(length / this.#slotBytes)
    const address = this.#free.get(slots)?.pop() ?? this.#end
    if (address === this.#end) this.#end += slots
    const piece = { address, length, slots, bytes, checksums: checksumsOf(bytes) }
    this.#pieces.set(address, piece)
    this.#waiting.add(piece)
    this.#waitingBytes += length
    if (this.#waitingBytes > WAITING_BYTES_MAX && this.#file !== undefined) this.#writeNow(this.#file)
    return address
  }

  read(address: number, from: number, to: number): Uint8Array {
    const piece = this.#pieces.get(address)
    assert(piece !== undefined && to <= piece.length, "what is read was written")
    if (piece.bytes !== undefined) return piece.bytes.subarray(from)
    const first = Math.floor(from / BLOCK_BYTES)
    const start = first * BLOCK_BYTES
    const bytes = new Uint8Array(Math.min(piece.length, Math.ceil(to / BLOCK_BYTES) * BLOCK_BYTES) - start)
    const count = this.#file!.readNow(bytes, this.#positionOf(piece) + start, SPILL_STEPS.read)
    if (count < bytes.length) throw this.#spoilt()
    for (let at = 0, block = first; at < bytes.length; at += BLOCK_BYTES, block++) {
      const end = Math.min(bytes.length, at + BLOCK_BYTES)
      if (crc32c(bytes, 0, at, end) !== piece.checksums[block]) throw this.#spoilt()
    }
    return bytes.subarray(from - start)
  }

  free(address: number): void {
    const piece = this.#pieces.get(address)
    assert(piece !== undefined, "a piece is freed once")
    this.#pieces.delete(address)
    if (this.#waiting.delete(piece)) this.#waitingBytes -= piece.length
    const free = this.#free.get(piece.slots)
    if (free === undefined) this.#free.set(piece.slots, [address])
    else free.push(address)
  }

  /** Writes what waits. Nothing is given meanwhile, but may be read. */
  async flush(): Promise<void> {
    if (this.#waiting.size === 0) return
    const file = (this.#file ??= await this.#create())
    const writes = [...this.#waiting].map(async (piece) => {
      await file.write(piece.bytes!, this.#positionOf(piece), SPILL_STEPS.write)
      this.#written(piece)
    })
    // None is under way any more when the file is closed.
    for (const outcome of await Promise.allSettled(writes)) if (outcome.status === "rejected") throw outcome.reason
  }

  async #create(): Promise<DiskFile> {
    const file = await this.#disk.open(this.#path, "create", SPILL_STEPS.create)
    if (file !== undefined) return file
    throw new TidemarkError("disk-failed", `There is a file ${this.#path} already, which this run has not made.`, {
      hint: "Remove it, then run the job again: nothing of the job's state is in it.",
    })
  }

  #writeNow(file: DiskFile): void {
    for (const piece of this.#waiting) {
      file.writeNow(piece.bytes!, this.#positionOf(piece), SPILL_STEPS.write)
      this.#written(piece)
    }
  }

  #written(piece: Piece): void {
    piece.bytes = undefined
    this.#waiting.delete(piece)
    this.#waitingBytes -= piece.length
  }

  #positionOf({ address }: Piece): number {
    return address * this.#slotBytes
  }

  #spoilt(): TidemarkError {
    return new TidemarkError("disk-failed", `The disk gave other bytes of ${this.#path} than were written there.`, {
      hint: "Check the disk, then run the job again: it goes on from its last commit.",
    })
  }

  async close(): Promise<void> {
    const file = this.#file
    if (file === undefined) return
    this.#file = undefined
    await file.close()
    await this.#disk.remove(this.#path, SPILL_STEPS.remove)
  }
}

function checksumsOf(bytes: Uint8Array): Uint32Array {
  const checksums = new Uint32Array(Math.ceil(bytes.length / BLOCK_BYTES))
  for (let block = 0; block < checksums.length; block++) {
    const start = block * BLOCK_BYTES
    checksums[block] = crc32c(bytes, 0, start, Math.min(bytes.length, start + BLOCK_BYTES))
  }
  return checksums
}
