/**
 * A followed input: files that grow, are renamed, cut and replaced, and files that appear, as one partition that does not end.
 *
 * Who follows whom: `follow-scan.ts` looks at the disk, `file-tracker.ts` knows which file is which, the cursors read, `follow-reader.ts` has
 * them read in turn, and `followed-files.ts` is what the commit record has of it all.
 */
import { posix } from "node:path"
import type { Position } from "../../../batch/position.ts"
import type { Partition, PartitionReader, Source, SourceContext, SourceState } from "../../../connect/source.ts"
import { directoryKey, isWithin } from "../../../connect/target-key.ts"
import { FileDecoders } from "../file-decoders.ts"
import type { ContainerFileFormat, FileFormat } from "../file-format.ts"
import { mayMatchWithin } from "../glob.ts"
import { fileLabel } from "../source-errors.ts"
import type { FollowStep } from "../steps.ts"
import { ContainerCursor } from "./container-cursor.ts"
import { FileTracker } from "./file-tracker.ts"
import { FollowReader } from "./follow-reader.ts"
import { FollowScan, type FollowOrder, type SeenFile } from "./follow-scan.ts"
import { FollowedFiles, type KnownFile } from "./followed-files.ts"
import { LineCursor } from "./line-cursor.ts"

/** The only partition: patterns may change without changing what it is. */
const PARTITION = "followed files"

/** How the keys of directories begin. */
const DIRECTORY_KEY = directoryKey("/").slice(0, -1)

/** How files are followed. */
export interface FollowPolicy {
  readonly everyMicros: number
  readonly order: FollowOrder
}

/** See the head of this file. */
export class FollowSource implements Source {
  readonly #context: SourceContext
  readonly #format: FileFormat | ContainerFileFormat
  readonly #scan: FollowScan
  readonly #globs: readonly string[]
  readonly #policy: FollowPolicy
  readonly #files = new FollowedFiles()
  readonly #decoders: FileDecoders
  #matched: readonly string[] = []

  constructor(
    context: SourceContext,
    format: FileFormat | ContainerFileFormat,
    globs: readonly string[],
    policy: FollowPolicy,
  ) {
    this.#context = context
    this.#format = format
    this.#scan = new FollowScan(context, globs, policy.order)
    this.#globs = globs
    this.#policy = policy
    this.#decoders = new FileDecoders(context)
  }

  get state(): SourceState {
    return this.#files
  }

  async partitions(): Promise<readonly Partition[]> {
    this.#matched = (await this.#scan.matches()).map(({ id }) => id)
    return [{ id: PARTITION, tieBreak: PARTITION, identity: PARTITION, size: undefined, isWholeInput: true }]
  }

  async open(_partition: Partition, index: number, position: Position): Promise<PartitionReader> {
    const { clock, timers } = this.#context.env
    const { everyMicros } = this.#policy
    const tracker = new FileTracker({
      input: this.#context.input,
      files: this.#files,
      scan: this.#scan,
      areWhole: "container" in this.#format,
      nowMicros: () => clock.monotonicMicros(),
      open: (known) => this.#openFile(known, index),
      readHead: (seen, count) => this.#readHead(seen, count),
    })
    return new FollowReader({ tracker, clock, timers, everyMicros }, position)
  }

  partitionWithin(targetKey: string): string | undefined {
    const { baseDirectory } = this.#context
    const matched = this.#matched.find((id) => isWithin(directoryKey(posix.resolve(baseDirectory, id)), targetKey))
    if (matched !== undefined || !targetKey.startsWith(DIRECTORY_KEY)) return matched
    // What is not there yet may come.
    return this.#globs.find((glob) => mayMatchWithin(glob, baseDirectory, targetKey.slice(DIRECTORY_KEY.length)))
  }

  async close(): Promise<void> {}

  async #openFile(known: KnownFile, index: number) {
    const context = this.#context
    const label = fileLabel(known.id, context.input)
    const path = posix.resolve(context.baseDirectory, known.id)
    const format = this.#format
    if ("container" in format) return await ContainerCursor.open({ context, format, known, path, label, index })
    return await LineCursor.open({ context, format, decoders: this.#decoders, known, path, label, index })
  }

  async #readHead({ id, fileId }: SeenFile, count: number): Promise<Uint8Array | undefined> {
    const { baseDirectory, env } = this.#context
    const [openStep, readStep]: [FollowStep, FollowStep] = ["source.follow.open", "source.follow.read-head"]
    const file = await env.disk.open(posix.resolve(baseDirectory, id), "read", openStep)
    if (file === undefined) return undefined
    try {
      if ((await file.fileId()) !== fileId) return undefined
      const head = new Uint8Array(count)
      return head.subarray(0, await file.read(head, 0, readStep))
    } finally {
      await file.close()
    }
  }
}
