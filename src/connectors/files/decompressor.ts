/** What the files connector needs to know of a compression: bytes go in as they come, and come out into given memory. */

/**
 * How a file is compressed.
 *
 * @example
 * ```ts
 * import { jsonl, type Compression } from "tidemark/files"
 *
 * const packed: Compression = "gzip"
 * const clicks = jsonl("clicks/*", { compression: packed })
 * ```
 */
export type Compression = "gzip" | "zstd" | "none"

/** Decompresses one file from its start. */
export interface Decompressor {
  /** Takes the next bytes of the file, once `pull` has given 0. */
  push(input: Uint8Array): void
  /**
   * Decompresses into `target`, and gives how many bytes; 0 where it needs more input.
   *
   * @throws DamagedError where the bytes are not what the compression makes.
   */
  pull(target: Uint8Array): number
  /**
   * Decompresses what is left once there is no more input; 0 where nothing is.
   *
   * @throws DamagedError where the file ends too early.
   */
  drain(target: Uint8Array): number
  /** About how many bytes of memory it takes. */
  readonly heldBytes: number
  close(): void
}

/** The bytes are not what the compression makes. */
export class DamagedError extends Error {
  override readonly name = "DamagedError"
}

const BY_ENDING: readonly (readonly [ending: string, compression: Compression])[] = [
  [".gz", "gzip"],
  [".zst", "zstd"],
]

/** How a file of that name is compressed, unless it was said. */
export function compressionOf(path: string, said: Compression | undefined): Compression {
  return said ?? BY_ENDING.find(([ending]) => path.toLowerCase().endsWith(ending))?.[1] ?? "none"
}
