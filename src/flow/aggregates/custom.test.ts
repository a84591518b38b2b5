/** Aggregates of a program's own: what their states are, and what becomes of functions that fail. */
import { expect, test } from "vitest"
import { ByteReader } from "../../base/bytes.ts"
import { t } from "../../batch/types.ts"
import { bytesOf, restored } from "./accumulators.reference.ts"
import { custom, type CustomFunctions } from "./custom.ts"
import { heldValue, readValue } from "./value-bytes.ts"

const STATE = t.object({ n: t.int53, text: t.string, single: t.float32, at: t.object({ x: t.float64 }).nullable() })
const START = { n: 0, text: "", single: 0, at: null }

function accumulatorOf(functions: Partial<CustomFunctions>) {
  const whole = { state: STATE, type: STATE, init: () => START, add: () => START, merge: () => START, ...functions }
  return custom(whole, {}).accumulator(t.int53)
}

test("VB1 VB2 W56 a state is what a column would hold: declared fields, no −0 of whole numbers, well-formed texts, singles", () => {
  const given = { n: -0, text: "a\ud800", single: 0.1, at: { x: -0, y: 1 }, more: 1 }
  const held = { n: 0, text: "a\ufffd", single: Math.fround(0.1), at: { x: -0 } }
  const accumulator = accumulatorOf({ add: () => given })
  const partial = accumulator.add(accumulator.init(), 1, 0)
  expect(accumulator.result(partial)).toEqual(held)
  expect(accumulator.result(restored(accumulator, partial))).toEqual(held)
  expect(heldValue(STATE, held)).toEqual(held)
})

test("AC4 W56 a state cannot be changed by a function that it is given to", () => {
  const add = (state: { n: number; at: { x: number } | null }) => {
    if (state.at !== null) state.at.x = 7
    return { ...START, at: { x: 1 } }
  }
  const accumulator = accumulatorOf({ add })
  const once = accumulator.add(accumulator.init(), 1, 0)
  expect(() => accumulator.add(once, 2, 0)).toThrow(TypeError)
  expect(() => accumulator.add(restored(accumulator, once), 2, 0)).toThrow(TypeError)
  expect(accumulator.result(once)).toEqual({ ...START, at: { x: 1 } })
})

test("W8 W56 what is no state is told with the declared type", () => {
  const accumulator = accumulatorOf({ add: () => ({ ...START, n: 0.5 }) })
  expect(() => accumulator.add(accumulator.init(), 1, 0)).toThrow(
    /^What add\(\.\.\.\) of the aggregate gives is an object/,
  )
  expect(() => accumulatorOf({ result: () => undefined }).result(accumulator.init())).toThrow("What result(...)")
})

test("W9 W56 an error of init, merge or inverse is kept, also over a restart, and fails the result", () => {
  const fail = () => {
    throw new Error("it cannot")
  }
  const merging = accumulatorOf({ merge: fail, inverse: fail })
  const broken = [
    merging.merge(merging.init(), merging.init()),
    merging.remove!(merging.init(), merging.init()),
    accumulatorOf({ init: fail }).init(),
  ]
  for (const partial of broken.flatMap((each) => [each, restored(merging, each)])) {
    expect(() => merging.result(partial)).toThrow("it cannot")
    expect(() => merging.result(merging.add(partial, 1, 0))).toThrow("it cannot")
    expect(() => merging.result(merging.merge(merging.init(), partial))).toThrow("it cannot")
  }
})

test("AC2 bytes that are no partial result are refused", () => {
  const accumulator = accumulatorOf({})
  const bytes = bytesOf(accumulator, accumulator.init())
  expect(() => accumulator.read(new ByteReader(Uint8Array.of(9)))).toThrow(RangeError)
  expect(() => accumulator.read(new ByteReader(bytes.subarray(0, bytes.length - 1)))).toThrow(RangeError)
  expect(() => readValue(t.int32, new ByteReader(new Uint8Array(new Float64Array([0.5]).buffer)))).toThrow(RangeError)
})
