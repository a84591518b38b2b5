/** `max`: the greatest value. Of floats it is `Math.max`: NaN wins, and −0 is less than +0. */
import { extremeOf } from "./extreme.ts"

/** See the head of this file. */
export const max = extremeOf("max")
