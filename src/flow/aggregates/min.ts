/** `min`: the least value. Of floats it is `Math.min`: NaN wins, and −0 is less than +0. */
import { extremeOf } from "./extreme.ts"

/** See the head of this file. */
export const min = extremeOf("min")
