/**
 * Knowing a file again by its head: 64 bits over its first 64 KiB, or all of it where it is shorter.
 *
 * As text: how many bytes were taken, a colon, sixteen hexadecimal digits; of a compressed file also a colon and how many
 * bytes it has, as nothing else tells before it is decompressed that something was appended. Being no cryptographic hash it tells files
 * apart that differ by accident, not by malice.
 *
 * Invariant:
 * - O5 A file that has only grown is known by every identity that it ever had.
 */
import { assert } from "../../base/assert.ts"
import { crc32c } from "../../base/crc32c.ts"

/** How much of a file its identity depends on: bytes. */
export const HEAD_BYTES = 64 * 1024

/** What a file's head is. */
export interface FileIdentity {
  /** How many bytes were taken. */
  readonly headBytes: number
  /** Sixteen hexadecimal digits. */
  readonly digest: string
}

/** The identity of a file that begins with `head`, of which at most the first 64 KiB count. */
export function identityOfHead(head: Uint8Array): FileIdentity {
  const headBytes = Math.min(head.length, HEAD_BYTES)
  return { headBytes, digest: digest(head.subarray(0, headBytes)) }
}

/**
 * The identity as text, for the commit record.
 *
 * @param packedBytes the size of a file that is compressed.
 */
export function formatIdentity({ headBytes, digest }: FileIdentity, packedBytes?: number): string {
  return `${headBytes}:${digest}${packedBytes === undefined ? "" : `:${packedBytes}`}`
}

/** The identity of a text that `formatIdentity` made. */
export function parseIdentity(text: string): FileIdentity {
  const match = /^(\d{1,5}):([0-9a-f]{16})(?::\d+)?$/.exec(text)
  assert(match !== null, `an identity is a length and sixteen digits, not ${JSON.stringify(text)}`)
  return { headBytes: Number(match[1]), digest: match[2]! }
}

/** Whether a file that begins with `head` (its first 64 KiB, or all of it) has the identity. */
export function hasIdentity(head: Uint8Array, identity: FileIdentity): boolean {
  const { headBytes } = identity
  return head.length >= headBytes && digest(head.subarray(0, headBytes)) === identity.digest
}

/** CRC-32C, and FNV-1a with MurmurHash3's finaliser. */
function digest(bytes: Uint8Array): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hex(crc32c(bytes)) + hex((hash ^ (hash >>> 16)) >>> 0)
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0")
}
