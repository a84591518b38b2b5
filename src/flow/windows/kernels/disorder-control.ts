/**
 * The control block of what adds records in no order of time, in linear memory beside that of the window operator
 * (`window-control.ts`).
 *
 * Offsets in bytes, fields of 4 bytes unless said:
 *
 *      0  cells: address          16  0.5 / slide (float64)        48  the latest time (8 bytes)
 *      4  mask for their places   24  2 · origin − 1 (8 bytes)     56  slots: address
 *      8  whether a slide has     32  2 · slide (float64)          60  the piece at hand: address of its record
 *         two slices              40  2 · where its second slice   64  the entry at hand
 *     12  slots: for how many        starts (float64)              68  rows that count: address
 *         entries there are some                                   72  rows late for some windows: address
 *     76  rows late for all: address   80  rows out of time: address   84  how many are late for some, 88 late for all,
 *     92  out of time, 96 between windows   100  numbers of slices: address   104  where the second slice starts (8 bytes)
 *    112  a cell by itself (16 bytes)   128  rows on time: address       132  how many there are
 *
 * Cells are a cache of pieces by the numbers of their slices (`number-code.ts`), at the place that a number is by the mask.
 * A cell says itself which number it is of: none, where it is all zeros. Slots are those of `piece-index.ts`.
 */

/** Offsets of the fields. */
export const DISORDER = {
  cells: 0,
  cellMask: 4,
  hasTwoEdges: 8,
  slotsCapacity: 12,
  scale: 16,
  doubleOrigin: 24,
  doubleSlide: 32,
  doubleEdge: 40,
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
  numbers: 100,
  endEdge: 104,
  ownCell: 112,
  onTime: 128,
  onTimeCount: 132,
} as const

/** Bytes of the block. */
export const DISORDER_BYTES = 136

/** Offsets within a cell, of 4 bytes each. Records of pieces are not named: they move in their list. */
export const CELL = {
  /** The number of the piece's slice. */
  number: 0,
  /** The address of the piece's first slot, and how many bytes its slots have; without keys, how many entries it has. */
  table: 4,
  tableBytes: 8,
  /** The piece's first entry. */
  from: 12,
} as const

/** A cell has 16 bytes. */
export const CELL_SHIFT = 4

/** Stands for the address of watermarks, or of a record, that is not there. 0 is an address like any other. */
export const NOWHERE = 1

/** The least and the most entries that there is room for in a new piece. */
export const SMALLEST_ROOM = 2
export const FIRST_ROOM_MAX = 4096
