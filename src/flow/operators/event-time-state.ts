/**
 * The state of an `eventTime` operator as bytes (format 1, named in the signature), so that those who have no operator can
 * read it, too: `tidemark status` does.
 *
 * One call of `writeChanges` or `writeAll` writes nothing where nothing has changed, else:
 *
 *     float64   the operator's watermark
 *     float64   the greatest event time seen, or −∞
 *     varint    number of partitions that follow, each: varint index, uint8 0 ended or 1 open, then if open
 *               float64 its watermark
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"

const ENDED = 0
const OPEN = 1

/** What such bytes say. */
export interface EventTimeChanges {
  readonly watermark: number
  readonly maxEventTime: number
  /** Of each partition that has opened, moved or ended its watermark; `undefined` where it has ended. */
  readonly partitions: readonly (readonly [partition: number, watermark: number | undefined])[]
}

/** Appends changes. */
export function writeEventTimeChanges(changes: EventTimeChanges, out: ByteWriter): void {
  out.float64(changes.watermark)
  out.float64(changes.maxEventTime)
  out.varint(changes.partitions.length)
  for (const [partition, watermark] of changes.partitions) {
    out.varint(partition)
    out.uint8(watermark === undefined ? ENDED : OPEN)
    if (watermark !== undefined) out.float64(watermark)
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
  const partitions: [number, number | undefined][] = []
  for (let count = from.varint(); count > 0; count--) {
    const partition = from.varint()
    const tag = from.uint8()
    if (tag !== ENDED && tag !== OPEN) throw new RangeError(`${tag} stands for what became of a partition`)
    partitions.push([partition, tag === ENDED ? undefined : readTime(from)])
  }
  if (from.remaining > 0) throw new RangeError(`there are ${from.remaining} bytes too many`)
  return { watermark, maxEventTime, partitions }
}

function readTime(from: ByteReader): number {
  const time = from.float64()
  if (Number.isNaN(time) || time === Infinity) throw new RangeError(`${time} stands for a time`)
  return time
}
