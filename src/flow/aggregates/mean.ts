/**
 * `mean`: the sum divided by the number of values. The sum of floats is that of `sum`. The sum of integers is exact
 * within int64 (a record that takes it out is not accepted), turned into a double once, before the division.
 */
import { assert } from "../../base/assert.ts"
import type { ColumnType } from "../../batch/type.ts"
import { float64Type } from "../../batch/types/float64.ts"
import { f64, f64x2, i64, i64x2, when, type Code, type Local } from "../../base/wasm-code.ts"
import {
  inputLeaf,
  resultOf,
  type AggregateDefinition,
  type AggregateKernel,
  type PairCode,
  type ResultAccess,
  type Word,
} from "./aggregate.ts"
import { asF64, asI64, COUNT_FIELD, countUp, FLOAT_SUM_FIELD, ifPresent, minus, plus } from "./fields.ts"
import {
  addToWide,
  addWide,
  isInRange,
  refuses,
  subtractWide,
  sumField,
  WIDE_ENTRY,
  WIDE_FIELDS,
  widen,
} from "./whole-sum.ts"
import type { Accumulator } from "./accumulator.ts"
import { floatSumAccumulator, wholeSumAccumulator, wholeWithin, type WholeSum } from "./sum-accumulators.ts"
import { doublesOf } from "./lanes.ts"
import { floatSumBlocks } from "./float-sum-blocks.ts"
import { inTurns } from "./turn-sum.ts"
import { staysInRange, wholeSumBlocks } from "./whole-sum-blocks.ts"

function floatMean(input: ColumnType): AggregateKernel {
  const { isNullable } = input
  const fields = [FLOAT_SUM_FIELD, COUNT_FIELD]
  return {
    inputs: [inputLeaf(input)],
    results: [{ path: [], type: resultOf(float64Type, input) }],
    entry: fields,
    window: fields,
    add: (record, [sum, count]) =>
      ifPresent(isNullable, record, [sum!.store(f64.add(asF64(sum!.load()), asF64(record.value(0)))), countUp(count!)]),
    blocks: (access, entry, scope) => floatSumBlocks(isNullable, access, entry, scope),
    lift: (entry) => entry,
    combine: (earlier, later) => earlier.map((field, index) => plus(field, later[index]!)),
    finish: ([sum, count], result) => finish(isNullable, asF64(sum!.get), count!, result),
    ...(isNullable ? {} : { pairs: FLOAT_PAIRS, lanes: ["float sum", "count"] }),
  }
}

const FLOAT_PAIRS: PairCode = {
  combine: ([sum, count], [laterSum, laterCount]) => [f64x2.add(sum!, laterSum!), i64x2.add(count!, laterCount!)],
  finish: ([sums, counts]) => [f64x2.div(sums!, doublesOf(counts!))],
}

/** What all kernels of means of integers have. */
function wholeResults(input: ColumnType): Omit<AggregateKernel, "entry" | "add" | "lift" | "refuses"> {
  const { isNullable } = input
  return {
    inputs: [inputLeaf(input)],
    results: [{ path: [], type: resultOf(float64Type, input) }],
    window: [...WIDE_FIELDS, COUNT_FIELD],
    mayFail: true,
    combine: (earlier, later) => [...addWide(earlier, later), plus(earlier[2]!, later[2]!)],
    remove: (whole, part) => [...subtractWide(whole, part), minus(whole[2]!, part[2]!)],
    finish: ([low, high, count], result) => [
      when(isInRange("int64", low!, high!), finish(isNullable, f64.convertI64S(asI64(low!.get)), count!, result), [
        result.fail(),
      ]),
    ],
  }
}

function wholeMean(input: ColumnType): AggregateKernel {
  const { isNullable } = input
  const isInt32 = input.storage === "int32"
  return {
    ...wholeResults(input),
    entry: [sumField("int64"), COUNT_FIELD],
    refuses: (record, [sum], scope) => refuses("int64", isNullable, record, sum!, scope),
    add: (record, [sum, count]) =>
      ifPresent(isNullable, record, [sum!.store(i64.add(asI64(sum!.load()), asI64(record.value(0)))), countUp(count!)]),
    ...(isInt32 ? { accepts: (count, [sum]) => staysInRange("int64", sum!, count) } : {}),
    blocks: (access, entry, scope) => wholeSumBlocks({ range: "int64", isNullable, isInt32 }, access, entry, scope),
    lift: ([sum, count]) => [...widen(sum!), count!],
  }
}

/** The same, where windows share slices. */
function wideMean(input: ColumnType): AggregateKernel {
  return {
    ...wholeResults(input),
    entry: [...WIDE_ENTRY, COUNT_FIELD],
    add: (record, [low, high, count], scope) =>
      ifPresent(input.isNullable, record, [...addToWide(record, low!, high!, scope), countUp(count!)]),
    lift: (entry) => entry,
  }
}

function finish(
  isNullable: boolean,
  sum: Code<"f64">,
  count: Local<Word>,
  result: ResultAccess,
): readonly Code<"none">[] {
  return [
    result.store(0, f64.div(sum, f64.convertI64S(asI64(count.get)))),
    ...(isNullable ? [when(i64.eqz(asI64(count.get)), [result.storeNull(0)])] : []),
  ]
}

interface MeanPartial<S> {
  count: number
  sum: S
}

const WHOLE_SUM = wholeSumAccumulator("int64")

function wholeMeanSum(sum: WholeSum): number {
  return Number(wholeWithin(sum!, "int64"))
}

/** The mean as plain values: a sum and how many values there were. */
function meanOf<S>(sums: Accumulator<S>, toDouble: (sum: S) => number): Accumulator<MeanPartial<S>> {
  return {
    init: () => ({ count: 0, sum: sums.init() }),
    add(partial, value, time) {
      partial.count++
      partial.sum = sums.add(partial.sum, value, time)
      return partial
    },
    merge: (earlier, later) => ({
      count: earlier.count + later.count,
      sum: sums.merge(earlier.sum, later.sum),
    }),
    result: ({ count, sum }) => (count === 0 ? null : toDouble(sum) / count),
    write({ count, sum }, out) {
      out.varint(count)
      sums.write(sum, out)
    },
    read: (from) => ({ count: from.varint(), sum: sums.read(from) }),
  }
}

/** See the head of this file. */
export const mean: AggregateDefinition = {
  resultType: (input) => (input?.definition.adds === undefined ? undefined : resultOf(float64Type, input)),
  kernel(input) {
    assert(input !== undefined, "mean reads a column")
    return input.definition.adds === "float" ? floatMean(input) : wholeMean(input)
  },
  wideKernel(input) {
    assert(input !== undefined, "mean reads a column")
    return input.definition.adds === "float" ? floatMean(input) : wideMean(input)
  },
  aloneKernel(input) {
    assert(input !== undefined, "mean reads a column")
    return input.definition.adds === "float" ? inTurns(floatMean(input), input.isNullable) : wholeMean(input)
  },
  accumulator(input) {
    assert(input !== undefined, "mean reads a column")
    return input.definition.adds === "float"
      ? meanOf(floatSumAccumulator, Number)
      : meanOf(WHOLE_SUM, (sum) => wholeMeanSum(sum))
  },
}
