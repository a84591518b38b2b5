/**
 * Reads the records of one container forward (`PartitionReader`): the decoder says which bytes it wants, and gets them.
 *
 * A reader can be parked, as that of lines (`file-reader.ts`): it closes its file and drops its buffers. What the file is
 * gets checked at every opening: its size, head and footer against the identity.
 */
import { assert } from "../../base/assert.ts"
import { counted } from "../../base/counted.ts"
import type { Position } from "../../batch/position.ts"
import type { PartitionReader, ReadLimits, SourceBatch, SourceContext } from "../../connect/source.ts"
import type { DiskFile } from "../../env/env.ts"
import { RECORD_OFFSETS, type ContainerDecoder } from "../../formats/container.ts"
import type { ContainerFileFormat } from "./file-format.ts"
import type { PooledReader, ReaderPool } from "./reader-pool.ts"
import { ReaderTurn } from "./reader-turn.ts"
import { changed, missing } from "./source-errors.ts"
import type { FileSourceStep } from "./steps.ts"

const STEPS = { readHead: "source.open.read-head", readFooter: "source.open.read-footer" } as const

/** The container that a reader reads. */
export interface ContainerTarget {
  readonly context: SourceContext
  readonly format: ContainerFileFormat
  /** The absolute path. */
  readonly path: string
  /** For errors: `the file "trips/a.parquet" of the input trips`. */
  readonly label: string
  readonly identity: string
  /** Becomes `origin.partition`. */
  readonly index: number
}

interface OpenContainer {
  readonly file: DiskFile
  readonly decoder: ContainerDecoder
}

/** Reads one container forward. */
export class ContainerReader implements PartitionReader, PooledReader {
  readonly #target: ContainerTarget
  readonly #turn: ReaderTurn
  readonly #pool: ReaderPool
  /** The number of the next record. */
  #record: number
  #open: OpenContainer | undefined

  constructor(target: ContainerTarget, pool: ReaderPool, position: Position) {
    assert(position.offset === position.ordinal * RECORD_OFFSETS, "a container's offsets are those of its records")
    this.#target = target
    this.#turn = new ReaderTurn(target.label)
    this.#pool = pool
    this.#record = position.ordinal
  }

  get isBusy(): boolean {
    return this.#turn.isBusy
  }

  get heldBytes(): number {
    return this.#open?.decoder.heldBytes ?? 0
  }

  /** Opens the file and checks that it is the one that the position belongs to (O4). */
  async start(): Promise<void> {
    await this.#turn.take(async () => void (await this.#openFile()))
  }

  async read(limits: ReadLimits): Promise<SourceBatch> {
    assert(limits.rows >= 1, "a read may take at least one record")
    return this.#turn.take(async () => {
      const { file, decoder } = await this.#openFile()
      const { records } = decoder
      const from = this.#record
      const until = Math.min(records, Math.ceil(limits.untilOffset / RECORD_OFFSETS))
      if (from >= until) return this.#taken({ batch: undefined, bad: [], release: () => undefined }, records)
      for (let wanted = decoder.wanted(from); wanted !== undefined; wanted = decoder.wanted(from)) {
        const count = await file.read(wanted.target, wanted.offset, step("source.read"))
        if (count < wanted.target.length) throw changed(this.#target.label, "it became shorter while it was read")
        decoder.supplied()
      }
      const decoded = decoder.decode(from, Math.min(limits.rows, until - from), this.#target.index)
      this.#record += decoded.records
      return this.#taken(decoded, records)
    })
  }

  async park(): Promise<void> {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    this.#pool.leave(this)
    await open.file.close()
  }

  async close(): Promise<void> {
    this.#turn.close()
    this.#pool.retire(this)
    await this.park()
  }

  async #openFile(): Promise<OpenContainer> {
    await this.#pool.enter(this)
    if (this.#open !== undefined) return this.#open
    const { context, format, path, label, identity } = this.#target
    const file = await context.env.disk.open(path, "read", step("source.open"))
    if (file === undefined) {
      this.#pool.leave(this)
      throw missing(label)
    }
    try {
      const ends = await this.#readEnds(file)
      if (ends.identity !== identity) throw changed(label, difference(identity, ends.identity))
      const decoder = format.container.openContainer(ends.footer, context)
      const loading = format.load(decoder.codecs)
      if (loading !== undefined) await loading
      this.#open = { file, decoder }
      return this.#open
    } catch (error) {
      this.#pool.leave(this)
      await file.close()
      throw error
    }
  }

  /** The file's head and footer; one that has another size is no longer what it was, whatever stands at its end. */
  async #readEnds(file: DiskFile) {
    const { format, label, identity } = this.#target
    const size = await file.size()
    if (!identity.startsWith(`${size}:`)) throw changed(label, difference(identity, `${size}:`))
    return await format.readEnds(file, label, STEPS)
  }

  #taken(some: Pick<SourceBatch, "batch" | "bad" | "release">, records: number): SourceBatch {
    const { batch, bad, release } = some
    const next = { offset: this.#record * RECORD_OFFSETS, ordinal: this.#record }
    return { batch, bad, next, end: this.#record >= records, release: () => release() }
  }
}

function difference(before: string, now: string): string {
  const [sizeBefore, sizeNow] = [Number.parseInt(before, 10), Number.parseInt(now, 10)]
  if (sizeBefore !== sizeNow) return `it has ${counted(sizeNow, "byte")}, and had ${counted(sizeBefore, "byte")}`
  return "it has other bytes than it had"
}

/** Holds a step's name to the closed list. */
function step(name: FileSourceStep): FileSourceStep {
  return name
}
