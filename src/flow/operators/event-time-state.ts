/**
 * The state of an `eventTime` operator as bytes (format 1, named in the signature), so that those who have no operator can
 * read it, too: `tidemark status` does.
 *
 * One call of `writeChanges` or `writeAll` writes nothing where nothing has changed, else:
 *
 *     float64   the operator's watermark
 *     float64   the greatest event time seen, or −∞
 *     varint    number of partitions that follow, each: varint index, uint8 0 ended, 1 open or 2 idle; then, unless it has
 *               ended, float64 its watermark; then, if it is idle, float64 since when, by the clock
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"

const ENDED = 0
const OPEN = 1
const IDLE = 2

/** How far an open partition is. */
export interface OpenPartition {
  readonly watermark: number
  /** Where it is idle: since when there has been nothing to read of it, by the clock. */
  readonly idleSince: number | undefined
}

/** What such bytes say. */
export interface EventTimeChanges {
  readonly watermark: number
  readonly maxEventTime: number
  /** Each partition of which something has changed; `undefined` where it has ended. */
  readonly partitions: readonly { readonly partition: number; readonly state: OpenPartition | undefined }[]
}

/** Appends changes. */
export function writeEventTimeChanges(changes: EventTimeChanges, out: ByteWriter): void {
  out.float64(changes.watermark)
  out.float64(changes.maxEventTime)
  out.varint(changes.partitions.length)
  for (const { partition, state } of changes.partitions) {
    out.varint(partition)
    out.uint8(state === undefined ? ENDED : state.idleSince === undefined ? OPEN : IDLE)
    if (state !== undefined) out.float64(state.watermark)
    if (state?.idleSince !== undefined) out.float64(state.idleSince)
  }
}

/**
 * Reads all of the reader's bytes.
 *
 * @throws RangeError where they are no such changes.
 */
export function readEventTimeChanges(from: ByteReader): EventTimeChanges {
  const watermark = readTime(from)
  const maxEventTime = readTime(from)
  const partitions: EventTimeChanges["partitions"][number][] = []
  for (let count = from.varint(); count > 0; count--) partitions.push(readPartition(from))
  if (from.remaining > 0) throw new RangeError(`there are ${from.remaining} bytes too many`)
  return { watermark, maxEventTime, partitions }
}

function readPartition(from: ByteReader): EventTimeChanges["partitions"][number] {
  const partition = from.varint()
  const tag = from.uint8()
  if (tag > IDLE) throw new RangeError(`${tag} stands for what became of a partition`)
  if (tag === ENDED) return { partition, state: undefined }
  const watermark = readTime(from)
  return { partition, state: { watermark, idleSince: tag === IDLE ? readTime(from) : undefined } }
}

function readTime(from: ByteReader): number {
  const time = from.float64()
  if (Number.isNaN(time) || time === Infinity) throw new RangeError(`${time} stands for a time`)
  return time
}
