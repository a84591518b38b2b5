/**
 * The mark beside the segments (`durable`) that tells readers in other processes how far the log is durable. The writer sets it behind
 * each sync; it is not synced itself, as it is of use to those alone who read while the writer lives, and the others look for the end
 * themselves.
 *
 * | at | bytes | what |
 * |---|---|---|
 * | 0 | 4 | generation |
 * | 4 | 8 | the offset up to which it is durable |
 * | 12 | 4 | generation of the place up to which is trimmed |
 * | 16 | 8 | its offset |
 * | 24 | 4 | 1 if the log is sealed |
 * | 28 | 4 | CRC-32C of bytes 0 to 27 |
 *
 * Invariant:
 * - DM1 What it says was durable when it was written.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { crc32c } from "../../base/crc32c.ts"
import type { Disk, DiskFile } from "../../env/env.ts"
import type { LogPlace } from "../log-reader.ts"
import { RECORD_LOG, step } from "./record-log-kind.ts"

/** The name of the file. */
const MARK_NAME = "durable"

/** Its length. */
const MARK_BYTES = 32

/** What the mark says. */
export interface DurableMark {
  readonly durable: LogPlace
  readonly trimmed: LogPlace
  readonly isSealed: boolean
}

/** The bytes of a mark. */
export function encodeMark({ durable, trimmed, isSealed }: DurableMark): Uint8Array {
  const out = new ByteWriter(MARK_BYTES)
  for (const { generation, offset } of [durable, trimmed]) {
    out.uint32(generation)
    out.int64(BigInt(offset))
  }
  out.uint32(isSealed ? 1 : 0)
  out.uint32(crc32c(out.view()))
  return out.finish()
}

/** Opens the mark of a log for writing, and makes it where there is none. */
export async function openMark(disk: Disk, directory: string): Promise<DiskFile> {
  const path = `${directory}/${MARK_NAME}`
  const at = step("records.mark.open")
  const file = (await disk.open(path, "update", at)) ?? (await disk.open(path, "create", at))
  if (file === undefined) throw RECORD_LOG.fenced(path)
  return file
}

/** What the mark of a log says; `undefined` where there is none, or it is being written. */
export async function readMark(disk: Disk, directory: string): Promise<DurableMark | undefined> {
  const file = await disk.open(`${directory}/${MARK_NAME}`, "read", step("records.mark.open"))
  if (file === undefined) return undefined
  try {
    const bytes = new Uint8Array(MARK_BYTES)
    const count = await file.read(bytes, 0, step("records.mark.read"))
    return decodeMark(bytes.subarray(0, count))
  } finally {
    await file.close()
  }
}

function decodeMark(bytes: Uint8Array): DurableMark | undefined {
  if (bytes.length < MARK_BYTES) return undefined
  const reader = new ByteReader(bytes)
  const durable = { generation: reader.uint32(), offset: Number(reader.int64()) }
  const trimmed = { generation: reader.uint32(), offset: Number(reader.int64()) }
  const isSealed = reader.uint32() === 1
  return reader.uint32() === crc32c(bytes, 0, 0, MARK_BYTES - 4) ? { durable, trimmed, isSealed } : undefined
}
