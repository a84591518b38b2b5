/**
 * What a projection stores for a row, as lanes: for each column that it fills a value, whether there is one, and whether
 * the row is left to the closure because the lambda's value is not of the column's type.
 *
 * Invariants (those of `js-store.ts` hold here as well):
 * - JS1 What is stored is what `writeValue` would store of the same value.
 * - JS2 A test here accepts nothing that the type's `check` refuses.
 */
import type { ColumnType, NumberRange } from "../batch/type.ts"
import { isSafeInteger } from "./codegen-wasm-calls.ts"
import { exactInteger, exactSum } from "./codegen-wasm-integers.ts"
import type { LambdaLanes } from "./codegen-wasm-lanes.ts"
import { INVALID_CODE, notKnown } from "./lane-questions.ts"
import { typeOfReference, type ColumnReference, type Ir } from "./ir.ts"
import { isPlainText } from "./js-store.ts"
import { withoutKinds } from "./nodes.ts"
import { isWithin, kindsOfColumn, mayBe, NULL, NULLISH, UNDEFINED } from "./value-type.ts"
import type { Lane } from "./wasm-lane.ts"

/** A column to be filled. */
export interface WasmTarget {
  readonly index: number
  readonly type: ColumnType
}

/** What is stored in it. */
export interface TargetLanes extends WasmTarget {
  /** A double, an int32, an int64 or a bit, as the column's storage wants. */
  readonly value: Lane
  /** Whether the value is not null; `undefined` where it never is. */
  readonly isPresent: Lane<"flag"> | undefined
  /** Whether the value is none of the column's. */
  readonly isFailed: Lane<"flag">
  /** A column whose dictionary comes along with its codes. */
  readonly sharesDictionaryOf: ColumnReference | undefined
}

/** @throws NotCompilable where the value is left to JavaScript. */
export function targetLanes(lanes: LambdaLanes, node: Ir, target: WasmTarget): TargetLanes {
  const { type } = target
  if (!isWithin(node.kinds, kindsOfColumn(type) | NULLISH)) throw notKnown("a value that may be of another kind")
  if (type.storage === "dictionary") return textLanes(lanes, node, target)
  const { graph } = lanes
  const isNull = lanes.is(node, NULL)
  const { value, isValid } = valueLanes(lanes, withoutKinds(node, NULLISH), type)
  const isInvalid = graph.and(graph.not(lanes.is(node, NULLISH)), graph.not(isValid))
  const isMissing = type.isNullable ? lanes.is(node, UNDEFINED) : lanes.is(node, NULLISH)
  return {
    ...target,
    value,
    isPresent: type.isNullable ? graph.not(isNull) : undefined,
    isFailed: graph.or(isMissing, isInvalid),
    sharesDictionaryOf: undefined,
  }
}

interface ValueLanes {
  readonly value: Lane
  readonly isValid: Lane<"flag">
}

/** Of a value that is not nullish. */
function valueLanes(lanes: LambdaLanes, node: Ir, type: ColumnType): ValueLanes {
  const { graph } = lanes
  const always = graph.constant("flag", true)
  if (node.kinds === 0) return { value: nothing(lanes, type), isValid: always }
  const { range } = type.definition
  if (range !== undefined) {
    const whole = wholeLanes(lanes, node, type)
    const greatest = type.storage === "int32" ? 2 ** 31 - 1 : Number.MAX_SAFE_INTEGER
    return range.greatest === greatest ? whole : withinRange(lanes, whole, range)
  }
  switch (type.kind) {
    case "bool":
      return { value: lanes.truth(node), isValid: always }
    case "float64":
      return { value: lanes.number(node), isValid: always }
    case "int64":
      return { value: lanes.bigint(node), isValid: always }
    default:
      throw notKnown(`values of the type ${type.kind}`)
  }
}

/** Of a whole number: an int32, or a safe integer, as the storage wants. */
function wholeLanes(lanes: LambdaLanes, node: Ir, { storage }: ColumnType): ValueLanes {
  const { graph } = lanes
  const always = graph.constant("flag", true)
  const integer = exactInteger(lanes, node)
  if (storage === "int32") {
    if (integer?.type === "i32") return { value: integer, isValid: always }
    const number = lanes.number(node)
    const value = graph.operation("i32.saturated", number)
    return { value, isValid: graph.operation("f64.eq", graph.operation("f64.fromI32", value), number) }
  }
  if (integer?.type === "i64") return { value: integer, isValid: always }
  if (integer !== undefined) return { value: graph.operation("i64.fromI32", integer), isValid: always }
  const value = exactSum(lanes, node)
  if (value !== undefined) return { value, isValid: isSafeLong(lanes, value) }
  const number = lanes.number(node)
  return { value: graph.operation("i64.fromSafe", number), isValid: isSafeInteger(lanes, number) }
}

/** The same, where it must lie in a range within that of the storage. */
function withinRange({ graph }: LambdaLanes, { value, isValid }: ValueLanes, range: NumberRange): ValueLanes {
  const isAbove =
    value.type === "i32"
      ? graph.operation("i32.le", graph.constant("i32", range.least), value as Lane<"i32">)
      : graph.operation("i64.le", graph.constant("i64", BigInt(range.least)), value as Lane<"i64">)
  const isBelow =
    value.type === "i32"
      ? graph.operation("i32.le", value as Lane<"i32">, graph.constant("i32", range.greatest))
      : graph.operation("i64.le", value as Lane<"i64">, graph.constant("i64", BigInt(range.greatest)))
  return { value, isValid: graph.and(isValid, graph.and(isAbove, isBelow)) }
}

/** Whether an int64 is a safe integer. */
function isSafeLong({ graph }: LambdaLanes, value: Lane<"i64">): Lane<"flag"> {
  const most = BigInt(Number.MAX_SAFE_INTEGER)
  return graph.and(
    graph.operation("i64.le", value, graph.constant("i64", most)),
    graph.operation("i64.le", graph.constant("i64", -most), value),
  )
}

/** What stands in the slot of a value that is always null. */
function nothing({ graph }: LambdaLanes, { storage }: ColumnType): Lane {
  switch (storage) {
    case "bit":
      return graph.constant("flag", false)
    case "float64":
      return graph.constant("f64", 0)
    case "int64":
      return graph.constant("i64", 0n)
    default:
      return graph.constant("i32", 0)
  }
}

function textLanes(lanes: LambdaLanes, node: Ir, target: WasmTarget): TargetLanes {
  const { graph } = lanes
  const { type, index } = target
  const [zero, always, never] = [graph.constant("i32", 0), graph.constant("flag", true), graph.constant("flag", false)]
  if (node.op === "column" && isPlainText(typeOfReference(node)) && isPlainText(type)) {
    // The column passes through as it is. Where it is null its code is 0 already.
    const isNull = lanes.is(node, NULL)
    return {
      ...target,
      value: graph.load("i32", lanes.values(node)),
      isPresent: type.isNullable ? graph.not(isNull) : undefined,
      isFailed: type.isNullable ? never : isNull,
      sharesDictionaryOf: node,
    }
  }
  const code = lanes.code(node, index)
  const mayBeInvalid = mayBe(node.kinds, UNDEFINED) || !isPlainText(type)
  const isText = mayBeInvalid || mayBe(node.kinds, NULL) ? graph.operation("i32.le", zero, code) : always
  const isInvalid = graph.operation("i32.le", code, graph.constant("i32", INVALID_CODE))
  return {
    ...target,
    value: graph.select(isText, code, zero),
    isPresent: type.isNullable ? isText : undefined,
    isFailed: type.isNullable ? (mayBeInvalid ? isInvalid : never) : graph.not(isText),
    sharesDictionaryOf: undefined,
  }
}
