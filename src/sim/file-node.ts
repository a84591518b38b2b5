/**
 * A file of the simulated disk: its current bytes, its durable bytes and the changes in between.
 *
 * Invariants:
 * - M4 `durable` holds every change that a successful sync covered and, of the others, only what a crash let survive.
 * - M5 After a failed sync the changes that it was to cover are never made durable by a later sync: the system has
 *   forgotten that they are dirty ("fsyncgate"), although readers still see them.
 */
import type { Prng } from "../base/prng.ts"

/** Disks write such pieces whole, or tear them: bytes. */
const SECTOR_BYTES = 512

type PendingChange =
  | { readonly kind: "write"; readonly sequence: number; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly sequence: number; readonly length: number }

/** Bytes that grow. What lies between the end and a later write is zero. */
class Content {
  #bytes = new Uint8Array(0)
  length = 0

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  write(position: number, bytes: Uint8Array): void {
    this.extend(position + bytes.length)
    this.#bytes.set(bytes, position)
  }

  extend(length: number): void {
    if (length <= this.length) return
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2))
      grown.set(this.view())
      this.#bytes = grown
    }
    this.length = length
  }

  truncate(length: number): void {
    this.extend(length)
    this.#bytes.fill(0, length, this.length)
    this.length = length
  }
}

/** A file with its current and its durable bytes. */
export class FileNode {
  readonly kind = "file"
  /** What no other file of the image has. */
  readonly id: string
  readonly #current = new Content()
  readonly #durable = new Content()
  #pending: PendingChange[] = []
  #version = 0

  constructor(id: string) {
    this.id = id
  }

  /** Grows with every change of the current bytes. */
  get version(): number {
    return this.#version
  }

  get length(): number {
    return this.#current.length
  }

  /** Whether there are changes that no sync has covered. */
  get hasUnsynced(): boolean {
    return this.#pending.length > 0
  }

  /** The current bytes: a view that the next change may invalidate. */
  view(): Uint8Array {
    return this.#current.view()
  }

  /** Sets bytes that are durable at once. */
  install(bytes: Uint8Array): void {
    this.#current.write(0, bytes)
    this.#durable.write(0, bytes)
  }

  write(position: number, source: Uint8Array, sequence: number): void {
    const bytes = source.slice()
    this.#current.write(position, bytes)
    this.#version++
    this.#pending.push({ kind: "write", sequence, position, bytes })
  }

  truncate(length: number, sequence: number): void {
    this.#current.truncate(length)
    this.#version++
    this.#pending.push({ kind: "truncate", sequence, length })
  }

  /** Makes the changes before `mark` durable. */
  sync(mark: number): void {
    for (const change of this.#pending) if (change.sequence < mark) applyWhole(this.#durable, change)
    this.#pending = this.#pending.filter(({ sequence }) => sequence >= mark)
  }

  /** A sync that fails: what it was to cover is settled now, as if the machine had crashed, and never again (M5). */
  failSync(mark: number, prng: Prng): void {
    for (const change of this.#pending) if (change.sequence < mark) applyAfterCrash(this.#durable, change, prng)
    this.#pending = this.#pending.filter(({ sequence }) => sequence >= mark)
  }

  /** Settles what is pending as a crash of the machine may leave it. */
  crash(prng: Prng): void {
    for (const change of this.#pending) applyAfterCrash(this.#durable, change, prng)
    this.#pending = []
    this.#version++
    this.#current.truncate(0)
    this.#current.write(0, this.#durable.view())
  }
}

function applyWhole(content: Content, change: PendingChange): void {
  if (change.kind === "truncate") content.truncate(change.length)
  else content.write(change.position, change.bytes)
}

/** Most crashes keep or lose a write as a whole; the rest settle it sector by sector. */
function applyAfterCrash(content: Content, change: PendingChange, prng: Prng): void {
  const fate = prng.float()
  if (fate < 0.3) return
  if (change.kind === "truncate" || fate < 0.55) return applyWhole(content, change)
  const { position, bytes } = change
  const end = position + bytes.length
  for (let from = position; from < end;) {
    const to = Math.min(end, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES)
    const sector = bytes.subarray(from - position, to - position)
    const sectorFate = prng.float()
    if (sectorFate < 0.5) content.write(from, sector)
    else if (sectorFate < 0.65) content.write(from, sector.subarray(0, prng.below(sector.length + 1)))
    else if (sectorFate < 0.7) content.write(from, staleBytes(sector.length, prng))
    from = to
  }
  // A file may have got its new length without the bytes: they read as zeros.
  if (prng.chance(0.5)) content.extend(end)
}

/** What a block held before it came to this file, or what a torn write made of it. */
function staleBytes(length: number, prng: Prng): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = prng.uint32()
  return bytes
}
