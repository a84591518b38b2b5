/**
 * Arrow for the files connector: walks over the messages of a file or stream and gathers their metadata, which is all that
 * must be known to begin at any record (`formats/arrow/messages.ts`).
 */
import { TidemarkError } from "../../base/errors.ts"
import type { DiskFile } from "../../env/env.ts"
import { ArrowDecoder, arrowIndex } from "../../formats/arrow/arrow-decoder.ts"
import { ArrowEncoder } from "../../formats/arrow/arrow-encoder.ts"
import { bodyBytes, FOOTER, indexEntry } from "../../formats/arrow/messages.ts"
import { Malformed } from "../../formats/parquet/malformed.ts"
import { containerEnds, type ContainerEnds, type ContainerSteps } from "./container-file.ts"
import type { ContainerFileFormat } from "./file-format.ts"
import { HEAD_BYTES } from "./file-identity.ts"
import { changed } from "./source-errors.ts"
import { loadUnzstd, unzstd } from "./zstd.ts"

const MAGIC = new TextEncoder().encode("ARROW1")
/** Where a file's first message is; what stands behind its footer: the bytes of that (int32), and the magic. */
const [FIRST_MESSAGE, TRAILER_BYTES] = [8, 10]
/** What stands before metadata since Arrow 0.15. */
const CONTINUATION = 0xffff_ffff
/** Metadata of a message and of a file are not larger: bytes. */
const [METADATA_BYTES_MAX, INDEX_BYTES_MAX] = [16 * 1024 * 1024, 64 * 1024 * 1024]
/** So much is read at a time, in which mostly the metadata is: bytes. */
const PROBE_BYTES = 4096

/** Arrow's IPC formats. */
export const arrowFormat: ContainerFileFormat = {
  createEncoder: (schema) => new ArrowEncoder({ schema }),
  load: (codecs) => (codecs.includes("ZSTD") ? loadUnzstd() : undefined),
  readEnds,
  container: {
    countRecords: (footer) => arrowIndex(footer).rows,
    openContainer: (footer, context) => new ArrowDecoder(footer, context, { unzstd }),
  },
}

async function readEnds(file: DiskFile, label: string, steps: ContainerSteps): Promise<ContainerEnds> {
  const fileBytes = await file.size()
  const head = new Uint8Array(Math.min(fileBytes, HEAD_BYTES))
  if ((await file.read(head, 0, steps.readHead)) < head.length) throw changed(label, SHORTER)
  const isFile = startsWith(head, MAGIC)
  const walk = new MessageWalk(file, label, steps)
  const footer = isFile ? await walk.footer(fileBytes) : undefined
  const bytes = await walk.gather(isFile ? FIRST_MESSAGE : 0, footer?.at ?? fileBytes, footer?.bytes)
  return containerEnds(head, { bytes, fileBytes, label })
}

const SHORTER = "it became shorter while it was opened"

/** A walk over the messages of a file. */
class MessageWalk {
  readonly #file: DiskFile
  readonly #label: string
  readonly #steps: ContainerSteps
  /** Bytes of the file at hand. */
  #probe = new Uint8Array(0)
  #probeAt = 0

  constructor(file: DiskFile, label: string, steps: ContainerSteps) {
    this.#file = file
    this.#label = label
    this.#steps = steps
  }

  /** A file's footer, and where it starts. */
  async footer(fileBytes: number): Promise<{ readonly at: number; readonly bytes: Uint8Array }> {
    const trailer = await this.#read(
      Math.max(0, fileBytes - TRAILER_BYTES),
      Math.min(fileBytes, TRAILER_BYTES),
      fileBytes,
    )
    const footerBytes =
      trailer.length < TRAILER_BYTES ? 0 : new DataView(trailer.buffer, trailer.byteOffset).getInt32(0, true)
    const end = fileBytes - TRAILER_BYTES - footerBytes
    const isWhole =
      startsWith(trailer.subarray(4), MAGIC) &&
      footerBytes > 0 &&
      footerBytes <= INDEX_BYTES_MAX &&
      end >= FIRST_MESSAGE
    if (!isWhole) throw this.#refused(fileBytes, "it does not end as an Arrow file does, so it is cut short")
    return { at: end, bytes: await this.#read(end, footerBytes, fileBytes) }
  }

  /** The index of the messages from one place to another, or to the end that they say. */
  async gather(start: number, end: number, footer: Uint8Array | undefined): Promise<Uint8Array> {
    const entries = footer === undefined ? [] : [indexEntry(footer, FOOTER)]
    let indexBytes = entries.reduce((sum, { length }) => sum + length, 0)
    for (let at = start; at < end;) {
      const { metadataAt, metadataBytes } = await this.#prefix(at, end)
      if (metadataBytes === 0) break
      const metadata = await this.#read(metadataAt, metadataBytes, end)
      const bodyAt = metadataAt + metadataBytes
      const entry = indexEntry(metadata, bodyAt)
      entries.push(entry)
      indexBytes += entry.length
      if (indexBytes > INDEX_BYTES_MAX) throw this.#refused(at, `its metadata has more than ${INDEX_BYTES_MAX} bytes`)
      at = bodyAt + this.#bodyBytes(metadata, metadataAt)
      if (at > end) throw this.#refused(bodyAt, "it ends within a message, so it is cut short")
    }
    if (entries.length === 0) throw this.#refused(start, "it has no schema")
    const index = new Uint8Array(indexBytes)
    let to = 0
    for (const entry of entries) {
      index.set(entry, to)
      to += entry.length
    }
    return index
  }

  /** Where the metadata of a message stands, and how long it is. */
  async #prefix(at: number, end: number): Promise<{ metadataAt: number; metadataBytes: number }> {
    const first = (await this.#words(at, end))[0]!
    const isOld = first !== CONTINUATION
    const metadataBytes = isOld ? first : (await this.#words(at + 4, end))[0]!
    if (metadataBytes > METADATA_BYTES_MAX) throw this.#refused(at, "no message of Arrow's begins there")
    return { metadataAt: at + (isOld ? 4 : 8), metadataBytes }
  }

  async #words(at: number, end: number): Promise<readonly [number]> {
    const bytes = await this.#read(at, 4, end)
    return [new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)]
  }

  #bodyBytes(metadata: Uint8Array, at: number): number {
    try {
      return bodyBytes(metadata)
    } catch (error) {
      if (error instanceof Malformed) throw this.#refused(at, error.message)
      throw error
    }
  }

  /** Some bytes of the file, which end before `end`. */
  async #read(at: number, count: number, end: number): Promise<Uint8Array> {
    if (at + count > end) throw this.#refused(at, "it ends within a message, so it is cut short")
    if (at < this.#probeAt || at + count > this.#probeAt + this.#probe.length) {
      const probe = new Uint8Array(Math.min(end - at, Math.max(count, PROBE_BYTES)))
      if ((await this.#file.read(probe, at, this.#steps.readFooter)) < probe.length) throw changed(this.#label, SHORTER)
      this.#probe = probe
      this.#probeAt = at
    }
    return this.#probe.subarray(at - this.#probeAt, at - this.#probeAt + count)
  }

  #refused(byte: number, reason: string): TidemarkError {
    const message = `${this.#label.charAt(0).toUpperCase()}${this.#label.slice(1)} cannot be read as Arrow, near byte ${byte}: ${reason}.`
    return new TidemarkError("source-unreadable", message, {
      hint: "The file is no Arrow IPC file or stream, still being written, or damaged: write or copy it again, or take it out of the pattern.",
    })
  }
}

function startsWith(bytes: Uint8Array, mark: Uint8Array): boolean {
  return bytes.length >= mark.length && mark.every((byte, at) => bytes[at] === byte)
}
