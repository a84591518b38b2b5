/**
 * `csv`, `jsonl`, `parquet` and `arrow`: files as inputs and outputs of jobs. This is what the door `tidemark/files` publishes.
 */
import { checkDuration, type Duration } from "../../base/duration.ts"
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { SinkBinding } from "../../connect/sink.ts"
import type { SourceBinding } from "../../connect/source.ts"
import type { Compression } from "./decompressor.ts"
import { csvFormat } from "./csv-format.ts"
import { ContainerBinding, FileBinding, type Following, type OutputPolicy } from "./file-binding.ts"
import { jsonLinesFormat } from "./json-lines-format.ts"
import { arrowCode, parquetCode } from "./on-demand.ts"
import { checkPartitionBy, type Partitioning, type PartitionLevel } from "./partition-path.ts"

/**
 * Files as an input, where the path is a pattern or several, or as an output, where the path is a directory.
 *
 * @example
 * ```ts
 * import { csv, jsonl, type FileConnector } from "tidemark/files"
 *
 * function results(format: "csv" | "jsonl"): FileConnector {
 *   return format === "csv" ? csv("out/results") : jsonl("out/results")
 * }
 * ```
 */
export type FileConnector = SourceBinding & SinkBinding

/**
 * How an input follows files: see `FileOptions.follow`.
 *
 * @example
 * ```ts
 * import { csv, type FollowOptions } from "tidemark/files"
 *
 * const seldom: FollowOptions = { every: "10s", order: "modified" }
 * const deliveries = csv("deliveries/*.csv", { follow: seldom })
 * ```
 */
export interface FollowOptions {
  /**
   * How often is looked for new lines and files, at least `"10ms"`: `"100ms"` unless given. Where a look takes long, as in directories of
   * many files, a pause of ten times that is made.
   */
  readonly every?: Duration
  /** In which order files are read that are new at one look: by their paths, or by when they were written to last. `"name"` unless given. */
  readonly order?: "name" | "modified"
}

/**
 * Options of files, whatever their format. Sizes are whole numbers of bytes.
 *
 * @example
 * ```ts
 * import { jsonl, type FileOptions } from "tidemark/files"
 *
 * const often: FileOptions = { rollBytes: 1024 * 1024, rollAfter: "30s" }
 * const alerts = jsonl("out/alerts", often)
 *
 * const byDay: FileOptions = { partitionBy: { column: "windowStart", by: "day", as: "dt" }, successAfter: "1h" }
 * const daily = jsonl("out/daily", byDay)
 * ```
 */
export interface FileOptions {
  /**
   * As an input: how the files are compressed. Unless given, `.gz` at the end of a name says gzip and `.zst` Zstandard. Such
   * files are decompressed from their start each time that a run begins in their middle. Outputs are not compressed.
   */
  readonly compression?: Compression
  /**
   * As an input: whether reading goes on as files grow, are renamed and replaced by new ones, and appear. Such an input does not end.
   * All files are one partition. Compressed files are left out.
   */
  readonly follow?: boolean | FollowOptions
  /** As an input: a record of more bytes is a bad record. 1 MiB unless given, 512 MiB at most. */
  readonly maxRecordBytes?: number
  /** As an output: a part of at least so many bytes is published at the end of the epoch. 64 MiB unless given. */
  readonly rollBytes?: number
  /** As an output: a part whose first row is so old is published, also where nothing comes any more. `"15m"` unless given. */
  readonly rollAfter?: Duration
  /**
   * As an output: rows go to directories by the values of one column or several, or by the period (in UTC) that a timestamp or a date lies
   * in: `out/country=DE/dt=2026-11-27/part-00000.jsonl`. The parts of all directories are published together, so that readers of the
   * whole see the rows of whole epochs. A directory gets an empty file `_SUCCESS` when its rows are complete, but for late ones.
   */
  readonly partitionBy?: string | PartitionLevel | readonly (string | PartitionLevel)[]
  /**
   * As a partitioned output: how far behind the end of a directory's period the watermark must be for its `_SUCCESS`. `"0s"` unless given, which is right
   * where rows come no later than their times: for results of windows by their `windowEnd`, or by their `windowStart` where the windows do not reach over the end
   * of the period. Give the windows' length otherwise.
   */
  readonly successAfter?: Duration
}

/**
 * Options of files of JSON lines.
 *
 * @example
 * ```ts
 * import { jsonl, type JsonLinesOptions } from "tidemark/files"
 *
 * const updates = jsonl("out/totals", { changelog: true } satisfies JsonLinesOptions)
 * ```
 */
export interface JsonLinesOptions extends FileOptions {
  /**
   * As an output: takes streams of updates, too. Each update is a line, in order; its field `op` says what becomes of the line
   * before it with the same keys and bounds: `"insert"` there is none, `"update"` this takes its place, `"delete"` it does not
   * hold any more. So reading all lines in order of the parts and keeping the last of each key gives the present state.
   */
  readonly changelog?: boolean
}

/**
 * Files of JSON lines that take streams of updates as an output: `jsonl(path, { changelog: true })`.
 *
 * @example
 * ```ts
 * import { jsonl, type ChangelogConnector } from "tidemark/files"
 *
 * const updates: ChangelogConnector = jsonl("out/totals", { changelog: true })
 * ```
 */
export type ChangelogConnector = FileConnector & {
  readonly accepts: { readonly append: true; readonly update: true }
}

/**
 * Options of CSV files.
 *
 * @example
 * ```ts
 * import { csv, type CsvOptions } from "tidemark/files"
 *
 * const tabs: CsvOptions = { delimiter: "\t", quote: "'", header: false }
 * const trips = csv("trips/*.tsv", tabs)
 * ```
 */
export interface CsvOptions extends FileOptions {
  /**
   * Whether the first line names the columns: `true` unless given. Without it a file's columns are the schema's, in
   * order, and published parts have no such line either.
   */
  readonly header?: boolean
  /** What stands between fields: one ASCII character, `","` unless given. */
  readonly delimiter?: string
  /** What encloses fields that hold a delimiter, a quote or a line end: one ASCII character, `'"'` unless given. */
  readonly quote?: string
}

/**
 * Options of Parquet files. Sizes are whole numbers of bytes.
 *
 * @example
 * ```ts
 * import { parquet, type ParquetOptions } from "tidemark/files"
 *
 * const large: ParquetOptions = { maxPageBytes: 256 * 1024 * 1024 }
 * const trips = parquet("trips/*.parquet", large)
 * ```
 */
export interface ParquetOptions extends Pick<FileOptions, OutputOption> {
  /** As an input: whether files are read that appear while the job runs. They must be whole when they get their names. */
  readonly follow?: boolean | FollowOptions
  /** As an input: a page that takes more bytes, as it lies in the file or unpacked, is refused. 64 MiB unless given, 512 MiB at most. */
  readonly maxPageBytes?: number
}

/**
 * Options of Arrow files. Sizes are whole numbers of bytes.
 *
 * @example
 * ```ts
 * import { arrow, type ArrowOptions } from "tidemark/files"
 *
 * const often: ArrowOptions = { rollAfter: "1m" }
 * const readings = arrow("out/readings", often)
 * ```
 */
export interface ArrowOptions extends Pick<FileOptions, OutputOption> {
  /** As an input: whether files are read that appear while the job runs. They must be whole when they get their names. */
  readonly follow?: boolean | FollowOptions
}

/** The options of outputs, whatever their format. */
type OutputOption = "rollBytes" | "rollAfter" | "partitionBy" | "successAfter"

const COMPRESSIONS: readonly unknown[] = ["gzip", "zstd", "none"]

const OUTPUT_OPTIONS: readonly OutputOption[] = ["rollBytes", "rollAfter", "partitionBy", "successAfter"]
const FILE_OPTIONS = ["compression", "follow", "maxRecordBytes", ...OUTPUT_OPTIONS]

/** The longest record unless the user says otherwise: bytes. */
const DEFAULT_MAX_RECORD_BYTES = 1024 * 1024

/** No record may be longer, because a record must fit into one buffer with room to spare: bytes. */
const MAX_RECORD_BYTES_MAX = 512 * 1024 * 1024

/** The longest page unless the user says otherwise, and the longest that may be allowed: bytes. */
const DEFAULT_MAX_PAGE_BYTES = 64 * 1024 * 1024
const MAX_PAGE_BYTES_MAX = 512 * 1024 * 1024

const DEFAULT_ROLL_BYTES = 64 * 1024 * 1024

const DEFAULT_ROLL_AFTER: Duration = "15m"

/** Options with every default filled in. */
interface CheckedOptions {
  readonly compression: Compression | undefined
  readonly maxRecordBytes: number
  readonly policy: OutputPolicy
  readonly following: Following | undefined
}

/**
 * Files with one JSON object a line (https://jsonlines.org), as an input or as an output.
 *
 * As an input, `path` is a pattern, or several: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any number of directories (links
 * to directories aside); names that begin with a dot match only where the pattern has the dot. Directories that a pattern
 * matches are passed over with a warning. Each file is a partition. Files must not change while a job depends on them, but
 * for whole lines appended to their end between two runs.
 *
 * As an output, `path` is a directory. Results are published in it as `part-00000.jsonl`, `part-00001.jsonl` and so on:
 * each is complete when it appears and never changes, so reading them all gives every committed row exactly once. What
 * is being written lies in hidden files until it is published.
 *
 * @param path relative to the directory in which the job runs, or absolute.
 * @throws TidemarkError `invalid-options` where an option has no meaning.
 *
 * @example
 * ```ts
 * import { jsonl } from "tidemark/files"
 *
 * const clicks = jsonl("clicks/2024-*.jsonl")
 * const perMinute = jsonl("out/per-minute", { rollAfter: "1m" })
 * ```
 */
export function jsonl<const O extends JsonLinesOptions = FileOptions>(
  path: string | readonly string[],
  options?: O,
): O extends { readonly changelog: true } ? ChangelogConnector : FileConnector {
  const given = checkOptions("jsonl(...)", options ?? {}, [...FILE_OPTIONS, "changelog"])
  const { changelog = false } = given
  if (typeof changelog !== "boolean") {
    throw new TidemarkError("invalid-options", `jsonl(...): changelog is ${shownValue(changelog)}.`, {
      hint: "Give true where the output is a stream of updates.",
    })
  }
  const checked = checkFileOptions("jsonl", given)
  const kind = changelog ? "changelog" : "pattern"
  // The types say what `accepts` is by the options.
  return new FileBinding(path, jsonLinesFormat(checked), checked.policy, kind, checked.following) as FileBinding &
    ChangelogConnector
}

/**
 * A directory for results as JSON lines, whose path is taken as it stands: for paths that a program puts together, in
 * which what looks like a wildcard is none.
 *
 * @param target what it is by which a job knows that its rows go where they went, where that is not the path.
 */
export function jsonlDirectory(path: string, target?: string): SinkBinding {
  const checked = checkFileOptions("jsonl", {})
  const binding = new FileBinding(path, jsonLinesFormat(checked), checked.policy, "literal")
  if (target !== undefined) binding.describeTarget = () => target
  return binding
}

/**
 * Files of comma-separated values (RFC 4180), in UTF-8, as an input or as an output.
 *
 * As an input, `path` is a pattern, or several, as for `jsonl`. The first line names the columns, in any order; columns
 * that the schema does not have are passed over. An empty field is null in a nullable column.
 *
 * As an output, `path` is a directory, as for `jsonl`; each part begins with a line of column names.
 *
 * @param path relative to the directory in which the job runs, or absolute.
 * @throws TidemarkError `invalid-options` where an option has no meaning.
 *
 * @example
 * ```ts
 * import { csv } from "tidemark/files"
 *
 * const trips = csv(["trips/2023/*.csv", "trips/2024/**"], { delimiter: ";" })
 * const revenue = csv("out/revenue", { rollBytes: 16 * 1024 * 1024 })
 * ```
 */
export function csv(path: string | readonly string[], options: CsvOptions = {}): FileConnector {
  const given = checkOptions("csv(...)", options, [...FILE_OPTIONS, "header", "delimiter", "quote"])
  const { header } = given
  if (header !== undefined && typeof header !== "boolean") {
    throw new TidemarkError("invalid-options", `csv(...): header is ${shownValue(header)}.`, {
      hint: "Give true where the first line names the columns, false where there is no such line.",
    })
  }
  const checked = checkFileOptions("csv", given)
  return new FileBinding(path, csvFormat({ ...options, ...checked }), checked.policy, "pattern", checked.following)
}

/**
 * Parquet files (https://parquet.apache.org), as an input or as an output.
 *
 * As an input, `path` is a pattern, or several, as for `jsonl`; each file is a partition. Columns are found by name, and only those
 * that the schema has are read. Their types must fit: a file that holds something else is refused, with the type to declare.
 * Lists, structs and maps are read as `t.list` and `t.object` say. Files must not change while a job depends on them.
 *
 * As an output, `path` is a directory, as for `jsonl`. Each epoch adds a row group at least to the part that is being written, of 131,072 rows
 * and about 16 MiB at most: where little comes, longer epochs make better files. Objects and lists are such; JSON stands as JSON text, and a length of time as text.
 *
 * @param path relative to the directory in which the job runs, or absolute.
 * @throws TidemarkError `invalid-options` where an option has no meaning.
 *
 * @example
 * ```ts
 * import { parquet } from "tidemark/files"
 *
 * const trips = parquet("trips/yellow_tripdata_2024-*.parquet")
 * const revenue = parquet("out/revenue", { rollBytes: 256 * 1024 * 1024, rollAfter: "1h" })
 * ```
 */
export function parquet(path: string | readonly string[], options: ParquetOptions = {}): FileConnector {
  const given = checkOptions("parquet(...)", options, ["maxPageBytes", "follow", ...OUTPUT_OPTIONS])
  const { maxPageBytes = DEFAULT_MAX_PAGE_BYTES } = given
  const pageBytesMax = checkSize("parquet", "maxPageBytes", maxPageBytes, MAX_PAGE_BYTES_MAX)
  const load = async () => (await parquetCode.get()).parquetFormat({ pageBytesMax })
  return new ContainerBinding(path, "parquet", checkRolling("parquet", given), load, checkFollow("parquet", given))
}

/**
 * Arrow IPC files (https://arrow.apache.org, also known as Feather, version 2), as an input or as an output.
 *
 * As an input, files and streams are read. `path` is a pattern, or several, as for `jsonl`; each file is a partition. Columns are found by
 * name, and only those that the schema has are read. Their types must fit: a file that holds something else is refused, with the type to
 * declare. Texts may be dictionary-encoded, and buffers packed by LZ4 or Zstandard. Lists, structs and maps are read as `t.list` and
 * `t.object` say. Files must not change while a job depends on them.
 *
 * As an output, `path` is a directory, as for `jsonl`. Parts are files, not streams; each epoch adds a record batch at least, of 131,072
 * rows and about 16 MiB at most. Nothing is packed or dictionary-encoded. Objects and lists are such; JSON stands as JSON text.
 *
 * @param path relative to the directory in which the job runs, or absolute.
 * @throws TidemarkError `invalid-options` where an option has no meaning.
 *
 * @example
 * ```ts
 * import { arrow } from "tidemark/files"
 *
 * const readings = arrow("readings/*.arrow")
 * const hourly = arrow("out/hourly")
 * ```
 */
export function arrow(path: string | readonly string[], options: ArrowOptions = {}): FileConnector {
  const given = checkOptions("arrow(...)", options, ["follow", ...OUTPUT_OPTIONS])
  const load = async () => (await arrowCode.get()).arrowFormat
  return new ContainerBinding(path, "arrow", checkRolling("arrow", given), load, checkFollow("arrow", given))
}

function checkFileOptions(name: string, options: Readonly<Record<string, unknown>>): CheckedOptions {
  const { maxRecordBytes = DEFAULT_MAX_RECORD_BYTES, compression } = options
  if (compression !== undefined && !COMPRESSIONS.includes(compression)) {
    throw new TidemarkError("invalid-options", `${name}(...): compression is ${shownValue(compression)}.`, {
      hint: 'Give "gzip", "zstd" or "none", or leave it to the names of the files.',
    })
  }
  const following = checkFollow(name, options)
  if (following !== undefined && compression !== undefined && compression !== "none") {
    throw new TidemarkError("invalid-options", `${name}(...): files that are followed cannot be compressed.`, {
      hint: "Leave compression out, or read whole files without follow.",
    })
  }
  return {
    following,
    compression: compression as Compression | undefined,
    maxRecordBytes: checkSize(name, "maxRecordBytes", maxRecordBytes, MAX_RECORD_BYTES_MAX),
    policy: checkRolling(name, options),
  }
}

const DEFAULT_EVERY: Duration = "100ms"
const EVERY_MICROS_MIN = 10_000

function checkFollow(name: string, { follow }: Readonly<Record<string, unknown>>): Following | undefined {
  if (follow === undefined || follow === false) return undefined
  const where = `${name}(...): follow`
  const { every = DEFAULT_EVERY, order = "name" } =
    follow === true ? {} : checkOptions(where, follow, ["every", "order"])
  const everyMicros = checkDuration(`${where}.every`, every)
  if (everyMicros < EVERY_MICROS_MIN) {
    throw new TidemarkError("invalid-options", `${where}.every is ${shownValue(every)}, which is too often.`, {
      hint: "Look every 10 ms at most.",
    })
  }
  if (order !== "name" && order !== "modified") {
    throw new TidemarkError("invalid-options", `${where}.order is ${shownValue(order)}.`, {
      hint: 'Give "name" or "modified".',
    })
  }
  return { everyMicros, order, described: spelled(follow) }
}

function checkRolling(name: string, options: Readonly<Record<string, unknown>>): OutputPolicy {
  const { rollBytes = DEFAULT_ROLL_BYTES, rollAfter = DEFAULT_ROLL_AFTER } = options
  return {
    rollBytes: checkSize(name, "rollBytes", rollBytes, Number.MAX_SAFE_INTEGER),
    rollAfterMicros: checkDuration(`${name}(...): rollAfter`, rollAfter),
    partitioning: checkPartitioning(`${name}(...)`, options),
    describedPlaces: described(options, ["partitionBy"]),
    describedTimes: described(options, ["rollBytes", "rollAfter", "successAfter"]),
  }
}

function checkPartitioning(call: string, options: Readonly<Record<string, unknown>>): Partitioning | undefined {
  const { partitionBy, successAfter } = options
  if (partitionBy === undefined && successAfter === undefined) return undefined
  if (partitionBy === undefined) {
    throw new TidemarkError("invalid-options", `${call}: successAfter is given without partitionBy.`, {
      hint: "Only partitioned outputs have markers: say by what this one is.",
    })
  }
  const successAfterMicros = successAfter === undefined ? 0 : checkDuration(`${call}: successAfter`, successAfter)
  return { levels: checkPartitionBy(call, partitionBy), successAfterMicros }
}

/** Those of some options that are given, as they are written in a program. */
function described(options: Readonly<Record<string, unknown>>, names: readonly OutputOption[]): string[] {
  return names.flatMap((name) => (options[name] === undefined ? [] : [`${name}: ${spelled(options[name])}`]))
}

/** A value as it is written in a program. */
function spelled(options: unknown): string {
  return JSON.stringify(options)
    .replaceAll(/"(\w+)":/g, " $1: ")
    .replaceAll("}", " }")
}

function checkSize(name: string, option: string, size: unknown, max: number): number {
  if (Number.isSafeInteger(size) && (size as number) >= 1 && (size as number) <= max) return size as number
  throw new TidemarkError("invalid-options", `${name}(...): ${option} is ${shownValue(size)}.`, {
    hint: `Give a whole number of bytes, 1 to ${max}.`,
  })
}
