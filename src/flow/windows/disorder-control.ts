/**
 * The control block of what adds records in no order of time, in linear memory beside that of the window operator
 * (`window-control.ts`).
 *
 * Offsets in bytes, fields of 4 bytes unless said:
 *
 *      0  cells: address          16  scale of cells (float64)     56  slots: address
 *      4  mask for cells          24  twice their origin (8 bytes) 60  the piece at hand: address of its record
 *      8  whether a slide has     32  their origin (8 bytes)       64  the entry at hand
 *         two slices              40  where its second slice       68  rows that count: address
 *     12  rows late for some         starts (8 bytes)              72  rows late for all: address
 *         windows: address        48  the latest time (8 bytes)    76  rows out of time: address
 *     80  how many are late for some, 84 late for all, 88 out of time, 92 between windows
 *     96  the record that no time is in: a start and an end (16 bytes)
 *
 * Cells are a cache of pieces by time: addresses of records of `window-control.ts`, by the number of the slice, counted from
 * an origin, up to the mask. Whatever a cell has, the record says whether it is the right one. Slots are those of
 * `piece-index.ts`.
 */

/** Offsets of the fields. */
export const DISORDER = {
  cells: 0,
  cellMask: 4,
  hasTwoEdges: 8,
  some: 12,
  scale: 16,
  doubleOrigin: 24,
  origin: 32,
  endEdge: 40,
  maxTime: 48,
  slots: 56,
  piece: 60,
  entry: 64,
  kept: 68,
  late: 72,
  outside: 76,
  someCount: 80,
  lateCount: 84,
  outsideCount: 88,
  betweenCount: 92,
  nowhere: 96,
} as const

/** Bytes of the block. */
export const DISORDER_BYTES = 112

/** Stands for the address of watermarks that are not there. 0 is an address like any other. */
export const NO_WATERMARKS = 1
