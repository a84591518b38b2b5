/** `uint8`: a whole number from 0 to 255. It takes four bytes, as an int32. */
import { int32Type } from "./int32.ts"
import { wholeNumberType } from "./whole-number.ts"

/** See `t.uint8`. */
export const uint8Type = wholeNumberType("uint8", "int32", { least: 0, greatest: 255 }, int32Type.definition)
