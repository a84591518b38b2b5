/** `uint32`: a whole number from 0 to 2³² − 1. It takes eight bytes, as an int53. */
import { int53Type } from "./int53.ts"
import { wholeNumberType } from "./whole-number.ts"

/** See `t.uint32`. */
export const uint32Type = wholeNumberType("uint32", "int64", { least: 0, greatest: 2 ** 32 - 1 }, int53Type.definition)
