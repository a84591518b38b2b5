/** `int8`: a whole number from −128 to 127. It takes four bytes, as an int32. */
import { int32Type } from "./int32.ts"
import { wholeNumberType } from "./whole-number.ts"

/** See `t.int8`. */
export const int8Type = wholeNumberType("int8", "int32", { least: -128, greatest: 127 }, int32Type.definition)
