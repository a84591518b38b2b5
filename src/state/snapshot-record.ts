/**
 * The records of a snapshot that is written slice by slice, while epochs go on: see the table in `commit-record.ts`.
 *
 * Invariant:
 * - M1 (`commit-record.ts`) Decoding what was encoded gives it back; anything else is `state-corrupt`.
 */
import { ByteReader, ByteWriter } from "../base/bytes.ts"
import { decodeBytesMap, decoding, encodeBytesMap } from "./commit-record.ts"

/** A slice of an operator's state. */
export interface SnapshotSlice {
  /** Behind which the snapshot was begun. */
  readonly epoch: number
  readonly operator: string
  readonly changes: Uint8Array
}

/** What makes a snapshot whole. */
export interface SnapshotEnd {
  readonly epoch: number
  /** How many slices it has. */
  readonly slices: number
  /** The checkpoints of the sinks, as they were when it was begun. */
  readonly outputs: ReadonlyMap<string, Uint8Array>
}

/** Appends the bytes of a slice. */
export function encodeSlice(out: ByteWriter, { epoch, operator, changes }: SnapshotSlice): void {
  out.varint(epoch)
  out.text(operator)
  out.raw(changes)
}

/** A slice from its bytes, of which its changes are a view. */
export function decodeSlice(bytes: Uint8Array): SnapshotSlice {
  return decoding("snapshot slice", () => {
    const reader = new ByteReader(bytes)
    return { epoch: reader.varint(), operator: reader.text(), changes: reader.raw(reader.remaining) }
  })
}

/** The bytes of a snapshot's end. */
export function encodeSnapshotEnd({ epoch, slices, outputs }: SnapshotEnd): Uint8Array {
  const out = new ByteWriter()
  out.varint(epoch)
  out.varint(slices)
  encodeBytesMap(out, outputs)
  return out.view()
}

/** A snapshot's end from its bytes. */
export function decodeSnapshotEnd(bytes: Uint8Array): SnapshotEnd {
  return decoding("snapshot end", () => {
    const reader = new ByteReader(bytes)
    const end = { epoch: reader.varint(), slices: reader.varint(), outputs: decodeBytesMap(reader) }
    if (reader.remaining > 0) throw new RangeError(`${reader.remaining} bytes are left over`)
    return end
  })
}
