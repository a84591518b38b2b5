/**
 * The file source: the files that patterns name are its partitions, positions in bytes are their offsets.
 *
 * Invariant:
 * - O8 However many partitions are read in turn, at most `MAX_OPEN_FILES` files are open, with a window each: the one not
 *   used for longest is parked for the next.
 */
import { posix } from "node:path"
import { assert } from "../../base/assert.ts"
import type { Position } from "../../batch/position.ts"
import type { Partition, PartitionReader, Source, SourceContext, SourceWarning } from "../../connect/source.ts"
import { directoryKey, isWithin } from "../../connect/target-key.ts"
import type { FileFormat } from "./file-format.ts"
import { formatIdentity, HEAD_BYTES, identityOfHead, parseIdentity, type FileIdentity } from "./file-identity.ts"
import { FileReader, type ReaderPool } from "./file-reader.ts"
import { findFiles, type FoundFile, type PassedOver } from "./glob-files.ts"
import { PassedOverFiles } from "./passed-over.ts"
import { dangling, fileLabel, missing, nameUnreadable, noMatch, notAFile } from "./source-errors.ts"
import type { FileSourceStep } from "./steps.ts"

/** How many files are open at once, for one input. */
export const MAX_OPEN_FILES = 32

/** How many files' heads are read at once for their fingerprints. */
const CONCURRENT_HEADS = 8

/** The files that some patterns name, as a source. */
export class FileSource implements Source {
  readonly #context: SourceContext
  readonly #format: FileFormat
  readonly #globs: readonly string[]
  /** What the last `partitions` has found. */
  #found: readonly FoundFile[] = []
  #passedOver = new PassedOverFiles()
  readonly #readers = new Set<FileReader>()
  readonly #pool: ReaderPool
  /** The readers whose files are open, the one not used for longest first. There are few, so an array is searched. */
  readonly #open: FileReader[] = []

  constructor(context: SourceContext, format: FileFormat, globs: readonly string[]) {
    assert(context.baseDirectory.startsWith("/"), "the base directory is absolute")
    this.#context = context
    this.#format = format
    this.#globs = globs
    this.#pool = {
      enter: (reader) => this.#enter(reader),
      leave: (reader) => this.#leave(reader),
      retire: (reader) => void this.#readers.delete(reader),
      depth: () => Math.max(1, Math.floor((this.#context.decoders?.slots ?? 0) / Math.max(1, this.#open.length))),
    }
  }

  async partitions(): Promise<readonly Partition[]> {
    const files = await this.#findAll()
    this.#found = files
    const partitions: Partition[] = []
    for (let at = 0; at < files.length; at += CONCURRENT_HEADS) {
      const some = files.slice(at, at + CONCURRENT_HEADS)
      partitions.push(...(await Promise.all(some.map((file) => this.#partitionOf(file)))))
    }
    return partitions
  }

  async open(partition: Partition, index: number, position: Position, identity?: string): Promise<PartitionReader> {
    const { id } = partition
    const target = {
      context: this.#context,
      format: this.#format,
      path: posix.resolve(this.#context.baseDirectory, id),
      label: this.#labelOf(id),
      identity: parseIdentity(identity ?? partition.identity),
      index,
    }
    const reader = new FileReader(target, this.#pool, position)
    await reader.start()
    this.#readers.add(reader)
    return reader
  }

  warnings(): readonly SourceWarning[] {
    return this.#passedOver.warnings(this.#context.input)
  }

  partitionWithin(targetKey: string): string | undefined {
    return this.#found.find(({ path }) => isWithin(directoryKey(path), targetKey))?.id
  }

  async close(): Promise<void> {
    for (const reader of [...this.#readers]) await reader.close()
  }

  #labelOf(id: string): string {
    return fileLabel(id, this.#context.input)
  }

  /** The files of all patterns, each once, in the order of their ids. */
  async #findAll(): Promise<FoundFile[]> {
    const { env, baseDirectory, input } = this.#context
    const byPath = new Map<string, FoundFile>()
    this.#passedOver = new PassedOverFiles()
    for (const glob of this.#globs) {
      const passed: PassedOver[] = []
      const files = await findFiles(env.disk, baseDirectory, glob, (each) => void passed.push(each)).catch(
        (error: unknown) => {
          throw nameUnreadable(error, `the input ${input}, ${JSON.stringify(glob)},`)
        },
      )
      if (files.length === 0) throw noMatch(glob, baseDirectory, input, passed)
      for (const each of passed) this.#passedOver.add(glob, each)
      for (const file of files) {
        if (file.entry.kind === "nowhere") throw dangling(this.#labelOf(file.id))
        if (file.entry.kind !== "file") throw notAFile(this.#labelOf(file.id), file.entry.kind)
        if (!byPath.has(file.path)) byPath.set(file.path, file)
      }
    }
    return [...byPath.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  }

  async #partitionOf(file: FoundFile): Promise<Partition> {
    const label = this.#labelOf(file.id)
    const { identity, size } = await this.#look(file, label).catch((error: unknown) => {
      throw nameUnreadable(error, label)
    })
    return { id: file.id, tieBreak: identity.digest, identity: formatIdentity(identity), size }
  }

  /** A file's fingerprint and size. */
  async #look(found: FoundFile, label: string): Promise<{ identity: FileIdentity; size: number }> {
    const openStep: FileSourceStep = "source.list.open"
    const readStep: FileSourceStep = "source.list.read"
    const file = await this.#context.env.disk.open(found.path, "read", openStep)
    if (file === undefined) throw missing(label)
    try {
      const size = await file.size()
      const head = new Uint8Array(Math.min(size, HEAD_BYTES))
      const count = await file.read(head, 0, readStep)
      return { identity: identityOfHead(head.subarray(0, count)), size }
    } finally {
      await file.close()
    }
  }

  /** Counts a reader as the one used last, and parks others until there is room for it. */
  async #enter(reader: FileReader): Promise<void> {
    if (this.#open.at(-1) !== reader) {
      this.#leave(reader)
      this.#open.push(reader)
    }
    if (this.#open.length <= MAX_OPEN_FILES) return
    for (const other of [...this.#open]) {
      if (this.#open.length <= MAX_OPEN_FILES) return
      if (other !== reader && !other.isBusy) await other.park()
    }
  }

  #leave(reader: FileReader): void {
    const place = this.#open.indexOf(reader)
    if (place >= 0) this.#open.splice(place, 1)
  }
}
