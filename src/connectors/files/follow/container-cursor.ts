/**
 * Reads one container that has appeared in a followed directory. It is there as a whole: whoever writes containers gives them their name
 * when they are complete. Offsets in the state are numbers of records.
 */
import type { Position } from "../../../batch/position.ts"
import type { ReadLimits, SourceContext } from "../../../connect/source.ts"
import type { DiskFile } from "../../../env/env.ts"
import { RECORD_OFFSETS, type ContainerDecoder } from "../../../formats/container.ts"
import type { ContainerFileFormat } from "../file-format.ts"
import { changed, nameUnreadable } from "../source-errors.ts"
import type { FileSourceStep, FollowStep } from "../steps.ts"
import type { CursorRead, FileCursor } from "./file-cursor.ts"
import type { KnownFile } from "./followed-files.ts"

const STEPS = { readHead: "source.open.read-head", readFooter: "source.open.read-footer" } as const

/** What a cursor is made of. */
export interface ContainerCursorParts {
  readonly context: SourceContext
  readonly format: ContainerFileFormat
  readonly known: KnownFile
  readonly path: string
  /** For errors: `the file "trips/a.parquet" of the input trips`. */
  readonly label: string
  /** Becomes `origin.partition`. */
  readonly index: number
}

/** An open container. */
export class ContainerCursor implements FileCursor {
  readonly partialBytes = 0
  readonly #parts: ContainerCursorParts
  readonly #file: DiskFile
  #record: number
  #fingerprint: string
  #decoder: ContainerDecoder | undefined

  private constructor(parts: ContainerCursorParts, file: DiskFile) {
    this.#parts = parts
    this.#file = file
    this.#record = parts.known.offset
    this.#fingerprint = parts.known.fingerprint
  }

  /** Opens the file; `undefined` where another one bears its name now, or none. */
  static async open(parts: ContainerCursorParts): Promise<ContainerCursor | undefined> {
    const openStep: FollowStep = "source.follow.open"
    const file = await parts.context.env.disk.open(parts.path, "read", openStep)
    if (file === undefined) return undefined
    try {
      if ((await file.fileId()) === parts.known.fileId) return new ContainerCursor(parts, file)
    } catch (error) {
      await file.close()
      throw error
    }
    await file.close()
    return undefined
  }

  async check(): Promise<number> {
    return await this.size()
  }

  async size(): Promise<number> {
    return await this.#file.size()
  }

  async read(from: Position, limits: ReadLimits): Promise<CursorRead> {
    try {
      return await this.#read(from, limits)
    } catch (error) {
      throw nameUnreadable(error, this.#parts.label)
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #read(from: Position, limits: ReadLimits): Promise<CursorRead> {
    const decoder = (this.#decoder ??= await this.#open())
    const { records } = decoder
    const record = this.#record
    const most = Math.min(limits.rows, records - record, Math.ceil((limits.untilOffset - from.offset) / RECORD_OFFSETS))
    if (most <= 0) return this.#taken(from, records, { batch: undefined, bad: [], release: () => undefined })
    const readStep: FileSourceStep = "source.read"
    for (let wanted = decoder.wanted(record); wanted !== undefined; wanted = decoder.wanted(record)) {
      const count = await this.#file.read(wanted.target, wanted.offset, readStep)
      if (count < wanted.target.length) throw changed(this.#parts.label, "it became shorter while it was read")
      decoder.supplied()
    }
    const decoded = decoder.decode(record, most, this.#parts.index)
    const shift = { offset: from.offset - record * RECORD_OFFSETS, ordinal: from.ordinal - record }
    const { origin } = decoded.batch ?? {}
    shiftAll(origin?.offsets, shift.offset)
    shiftAll(origin?.ordinals, shift.ordinal)
    const bad = decoded.bad.map((each) => {
      const { offset, ordinal } = each.position
      return { ...each, position: { offset: offset + shift.offset, ordinal: ordinal + shift.ordinal } }
    })
    this.#record += decoded.records
    const next = {
      offset: this.#record * RECORD_OFFSETS + shift.offset,
      ordinal: this.#record + shift.ordinal,
    }
    return this.#taken(next, records, { batch: decoded.batch, bad, release: () => decoded.release() })
  }

  async #open(): Promise<ContainerDecoder> {
    const { format, context, label } = this.#parts
    const { identity, footer } = await format.readEnds(this.#file, label, STEPS)
    if (this.#record > 0 && identity !== this.#fingerprint) throw changed(label, "it has other bytes than it had")
    this.#fingerprint = identity
    const decoder = format.container.openContainer(footer, context)
    const loading = format.load(decoder.codecs)
    if (loading !== undefined) await loading
    return decoder
  }

  #taken(next: Position, records: number, some: Pick<CursorRead, "batch" | "bad" | "release">): CursorRead {
    const record = this.#record
    const progress = { offset: record, ordinal: record, fingerprint: this.#fingerprint, isAtEnd: record === records }
    return { ...some, next, nextInFile: { offset: record * RECORD_OFFSETS, ordinal: record }, progress }
  }
}

function shiftAll(numbers: Float64Array | null | undefined, by: number): void {
  if (numbers === null || numbers === undefined || by === 0) return
  for (let at = 0; at < numbers.length; at++) numbers[at] = numbers[at]! + by
}
