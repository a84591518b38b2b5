/**
 * What is known to be acknowledged, beside the log: the file `acknowledged` in the output's directory. It is written a while after the answers, so it
 * may say less than is true, and then some requests are sent again with their keys.
 *
 * The file, numbers as in `base/bytes.ts`:
 *
 * | bytes | what |
 * |---|---|
 * | 1 | version, 1 |
 * | text | token of the job's state |
 * | mark | the last epoch up to which all are acknowledged |
 * | varint | epochs behind it of which requests are |
 * | … | of each: its mark, how many runs, and the runs, as `PendingEpoch.writeDone` writes them |
 * | 4 | CRC-32C of all before |
 *
 * Invariants:
 * - AF1 A file that is not whole, of another state or of another line of it is none: its epochs are known by their ids.
 * - AF2 It is replaced by renaming one that is synced: there is a whole one, always.
 */
import { assert } from "../../../base/assert.ts"
import { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import { crc32c } from "../../../base/crc32c.ts"
import { readMark, writeMark, type EpochMark } from "../../../connect/epoch-mark.ts"
import type { Disk } from "../../../env/env.ts"
import type { Outbox } from "./outbox.ts"

const VERSION = 1
const CRC_BYTES = 4

/** What such a file says. */
export interface Acknowledged {
  readonly token: string
  readonly done: EpochMark
  readonly partly: readonly { readonly mark: EpochMark; readonly runs: readonly number[] }[]
}

/** Reads the file; `undefined` where there is none, or it is not whole. */
export async function readAcknowledged(disk: Disk, directory: string): Promise<Acknowledged | undefined> {
  const file = await disk.open(`${directory}/acknowledged`, "read", "sink.webhook.acknowledged.open")
  if (file === undefined) return undefined
  try {
    const bytes = new Uint8Array(await file.size())
    if ((await file.read(bytes, 0, "sink.webhook.acknowledged.read")) < bytes.length) return undefined
    return decode(bytes)
  } finally {
    await file.close()
  }
}

/** Replaces the file (AF2). The directory is there. */
export async function writeAcknowledged(disk: Disk, directory: string, token: string, outbox: Outbox): Promise<void> {
  const bytes = encode(token, outbox)
  const path = `${directory}/acknowledged`
  await disk.remove(`${path}.new`, "sink.webhook.acknowledged.remove")
  const file = await disk.open(`${path}.new`, "create", "sink.webhook.acknowledged.create")
  assert(file !== undefined, "what was removed is not there")
  try {
    await file.write(bytes, 0, "sink.webhook.acknowledged.write")
    await file.sync("sink.webhook.acknowledged.sync")
  } finally {
    await file.close()
  }
  await disk.rename(`${path}.new`, path, "sink.webhook.acknowledged.rename")
}

function encode(token: string, outbox: Outbox): Uint8Array {
  const writer = new ByteWriter()
  writer.uint8(VERSION)
  writer.text(token)
  writeMark(writer, outbox.done)
  const partly = outbox.epochs.filter(({ left, count }) => left < count)
  writer.varint(partly.length)
  for (const epoch of partly) {
    writeMark(writer, epoch.staged)
    epoch.writeDone(writer)
  }
  writer.uint32(crc32c(writer.view()))
  return writer.finish()
}

function decode(bytes: Uint8Array): Acknowledged | undefined {
  const end = bytes.length - CRC_BYTES
  if (end < 0 || new ByteReader(bytes.subarray(end)).uint32() !== crc32c(bytes, 0, 0, end)) return undefined
  const reader = new ByteReader(bytes.subarray(0, end))
  if (reader.uint8() !== VERSION) return undefined
  const token = reader.text()
  const done = readMark(reader)
  const partly = Array.from({ length: reader.varint() }, () => {
    const mark = readMark(reader)
    return { mark, runs: Array.from({ length: reader.varint() }, () => reader.varint()) }
  })
  return { token, done, partly }
}
