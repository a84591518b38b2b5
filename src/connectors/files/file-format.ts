/**
 * What the files connector needs to know of a format: the rest of it treats CSV and JSON lines alike, and containers
 * such as Parquet.
 */
import type { Position } from "../../batch/position.ts"
import type { Schema } from "../../batch/schema.ts"
import type { ContainerFormat } from "../../formats/container.ts"
import type { EncoderContext, RecordEncoder } from "../../formats/decoder.ts"
import type { DiskFile } from "../../env/env.ts"
import type { ContainerEnds, ContainerSteps } from "./container-file.ts"
import type { Compression } from "./decompressor.ts"
import type { DecoderSpec } from "../../formats/threads/decoder-spec.ts"

/** The start of a file, as far as a format must see it before the first record. */
export interface FileHead {
  readonly bytes: Uint8Array
  /** Whether the bytes are the whole file. */
  readonly isWhole: boolean
  /** The file, for errors: `the file "trips/a.csv" of the input trips`. */
  readonly label: string
}

/** How the records of one file are read. */
export interface FileDecoding {
  readonly spec: DecoderSpec
  /** Where the first record starts. */
  readonly start: Position
}

/** Options of formats whose records are lines. */
export interface LineOptions {
  readonly maxRecordBytes: number
  readonly compression?: Compression | undefined
}

/** A format with its options. */
export interface FileFormat {
  /** The name of the function that users call, for `explain`: `"csv"`. */
  readonly name: string
  /** The extension of published files, without the dot. */
  readonly extension: string
  /** How files to read are compressed; without it their names say so. */
  readonly compression?: Compression | undefined
  /**
   * Prepares to read a file.
   *
   * @throws TidemarkError `source-unreadable` where the file's header does not fit the schema.
   */
  openFile(head: FileHead, schema: Schema): FileDecoding
  createEncoder(context: EncoderContext): RecordEncoder
  /** `SinkBinding.describeShape`. Absent where each row says by itself what it has. */
  describeShape?(schema: Schema): string
}

/** A format of files that are read by what stands at their end. */
export interface ContainerFileFormat {
  readonly container: ContainerFormat
  /**
   * Reads what tells the file from others, and what must be known before any record.
   *
   * @throws TidemarkError `source-unreadable` where it is none; `source-changed` where it became shorter meanwhile.
   */
  readEnds(file: DiskFile, label: string, steps: ContainerSteps): Promise<ContainerEnds>
  createEncoder(schema: Schema): RecordEncoder
  /** Loads what codecs need, or gives `undefined` where they are at hand. */
  load(codecs: readonly string[]): Promise<void> | undefined
}
