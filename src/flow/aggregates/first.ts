/** `first`: the value with the least event time; of several the one that arrived first. Records with null are skipped. */
import { pickedBy } from "./picked.ts"

/** See the head of this file. */
export const first = pickedBy("first")
