/**
 * Where a sink keeps the rows of large epochs until its target has them: a file for each, `<sequence>.rows`, in `outputs/<output>` of the job's
 * state directory.
 *
 * Invariants:
 * - EF1 When `sync` has returned, the file and its name survive a crash: before that nothing names it.
 * - EF2 A file that no committed epoch names is removed when the sink opens; one whose rows the target has, with the next checkpoint.
 */
import { assert } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"
import { makeDurableDirectory } from "../env/durable-directory.ts"
import type { Disk, DiskFile } from "../env/env.ts"

const READ_BYTES = 256 * 1024

/** An epoch whose rows are kept. */
export interface KeptEpoch {
  readonly sequence: number
  /** Its rows, or `undefined` where they are in a file. */
  readonly inline: Uint8Array | undefined
}

/** Whose files they are. */
export interface EpochFilesPlace {
  readonly disk: Disk
  readonly stateDirectory: string
  readonly output: string
  /** Begins the names of the steps under which the disk is called: `sink.postgres`. */
  readonly steps: string
}

/** The files of one output. */
export class EpochFiles {
  readonly #disk: Disk
  readonly #steps: string
  readonly #directory: string
  readonly #stateDirectory: string
  #open: { readonly file: DiskFile; readonly sequence: number; length: number } | undefined

  constructor({ disk, stateDirectory, output, steps }: EpochFilesPlace) {
    this.#disk = disk
    this.#steps = steps
    this.#stateDirectory = stateDirectory
    this.#directory = `${stateDirectory}/outputs/${output}`
  }

  /** Bytes in the file of the epoch that is being written. */
  get length(): number {
    return this.#open?.length ?? 0
  }

  /** The directory in which they lie; it may not be there yet. */
  get directory(): string {
    return this.#directory
  }

  /** Makes the directory, durably. */
  async makeDirectory(): Promise<void> {
    const steps = this.#steps
    const names = {
      syncExisting: `${steps}.sync-existing`,
      make: `${steps}.make-directory`,
      sync: `${steps}.sync-parent`,
    }
    await makeDurableDirectory(this.#disk, this.#directory, names, { baseDirectory: this.#stateDirectory })
  }

  /** Removes what belongs to none of these epochs. */
  async keepOnly(epochs: readonly KeptEpoch[]): Promise<void> {
    const kept = new Set(epochs.filter(({ inline }) => inline === undefined).map(({ sequence }) => `${sequence}.rows`))
    for (const name of await this.#disk.list(this.#directory)) {
      if (name.endsWith(".rows") && !kept.has(name))
        await this.#disk.remove(`${this.#directory}/${name}`, `${this.#steps}.recover.remove`)
    }
  }

  /** Removes those of epochs up to this one. */
  async removeUpTo(sequence: number): Promise<void> {
    for (const name of await this.#disk.list(this.#directory)) {
      if (Number.parseInt(name, 10) <= sequence && name.endsWith(".rows")) {
        await this.#disk.remove(`${this.#directory}/${name}`, `${this.#steps}.checkpoint.remove`)
      }
    }
  }

  /**
   * Appends rows to the file of an epoch.
   *
   * @param during what is done: `"flush"`, `"stage"`.
   */
  async append(sequence: number, rows: Uint8Array, during: "flush" | "stage"): Promise<void> {
    if (this.#open === undefined) {
      await this.makeDirectory()
      const file = await this.#disk.open(`${this.#directory}/${sequence}.rows`, "create", `${this.#steps}.create`)
      if (file === undefined) throw missing(this.#directory, sequence, "is there already")
      this.#open = { file, sequence, length: 0 }
    }
    const open = this.#open
    assert(open.sequence === sequence, "an epoch is written when the one before it is staged")
    await open.file.write(rows, open.length, `${this.#steps}.${during}.write`)
    open.length += rows.length
  }

  /** EF1 for the file of the epoch that is being written, where it has one. Gives how long it is. */
  async sync(): Promise<number> {
    const open = this.#open
    if (open === undefined) return 0
    this.#open = undefined
    try {
      await open.file.sync(`${this.#steps}.stage.sync`)
    } finally {
      await open.file.close()
    }
    await this.#disk.syncDirectory(this.#directory, `${this.#steps}.stage.sync-directory`)
    return open.length
  }

  /** The bytes from `start` to `end` of an epoch's rows, in pieces that may be overwritten when the next is asked for. */
  async *read({ sequence, inline }: KeptEpoch, start: number, end: number): AsyncGenerator<Uint8Array> {
    if (inline !== undefined) {
      yield inline.subarray(start, end)
      return
    }
    const file = await this.#disk.open(`${this.#directory}/${sequence}.rows`, "read", `${this.#steps}.apply.open`)
    if (file === undefined) throw missing(this.#directory, sequence, "is gone")
    try {
      for (let at = start; at < end;) {
        // A piece of its own: what takes it may send it later.
        const piece = new Uint8Array(Math.min(READ_BYTES, end - at))
        const read = await file.read(piece, at, `${this.#steps}.apply.read`)
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
