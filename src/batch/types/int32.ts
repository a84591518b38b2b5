/** `int32`: a whole number from −2³¹ to 2³¹ − 1. It has no −0. */
import { wholeNumberType } from "./whole-number.ts"

/** See `t.int32`. */
export const int32Type = wholeNumberType("int32", "int32", { least: -(2 ** 31), greatest: 2 ** 31 - 1 })
