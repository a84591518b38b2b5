/**
 * What following needs of a file that it reads, whatever its format: `line-cursor.ts` reads lines of a file that may grow,
 * `container-cursor.ts` a container that is there as a whole.
 */
import type { Position } from "../../../batch/position.ts"
import type { ReadLimits, SourceBatch } from "../../../connect/source.ts"
import type { KnownFile } from "./followed-files.ts"

/** How far a file was read. */
export type FileProgress = Pick<KnownFile, "offset" | "ordinal" | "fingerprint" | "isAtEnd">

/** What one read of a file gave. */
export interface CursorRead extends Pick<SourceBatch, "batch" | "bad" | "release"> {
  /** Where the partition stands behind it. */
  readonly next: Position
  /** The same in the file, as if it were a partition of its own. */
  readonly nextInFile: Position
  readonly progress: FileProgress
}

/** An open file. While it is open nobody else gets its inode. */
export interface FileCursor {
  /** The file's size, or `"cut"` where it is not any more what was read of it: shorter, or with other bytes at its start. */
  check(): Promise<number | "cut">
  /** The file's size alone. */
  size(): Promise<number>
  /**
   * Reads on.
   *
   * @param from where the partition stands; how far the file was read is known.
   * @param until no byte of the file from there on.
   * @returns `undefined` where there is no whole record before `until`.
   */
  read(from: Position, limits: ReadLimits, until: number): Promise<CursorRead | undefined>
  /** How many bytes at the end are no whole record, after a read that gave nothing. */
  readonly partialBytes: number
  close(): Promise<void>
}
