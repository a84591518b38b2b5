/** `int53`: a whole number from −(2⁵³ − 1) to 2⁵³ − 1: those that a JavaScript number holds exactly. It has no −0. */
import { wholeNumberType } from "./whole-number.ts"

/** See `t.int53`. */
export const int53Type = wholeNumberType("int53", "int64", {
  least: Number.MIN_SAFE_INTEGER,
  greatest: Number.MAX_SAFE_INTEGER,
})
