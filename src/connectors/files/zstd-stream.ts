/**
 * Zstandard (RFC 8878), of one frame or more, by zstddec: the library itself as WebAssembly. Node has it from 22.15 on
 * only, and in streams that answer when they like.
 *
 * zstddec reads compressed bytes from an iterator and gives decompressed ones by a generator, which is resumed for one call of
 * `ZSTD_decompressStream` at a time and gives what that call gave, nothing included. So it asks for input at most once
 * each time, and bytes can go in as they come. It does not look whether the library has found an error; it tells
 * nothing of frames. Both show in that neither end moves.
 */
import { assert } from "../../base/assert.ts"
import { DamagedError, type Decompressor } from "./decompressor.ts"

/** No frame is shorter, not even one to be skipped: bytes. */
const FRAME_BYTES_MIN = 8

/** What the library needs beside the window. */
const HELD_BYTES = 512 * 1024
/** The first bytes of a frame, the first one lowest. */
const MAGIC = 0xfd2f_b528
const MAGIC_START = MAGIC & 0xff
/** What of a frame's header says how large its window is: bytes. */
const HEADER_BYTES = 14
/** The library refuses frames that would need more: RFC 8878 has decoders refuse what is unreasonable. */
const WINDOW_BYTES_MAX = 128 * 1024 * 1024

/** What is used of zstddec. */
interface Library {
  decodeStreaming(arrays: Iterable<Uint8Array>): Generator<Uint8Array>
}

/** Why a file that ends too early is refused. */
const CUT = "it ends within a frame"

const NO_BYTES = new Uint8Array(0)

let library: Library | undefined

/** Loads the library, or gives `undefined` where it is at hand. */
export function loadZstd(): Promise<void> | undefined {
  return library === undefined ? load() : undefined
}

async function load(): Promise<void> {
  const { ZSTDDecoder } = await import("zstddec/stream")
  const decoder = new ZSTDDecoder()
  await decoder.init()
  library = decoder
}

/** Decompresses Zstandard. */
export class ZstdDecompressor implements Decompressor {
  readonly #output: Generator<Uint8Array>
  /** The input that waits, and whether there will be more. */
  #waiting: Uint8Array | undefined
  #hasEnded = false
  /** How long the input is that the library works on. */
  #inputBytes = 0
  /** How often it has given nothing since it took that. */
  #idleCalls = 0
  #given: Uint8Array = NO_BYTES
  #at = 0
  #isDone = false
  /** The largest window of its frames so far. */
  #windowBytes = 0
  /** The end of the input before, in which a frame's header may have begun. */
  #tail: Uint8Array = NO_BYTES

  constructor() {
    assert(library !== undefined, "Zstandard is loaded before it is used")
    this.#output = library.decodeStreaming(this.#inputs())
  }

  get heldBytes(): number {
    return HELD_BYTES + this.#windowBytes
  }

  push(input: Uint8Array): void {
    assert(this.#waiting === undefined, "bytes go in when those before are used up")
    this.#noteWindows(input)
    this.#waiting = input
  }

  /** Any frame may have another window. What only looks like the start of one is as good as never there, and counts too much at most. */
  #noteWindows(input: Uint8Array): void {
    const bytes = new Uint8Array(this.#tail.length + input.length)
    bytes.set(this.#tail)
    bytes.set(input, this.#tail.length)
    const view = new DataView(bytes.buffer)
    for (let at = bytes.indexOf(MAGIC_START); at >= 0; at = bytes.indexOf(MAGIC_START, at + 1)) {
      if (at + HEADER_BYTES > bytes.length) break
      if (view.getUint32(at, true) !== MAGIC) continue
      this.#windowBytes = Math.max(this.#windowBytes, Math.min(windowOf(view, at), WINDOW_BYTES_MAX))
    }
    this.#tail = bytes.subarray(Math.max(0, bytes.length - HEADER_BYTES + 1))
  }

  pull(target: Uint8Array): number {
    while (this.#at === this.#given.length) {
      if (this.#waiting === undefined) return 0
      this.#step()
    }
    return this.#take(target)
  }

  drain(target: Uint8Array): number {
    this.#hasEnded = true
    if (this.#inputBytes === 0) throw new DamagedError(CUT)
    while (this.#at === this.#given.length) {
      if (this.#isDone) return 0
      this.#step()
    }
    return this.#take(target)
  }

  /** Lets the library give back its memory: it does when it has come to an end of its input. */
  close(): void {
    this.#hasEnded = true
    this.#waiting = undefined
    try {
      while (!this.#isDone) this.#step()
    } catch (error) {
      // What is thrown away need not be whole.
      if (!(error instanceof DamagedError)) throw error
    }
  }

  *#inputs(): Generator<Uint8Array> {
    for (;;) {
      const input = this.#waiting
      if (input === undefined) {
        assert(this.#hasEnded, "input is at hand before it is asked for")
        return
      }
      this.#waiting = undefined
      this.#inputBytes = input.length
      this.#idleCalls = 0
      yield input
    }
  }

  #step(): void {
    let result: IteratorResult<Uint8Array>
    try {
      result = this.#output.next()
    } catch (error) {
      this.#isDone = true
      if (this.#hasEnded && error instanceof Error && error.message.startsWith("Incomplete"))
        throw new DamagedError(CUT)
      throw error
    }
    if (result.done === true) {
      this.#isDone = true
      return
    }
    this.#given = result.value
    this.#at = 0
    this.#idleCalls = result.value.length > 0 ? 0 : this.#idleCalls + 1
    if (this.#idleCalls > this.#inputBytes / FRAME_BYTES_MIN + 1) throw new DamagedError("its bytes make no sense")
  }

  #take(target: Uint8Array): number {
    const count = Math.min(target.length, this.#given.length - this.#at)
    target.set(this.#given.subarray(this.#at, this.#at + count))
    this.#at += count
    return count
  }
}

/** How many bytes back a frame refers at most, by its header: RFC 8878, section 3.1.1.1. */
function windowOf(view: DataView, start: number): number {
  const descriptor = view.getUint8(start + 4)
  const isOneSegment = (descriptor & 0x20) !== 0
  if (!isOneSegment) {
    const window = view.getUint8(start + 5)
    return 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8)
  }
  // As large as the frame's content: its size stands behind an identifier of a dictionary.
  const at = start + 5 + [0, 1, 2, 4][descriptor & 3]!
  const sizeBits = descriptor >> 6
  if (sizeBits === 0) return view.getUint8(at)
  if (sizeBits === 1) return view.getUint16(at, true) + 256
  return view.getUint32(at, true)
}
