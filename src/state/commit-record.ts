/**
 * What a job's log says: who ran, what each epoch read, changed and staged, and snapshots of all that.
 *
 * Payloads by record type (numbers as varints unless said otherwise; text and bytes behind their length):
 *
 * | type | name | payload |
 * |---|---|---|
 * | 1 | run | JSON: job, fingerprint, parameters, operators, outputs, version |
 * | 2 | epoch | epoch body: changes since the epoch before |
 * | 3 | old snapshot begin | epoch number, total bytes of the body |
 * | 4 | old snapshot part | a piece of an epoch body whose changes start from nothing |
 * | 5 | old snapshot end | CRC-32C (uint32) of the body |
 * | 6 | reset | none: whatever came before is void |
 * | 7 | snapshot begun | an epoch body: all partitions and counters, of operators the changes from nothing of those that are not sliced |
 * | 8 | snapshot slice | epoch number, operator id, change bytes |
 * | 9 | snapshot whole | epoch number, number of slices, count, outputs (name, checkpoint bytes) |
 *
 * A snapshot has the number of the epoch behind which it was begun. Epochs stand between its records (`recovery-fold.ts`). Versions before this wrote
 * records 3, 4 and 5 in one go, and none comes between; they are read, and not written any more.
 *
 * Epoch body: epoch · flags (1: the job has come to its end) · wall time in µs · active partition + 1 ·
 * count, partitions (see below) · count, operators (id, change bytes) · count, outputs (name, staged bytes) ·
 * count, counters (name, value).
 * Partition: index · flags (1: ended, 2: described) · offset · ordinal · where described: input, id, tie break, identity.
 *
 * Invariants:
 * - M1 Decoding what was encoded gives it back; anything else is `state-corrupt`, never a crash or a guess.
 * - M2 An epoch body holds a partition only where something of it has changed, and describes it the first time and with each new
 *   identity.
 */
import { ByteReader, ByteWriter } from "../base/bytes.ts"
import { TidemarkError } from "../base/errors.ts"

/** The types of records in a job's log. */
export const RECORD = {
  run: 1,
  epoch: 2,
  oldSnapshotBegin: 3,
  oldSnapshotPart: 4,
  oldSnapshotEnd: 5,
  reset: 6,
  snapshotBegun: 7,
  snapshotSlice: 8,
  snapshotWhole: 9,
} as const

/** The name under which the dead letters' sink stands in the log. No output can have it. */
export const DEAD_LETTER_OUTPUT = "$deadLetter"

/** Who runs: written at each start, before the first epoch. */
export interface RunRecord {
  readonly job: string
  /** The fingerprint of the plan. */
  readonly fingerprint: string
  /** The values of the job's parameters by name, each as the JSON text of its type. */
  readonly params: Readonly<Record<string, string>>
  /** Each stateful operator. */
  readonly operators: readonly RunOperator[]
  readonly outputs: readonly RunOutput[]
  /** The version of Tidemark. */
  readonly version: string
  /** The savepoint that the state began from, where it did. */
  readonly begunFrom?: string
  /** Set in a savepoint, and nowhere else: what tells it from others. */
  readonly savepoint?: string
}

/** An output of a run. */
export interface RunOutput {
  readonly name: string
  /** What of its sink's description is the same in each run. */
  readonly sink: string
  /** The whole description. Absent where that is all, and in logs of older versions. */
  readonly described?: string
  /**
   * The shape of what the output has begun and not published: `SinkBinding.describeShape`. Absent where any may follow, and in logs of older
   * versions, of which nobody can tell.
   */
  readonly shape?: string
}

/** A stateful operator of a run. State is matched by id and signature; the rest tells readers of the log what it means. */
export interface RunOperator {
  readonly id: string
  readonly signature: string
  /** Of one that waits for watermarks: whose, by id. Absent in logs of older versions. */
  readonly follows?: readonly string[]
  /** Of an event time: its out-of-orderness. Absent in logs of older versions. */
  readonly outOfOrderMicros?: number
  /** Of an event time: how far a partition may be ahead of the slowest. Absent where it may not. */
  readonly maxDriftMicros?: number
}

/** How far a partition was read. */
export interface PartitionProgress {
  /** Its index within the job. */
  readonly index: number
  readonly input: string
  readonly id: string
  readonly tieBreak: string
  /** What its content was when it was first read; see `Partition`. */
  readonly identity: string
  readonly offset: number
  readonly ordinal: number
  readonly ended: boolean
}

/** All that a job read, changed and emitted between two cuts. */
export interface EpochRecord {
  readonly epoch: number
  /** Whether the job had come to the end of its inputs and fired everything. */
  readonly finished: boolean
  readonly wallMicros: number
  /** The partition whose morsel is being read, or `undefined` between morsels. */
  readonly active: number | undefined
  readonly partitions: readonly PartitionProgress[]
  readonly operators: ReadonlyMap<string, Uint8Array>
  readonly outputs: ReadonlyMap<string, Uint8Array>
  readonly counters: ReadonlyMap<string, number>
}

/** The bytes of a run record. */
export function encodeRun(run: RunRecord): Uint8Array {
  const writer = new ByteWriter()
  writer.text(JSON.stringify(run))
  return writer.finish()
}

/** A run record from its bytes. */
export function decodeRun(bytes: Uint8Array): RunRecord {
  return decoding("run", () => JSON.parse(new ByteReader(bytes).text()) as RunRecord)
}

/**
 * Appends the bytes of an epoch body.
 *
 * @param described whether an earlier record of the log describes the partition as it is (M2).
 */
export function encodeEpoch(
  out: ByteWriter,
  record: EpochRecord,
  described: (partition: PartitionProgress) => boolean,
): void {
  out.varint(record.epoch)
  out.uint8(record.finished ? 1 : 0)
  out.varint(record.wallMicros)
  out.varint(record.active === undefined ? 0 : record.active + 1)
  out.varint(record.partitions.length)
  for (const partition of record.partitions) {
    const isDescribed = !described(partition)
    out.varint(partition.index)
    out.uint8((partition.ended ? 1 : 0) | (isDescribed ? 2 : 0))
    out.varint(partition.offset)
    out.varint(partition.ordinal)
    if (!isDescribed) continue
    out.text(partition.input)
    out.text(partition.id)
    out.text(partition.tieBreak)
    out.text(partition.identity)
  }
  encodeBytesMap(out, record.operators)
  encodeBytesMap(out, record.outputs)
  out.varint(record.counters.size)
  for (const [name, value] of record.counters) {
    out.text(name)
    out.varint(value)
  }
}

/**
 * An epoch body from its bytes.
 *
 * @param known the partitions that earlier records describe, by index.
 */
export function decodeEpoch(bytes: Uint8Array, known: ReadonlyMap<number, PartitionProgress>): EpochRecord {
  return decoding("epoch", () => {
    const reader = new ByteReader(bytes)
    const epoch = reader.varint()
    const finished = (reader.uint8() & 1) === 1
    const wallMicros = reader.varint()
    const active = reader.varint() - 1
    const partitions = Array.from({ length: reader.varint() }, () => decodePartition(reader, known))
    const operators = decodeBytesMap(reader)
    const outputs = decodeBytesMap(reader)
    const counters = new Map<string, number>()
    for (let count = reader.varint(); count > 0; count--) counters.set(reader.text(), reader.varint())
    if (reader.remaining > 0) throw new RangeError(`${reader.remaining} bytes are left over`)
    return {
      epoch,
      finished,
      wallMicros,
      active: active < 0 ? undefined : active,
      partitions,
      operators,
      outputs,
      counters,
    }
  })
}

function decodePartition(reader: ByteReader, known: ReadonlyMap<number, PartitionProgress>): PartitionProgress {
  const index = reader.varint()
  const flags = reader.uint8()
  const offset = reader.varint()
  const ordinal = reader.varint()
  const ended = (flags & 1) !== 0
  if ((flags & 2) === 0) {
    const earlier = known.get(index)
    if (earlier === undefined) throw new RangeError(`partition ${index} was never described`)
    return { ...earlier, offset, ordinal, ended }
  }
  const input = reader.text()
  const id = reader.text()
  const tieBreak = reader.text()
  return { index, input, id, tieBreak, identity: reader.text(), offset, ordinal, ended }
}

/** Appends bytes by name. */
export function encodeBytesMap(out: ByteWriter, map: ReadonlyMap<string, Uint8Array>): void {
  out.varint(map.size)
  for (const [name, bytes] of map) {
    out.text(name)
    out.bytes(bytes)
  }
}

/** Bytes by name. */
export function decodeBytesMap(reader: ByteReader): Map<string, Uint8Array> {
  const map = new Map<string, Uint8Array>()
  for (let count = reader.varint(); count > 0; count--) map.set(reader.text(), reader.bytes())
  return map
}

/**
 * Decodes a record.
 *
 * @throws TidemarkError `state-corrupt` where `decode` throws anything (M1).
 */
export function decoding<T>(what: string, decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    if (cause instanceof TidemarkError) throw cause
    throw new TidemarkError("state-corrupt", `A record (${what}) of the log does not read back.`, {
      hint: "It was written whole, so this is a defect or a foreign file. Start anew with --reset.",
      cause,
    })
  }
}
