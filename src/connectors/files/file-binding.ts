/**
 * Files of one format, bound to an input (patterns) or an output (a directory), not yet opened.
 *
 * Where it ends: patterns are `glob.ts`, reading is `file-source.ts`, writing is `file-sink.ts`.
 */
import { posix } from "node:path"
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { Sink, SinkBinding, SinkContext, SinkGuarantee, SinkRecovery, ShapeChange } from "../../connect/sink.ts"
import type { Source, SourceBinding, SourceContext } from "../../connect/source.ts"
import { directoryKey } from "../../connect/target-key.ts"
import type { Schema } from "../../batch/schema.ts"
import type { RecordEncoder } from "../../formats/decoder.ts"
import type { ContainerFileFormat, FileFormat } from "./file-format.ts"
import { FileSink, trailerOf, type RollingPolicy } from "./file-sink.ts"
import { FileSource } from "./file-source.ts"
import type { FollowPolicy } from "./follow/follow-source.ts"
import { hasWildcards, parseGlob } from "./glob.ts"
import { begunPartsCode, followCode, partitionedCode } from "./on-demand.ts"
import type { Partitioning } from "./partition-path.ts"
import { columnsText, containerType } from "./row-shape.ts"
import { recoverSink } from "./sink-recovery.ts"
import { SinkTurns } from "../../connect/sink-turns.ts"
import { makeDirectories, setAside } from "./target-directory.ts"
import { refuseOthers } from "./target-owner.ts"

/** When parts of an output are published, and in which directories they lie. */
export interface OutputPolicy extends RollingPolicy {
  readonly partitioning: Partitioning | undefined
  /** The options that were given, each as it is written in a program, for `explain`: those that say where rows go... */
  readonly describedPlaces: readonly string[]
  /** ... and those that say when, which may be others in the next run. */
  readonly describedTimes: readonly string[]
}

/** Where files are followed as an input, how, and with which options that was asked for. */
export interface Following extends FollowPolicy {
  readonly described: string
}

/** Files bound to an input or an output, not yet opened. */
export class FileBinding implements SourceBinding, SinkBinding {
  readonly guarantee: SinkGuarantee = "exactly-once"
  readonly accepts: NonNullable<SinkBinding["accepts"]>
  readonly describeShape?: (schema: Schema) => string
  readonly #paths: readonly string[]
  readonly #format: FileFormat
  readonly #policy: OutputPolicy
  readonly #isLiteral: boolean
  readonly #following: Following | undefined

  /**
   * @param kind `"literal"` where the path is that of an output's directory as it stands, wildcards and all; `"changelog"`
   * where the output takes updates, too, as their rows.
   */
  constructor(
    path: string | readonly string[],
    format: FileFormat,
    policy: OutputPolicy,
    kind: "pattern" | "literal" | "changelog" = "pattern",
    following?: Following,
  ) {
    this.#paths = checkPaths(format.name, path)
    this.#format = format
    this.#policy = policy
    this.#isLiteral = kind === "literal"
    this.#following = following
    this.accepts = kind === "changelog" ? { append: true, update: true } : { append: true }
    if (format.describeShape !== undefined) this.describeShape = (schema) => format.describeShape!(schema)
    // A pattern that cannot be parsed is an error where it is written, not where the job starts.
    if (!this.#isLiteral) for (const glob of this.#paths) parseGlob(glob)
  }

  describe(): string {
    return described(this.#format.name, this.#paths, this.#following, this.#policy)
  }

  describeTarget(): string {
    return described(this.#format.name, this.#paths, this.#following, { ...this.#policy, describedTimes: [] })
  }

  targetKey(baseDirectory: string): string {
    return directoryKey(this.#directory(baseDirectory))
  }

  async openSource(context: SourceContext): Promise<Source> {
    assert(!this.#isLiteral, "a directory to write to is not read from")
    return await openFiles(context, this.#format, this.#paths, this.#following)
  }

  check(context: SinkContext, { reset }: SinkRecovery): Promise<void> {
    return checkFileSink(context, reset, this.#directory(context.baseDirectory), this.#policy)
  }

  async openSink(context: SinkContext, recovery: SinkRecovery): Promise<Sink> {
    const { arena, schema, baseDirectory } = context
    const encoder = this.#format.createEncoder({ arena, schema })
    const { extension } = this.#format
    return openFileSink(context, recovery, {
      directory: this.#directory(baseDirectory),
      extension,
      // Lines are encoded one by one, so one encoder does for all parts.
      createEncoder: () => encoder,
      policy: this.#policy,
    })
  }

  /** The directory that an output's path names. */
  #directory(baseDirectory: string): string {
    const path = this.#paths[0]!
    const { compression = "none" } = this.#format
    if (compression !== "none") {
      throw new TidemarkError("invalid-options", `${this.describe()} cannot be an output that is compressed.`, {
        hint: "Outputs are written as they are: leave compression out, and compress published parts where you keep them.",
      })
    }
    const isPattern = this.#paths.length > 1 || (!this.#isLiteral && hasWildcards(path))
    return outputDirectory(baseDirectory, path, isPattern, { call: this.describe(), name: this.#format.name })
  }
}

/** Containers bound to an input or an output, not yet opened. The code of their format is loaded when they are. */
export class ContainerBinding implements SourceBinding, SinkBinding {
  readonly guarantee: SinkGuarantee = "exactly-once"
  readonly accepts: NonNullable<SinkBinding["accepts"]> = { append: true }
  readonly #paths: readonly string[]
  readonly #name: string
  readonly #policy: OutputPolicy
  readonly #load: () => Promise<ContainerFileFormat>
  readonly #following: Following | undefined

  /** @param name the name of the function that users call, and the extension of published files. */
  constructor(
    path: string | readonly string[],
    name: string,
    policy: OutputPolicy,
    load: () => Promise<ContainerFileFormat>,
    following?: Following,
  ) {
    this.#paths = checkPaths(name, path)
    this.#name = name
    this.#policy = policy
    this.#load = load
    this.#following = following
    for (const glob of this.#paths) parseGlob(glob)
  }

  describe(): string {
    return described(this.#name, this.#paths, this.#following, this.#policy)
  }

  describeTarget(): string {
    return described(this.#name, this.#paths, this.#following, { ...this.#policy, describedTimes: [] })
  }

  targetKey(baseDirectory: string): string {
    return directoryKey(this.#directory(baseDirectory))
  }

  describeShape(schema: Schema): string {
    return columnsText(schema, containerType)
  }

  async check(context: SinkContext, recovery: SinkRecovery, change: ShapeChange | undefined): Promise<void> {
    const directory = this.#directory(context.baseDirectory)
    await checkFileSink(context, recovery.reset, directory, this.#policy)
    if (change === undefined) return
    const { env, output } = context
    const isPartitioned = this.#policy.partitioning !== undefined
    const { refuseBegun } = await begunPartsCode.get()
    await refuseBegun({ disk: env.disk, directory, extension: this.#name, output, isPartitioned }, recovery, change)
  }

  async openSink(context: SinkContext, recovery: SinkRecovery): Promise<Sink> {
    const { schema, baseDirectory } = context
    const directory = this.#directory(baseDirectory)
    const format = await this.#load()
    const createEncoder = () => format.createEncoder(schema)
    const target = { directory, extension: this.#name, createEncoder, policy: this.#policy }
    return openFileSink(context, recovery, target)
  }

  #directory(baseDirectory: string): string {
    const path = this.#paths[0]!
    const isPattern = this.#paths.length > 1 || hasWildcards(path)
    return outputDirectory(baseDirectory, path, isPattern, { call: this.describe(), name: this.#name })
  }

  async openSource(context: SourceContext): Promise<Source> {
    return await openFiles(context, await this.#load(), this.#paths, this.#following)
  }
}

/** Opens files to be read: as they are now, or as they come. */
async function openFiles(
  context: SourceContext,
  format: FileFormat | ContainerFileFormat,
  paths: readonly string[],
  following: Following | undefined,
): Promise<Source> {
  if (following === undefined) return new FileSource(context, format, paths)
  const { FollowSource } = await followCode.get()
  return new FollowSource(context, format, paths, following)
}

/** Where a sink writes to, and what. */
interface SinkTarget {
  readonly directory: string
  readonly extension: string
  readonly createEncoder: () => RecordEncoder
  readonly policy: OutputPolicy
}

/** Refuses partitions by what the rows do not have, and a reset that would set another job's output aside. */
async function checkFileSink(
  { env, job, schema, output }: SinkContext,
  reset: boolean,
  directory: string,
  { partitioning }: OutputPolicy,
): Promise<void> {
  if (partitioning !== undefined) (await partitionedCode.get()).checkPartitioning(partitioning, schema, output)
  if (reset) await refuseOthers({ disk: env.disk, directory, job })
}

/** Opens a sink, in a directory that nobody else writes to, as the commit records have left it. */
async function openFileSink(context: SinkContext, recovery: SinkRecovery, target: SinkTarget): Promise<Sink> {
  const { env, baseDirectory, output, job } = context
  const { disk, clock } = env
  const { directory, extension, createEncoder, policy } = target
  await makeDirectories(disk, directory, baseDirectory)
  const lock = await env.lockDirectory(`${directory}/.lock`)
  if (lock === undefined) {
    throw new TidemarkError(
      "sink-occupied",
      `Somebody else writes to ${directory} now, so the output ${output} cannot.`,
      {
        hint: "Give each output a directory of its own, and let the other job end.",
      },
    )
  }
  try {
    if (recovery.reset) await setAside(disk, directory)
    const newToken = () => env.randomUint32()
    if (policy.partitioning !== undefined) {
      const { openPartitionedSink } = await partitionedCode.get()
      return await openPartitionedSink(context, recovery, { ...target, partitioning: policy.partitioning, lock })
    }
    const encoder = createEncoder()
    const recovered = await recoverSink(
      { disk, directory, job, extension, newToken, trailer: trailerOf(encoder) },
      recovery,
    )
    return new FileSink({ recovered, encoder, policy, clock, lock, turns: new SinkTurns() })
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** The directory that an output's path names. */
function outputDirectory(
  baseDirectory: string,
  path: string,
  isPattern: boolean,
  { call, name }: { readonly call: string; readonly name: string },
): string {
  assert(baseDirectory.startsWith("/"), "the base directory is absolute")
  if (!isPattern) return posix.resolve(baseDirectory, path)
  throw new TidemarkError("invalid-options", `${call} cannot be an output: it is a pattern for files to read.`, {
    hint: `Name one directory, such as ${name}("out").`,
  })
}

/** The call that made a binding, for `explain`. */
function described(
  name: string,
  paths: readonly string[],
  following: Following | undefined,
  { describedPlaces, describedTimes }: OutputPolicy,
): string {
  const shown = paths.map((path) => JSON.stringify(path))
  const follow = following === undefined ? [] : [`follow: ${following.described}`]
  const given = [...follow, ...describedPlaces, ...describedTimes]
  const options = given.length === 0 ? "" : `, { ${given.join(", ")} }`
  return `${name}(${shown.length === 1 ? shown[0]! : `[${shown.join(", ")}]`}${options})`
}

/** The paths, checked for programs that the compiler has not seen. */
function checkPaths(name: string, given: unknown): readonly string[] {
  const paths: readonly unknown[] = Array.isArray(given) ? given : [given]
  const hint = `Write ${name}("trips/*.${name}"), or ${name}([...]) with at least one path.`
  if (paths.length === 0) throw new TidemarkError("invalid-options", `${name}([]) names no file.`, { hint })
  const wrong = paths.findIndex((path) => typeof path !== "string")
  if (wrong === -1) return paths as readonly string[]
  throw new TidemarkError("invalid-options", `${name}(...) takes paths, not ${shownValue(paths[wrong])}.`, { hint })
}
