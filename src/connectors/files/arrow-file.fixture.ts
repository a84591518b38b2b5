/** Arrow files for tests, read from memory. */
import { Arena } from "../../batch/arena.ts"
import type { Schema } from "../../batch/schema.ts"
import { arrowFormat } from "./arrow-format.ts"
import { loadUnzstd } from "./zstd.ts"

const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })
const STEPS = { readHead: "source.open.read-head", readFooter: "source.open.read-footer" } as const

await loadUnzstd()

/** What a file was read as. */
export interface ReadArrow {
  readonly rows: Record<string, unknown>[]
  readonly bad: { readonly ordinal: number; readonly reason: string }[]
}

/** Reads a file from a row on, some rows at a time. */
export async function readArrowFile(
  bytes: Uint8Array,
  schema: Schema,
  { from = 0, limit = () => 65_536 }: { readonly from?: number; readonly limit?: () => number } = {},
): Promise<ReadArrow> {
  const file = {
    size: () => Promise.resolve(bytes.length),
    read: (target: Uint8Array, position: number) => {
      const part = bytes.subarray(position, position + target.length)
      target.set(part)
      return Promise.resolve(part.length)
    },
  }
  const { footer } = await arrowFormat.readEnds(file as never, "the file f.arrow", STEPS as never)
  const decoder = arrowFormat.container.openContainer(footer, { arena, schema })
  const read: ReadArrow = { rows: [], bad: [] }
  for (let record = from; record < decoder.records;) {
    for (let wanted = decoder.wanted(record); wanted !== undefined; wanted = decoder.wanted(record)) {
      wanted.target.set(bytes.subarray(wanted.offset, wanted.offset + wanted.target.length))
      decoder.supplied()
    }
    const { batch, bad, records, release } = decoder.decode(record, limit(), 0)
    read.rows.push(...(batch?.toRows() ?? []))
    read.bad.push(...bad.map(({ position, reason }) => ({ ordinal: position.ordinal, reason })))
    release()
    record += records
  }
  return read
}

/** How many bytes of the arena are in use: none, when all files were read. */
export function usedBytes(): number {
  return arena.usedBytes
}
