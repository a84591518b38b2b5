/**
 * The control block of a key table's kernels: what a kernel is told before each call, in words of 32 bits, by place.
 */

/** Places of the block. Addresses are in bytes. */
export const CONTROL = {
  /** The list of rows, and the ids. */
  rows: 0,
  ids: 1,
  /** The segment of a small index, or the directory of a large one, and the mask for its places. */
  index: 2,
  directoryMask: 3,
  /** The bits of a hash that are the place of a bucket, in bytes. */
  mask: 4,
  /** The rooms of the segments of a large index. */
  rooms: 5,
  /** The words of key 0. */
  words: 6,
  /** How many keys there are: kernels add to it. */
  size: 7,
  /** How many there may be before the table grows. */
  capacity: 8,
  /** Ids by value: the one of the value 0, behind that of null, and for how many values there are some. */
  byValue: 9,
  valueCount: 10,
  /** Room for the hashes and buckets of `AHEAD_ROWS` rows, where the index is large. */
  ahead: 11,
  /** Where the kernel leaves what it read of buckets ahead of time, so that it is read. */
  touched: 12,
  /** How many keys are in the index, to which the kernel adds, and how many may be before a small one grows. */
  indexSize: 13,
  indexCapacity: 14,
  /** From here on three addresses for each part: values, validity (or `NO_BITMAP`), what is known of codes. */
  parts: 15,
} as const

/** Words for each part. */
export const CONTROL_PART_WORDS = 3

/** Stands for the address of a bitmap that is not there. 0 is an address like any other. */
export const NO_BITMAP = 1

/** Where the index is large, the buckets of so many rows are read ahead of time. */
export const AHEAD_ROWS = 512
/** A row's hash and bucket have 8 bytes. */
export const AHEAD_SHIFT = 3
