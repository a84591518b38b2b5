/**
 * Where rows of large epochs are kept until they are in the table: a file for each, `<sequence>.rows`, in `outputs/<output>` of the job's
 * state directory.
 *
 * Invariants:
 * - EF1 When `sync` has returned, the file and its name survive a crash: before that nothing names it.
 * - EF2 A file that no committed epoch names is removed when the sink opens; one that is in the table, with the next checkpoint.
 */
import { makeDurableDirectory } from "../../env/durable-directory.ts"
import type { Disk, DiskFile } from "../../env/env.ts"
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { StagedEpoch } from "./staged-epoch.ts"

const READ_BYTES = 256 * 1024

const DIRECTORY_STEPS = {
  syncExisting: "sink.postgres.sync-existing",
  make: "sink.postgres.make-directory",
  sync: "sink.postgres.sync-parent",
} as const

/** The files of one output. */
export class EpochFiles {
  readonly #disk: Disk
  readonly #directory: string
  readonly #stateDirectory: string
  #open: { readonly file: DiskFile; readonly sequence: number; length: number } | undefined

  constructor(disk: Disk, stateDirectory: string, output: string) {
    this.#disk = disk
    this.#stateDirectory = stateDirectory
    this.#directory = `${stateDirectory}/outputs/${output}`
  }

  /** Bytes in the file of the epoch that is being written. */
  get length(): number {
    return this.#open?.length ?? 0
  }

  /** Removes what belongs to none of these epochs. */
  async keepOnly(epochs: readonly StagedEpoch[], at: string): Promise<void> {
    const kept = new Set(epochs.filter(({ inline }) => inline === undefined).map(({ sequence }) => `${sequence}.rows`))
    for (const name of await this.#disk.list(this.#directory)) {
      if (name.endsWith(".rows") && !kept.has(name)) await this.#disk.remove(`${this.#directory}/${name}`, at)
    }
  }

  /** Removes those of epochs up to this one. */
  async removeUpTo(sequence: number): Promise<void> {
    for (const name of await this.#disk.list(this.#directory)) {
      if (Number.parseInt(name, 10) <= sequence && name.endsWith(".rows")) {
        await this.#disk.remove(`${this.#directory}/${name}`, "sink.postgres.checkpoint.remove")
      }
    }
  }

  /** Appends rows to the file of an epoch. */
  async append(sequence: number, rows: Uint8Array, at: string): Promise<void> {
    if (this.#open === undefined) {
      const steps = { baseDirectory: this.#stateDirectory }
      await makeDurableDirectory(this.#disk, this.#directory, DIRECTORY_STEPS, steps)
      const file = await this.#disk.open(`${this.#directory}/${sequence}.rows`, "create", "sink.postgres.create")
      if (file === undefined) throw missing(this.#directory, sequence, "is there already")
      this.#open = { file, sequence, length: 0 }
    }
    const open = this.#open
    assert(open.sequence === sequence, "an epoch is written when the one before it is staged")
    await open.file.write(rows, open.length, at)
    open.length += rows.length
  }

  /** EF1 for the file of the epoch that is being written, where it has one. Gives how long it is. */
  async sync(): Promise<number> {
    const open = this.#open
    if (open === undefined) return 0
    this.#open = undefined
    try {
      await open.file.sync("sink.postgres.stage.sync")
    } finally {
      await open.file.close()
    }
    await this.#disk.syncDirectory(this.#directory, "sink.postgres.stage.sync-directory")
    return open.length
  }

  /** The bytes from `start` to `end` of an epoch's rows, in pieces that may be overwritten when the next is asked for. */
  async *read({ sequence, inline }: StagedEpoch, start: number, end: number): AsyncGenerator<Uint8Array> {
    if (inline !== undefined) {
      yield inline.subarray(start, end)
      return
    }
    const file = await this.#disk.open(`${this.#directory}/${sequence}.rows`, "read", "sink.postgres.apply.open")
    if (file === undefined) throw missing(this.#directory, sequence, "is gone")
    try {
      for (let at = start; at < end;) {
        // A piece of its own: what takes it may send it later.
        const piece = new Uint8Array(Math.min(READ_BYTES, end - at))
        const read = await file.read(piece, at, "sink.postgres.apply.read")
        if (read < piece.length) throw missing(this.#directory, sequence, "is cut")
        yield piece
        at += read
      }
    } finally {
      await file.close()
    }
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.file.close()
  }
}

function missing(directory: string, sequence: number, problem: string): TidemarkError {
  return new TidemarkError("sink-failed", `${directory}/${sequence}.rows, which has rows of an output, ${problem}.`, {
    hint: "It is part of the job's state: put it back, or start anew with --reset.",
  })
}
