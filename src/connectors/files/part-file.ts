/**
 * A part on disk, from its creation under an in-progress name to its publication.
 *
 * Invariants:
 * - J1 When `create` has returned, the in-progress name survives a crash: from then on its absence means that the part
 *   was published (and perhaps taken away by a reader since).
 * - J2 A published name appears by one rename of a file that is complete, cut to its length, and durable.
 * - J3 A published file is never opened, and never overwritten.
 * - J4 Syncs of a part come one after the other, and after one that failed all fail: of two at once the system would tell
 *   only one that bytes are lost.
 */
import { assert } from "../../base/assert.ts"
import { counted } from "../../base/counted.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Disk, DiskFile } from "../../env/env.ts"
import type { RecordEncoder } from "../../formats/decoder.ts"
import { inProgressName, publishedName } from "./part-name.ts"
import type { FileSinkStep } from "./steps.ts"

/** Where a sink's parts lie and what they are called. */
export interface PartPlace {
  readonly disk: Disk
  /** The absolute path of the target directory. */
  readonly directory: string
  readonly token: number
  readonly extension: string
  /** Makes the directory, where it may not be there yet. */
  readonly prepare?: () => Promise<void>
}

/** What stands at the end of parts: `RecordEncoder.trailer`. */
export type Trailer = NonNullable<RecordEncoder["trailer"]>

/** Whether a part is published when its last epoch has committed, or by the recovery of a process that died before. */
export type PublishPurpose = "publish" | "republish"

/** A part that is being written. */
export class PartFile {
  readonly part: number
  readonly #place: PartPlace
  readonly #file: DiskFile
  #isDurable = true
  /** How often it was written to. */
  #writes = 0
  /** The last sync that was asked for. */
  #syncing: Promise<void> = Promise.resolve()
  #isClosed = false

  private constructor(place: PartPlace, part: number, file: DiskFile) {
    this.part = part
    this.#place = place
    this.#file = file
  }

  /** Makes the in-progress file of a new part (J1). */
  static async create(place: PartPlace, part: number): Promise<PartFile> {
    const path = inProgressPath(place, part)
    await place.prepare?.()
    const file = await place.disk.open(path, "create", step("sink.create"))
    if (file === undefined) {
      throw new TidemarkError("sink-failed", `${path} cannot be made: something bears that name already.`, {
        hint: "Only Tidemark should write to a sink's directory. Move the file away and run the job again.",
      })
    }
    try {
      await place.disk.syncDirectory(place.directory, step("sink.create.sync-directory"))
    } catch (error) {
      await file.close()
      throw error
    }
    return new PartFile(place, part, file)
  }

  /** Opens the in-progress file of a part that commit records name; `undefined` where it was published. */
  static async reopen(place: PartPlace, part: number): Promise<PartFile | undefined> {
    const file = await place.disk.open(inProgressPath(place, part), "update", step("sink.recover.open"))
    if (file === undefined) return undefined
    const reopened = new PartFile(place, part, file)
    // Nobody knows what the process before this one has written without a sync.
    reopened.#noteWrite()
    return reopened
  }

  /** The path of the in-progress file, for errors. */
  get path(): string {
    return inProgressPath(this.#place, this.part)
  }

  async write(bytes: Uint8Array, position: number, at: FileSinkStep): Promise<void> {
    this.#noteWrite()
    await this.#file.write(bytes, position, at)
  }

  /** Makes all that was written durable; nothing happens where it is already. Others may write meanwhile. */
  sync(at: FileSinkStep): Promise<void> {
    const before = this.#syncing
    this.#syncing = before.then(async () => {
      if (this.#isDurable) return
      const writes = this.#writes
      await this.#file.sync(at)
      // What was written meanwhile may not be durable.
      if (writes === this.#writes) this.#isDurable = true
    })
    // Whoever asked is told, and so is everybody who asks later.
    this.#syncing.catch(() => undefined)
    return this.#syncing
  }

  #noteWrite(): void {
    this.#writes++
    this.#isDurable = false
  }

  /**
   * @throws TidemarkError `sink-failed` where the file is shorter than `length`, so that committed output is lost.
   */
  async expectBytes(length: number): Promise<void> {
    const size = await this.#file.size()
    if (size >= length) return
    throw new TidemarkError(
      "sink-failed",
      `${this.path} has ${counted(size, "byte")}, but ${counted(length, "byte of it is", "bytes of it are")} committed.`,
      {
        hint: "The file was changed, or the disk lost what it had promised to keep. Check the disk; --reset starts the job anew and sets what is published aside.",
      },
    )
  }

  /**
   * Writes what stands at the end of the part, whose rows take its first `length` bytes, and gives its length with that. To do it
   * again writes the same.
   *
   * @param trailer see `RecordEncoder.trailer`.
   */
  async writeTrailer(trailer: Trailer, length: number, purpose: PublishPurpose): Promise<number> {
    await this.expectBytes(length)
    const making = trailer(length)
    for (let next = making.next(); ; next = making.next()) {
      if (next.done === true) {
        await this.write(next.value, length, step(`sink.${purpose}.write`))
        return length + next.value.length
      }
      const { offset, target } = next.value
      const read = await this.#file.read(target, offset, step(`sink.${purpose}.read`))
      assert(read === target.length, "the bytes of a part are there")
    }
  }

  /**
   * Makes the part visible to readers, complete with its first `length` bytes (J2). It is closed afterwards.
   *
   * @param purpose names the steps under which the disk is called.
   */
  async publish(length: number, purpose: PublishPurpose): Promise<void> {
    assert(length > 0, "an empty part is not published")
    const { disk, directory, extension } = this.#place
    const target = `${directory}/${publishedName(this.part, extension)}`
    await this.expectBytes(length)
    // A process before this one may have cut the file and then failed to sync it. No later sync makes up for that: it is
    // cut again, though it looks as if there were nothing to cut.
    if (purpose === "republish" || (await this.#file.size()) > length) {
      this.#noteWrite()
      await this.#file.truncate(length, step(`sink.${purpose}.truncate`))
    }
    await this.sync(step(`sink.${purpose}.sync`))
    if ((await disk.stat(target)) !== undefined) {
      throw new TidemarkError("sink-occupied", `${target} exists, and this job has not written it.`, {
        hint: "Another job writes to the same directory. Give each output a directory of its own, move the file away, and run the job again.",
      })
    }
    if ((await disk.stat(this.path)) === undefined) {
      throw new TidemarkError("sink-failed", `${this.path} has vanished, and committed rows with it.`, {
        hint: "Hidden files in a sink's directory belong to its job. Only --reset makes the results whole again: it starts the job anew and sets what is published aside.",
      })
    }
    await disk.rename(this.path, target, step(`sink.${purpose}.rename`))
    await disk.syncDirectory(directory, step(`sink.${purpose}.sync-directory`))
    await this.close()
  }

  /** Closes the file, once: a close that failed is not tried again. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#syncing.catch(() => undefined)
    await this.#file.close()
  }
}

function inProgressPath(place: PartPlace, part: number): string {
  return `${place.directory}/${inProgressName(part, place.token, place.extension)}`
}

/** Holds a step's name to the closed list. */
function step(name: FileSinkStep): FileSinkStep {
  return name
}
