/**
 * What is known of the files that a followed input has begun to read, in the commit record: which files they are, whatever they
 * are called now, and how far each was read.
 *
 * A file is told from others by device and inode, and by its first bytes (a fingerprint of those that were read, 4 KiB at most), as a
 * removed file leaves its inode to the next. Names only help to find it again.
 *
 * State (numbers as in `base/bytes.ts`): a version, 1; then entries until the end, of which the last of a number counts:
 *
 * | bytes | what |
 * |---|---|
 * | varint | number of the file: they are read in its order |
 * | 1 | role + 1, 0: the file is forgotten, and nothing follows |
 * | text | path as matched |
 * | text | device and inode |
 * | varint | how many bytes of it were read |
 * | varint | how many records that were |
 * | text | fingerprint of those bytes, at most 4 KiB of them |
 * | 1 | whether nothing more was there when it was read last |
 *
 * Invariants:
 * - FF1 An entry is there for each file of which something was read until it is gone for good: what it takes is bounded by the files
 *   that are there.
 * - FF2 What `writeChanges` and `writeAll` wrote, `applyChanges` takes back; anything else is `state-corrupt`.
 */
import { assert } from "../../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import { TidemarkError } from "../../../base/errors.ts"
import type { SourceState } from "../../../connect/source.ts"
import { identityOfHead } from "../file-identity.ts"

/** How many of a file's first bytes its fingerprint depends on, as far as they were read. */
export const FINGERPRINT_BYTES = 4096

const FORMAT_VERSION = 1

/** Why a file is known. */
export type FileRole =
  /** It is read. */
  | "read"
  /** It lay beside a file that is read before that was, under the name of an earlier generation: it is passed over. */
  | "earlier"

const ROLES: readonly FileRole[] = ["read", "earlier"]

/** A file that is known. */
export interface KnownFile {
  readonly number: number
  readonly role: FileRole
  readonly id: string
  readonly fileId: string
  /** How many bytes of it were read: whole records, and a header. */
  readonly offset: number
  readonly ordinal: number
  /** Of the first `FINGERPRINT_BYTES` of those bytes. */
  readonly fingerprint: string
  /** Whether nothing more was there when it was read last. */
  readonly isAtEnd: boolean
}

/** The fingerprint of a file of which `read` bytes were read, and whose first bytes are `head`. */
export function fingerprintOf(head: Uint8Array, read: number): string {
  const count = Math.min(read, FINGERPRINT_BYTES)
  assert(head.length >= count, "the bytes of a fingerprint are there")
  return identityOfHead(head.subarray(0, count)).digest
}

/** See the head of this file. */
export class FollowedFiles implements SourceState {
  readonly #files = new Map<number, KnownFile>()
  readonly #byFileId = new Map<string, KnownFile>()
  readonly #changed = new Set<number>()
  #next = 0

  /** All files that are known, in the order of their numbers. */
  get all(): readonly KnownFile[] {
    return [...this.#files.values()].sort((one, other) => one.number - other.number)
  }

  get size(): number {
    return this.#files.size
  }

  get(number: number): KnownFile | undefined {
    return this.#files.get(number)
  }

  byFileId(fileId: string): KnownFile | undefined {
    return this.#byFileId.get(fileId)
  }

  /** Takes in a file that comes behind all that are known. */
  add(file: Pick<KnownFile, "role" | "id" | "fileId"> & Partial<KnownFile>): KnownFile {
    const start = { offset: 0, ordinal: 0, fingerprint: fingerprintOf(new Uint8Array(0), 0), isAtEnd: false }
    return this.#put({ ...start, ...file, number: this.#next++ })
  }

  /** Takes note of what has changed of a file. */
  update(number: number, change: Partial<Omit<KnownFile, "number">>): KnownFile {
    const before = this.#files.get(number)
    assert(before !== undefined, "a file that is updated is known")
    const isSame = Object.entries(change).every(([key, value]) => before[key as keyof KnownFile] === value)
    return isSame ? before : this.#put({ ...before, ...change })
  }

  forget(number: number): void {
    const before = this.#files.get(number)
    if (before === undefined) return
    this.#files.delete(number)
    if (this.#byFileId.get(before.fileId) === before) this.#byFileId.delete(before.fileId)
    this.#changed.add(number)
  }

  writeChanges(out: ByteWriter): void {
    if (this.#changed.size === 0) return
    out.uint8(FORMAT_VERSION)
    for (const number of [...this.#changed].sort((one, other) => one - other))
      writeFile(out, number, this.#files.get(number))
    this.#changed.clear()
  }

  writeAll(out: ByteWriter): void {
    if (this.#files.size === 0) return
    out.uint8(FORMAT_VERSION)
    for (const file of this.all) writeFile(out, file.number, file)
  }

  applyChanges(changes: ByteReader): void {
    if (changes.remaining === 0) return
    try {
      const version = changes.uint8()
      if (version !== FORMAT_VERSION) throw new RangeError(`it has the format ${version}`)
      while (changes.remaining > 0) this.#apply(changes)
    } catch (cause) {
      const message = "What the log says of the files of a followed input does not read back."
      throw new TidemarkError("state-corrupt", message, {
        hint: "It was written whole, so this is a defect, or a later version wrote it. Start anew with --reset.",
        cause,
      })
    }
  }

  #apply(changes: ByteReader): void {
    const number = changes.varint()
    const role = changes.uint8()
    this.#next = Math.max(this.#next, number + 1)
    if (role === 0) this.forget(number)
    else {
      if (ROLES[role - 1] === undefined) throw new RangeError(`there is no role ${role}`)
      this.#put({
        number,
        role: ROLES[role - 1]!,
        id: changes.text(),
        fileId: changes.text(),
        offset: changes.varint(),
        ordinal: changes.varint(),
        fingerprint: changes.text(),
        isAtEnd: changes.uint8() === 1,
      })
    }
    this.#changed.delete(number)
  }

  #put(file: KnownFile): KnownFile {
    const before = this.#files.get(file.number)
    if (before !== undefined && this.#byFileId.get(before.fileId) === before) this.#byFileId.delete(before.fileId)
    this.#files.set(file.number, file)
    this.#byFileId.set(file.fileId, file)
    this.#changed.add(file.number)
    return file
  }
}

function writeFile(out: ByteWriter, number: number, file: KnownFile | undefined): void {
  out.varint(number)
  out.uint8(file === undefined ? 0 : ROLES.indexOf(file.role) + 1)
  if (file === undefined) return
  out.text(file.id)
  out.text(file.fileId)
  out.varint(file.offset)
  out.varint(file.ordinal)
  out.text(file.fingerprint)
  out.uint8(file.isAtEnd ? 1 : 0)
}
