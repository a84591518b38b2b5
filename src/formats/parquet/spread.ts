/** Values that were read without the nulls between them, moved to their rows. */
import type { FieldReader } from "../field-reader.ts"
import type { Faults } from "./faults.ts"

/**
 * Moves the first `valid` values of the reader's column to those of the first `count` rows whose bit, from `first` on, is
 * set; the other rows get 0 (N2). It goes from the last row to the first, so that no value is overwritten before it moves.
 */
export function spreadValues(
  validity: Uint8Array,
  first: number,
  count: number,
  valid: number,
  target: FieldReader,
): void {
  const { storage } = target.type
  if (storage === "bit") spreadBits(validity, first, count, valid, target.bits)
  else if (storage === "int64") spreadPairs(validity, first, count, valid, target.slots)
  else spreadSlots(validity, first, count, valid, storage === "dictionary" ? target.words : target.slots)
}

type Numbers = Int32Array | Float64Array

function spreadSlots(validity: Uint8Array, first: number, count: number, valid: number, slots: Numbers): void {
  for (let row = count - 1, source = valid - 1; row >= 0; row--) {
    const bit = first + row
    slots[row] = ((validity[bit >> 3]! >> (bit & 7)) & 1) === 1 ? slots[source--]! : 0
  }
}

function spreadPairs(validity: Uint8Array, first: number, count: number, valid: number, halves: Numbers): void {
  for (let row = count - 1, source = valid - 1; row >= 0; row--) {
    const bit = first + row
    const isValid = ((validity[bit >> 3]! >> (bit & 7)) & 1) === 1
    halves[2 * row] = isValid ? halves[2 * source]! : 0
    halves[2 * row + 1] = isValid ? halves[2 * source + 1]! : 0
    if (isValid) source--
  }
}

function spreadBits(validity: Uint8Array, first: number, count: number, valid: number, bits: Uint8Array): void {
  for (let row = count - 1, source = valid - 1; row >= 0; row--) {
    const bit = first + row
    const isValid = ((validity[bit >> 3]! >> (bit & 7)) & 1) === 1
    const isSet = isValid && ((bits[source >> 3]! >> (source & 7)) & 1) === 1
    if (isValid) source--
    if (isSet) bits[row >> 3]! |= 1 << (row & 7)
    else bits[row >> 3]! &= ~(1 << (row & 7))
  }
}

/** Moves faults from their values to the rows of these, of which there are `count`. */
export function spreadFaults(validity: Uint8Array, first: number, count: number, { places }: Faults): void {
  if (places.length === 0) return
  const rows: number[] = []
  for (let row = 0; row < count; row++) {
    const bit = first + row
    if (((validity[bit >> 3]! >> (bit & 7)) & 1) === 1) rows.push(row)
  }
  for (let index = 0; index < places.length; index++) places[index] = rows[places[index]!]!
}
