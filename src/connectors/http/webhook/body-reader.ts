/**
 * Bodies of requests. Those that lie in the file of their epoch are read many at a time, as they are sent in their order; one that is sent again is read
 * by itself.
 */
import { ByteWriter } from "../../../base/bytes.ts"
import type { EpochFiles } from "../../../connect/epoch-files.ts"
import type { OutboxRequest } from "./outbox.ts"
import type { StagedEpoch } from "./staged-requests.ts"

const WINDOW_BYTES = 256 * 1024

/** What was read of a file last. */
interface Window {
  readonly staged: StagedEpoch
  readonly start: number
  readonly end: number
  readonly bytes: Promise<Uint8Array>
}

/** See the head of this file. */
export class BodyReader {
  readonly #files: EpochFiles
  #window: Window | undefined

  constructor(files: EpochFiles) {
    this.#files = files
  }

  async read({ epoch, number, failures }: OutboxRequest): Promise<Uint8Array> {
    const { staged } = epoch
    const [start, end] = epoch.placeOf(number)
    if (staged.inline !== undefined) return staged.inline.subarray(start, end)
    const window = this.#window
    const hasIt = window?.staged === staged && start >= window.start && end <= window.end
    if (hasIt) return (await window.bytes).subarray(start - window.start, end - window.start)
    if (failures > 0) return await this.#read(staged, start, end)
    const windowEnd = Math.max(end, Math.min(staged.bodyBytes, start + WINDOW_BYTES))
    const bytes = this.#read(staged, start, windowEnd)
    this.#window = { staged, start, end: windowEnd, bytes }
    return (await bytes).subarray(0, end - start)
  }

  async #read(staged: StagedEpoch, start: number, end: number): Promise<Uint8Array> {
    const bytes = new ByteWriter(end - start)
    for await (const piece of this.#files.read(staged, start, end)) bytes.raw(piece)
    return bytes.view()
  }
}
