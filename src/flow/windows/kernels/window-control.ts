/**
 * The control block of a window operator: where its arrays lie and how far they are filled, in linear memory, so that
 * generated kernels and JavaScript see the same.
 *
 * Offsets in bytes, fields of 4 bytes unless said:
 *
 *      0  pieces: address          20  entryTail: entries in use      48  newIds: address
 *      4  pieces: capacity         24  entries: capacity              52  newLength
 *      8  head                     28  entryIds: address              56  oldPlaces: address
 *     12  sealed                   32  entryDirty: address            60  newPlaces: address
 *     16  tail                     36  entryOf: address               64  position
 *                                  40  oldIds: address                68  chosen: address
 *     72  stop reason              44  oldLength                      76  edge
 *     80  failures: address        84  number of failures             88  newStart (8 bytes)
 *     96  times: address          100  windowStart column: address   104  windowEnd column: address
 *    112  window size (8 bytes)   120  slide (8 bytes)                128  offset (8 bytes)
 *    136  block length (8 bytes)  144  time shift (8 bytes)           152  whether each slide is one slice
 *    156  keys' words: address     160  floorEnd (8 bytes)
 *    168  oldAcross: address       172  newAcross: address            176  acrossCount
 *    180  idTable: address         184  idCount                      188  key count: address
 *    192  keyCapacity              196  straightFrom                 200  straightCount
 *    204  stateEnd                     208  resultIds: address            212  resultRuns: address
 *    216  resultRunCount                220  laneCount                      224  laneKeys (16 bytes)
 *    240  fewOld (8 bytes)             248  fewNew (8 bytes)               256  fewReady
 *    260  pieceLanes: address
 *    264  entry fields: an address each; window fields: the addresses of what entries have `after` them, of what
 *         the places of the old and of the new list have, and of what those of the old list have `later`; inputs: the addresses of their values and of their validity;
 *         results, and the columns of keys: the same; columns of keys in the old and the new list: an address each;
 *         for keys that are looked up on the way: the address of each part's column, and its bits
 *
 * What the arrays are for stands in `window-code.ts`.
 */

/** Offsets of the fixed fields. */
export const CONTROL = {
  pieces: 0,
  pieceCapacity: 4,
  head: 8,
  sealed: 12,
  tail: 16,
  entryTail: 20,
  entryCapacity: 24,
  entryIds: 28,
  entryDirty: 32,
  entryOf: 36,
  oldIds: 40,
  oldLength: 44,
  newIds: 48,
  newLength: 52,
  oldPlaces: 56,
  newPlaces: 60,
  position: 64,
  chosen: 68,
  reason: 72,
  edge: 76,
  failures: 80,
  failureCount: 84,
  newStart: 88,
  times: 96,
  windowStarts: 100,
  windowEnds: 104,
  size: 112,
  slide: 120,
  offset: 128,
  blockLength: 136,
  timeShift: 144,
  hasOneEdge: 152,
  keyWords: 156,
  floorEnd: 160,
  oldAcross: 168,
  newAcross: 172,
  /** How many keys are in both lists. */
  acrossCount: 176,
  /** Where ids are looked up on the way: the table, and how many values it has. */
  idTable: 180,
  idCount: 184,
  /** Where the number of keys is counted, for kernels that add keys, and how many there may be. */
  keySize: 188,
  keyCapacity: 192,
  /** A run of entries, the nth of which is of the key with the id n: the first entry, and how many they are. */
  straightFrom: 196,
  straightCount: 200,
  /** Behind the last byte that a kernel wrote of state. */
  stateEnd: 204,
  /**
   * Where keys and windows of result rows are stored once it is known which rows stay (`keep-code.ts`): the ids of the rows'
   * keys, or 0 where keys are stored at once, and runs of rows of one window: the place behind a run, and the window's
   * end, 8 bytes each.
   */
  resultIds: 208,
  resultRuns: 212,
  resultRunCount: 216,
  /**
   * Where keys are few (`ingest-lanes-code.ts`): how many there are, 0 where they are not, and what their columns hold, by
   * id. What stands behind the last is none of these.
   */
  laneCount: 220,
  laneKeys: 224,
  /** What `fire-few-code.ts` has in place of lists: the places of keys in the older block and in the newer one, a byte each; and how many places have keys. */
  fewOld: 240,
  fewNew: 248,
  fewReady: 256,
  /** What pieces have beside their entries where keys are few (`piece-lanes.ts`). */
  pieceLanes: 260,
} as const

const FIELDS = 264

/** Offsets within a piece's record of `PIECE_BYTES` bytes. Times are int64 microseconds; the rest is of 4 bytes. */
export const PIECE = {
  /** Where its slice starts, and the first moment behind it. */
  start: 0,
  end: 8,
  /** The end of the first window in which its records count, and of the last. */
  countsFrom: 16,
  lastWindowEnd: 24,
  /** Its entries: the first one, how many there are, and for how many there is room. */
  from: 32,
  size: 36,
  capacity: 40,
  /** How many entries the last epoch wrote. */
  written: 44,
  /** Not 0 where something has changed since; see `piece-lanes.ts` for what else it may be than 1. */
  dirty: 48,
  /** How many keys of the old list have their last old piece in it. */
  oldCount: 52,
  /** How many of its entries its table has, and the bits that hashes are shifted by there; 0 where it has none. */
  indexed: 56,
  shift: 60,
} as const

/** Bytes of a piece's record. */
export const PIECE_BYTES = 64

/** Rows for which entries are made ready together (`ingest-blocks-code.ts`). */
export const BLOCK_ROWS = 64

/** Why a kernel stopped before the end. */
export const STOP = { done: 0, noRoom: 1, refused: 2, newSlice: 3, newKey: 4 } as const

/** The two lists of keys that windows share; see `window-code.ts`. */
export type ListName = "old" | "new"

/** Offsets of the fields that depend on the aggregates. */
export class ControlFields {
  readonly #entryFields: number
  readonly #windowFields: number
  readonly #inputs: number
  readonly #results: number
  readonly #keys: number
  readonly #lookedUp: number
  /** Bytes of the whole block. */
  readonly bytes: number

  constructor(counts: {
    entryFields: number
    windowFields: number
    inputs: number
    results: number
    keys: number
    listed: number
  }) {
    this.#entryFields = counts.entryFields
    this.#windowFields = counts.windowFields
    this.#inputs = counts.inputs
    this.#results = counts.results
    this.#keys = counts.keys
    this.#lookedUp = this.listed("old", counts.listed)
    this.bytes = this.lookedUp(counts.keys)
  }

  entryField(index: number): number {
    return FIELDS + index * 4
  }

  after(windowField: number): number {
    return FIELDS + this.#entryFields * 4 + windowField * 16
  }

  /** What places of a list have. */
  atPlaces(list: ListName, windowField: number): number {
    return this.after(windowField) + (list === "old" ? 4 : 8)
  }

  /** What places of the old list have in the newer block. */
  later(windowField: number): number {
    return this.after(windowField) + 12
  }

  inputValues(input: number): number {
    return this.after(this.#windowFields) + input * 8
  }

  inputValidity(input: number): number {
    return this.inputValues(input) + 4
  }

  resultValues(result: number): number {
    return this.inputValues(this.#inputs) + result * 8
  }

  resultValidity(result: number): number {
    return this.resultValues(result) + 4
  }

  keyValues(part: number): number {
    return this.resultValues(this.#results) + part * 8
  }

  keyValidity(part: number): number {
    return this.keyValues(part) + 4
  }

  /** The column of a part of keys that are looked up on the way. */
  lookedUp(part: number): number {
    return this.#lookedUp + part * 8
  }

  /** How many bits the part has. */
  lookedUpBits(part: number): number {
    return this.lookedUp(part) + 4
  }

  /** A column of the keys in a list. */
  listed(list: ListName, column: number): number {
    return this.keyValues(this.#keys) + column * 8 + (list === "old" ? 0 : 4)
  }
}
