/** `last`: the value with the greatest event time; of several the one that arrived last. Records with null are skipped. */
import { pickedBy } from "./picked.ts"

/** See the head of this file. */
export const last = pickedBy("last")
