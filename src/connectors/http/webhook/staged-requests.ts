/**
 * What the commit record says of an epoch's requests, and what a checkpoint holds.
 *
 * Rows become requests when they are staged: body by body, cut for good. So a request that is sent again, by whichever process, has the same
 * bytes under the same key.
 *
 * A staged epoch, numbers as in `base/bytes.ts`:
 *
 * | bytes | what |
 * |---|---|
 * | 1 | version, 1 |
 * | text | token of the job's state |
 * | varint | sequence number, from 1 |
 * | 8 | id: random, so that two copies of a state do not give one key to two requests |
 * | 1 | what bodies are: 0 a JSON object, 1 an array of them, 2 JSON lines |
 * | 1 | 1 where the job has come to its end with it |
 * | varint | lanes, as `Lanes` |
 * | varint | requests |
 * | varint | bytes of bodies |
 * | varint | bytes of the index behind them |
 * | 1 | 1 where both follow, 0 where they are in the file `<sequence>.rows` |
 * | … | bodies, one behind the other; the index: of each request its lane, its bytes and its rows, as varints |
 *
 * A checkpoint: version, token, mark of the last epoch that was staged, whether the job has come to its end, and the epochs that are not all
 * acknowledged.
 */
import { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import { checkStagedVersion, readMark, writeMark, type EpochMark } from "../../../connect/epoch-mark.ts"

const VERSION = 1

/** What a request's body is. */
export const BODY_KINDS = ["object", "array", "json-lines"] as const

/** One of them. */
export type BodyKind = (typeof BODY_KINDS)[number]

/** Which requests follow each other: those of one lane. */
export type Lanes = number

/** None does. */
export const NO_LANES: Lanes = 0

/** Those with one hash of their key, which is the number of their lane. */
export const LANE_A_KEY: Lanes = 1

/** There are so many lanes, numbered from 0. */
export function numberedLanes(count: number): Lanes {
  return count + 1
}

/** An epoch that is committed, or about to be. */
export interface StagedEpoch extends EpochMark {
  readonly token: string
  readonly body: BodyKind
  readonly isLast: boolean
  readonly lanes: Lanes
  readonly requests: number
  readonly bodyBytes: number
  readonly indexBytes: number
  /** Bodies and index; `undefined` where they are in a file. */
  readonly inline: Uint8Array | undefined
}

/** What a checkpoint holds. */
export interface SinkCheckpoint {
  readonly token: string
  readonly staged: EpochMark
  readonly isLast: boolean
  readonly pending: readonly StagedEpoch[]
}

export function encodeEpoch(epoch: StagedEpoch): Uint8Array {
  const writer = new ByteWriter(64 + (epoch.inline?.length ?? 0))
  writer.uint8(VERSION)
  writer.text(epoch.token)
  writeMark(writer, epoch)
  writer.uint8(BODY_KINDS.indexOf(epoch.body))
  writer.uint8(epoch.isLast ? 1 : 0)
  for (const number of [epoch.lanes, epoch.requests, epoch.bodyBytes, epoch.indexBytes]) writer.varint(number)
  writer.uint8(epoch.inline === undefined ? 0 : 1)
  if (epoch.inline !== undefined) writer.raw(epoch.inline)
  return writer.finish()
}

/** `undefined` where nothing was staged. */
export function decodeEpoch(bytes: Uint8Array): StagedEpoch | undefined {
  if (bytes.length === 0) return undefined
  const reader = new ByteReader(bytes)
  checkStagedVersion(reader.uint8(), VERSION)
  const token = reader.text()
  const mark = readMark(reader)
  const body = BODY_KINDS[reader.uint8()]!
  const isLast = reader.uint8() === 1
  const [lanes, requests, bodyBytes, indexBytes] = [reader.varint(), reader.varint(), reader.varint(), reader.varint()]
  const inline = reader.uint8() === 1 ? reader.raw(bodyBytes + indexBytes).slice() : undefined
  return { token, ...mark, body, isLast, lanes, requests, bodyBytes, indexBytes, inline }
}

export function encodeCheckpoint({ token, staged, isLast, pending }: SinkCheckpoint): Uint8Array {
  const writer = new ByteWriter()
  writer.uint8(VERSION)
  writer.text(token)
  writeMark(writer, staged)
  writer.uint8(isLast ? 1 : 0)
  writer.varint(pending.length)
  for (const epoch of pending) writer.bytes(encodeEpoch(epoch))
  return writer.finish()
}

export function decodeCheckpoint(bytes: Uint8Array): SinkCheckpoint {
  const reader = new ByteReader(bytes)
  checkStagedVersion(reader.uint8(), VERSION)
  const token = reader.text()
  const staged = readMark(reader)
  const isLast = reader.uint8() === 1
  const pending = Array.from({ length: reader.varint() }, () => decodeEpoch(reader.bytes())!)
  return { token, staged, isLast, pending }
}
