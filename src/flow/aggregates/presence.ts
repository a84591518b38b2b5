/** Which groups have had a value that is not null; tracked for inputs that may be null only. */
import { assert } from "../../base/assert.ts"
import type { ByteReader } from "../../base/bytes.ts"
import type { Column } from "../../batch/column.ts"

/** Sets the validity of rows `at` … `at + count − 1` from the presence of groups `from` …; `null`: all are present. */
export function writePresence(
  column: Column,
  at: number,
  presence: Uint8Array | null,
  from: number,
  count: number,
): void {
  const { validity } = column
  if (validity === null) {
    assert(presence === null, "the result over an input that may be null may be null")
    return
  }
  for (let index = 0; index < count; index++) {
    const row = at + index
    if (presence === null || presence[from + index] === 1) validity[row >> 3]! |= 1 << (row & 7)
    else validity[row >> 3]! &= ~(1 << (row & 7))
  }
}

/** Reads a flag that was written as a byte. */
export function readFlag(from: ByteReader): boolean {
  const flag = from.uint8()
  if (flag > 1) throw new RangeError(`${flag} stands for a flag`)
  return flag === 1
}
