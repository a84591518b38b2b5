/** What the index of a block says besides: see `BlockFormat`. */

/** Where it says whether there was a byte beyond ASCII or a quote, and whether the bytes have been used up. */
export const REPORT = { isSpecial: 0, isOut: 4 } as const
