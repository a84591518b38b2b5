/**
 * `sum`. Floats add in order of arrival within a slice, and their sums are float64. Sums of whole numbers are int53, those
 * of int64 and durations are of the same type.
 */
import { assert } from "../../base/assert.ts"
import type { ColumnType } from "../../batch/type.ts"
import { float64Type } from "../../batch/types/float64.ts"
import { int53Type } from "../../batch/types/int53.ts"
import { f64, f64x2, i64, when } from "../../base/wasm-code.ts"
import { inputLeaf, resultOf, type AggregateDefinition, type AggregateKernel, type PairCode } from "./aggregate.ts"
import { asF64, asI64, COUNT_FIELD, countUp, FLOAT_SUM_FIELD, ifPresent, minus, plus } from "./fields.ts"
import {
  addToWide,
  addWide,
  isInRange,
  refuses,
  subtractWide,
  sumField,
  type SumRange,
  WIDE_ENTRY,
  WIDE_FIELDS,
  widen,
} from "./whole-sum.ts"
import { floatSumBlocks } from "./float-sum-blocks.ts"
import { floatSumAccumulator, wholeSumAccumulator } from "./sum-accumulators.ts"
import { inTurns } from "./turn-sum.ts"
import { staysInRange, wholeSumBlocks } from "./whole-sum-blocks.ts"

function floatSum(input: ColumnType): AggregateKernel {
  const { isNullable } = input
  const fields = isNullable ? [FLOAT_SUM_FIELD, COUNT_FIELD] : [FLOAT_SUM_FIELD]
  return {
    inputs: [inputLeaf(input)],
    results: [{ path: [], type: resultOf(input, input) }],
    entry: fields,
    window: fields,
    add: (record, [sum, present]) =>
      ifPresent(isNullable, record, [
        sum!.store(f64.add(asF64(sum!.load()), asF64(record.value(0)))),
        ...(isNullable ? [countUp(present!)] : []),
      ]),
    blocks: (access, entry, scope) => floatSumBlocks(isNullable, access, entry, scope),
    lift: (entry) => entry,
    combine: (earlier, later) => earlier.map((field, index) => plus(field, later[index]!)),
    finish: ([sum, present], result) => [
      result.store(0, sum!.get),
      ...(isNullable ? [when(i64.eqz(asI64(present!.get)), [result.storeNull(0)])] : []),
    ],
    ...(isNullable ? {} : { pairs: FLOAT_PAIRS, lanes: ["float sum"] }),
  }
}

const FLOAT_PAIRS: PairCode = {
  combine: ([earlier], [later]) => [f64x2.add(earlier!, later!)],
  finish: (sums) => sums,
}

function rangeOf(input: ColumnType): SumRange {
  return input.definition.typeOf === "bigint" ? "int64" : "int53"
}

/** What all kernels of integer sums have. */
function wholeResults(input: ColumnType): Omit<AggregateKernel, "entry" | "add" | "lift" | "refuses"> {
  const { isNullable } = input
  const range = rangeOf(input)
  return {
    inputs: [inputLeaf(input)],
    results: [{ path: [], type: resultTypeOf(input)! }],
    window: isNullable ? [...WIDE_FIELDS, COUNT_FIELD] : WIDE_FIELDS,
    mayFail: true,
    combine: (earlier, later) => [...addWide(earlier, later), ...(isNullable ? [plus(earlier[2]!, later[2]!)] : [])],
    remove: (whole, part) => [...subtractWide(whole, part), ...(isNullable ? [minus(whole[2]!, part[2]!)] : [])],
    finish: ([low, high, present], result) => [
      when(isInRange(range, low!, high!), [result.store(0, low!.get)], [result.fail()]),
      ...(isNullable ? [when(i64.eqz(asI64(present!.get)), [result.storeNull(0)])] : []),
    ],
  }
}

function wholeSum(input: ColumnType): AggregateKernel {
  const { isNullable } = input
  const range = rangeOf(input)
  const isInt32 = input.storage === "int32"
  return {
    ...wholeResults(input),
    entry: isNullable ? [sumField(range), COUNT_FIELD] : [sumField(range)],
    refuses: (record, [sum], scope) => refuses(range, isNullable, record, sum!, scope),
    add: (record, [sum, present]) =>
      ifPresent(isNullable, record, [
        sum!.store(i64.add(asI64(sum!.load()), asI64(record.value(0)))),
        ...(isNullable ? [countUp(present!)] : []),
      ]),
    ...(isInt32 ? { accepts: (count, [sum]) => staysInRange(range, sum!, count) } : {}),
    blocks: (access, entry, scope) => wholeSumBlocks({ range, isNullable, isInt32 }, access, entry, scope),
    lift: ([sum, present]) => [...widen(sum!), ...(isNullable ? [present!] : [])],
  }
}

/** The same, where windows share slices. */
function wideSum(input: ColumnType): AggregateKernel {
  const { isNullable } = input
  return {
    ...wholeResults(input),
    entry: isNullable ? [...WIDE_ENTRY, COUNT_FIELD] : WIDE_ENTRY,
    add: (record, [low, high, present], scope) =>
      ifPresent(isNullable, record, [
        ...addToWide(record, low!, high!, scope),
        ...(isNullable ? [countUp(present!)] : []),
      ]),
    lift: (entry) => entry,
  }
}

function resultTypeOf(input: ColumnType | undefined): ColumnType | undefined {
  switch (input?.definition.adds) {
    case "whole": {
      const isNarrow = input.storage === "int32" || input.definition.narrowing !== undefined
      return resultOf(isNarrow ? int53Type : input, input)
    }
    case "float":
      return resultOf(float64Type, input)
    default:
      return undefined
  }
}

/** See the head of this file. */
export const sum: AggregateDefinition = {
  resultType: resultTypeOf,
  kernel(input) {
    assert(input !== undefined, "sum reads a column")
    return input.definition.adds === "float" ? floatSum(input) : wholeSum(input)
  },
  wideKernel(input) {
    assert(input !== undefined, "sum reads a column")
    return input.definition.adds === "float" ? floatSum(input) : wideSum(input)
  },
  aloneKernel(input) {
    assert(input !== undefined, "sum reads a column")
    return input.definition.adds === "float" ? inTurns(floatSum(input), input.isNullable) : wholeSum(input)
  },
  accumulator(input) {
    assert(input !== undefined, "sum reads a column")
    return input.definition.adds === "float" ? floatSumAccumulator : wholeSumAccumulator(rangeOf(input))
  },
}
