/** What the index of a block says besides: see `BlockFormat`. */

/** Where it says whether any byte has its high bit set, and whether the bytes have been used up. */
export const REPORT = { high: 0, isOut: 4 } as const
