/**
 * The control block of what adds records in no order of time, in linear memory beside that of the window operator
 * (`window-control.ts`).
 *
 * Offsets in bytes, fields of 4 bytes unless said:
 *
 *      0  cells: address          16  scale of cells (float64)     48  the latest time (8 bytes)
 *      4  mask for their places   24  twice their origin (8 bytes) 56  slots: address
 *      8  whether a slide has     32  their origin (8 bytes)       60  the piece at hand: address of its record
 *         two slices              40  where its second slice       64  the entry at hand
 *     12  slots: for how many        starts (8 bytes)              68  rows that count: address
 *         entries there are some                                   72  rows late for some windows: address
 *     76  rows late for all: address   80  rows out of time: address   84  how many are late for some, 88 late for all,
 *     92  out of time, 96 between windows   104  a cell by itself (32 bytes)
 *
 * Cells are a cache of pieces by time, at the number of the slice, counted from an origin, up to the mask. Whatever a cell
 * has, it says itself for which times it holds: for none, where it is all zeros. Slots are those of `piece-index.ts`.
 */

/** Offsets of the fields. */
export const DISORDER = {
  cells: 0,
  cellMask: 4,
  hasTwoEdges: 8,
  slotsCapacity: 12,
  scale: 16,
  doubleOrigin: 24,
  origin: 32,
  endEdge: 40,
  maxTime: 48,
  slots: 56,
  piece: 60,
  entry: 64,
  kept: 68,
  some: 72,
  late: 76,
  outside: 80,
  someCount: 84,
  lateCount: 88,
  outsideCount: 92,
  betweenCount: 96,
  ownCell: 104,
} as const

/** Bytes of the block. */
export const DISORDER_BYTES = 136

/** Offsets within a cell of `CELL_BYTES` bytes. */
export const CELL = {
  /** The start and the length of the piece's slice, int64 microseconds. */
  start: 0,
  length: 8,
  /** The address of the piece's first slot, and how many bytes its slots have; without keys, how many entries it has. */
  table: 16,
  tableBytes: 20,
  /** The piece's first entry. Records of pieces are not named, as they move whenever a piece comes before others. */
  from: 24,
} as const

/** A cell has 32 bytes. */
export const CELL_SHIFT = 5

/** Stands for the address of watermarks, or of a record, that is not there. 0 is an address like any other. */
export const NOWHERE = 1

/** The least and the most entries that there is room for in a new piece. */
export const SMALLEST_ROOM = 2
export const FIRST_ROOM_MAX = 4096
