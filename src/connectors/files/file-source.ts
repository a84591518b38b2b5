/**
 * The file source: the files that patterns name are its partitions. Positions in bytes are the offsets of lines, numbers
 * of records (times `RECORD_OFFSETS`) those of containers.
 */
import { posix } from "node:path"
import { assert } from "../../base/assert.ts"
import type { Position } from "../../batch/position.ts"
import type { Partition, PartitionReader, Source, SourceContext, SourceWarning } from "../../connect/source.ts"
import { directoryKey, isWithin } from "../../connect/target-key.ts"
import type { DiskFile } from "../../env/env.ts"
import { RECORD_OFFSETS } from "../../formats/container.ts"
import { ContainerReader } from "./container-reader.ts"
import { compressionOf } from "./decompressor.ts"
import { FileDecoders } from "./file-decoders.ts"
import type { ContainerFileFormat, FileFormat } from "./file-format.ts"
import { formatIdentity, HEAD_BYTES, identityOfHead, parseIdentity } from "./file-identity.ts"
import { FileReader } from "./file-reader.ts"
import { findFiles, type FoundFile, type PassedOver } from "./glob-files.ts"
import { PassedOverFiles } from "./passed-over.ts"
import { ReaderPool } from "./reader-pool.ts"
import { dangling, fileLabel, missing, nameUnreadable, noMatch, notAFile } from "./source-errors.ts"
import type { FileSourceStep } from "./steps.ts"

/** How many files' heads are read at once for their fingerprints. */
const CONCURRENT_HEADS = 8

/** The files that some patterns name, as a source. */
export class FileSource implements Source {
  readonly #context: SourceContext
  readonly #format: FileFormat | ContainerFileFormat
  readonly #globs: readonly string[]
  /** What the last `partitions` has found. */
  #found: readonly FoundFile[] = []
  #passedOver = new PassedOverFiles()
  readonly #pool: ReaderPool
  readonly #decoders: FileDecoders

  constructor(context: SourceContext, format: FileFormat | ContainerFileFormat, globs: readonly string[]) {
    assert(context.baseDirectory.startsWith("/"), "the base directory is absolute")
    this.#context = context
    this.#format = format
    this.#globs = globs
    this.#decoders = new FileDecoders(context)
    this.#pool = new ReaderPool(() => context.decoders?.slots ?? 0)
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
    const context = this.#context
    const path = posix.resolve(context.baseDirectory, id)
    const label = this.#labelOf(id)
    const known = identity ?? partition.identity
    const format = this.#format
    const reader =
      "container" in format
        ? new ContainerReader({ context, format, path, label, identity: known, index }, this.#pool, position)
        : new FileReader(
            { context, format, decoders: this.#decoders, path, label, identity: parseIdentity(known), index },
            this.#pool,
            position,
          )
    await reader.start()
    this.#pool.add(reader)
    return reader
  }

  warnings(): readonly SourceWarning[] {
    return this.#passedOver.warnings(this.#context.input)
  }

  partitionWithin(targetKey: string): string | undefined {
    return this.#found.find(({ path }) => isWithin(directoryKey(path), targetKey))?.id
  }

  async close(): Promise<void> {
    await this.#pool.close()
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
    return await this.#look(file, label).catch((error: unknown) => {
      throw nameUnreadable(error, label)
    })
  }

  /** What a file is, and its size in the unit of offsets. */
  async #look(found: FoundFile, label: string): Promise<Partition> {
    const openStep: FileSourceStep = "source.list.open"
    const file = await this.#context.env.disk.open(found.path, "read", openStep)
    if (file === undefined) throw missing(label)
    try {
      const format = this.#format
      return "container" in format
        ? await lookAtContainer(found.id, file, format, label)
        : await lookAtLines(found, file, format)
    } finally {
      await file.close()
    }
  }
}

async function lookAtLines({ id, path }: FoundFile, file: DiskFile, format: FileFormat): Promise<Partition> {
  const readStep: FileSourceStep = "source.list.read"
  const size = await file.size()
  const head = new Uint8Array(Math.min(size, HEAD_BYTES))
  const count = await file.read(head, 0, readStep)
  const identity = identityOfHead(head.subarray(0, count))
  const isPlain = compressionOf(path, format.compression) === "none"
  if (isPlain) return { id, tieBreak: identity.digest, identity: formatIdentity(identity), size }
  // How much comes of a compressed file is known at its end.
  return { id, tieBreak: identity.digest, identity: formatIdentity(identity, size), size: undefined }
}

async function lookAtContainer(
  id: string,
  file: DiskFile,
  format: ContainerFileFormat,
  label: string,
): Promise<Partition> {
  const { identity, footer } = await format.readEnds(file, label, {
    readHead: "source.list.read",
    readFooter: "source.list.read-footer",
  })
  return { id, tieBreak: identity, identity, size: format.container.countRecords(footer) * RECORD_OFFSETS }
}
