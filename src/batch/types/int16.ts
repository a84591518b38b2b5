/** `int16`: a whole number from −32,768 to 32,767. It takes four bytes, as an int32. */
import { int32Type } from "./int32.ts"
import { wholeNumberType } from "./whole-number.ts"

/** See `t.int16`. */
export const int16Type = wholeNumberType("int16", "int32", { least: -32_768, greatest: 32_767 }, int32Type.definition)
