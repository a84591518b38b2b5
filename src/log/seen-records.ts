/**
 * Records of a log that were shown when it was opened, read once more, by whoever has no room for all of them at once.
 *
 * Invariants:
 * - SR1 A record is what it was: one that does not check any more is corruption.
 */
import type { Disk, DiskFile } from "../env/env.ts"
import type { LogKind } from "./log-kind.ts"
import type { LogPlace } from "./log-reader.ts"
import { RecordScan } from "./record-scan.ts"
import { SEGMENT_HEADER_BYTES } from "./record.ts"
import type { ChainLink, Segment } from "./segment.ts"

/** So much is read at once: records that follow each other are asked for in their order, as a rule. */
const WINDOW_BYTES = 1 << 20

/** Bytes of the payload of a record. */
export interface LogPart {
  /** Where the record lies, and how long it is with its header. */
  readonly place: LogPlace
  readonly recordBytes: number
  readonly from: number
  readonly length: number
}

/** See the head of this file. */
export class SeenRecords {
  readonly #disk: Disk
  readonly #kind: LogKind
  readonly #segments: readonly Segment[]
  #open: { readonly segment: Segment; readonly file: DiskFile } | undefined
  /** What was read last, and where that begins. */
  #window: Uint8Array = new Uint8Array(0)
  #place: LogPlace = { generation: 0, offset: 0 }
  /** The record that was read last: several may ask for parts of it. */
  #last: { readonly place: LogPlace; readonly payload: Uint8Array } | undefined

  constructor({ disk, kind }: { readonly disk: Disk; readonly kind: LogKind }, chain: readonly ChainLink[]) {
    this.#disk = disk
    this.#kind = kind
    this.#segments = chain.map(({ segment }) => segment)
  }

  /**
   * The bytes of a part: a view, of which nobody changes anything later.
   *
   * @throws TidemarkError `state-corrupt` where the record is not there any more, or another.
   */
  async read({ place, recordBytes, from, length }: LogPart): Promise<Uint8Array> {
    const isLast = this.#last?.place.generation === place.generation && this.#last.place.offset === place.offset
    const payload = isLast ? this.#last!.payload : await this.#payloadAt(place, recordBytes)
    this.#last = { place, payload }
    return payload.subarray(from, from + length)
  }

  async #payloadAt(place: LogPlace, recordBytes: number): Promise<Uint8Array> {
    const start = place.offset - this.#place.offset
    const isThere =
      place.generation === this.#place.generation && start >= 0 && start + recordBytes <= this.#window.length
    if (!isThere) await this.#moveTo(place, recordBytes)
    const at = place.offset - this.#place.offset
    const scan = new RecordScan(this.#window.subarray(at, at + recordBytes), place.generation, place.offset)
    if (!scan.next()) {
      const { segment } = this.#open!
      const position = SEGMENT_HEADER_BYTES + place.offset - segment.startOffset
      throw this.#kind.corrupt(segment.path, position, "a record that was read a moment ago does not check")
    }
    return scan.payload
  }

  async #moveTo(place: LogPlace, bytes: number): Promise<void> {
    const { segment, file } = await this.#fileOf(place)
    const position = SEGMENT_HEADER_BYTES + place.offset - segment.startOffset
    const window = new Uint8Array(Math.max(bytes, Math.min(WINDOW_BYTES, segment.size - position)))
    const got = await file.read(window, position, this.#kind.stepOf("recover.read"))
    this.#window = window.subarray(0, got)
    this.#place = place
  }

  async #fileOf({ generation, offset }: LogPlace): Promise<{ readonly segment: Segment; readonly file: DiskFile }> {
    const segment = this.#segments.findLast((each) => each.generation === generation && each.startOffset <= offset)!
    if (this.#open?.segment === segment) return this.#open
    await this.close()
    const file = await this.#disk.open(segment.path, "read", this.#kind.stepOf("recover.read"))
    if (file === undefined) throw this.#kind.vanished(segment.path)
    this.#open = { segment, file }
    return this.#open
  }

  /** Closes what is open. It may be read from again. */
  async close(): Promise<void> {
    await this.#open?.file.close()
    this.#open = undefined
  }
}
