/**
 * Values of bytes, as a page has them: where in some bytes each starts and ends. PLAIN (with lengths between them, or of
 * a fixed length), DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY, BYTE_STREAM_SPLIT.
 */
import { DeltaReader } from "./delta.ts"
import { CutShort, demand, TooLarge } from "./malformed.ts"

/** Some values: value i is `bytes[starts[i], ends[i])`. */
export class Spans {
  bytes: Uint8Array = new Uint8Array(0)
  starts = new Int32Array(0)
  ends = new Int32Array(0)

  /** Makes room for `count` values. What was there is gone. */
  reserve(count: number): void {
    if (this.starts.length >= count) return
    this.starts = new Int32Array(count)
    this.ends = new Int32Array(count)
  }
}

/** Reads the values of a page that are not null, one after the other. */
export interface ByteValues {
  /** Reads `count` values. They stay where they are as long as the page does. */
  read(count: number, spans: Spans): void
  skip(count: number): void
}

/** PLAIN BYTE_ARRAY: the length of each in four bytes before it. */
export class PlainBytes implements ByteValues {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #end: number
  #at: number

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, end)
    this.#at = at
    this.#end = end
  }

  read(count: number, spans: Spans): void {
    spans.reserve(count)
    spans.bytes = this.#bytes
    const { starts, ends } = spans
    let at = this.#at
    for (let index = 0; index < count; index++) {
      const end = this.#endOf(at)
      starts[index] = at + 4
      ends[index] = end
      at = end
    }
    this.#at = at
  }

  skip(count: number): void {
    for (let index = 0; index < count; index++) this.#at = this.#endOf(this.#at)
  }

  #endOf(at: number): number {
    if (at + 4 > this.#end) throw new CutShort("a page's values")
    const length = this.#view.getUint32(at, true)
    if (length > this.#end - at - 4) throw new CutShort("a value")
    return at + 4 + length
  }
}

/** PLAIN FIXED_LEN_BYTE_ARRAY: one after the other. */
export class PlainFixedBytes implements ByteValues {
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly #width: number
  #at: number

  constructor(bytes: Uint8Array, at: number, end: number, width: number) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
    this.#width = width
  }

  read(count: number, spans: Spans): void {
    let at = this.#at
    this.skip(count)
    spans.reserve(count)
    spans.bytes = this.#bytes
    for (let index = 0; index < count; index++) {
      spans.starts[index] = at
      spans.ends[index] = at += this.#width
    }
  }

  skip(count: number): void {
    this.#at += count * this.#width
    if (this.#at > this.#end) throw new CutShort("a page's values")
  }
}

/** BYTE_STREAM_SPLIT of FIXED_LEN_BYTE_ARRAY: put together again at once, as many bytes as before. */
export function splitBytes(bytes: Uint8Array, at: number, end: number, width: number, count: number): ByteValues {
  demand(end - at === width * count, "a page has another number of bytes than its values take")
  const joined = new Uint8Array(count * width)
  for (let byte = 0, source = at; byte < width; byte++) {
    for (let target = byte; target < joined.length; target += width) joined[target] = bytes[source++]!
  }
  return new PlainFixedBytes(joined, 0, joined.length, width)
}

/** DELTA_LENGTH_BYTE_ARRAY: all lengths, packed, then all bytes. */
export class DeltaLengthBytes implements ByteValues {
  readonly #bytes: Uint8Array
  readonly #lengths: Int32Array
  #index = 0
  #at: number

  /** @param valuesMax how many values the page can have. */
  constructor(bytes: Uint8Array, at: number, end: number, valuesMax: number) {
    const { lengths, end: lengthsEnd } = readLengths(bytes, at, end, valuesMax)
    let left = end - lengthsEnd
    for (const length of lengths) {
      if (length > left) throw new CutShort("a value")
      left -= length
    }
    this.#bytes = bytes
    this.#lengths = lengths
    this.#at = lengthsEnd
  }

  read(count: number, spans: Spans): void {
    demand(count <= this.#lengths.length - this.#index, "a page has fewer values than rows")
    spans.reserve(count)
    spans.bytes = this.#bytes
    for (let index = 0; index < count; index++) {
      spans.starts[index] = this.#at
      spans.ends[index] = this.#at += this.#lengths[this.#index++]!
    }
  }

  skip(count: number): void {
    demand(count <= this.#lengths.length - this.#index, "a page has fewer values than rows")
    for (let index = 0; index < count; index++) this.#at += this.#lengths[this.#index++]!
  }
}

/**
 * DELTA_BYTE_ARRAY: how many bytes each shares with the one before, all packed; then, as DELTA_LENGTH_BYTE_ARRAY, what
 * comes behind them. The values are put together at once. `limits` are how many values there may be, how many bytes they
 * may take, and how many each must have (0: any number).
 */
export function deltaBytes(
  bytes: Uint8Array,
  at: number,
  end: number,
  limits: { readonly values: number; readonly bytes: number; readonly width: number },
): ByteValues {
  const prefixes = readLengths(bytes, at, end, limits.values)
  const suffixes = readLengths(bytes, prefixes.end, end, limits.values)
  const count = prefixes.lengths.length
  demand(suffixes.lengths.length === count, "a page has another number of beginnings than of ends")
  const ends = new Int32Array(count)
  let total = 0
  let source = suffixes.end
  for (let index = 0, last = 0; index < count; index++) {
    const prefix = prefixes.lengths[index]!
    const suffix = suffixes.lengths[index]!
    demand(prefix <= last, "a value shares more bytes than the one before has")
    if (suffix > end - source) throw new CutShort("a value")
    source += suffix
    last = prefix + suffix
    demand(limits.width === 0 || last === limits.width, "a value of fixed length has another one")
    total += last
    if (total > limits.bytes) throw new TooLarge(total, limits.bytes)
    ends[index] = total
  }
  const joined = new Uint8Array(total)
  source = suffixes.end
  for (let index = 0, before = 0, start = 0; index < count; index++) {
    const prefix = prefixes.lengths[index]!
    const suffix = suffixes.lengths[index]!
    joined.copyWithin(start, before, before + prefix)
    joined.set(bytes.subarray(source, source + suffix), start + prefix)
    source += suffix
    before = start
    start = ends[index]!
  }
  return new JoinedBytes(joined, ends)
}

/** Values one after the other, whose ends are known. */
class JoinedBytes implements ByteValues {
  readonly #bytes: Uint8Array
  readonly #ends: Int32Array
  #index = 0

  constructor(bytes: Uint8Array, ends: Int32Array) {
    this.#bytes = bytes
    this.#ends = ends
  }

  read(count: number, spans: Spans): void {
    const from = this.#index
    this.skip(count)
    spans.reserve(count)
    spans.bytes = this.#bytes
    for (let index = 0; index < count; index++) {
      spans.starts[index] = from + index === 0 ? 0 : this.#ends[from + index - 1]!
      spans.ends[index] = this.#ends[from + index]!
    }
  }

  skip(count: number): void {
    demand(count <= this.#ends.length - this.#index, "a page has fewer values than rows")
    this.#index += count
  }
}

/** Packed lengths, none of which is negative, and where they end. */
function readLengths(
  bytes: Uint8Array,
  at: number,
  end: number,
  valuesMax: number,
): { lengths: Int32Array; end: number } {
  const reader = new DeltaReader(bytes, at, end, 1)
  demand(reader.count <= valuesMax, "a page has more values than rows")
  const lengths = new Int32Array(reader.count)
  reader.read(reader.count, lengths)
  for (const length of lengths) demand(length >= 0, "a length is negative")
  return { lengths, end: reader.end }
}
