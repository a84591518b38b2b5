/**
 * Changes of keys, looked over before they are taken over: of many keys at once where each begins and ends, and its hash. So what a table of
 * keys is asked for is known ahead, and a processor can fetch it from memory for many keys at the same time.
 *
 * Changes of a key: the values of the key columns, uint8 what became of it (`GONE`, `THERE`), and, where it is there, changes of its cells and
 * of its timers (`key-state.ts`).
 *
 * Invariants:
 * - SC1 What is looked over is what `KeyState` would read: it ends where that ends.
 */
import type { ByteReader } from "../../base/bytes.ts"
import type { ColumnType } from "../../batch/type.ts"
import { bytesOf, COUNTED_BYTES, skipOf, type Skip } from "../../batch/value-skip.ts"
import type { CellSkip, SeenChanges } from "./cell.ts"
import { hashOfBytes } from "./key-rows.ts"
import { cellSkipOf, skipTimers } from "./key-state.ts"
import type { StateSpec } from "./process-spec.ts"
import { EMPTY, FULL, SAME } from "./value-cell.ts"

/** Of a key that has nothing any more. */
export const GONE = 0
/** Of one of which changes follow. */
export const THERE = 1

/** So many keys are looked over at once: what is fetched for them has room in the nearest cache. */
export const KEYS_MAX = 128

/** A varint that is less has one byte. */
const ONE_BYTE_MAX = 0x80

/** How many bytes each value has, see `bytesOf`. */
interface PlainForm {
  readonly keys: readonly number[]
  readonly cells: readonly number[]
}

/** See the head of this file. What it tells is of the last call of `scan`, by the order of the keys. */
export class ScannedChanges {
  readonly hashes = new Int32Array(KEYS_MAX)
  /** Where a key begins, and where it ends. */
  readonly starts = new Uint32Array(KEYS_MAX)
  readonly keyEnds = new Uint32Array(KEYS_MAX)
  /** What became of it. */
  readonly tags = new Uint8Array(KEYS_MAX)
  /** Whether the changes say all of its cells, whatever was before. */
  readonly areWhole = new Uint8Array(KEYS_MAX)
  /** Whether they are changes of something that must have been there before. */
  readonly areRests = new Uint8Array(KEYS_MAX)
  /** When the first of its values expires, or `Infinity`. */
  readonly expiresMicros = new Float64Array(KEYS_MAX)
  /** Where changes of its timers begin; 0 where there are none. */
  readonly timers = new Uint32Array(KEYS_MAX)

  /** Whether it is of a form that is quickly seen, and has no timers. */
  readonly arePlain = new Uint8Array(KEYS_MAX)

  readonly #keySkips: readonly Skip[]
  readonly #cellSkips: readonly CellSkip[]
  readonly #settle: ((bytes: Uint8Array, start: number, end: number) => void) | undefined
  readonly #plain: PlainForm | undefined
  readonly #seen: SeenChanges = { isRest: false, isWhole: true, expiresMicros: Infinity }

  /** @param settle told of where a key is, before it is hashed; may change its bytes. */
  constructor(
    keyTypes: readonly ColumnType[],
    specs: readonly StateSpec[],
    settle: ((bytes: Uint8Array, start: number, end: number) => void) | undefined,
  ) {
    this.#keySkips = keyTypes.map(skipOf)
    this.#cellSkips = specs.map(cellSkipOf)
    this.#settle = settle
    this.#plain = plainForm(keyTypes, specs)
  }

  /** Looks over the next keys: so many at most. What is no changes shows as a `RangeError`, as far as that shows. */
  scan(from: ByteReader, bytes: Uint8Array, keys: number): number {
    const count = Math.min(keys, KEYS_MAX)
    const plain = this.#plain
    if (plain === undefined) for (let index = 0; index < count; index++) this.#scanKey(from, bytes, index)
    else
      for (let index = 0; index < count; index++)
        if (!this.#scanPlain(plain, from, bytes, index)) this.#scanKey(from, bytes, index)
    return count
  }

  #scanKey(from: ByteReader, bytes: Uint8Array, index: number): void {
    const start = from.position
    for (const skip of this.#keySkips) skip(from)
    const end = from.position
    const tag = from.uint8()
    if (tag > THERE) throw new RangeError(`${tag} stands for what became of a key`)
    const seen = this.#seen
    seen.isRest = false
    seen.isWhole = true
    seen.expiresMicros = Infinity
    let timers = 0
    if (tag === THERE) {
      for (const skip of this.#cellSkips) skip(from, seen)
      timers = from.position
      if (skipTimers(from) === 0) timers = 0
    }
    this.#takeKey(bytes, index, start, end)
    this.tags[index] = tag
    this.areWhole[index] = seen.isWhole ? 1 : 0
    this.areRests[index] = seen.isRest ? 1 : 0
    this.expiresMicros[index] = seen.expiresMicros
    this.timers[index] = timers
    this.arePlain[index] = 0
  }

  /** Looks over one that was looked over before, as the first. */
  scanAgain(from: ByteReader, bytes: Uint8Array): void {
    this.#scanKey(from, bytes, 0)
  }

  /** Takes one that was looked over before, and was plain, as that of an index. */
  takePlain(index: number, hash: number, start: number, keyEnd: number, isWhole: number): void {
    this.hashes[index] = hash
    this.starts[index] = start
    this.keyEnds[index] = keyEnd
    this.tags[index] = THERE
    this.areWhole[index] = isWhole
    this.areRests[index] = 0
    this.expiresMicros[index] = Infinity
    this.timers[index] = 0
  }

  /** The same of a key that has no timers: whether it was one, and of a form that is quickly seen. Else nothing has happened. */
  #scanPlain({ keys, cells }: PlainForm, from: ByteReader, bytes: Uint8Array, index: number): boolean {
    const start = from.position
    let at = start
    for (let column = 0; column < keys.length; column++) {
      const width = keys[column]!
      if (width !== COUNTED_BYTES) at += width
      else if (bytes[at]! < ONE_BYTE_MAX) at += 1 + bytes[at]!
      else return false
    }
    const end = at
    if (bytes[at++] !== THERE) return false
    let isWhole = 1
    for (let cell = 0; cell < cells.length; cell++) {
      const tag = bytes[at++]
      if (tag === SAME) isWhole = 0
      else if (tag === FULL) {
        const width = cells[cell]!
        if (width !== COUNTED_BYTES) at += width
        else if (bytes[at]! < ONE_BYTE_MAX) at += 1 + bytes[at]!
        else return false
      } else if (tag !== EMPTY) return false
    }
    if (bytes[at++] !== 0) return false
    from.moveTo(at)
    this.#settle?.(bytes, start, end)
    this.takePlain(index, hashOfBytes(bytes, start, end), start, end, isWhole)
    this.arePlain[index] = 1
    return true
  }

  #takeKey(bytes: Uint8Array, index: number, start: number, end: number): void {
    this.#settle?.(bytes, start, end)
    this.hashes[index] = hashOfBytes(bytes, start, end)
    this.starts[index] = start
    this.keyEnds[index] = end
  }
}

/** That of changes which are single values all, none of which may be null or expires. */
function plainForm(keyTypes: readonly ColumnType[], specs: readonly StateSpec[]): PlainForm | undefined {
  const keys = keyTypes.map(bytesOf)
  const cells = specs.map((spec) => {
    const isValue = spec.kind === "value" || spec.kind === "reducing"
    return isValue && spec.ttlMicros === Infinity ? bytesOf(spec.type) : undefined
  })
  return keys.every(isNumber) && cells.every(isNumber) ? { keys, cells } : undefined
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined
}
