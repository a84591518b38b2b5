/**
 * The bytes of the record that a dead letter is about, for reading it again.
 *
 * A letter of a record that could not be read has them, unless they were too long for it or no UTF-8. A letter of a row that
 * failed has the row, which is no record of the input: its record is read from the file again, from where it starts.
 */
import { open, type FileHandle } from "node:fs/promises"
import { resolve } from "node:path"
import type { DeadLetter } from "../../runtime/dead-letters.ts"

/** A record, or why there is none. */
export type Original = { readonly record: Buffer } | { readonly problem: string }

/** A letter may have been cut from so many bytes on: to 4 KiB, and by less than a character. */
const CUT_FROM_BYTES = 4096 - 3

const CHUNK_BYTES = 64 * 1024
const MAX_RECORD_BYTES = 64 << 20

const LINE_FEED = 10
const QUOTE = 34

/** The record of a letter that has a place; `base` is what its path is relative to. */
export async function originalOf(letter: DeadLetter, base: string): Promise<Original> {
  const { raw, operator, partition, offset } = letter
  if (operator === null && Buffer.byteLength(raw) < CUT_FROM_BYTES && !raw.includes("\uFFFD")) {
    return { record: Buffer.from(raw) }
  }
  if (partition === null || offset === null)
    return { problem: "it is a row that the job made, and no record of an input" }
  if (!/\.(csv|tsv|txt|log|json|jsonl|ndjson)$/i.test(partition)) {
    return { problem: `its record cannot be taken from ${partition}, which is no plain text` }
  }
  const file = await open(resolve(base, partition), "r").catch(() => undefined)
  if (file === undefined) return { problem: `its record was in ${partition}, which cannot be read` }
  try {
    const record = await recordAt(file, offset, /\.(csv|tsv)$/i.test(partition))
    const isSame = record !== undefined && (operator !== null || record.toString().startsWith(raw.slice(0, 1024)))
    return isSame ? { record } : { problem: `${partition} is no longer what was read` }
  } finally {
    await file.close()
  }
}

/** The first line of a file, with its end. */
export async function headerOf(partition: string, base: string): Promise<Buffer | undefined> {
  const file = await open(resolve(base, partition), "r").catch(() => undefined)
  if (file === undefined) return undefined
  try {
    return await recordAt(file, 0, true)
  } finally {
    await file.close()
  }
}

/** The record that starts at `offset`, without its line end; `undefined` where none starts there. */
async function recordAt(file: FileHandle, offset: number, isQuoted: boolean): Promise<Buffer | undefined> {
  const before = Buffer.alloc(1)
  if (offset > 0 && ((await file.read(before, 0, 1, offset - 1)).bytesRead < 1 || before[0] !== LINE_FEED))
    return undefined
  const pieces: Buffer[] = []
  let isWithinQuotes = false
  for (let at = offset; at - offset < MAX_RECORD_BYTES;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, at)
    const chunk = buffer.subarray(0, bytesRead)
    const end = chunk.findIndex((byte) => {
      if (isQuoted && byte === QUOTE) isWithinQuotes = !isWithinQuotes
      return byte === LINE_FEED && !isWithinQuotes
    })
    pieces.push(end === -1 ? chunk : chunk.subarray(0, end))
    if (end !== -1 || bytesRead < CHUNK_BYTES) {
      const record = Buffer.concat(pieces)
      return record.length === 0 ? undefined : record.at(-1) === 13 ? record.subarray(0, -1) : record
    }
    at += bytesRead
  }
  return undefined
}
