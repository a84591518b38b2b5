/**
 * A compressed file, read as if it lay there decompressed: from its start, forward. Its offsets are those of the decompressed
 * bytes.
 *
 * It seems to grow while it is read: `size` says how many bytes are known so far, and decompresses some more where all of those
 * were read. Memory is a buffer, in which the last bytes that were read stay for whoever looks a little back; to go back
 * further, or to open it again, decompresses from the start.
 *
 * Invariants:
 * - DF1 What is read is what the whole file decompresses to, whatever is asked for and in which order.
 * - DF2 A file that ends early, or that the compression did not make, is refused with the byte up to which it was read.
 * - DF3 Memory is bounded by the buffer, one read of the disk, and what the decompressor holds, however much comes of a byte.
 */
import { assert } from "../../base/assert.ts"
import type { DiskFile } from "../../env/env.ts"
import { DamagedError, type Compression, type Decompressor } from "./decompressor.ts"
import type { ReadableFile } from "./file-window.ts"
import { gzipCode, zstdCode } from "./on-demand.ts"
import { damaged } from "./source-errors.ts"
import type { FileSourceStep } from "./steps.ts"

/** How much is decompressed at a time, and kept behind what was read: bytes. */
const PIECE_BYTES = 256 * 1024
const KEPT_BYTES = 64 * 1024

/** How much is read at a time: bytes. What one byte may become is a thousand bytes, of gzip, and more of Zstandard. */
const INPUT_BYTES = 32 * 1024

const READ_STEP: FileSourceStep = "source.read"

/** A compressed file, for reading. */
export class DecompressedFile implements ReadableFile {
  readonly #file: DiskFile
  readonly #compression: Exclude<Compression, "none">
  readonly #label: string
  readonly #newDecompressor: () => Decompressor
  #decompressor: Decompressor
  readonly #input = new Uint8Array(INPUT_BYTES)
  /** Where the next input starts in the file. */
  #inputAt = 0
  /** Decompressed bytes from offset `start` on. */
  readonly #buffer = new Uint8Array(KEPT_BYTES + PIECE_BYTES)
  #start = 0
  #count = 0
  /** Behind the last byte that was read. */
  #readTo = 0
  #isInputAtEnd = false
  #hasEnded = false

  private constructor(
    file: DiskFile,
    compression: Exclude<Compression, "none">,
    label: string,
    newDecompressor: () => Decompressor,
  ) {
    this.#file = file
    this.#compression = compression
    this.#label = label
    this.#newDecompressor = newDecompressor
    this.#decompressor = newDecompressor()
  }

  static async open(
    file: DiskFile,
    compression: Exclude<Compression, "none">,
    label: string,
  ): Promise<DecompressedFile> {
    return new DecompressedFile(file, compression, label, await loadDecompressor(compression))
  }

  /** How many bytes of memory it takes. */
  get heldBytes(): number {
    return this.#buffer.length + this.#input.length + this.#decompressor.heldBytes
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    if (position < this.#start) this.#restart()
    let done = 0
    while (done < target.length) {
      const at = position + done
      if (at < this.#end) {
        const from = at - this.#start
        const some = this.#buffer.subarray(from, Math.min(this.#count, from + target.length - done))
        target.set(some, done)
        done += some.length
      } else {
        if (this.#hasEnded) break
        await this.#decompress()
      }
    }
    this.#readTo = position + done
    return done
  }

  async size(): Promise<number> {
    while (!this.#hasEnded && this.#end === this.#readTo) await this.#decompress()
    return this.#end
  }

  /** As `size`, where reading goes on at an offset that it reaches. */
  async sizeFrom(offset: number): Promise<number> {
    this.#readTo = offset
    return this.size()
  }

  /** Decompresses up to an offset, and gives whether the file has as many bytes. */
  async reaches(offset: number): Promise<boolean> {
    while (this.#end < offset && !this.#hasEnded) await this.#decompress()
    return this.#end >= offset
  }

  async close(): Promise<void> {
    this.discard()
    await this.#file.close()
  }

  /** Lets go of all but the file. */
  discard(): void {
    this.#decompressor.close()
  }

  get #end(): number {
    return this.#start + this.#count
  }

  #restart(): void {
    this.#decompressor.close()
    this.#decompressor = this.#newDecompressor()
    this.#inputAt = this.#start = this.#count = 0
    this.#isInputAtEnd = this.#hasEnded = false
  }

  /** Adds a piece, or finds the end; of those before some are kept. */
  async #decompress(): Promise<void> {
    assert(!this.#hasEnded, "nothing is decompressed behind the end")
    const drop = Math.max(0, this.#count - KEPT_BYTES)
    this.#buffer.copyWithin(0, drop, this.#count)
    this.#start += drop
    this.#count -= drop
    const target = this.#buffer.subarray(this.#count)
    let done = 0
    try {
      while (done < target.length) {
        const written = this.#decompressor.pull(target.subarray(done))
        done += written
        if (written > 0 || (await this.#pushInput())) continue
        for (let last = 1; last > 0 && done < target.length; done += last) {
          last = this.#decompressor.drain(target.subarray(done))
          this.#hasEnded = last === 0
        }
        break
      }
    } catch (error) {
      if (error instanceof DamagedError) throw damaged(this.#label, this.#compression, this.#inputAt, error.message)
      throw error
    }
    this.#count += done
  }

  /** Gives the decompressor the next bytes, unless there are none. */
  async #pushInput(): Promise<boolean> {
    const count = this.#isInputAtEnd ? 0 : await this.#file.read(this.#input, this.#inputAt, READ_STEP)
    this.#isInputAtEnd = count === 0
    if (count === 0) return false
    this.#inputAt += count
    this.#decompressor.push(this.#input.slice(0, count))
    return true
  }
}

/** What makes the decompressors of a compression. */
async function loadDecompressor(compression: Exclude<Compression, "none">): Promise<() => Decompressor> {
  if (compression === "gzip") {
    const { GzipDecompressor } = await gzipCode.get()
    return () => new GzipDecompressor()
  }
  const { ZstdDecompressor } = await zstdCode.get()
  return () => new ZstdDecompressor()
}
