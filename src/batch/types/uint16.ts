/** `uint16`: a whole number from 0 to 65,535. It takes four bytes, as an int32. */
import { int32Type } from "./int32.ts"
import { wholeNumberType } from "./whole-number.ts"

/** See `t.uint16`. */
export const uint16Type = wholeNumberType("uint16", "int32", { least: 0, greatest: 65_535 }, int32Type.definition)
