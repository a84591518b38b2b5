/**
 * A thread that decodes: it makes batches of bytes that lie in a memory that it shares, in a part of that memory that is
 * its own, and keeps them until it is told that they were read. It knows nothing of files and of time.
 *
 * Invariants:
 * - DT1 What a task gives depends on its bytes, the decoder's spec and the texts told before, not on other tasks.
 * - DT2 A batch's memory is not used again before its task is released.
 */
import { assert } from "../../base/assert.ts"
import type { LinearMemory } from "../../base/linear-memory.ts"
import { Arena } from "../../batch/arena.ts"
import { placesOf, textColumns } from "../../batch/column-places.ts"
import type { Dictionary } from "../../batch/dictionary.ts"
import { keepModules } from "../../expr/compiled-module.ts"
import type { Decoded, RecordDecoder } from "../decoder.ts"
import type {
  DecodedRange,
  DecodeRange,
  DecodeThreadStart,
  FromDecodeThread,
  NewTexts,
  ToDecodeThread,
} from "./decode-messages.ts"
import { decoderOf } from "./decoder-spec.ts"

/** More rows than any batch has. */
const ALL_ROWS = 2 ** 31 - 1

/** A decoder, and what has been told of its dictionaries. */
interface OpenDecoder {
  readonly decoder: RecordDecoder
  /** By text column. */
  readonly told: { dictionary: Dictionary | undefined; size: number }[]
}

/** See the head of this file. */
export class DecodeThread {
  readonly #arena: Arena
  readonly #decoders = new Map<number, OpenDecoder>()
  readonly #releases = new Map<number, () => void>()

  constructor({ memory, modules, from, bytes }: DecodeThreadStart) {
    keepModules(modules)
    this.#arena = new Arena({ maxBytes: bytes, within: { memory: memory as LinearMemory, from } })
  }

  /** Takes a message, and gives the answer where it has one. */
  take(message: ToDecodeThread): FromDecodeThread | undefined {
    if (message.kind === "decoder") {
      this.#decoders.set(message.decoder, { decoder: decoderOf(message.spec, this.#arena), told: [] })
      return undefined
    }
    const { task } = message
    if (message.kind === "release") {
      this.#releases.get(task)?.()
      this.#releases.delete(task)
      return undefined
    }
    const open = this.#decoders.get(message.decoder)
    assert(open !== undefined, "a decoder is there before its tasks")
    try {
      const decoded = open.decoder.decode(windowOf(this.#arena.buffer, message))
      this.#releases.set(task, () => decoded.release())
      return { kind: "decoded", task, ...describe(decoded, open) }
    } catch (error) {
      return { kind: "failed", task, reason: error instanceof Error ? error.message : String(error) }
    }
  }
}

function windowOf(buffer: SharedArrayBuffer, { address, length, offset, untilOffset }: DecodeRange) {
  return {
    bytes: new Uint8Array(buffer, address, length),
    from: 0,
    to: length,
    position: { offset, ordinal: 0 },
    atEnd: false,
    maxRows: ALL_ROWS,
    untilOffset,
    partition: 0,
  }
}

function describe({ batch, bad, next }: Decoded, open: OpenDecoder): DecodedRange {
  if (batch === undefined) return { rows: 0, places: [], offsets: 0, ordinals: 0, bad, next, texts: [] }
  const { columns, length, origin } = batch
  return {
    rows: length,
    places: placesOf(columns),
    offsets: origin.offsets!.byteOffset,
    ordinals: origin.ordinals!.byteOffset,
    bad,
    next,
    texts: textColumns(columns).map(({ dictionary }, place) => newTexts(dictionary, place, open)),
  }
}

function newTexts(dictionary: Dictionary, place: number, { told }: OpenDecoder): NewTexts {
  const before = (told[place] ??= { dictionary: undefined, size: 0 })
  const isAnother = before.dictionary !== dictionary
  const texts = dictionary.textsFrom(isAnother ? 0 : before.size)
  before.dictionary = dictionary
  before.size = dictionary.size
  return { isAnother, ...texts }
}
