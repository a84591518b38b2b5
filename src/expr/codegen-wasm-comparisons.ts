/**
 * Comparisons as lanes.
 *
 * Whole numbers are compared as integers, which is exact: an int64 and a safe integer have no doubles in common beyond
 * 2⁵³.
 */
import { notKnown, type LaneQuestions } from "./lane-questions.ts"
import { exactInteger, widened, type IntegerLane } from "./codegen-wasm-integers.ts"
import type { Ir } from "./ir.ts"
import { withoutKinds } from "./nodes.ts"
import {
  BIGINT,
  BOOLEAN,
  isWithin,
  mayBe,
  NULL,
  NULLISH,
  NUMBER,
  NUMBER_LIKE,
  STRING,
  UNDEFINED,
} from "./value-type.ts"
import type { Lane, LaneGraph } from "./wasm-lane.ts"

/** Which comparison: equal, less, or less or equal. */
type Comparison = "eq" | "lt" | "le"

/** `left < right` or `left <= right`. */
export function compared(lanes: LaneQuestions, how: "lt" | "le", left: Ir, right: Ir): Lane<"flag"> {
  const kinds = left.kinds | right.kinds
  if (isWithin(kinds, NUMBER_LIKE)) return comparedNumbers(lanes, how, left, right)
  if (isWithin(kinds, NUMBER | BIGINT | NULL)) return comparedIntegers(lanes.graph, how, wide(left), wide(right))
  throw notKnown(`"<" of values of several kinds`)

  function wide(node: Ir): Lane<"i64"> {
    const { graph } = lanes
    // As a number, null is 0.
    if (mayBe(node.kinds, NULL)) {
      return graph.select(lanes.is(node, NULL), graph.constant("i64", 0n), wide(withoutKinds(node, NULL)))
    }
    if (isWithin(node.kinds, BIGINT)) return lanes.bigint(node)
    const integer = exactInteger(lanes, node)
    if (integer === undefined) throw notKnown("a comparison of a bigint with a number that may have a fraction")
    return widened(lanes.graph, integer)
  }
}

function comparedNumbers(lanes: LaneQuestions, how: Comparison, left: Ir, right: Ir): Lane<"flag"> {
  const { graph } = lanes
  const [a, b] = [exactInteger(lanes, left), exactInteger(lanes, right)]
  if (a !== undefined && b !== undefined) return comparedIntegers(graph, how, a, b)
  return comparedDoubles(graph, how, lanes.number(left), lanes.number(right))
}

/** A choice of which one side is the same for all rows is a choice of bits, which costs less than one of doubles. */
function comparedDoubles(graph: LaneGraph, how: Comparison, a: Lane<"f64">, b: Lane<"f64">): Lane<"flag"> {
  const compare = (x: Lane<"f64">, y: Lane<"f64">): Lane<"flag"> => comparedDoubles(graph, how, x, y)
  if (a.definition.kind === "constant" && b.definition.kind === "constant") {
    const [x, y] = [a.definition.value, b.definition.value]
    return graph.constant("flag", how === "eq" ? x === y : how === "lt" ? x < y : x <= y)
  }
  const [choice, other] = isSame(b) ? [choiceOf(a), b] : [choiceOf(b), a]
  if (choice !== undefined && isSame(other)) {
    const { test, then, otherwise } = choice
    return other === b
      ? graph.select(test, compare(then, b), compare(otherwise, b))
      : graph.select(test, compare(a, then), compare(a, otherwise))
  }
  return graph.operation(`f64.${how}`, a, b)
}

/** Whether a value is the same for all rows. */
function isSame({ definition }: Lane): boolean {
  return definition.kind === "constant" || definition.kind === "argument"
}

function choiceOf({ definition }: Lane<"f64">) {
  if (definition.kind !== "operation" || definition.name !== "f64.select") return undefined
  const [test, then, otherwise] = definition.operands as readonly [Lane<"flag">, Lane<"f64">, Lane<"f64">]
  return isSame(then) || isSame(otherwise) ? { test, then, otherwise } : undefined
}

function comparedIntegers(graph: LaneGraph, how: Comparison, a: IntegerLane, b: IntegerLane): Lane<"flag"> {
  if (a.type === "i32" && b.type === "i32") return graph.operation(`i32.${how}`, a, b)
  return graph.operation(`i64.${how}`, widened(graph, a), widened(graph, b))
}

/** Whether an integer is 0. */
export function isZero({ graph }: LaneQuestions, integer: IntegerLane): Lane<"flag"> {
  return comparedIntegers(graph, "eq", integer, graph.constant("i32", 0))
}

/** `left === right`, or `left == right`. */
export function equal(lanes: LaneQuestions, left: Ir, right: Ir, isStrict: boolean): Lane<"flag"> {
  const { graph } = lanes
  const both = (kinds: number): Lane<"flag"> => graph.and(lanes.is(left, kinds), lanes.is(right, kinds))
  const areNull = isStrict ? graph.or(both(NULL), both(UNDEFINED)) : both(NULLISH)
  const [one, other] = [withoutKinds(left, NULLISH), withoutKinds(right, NULLISH)]
  if (one.kinds === 0 || other.kinds === 0) return areNull
  const arePresent = graph.and(graph.not(lanes.is(left, NULLISH)), graph.not(lanes.is(right, NULLISH)))
  return graph.or(areNull, graph.and(arePresent, equalValues(lanes, one, other, isStrict)))
}

/** Of values that are not nullish. */
function equalValues(lanes: LaneQuestions, left: Ir, right: Ir, isStrict: boolean): Lane<"flag"> {
  const { graph } = lanes
  const kinds = left.kinds | right.kinds
  if (isStrict && !mayBe(left.kinds, right.kinds)) return graph.constant("flag", false)
  if (kinds === NUMBER || (!isStrict && isWithin(kinds, NUMBER | BOOLEAN) && kinds !== BOOLEAN)) {
    return comparedNumbers(lanes, "eq", left, right)
  }
  if (kinds === BOOLEAN) return graph.not(graph.operation("flag.xor", lanes.truth(left), lanes.truth(right)))
  if (kinds === BIGINT) return graph.operation("i64.eq", lanes.bigint(left), lanes.bigint(right))
  if (kinds === STRING) {
    if (right.op === "column" && left.op !== "column") return equalValues(lanes, right, left, isStrict)
    const isKnown = right.op === "constant" || right.op === "param"
    if (left.op === "column" && isKnown) return lanes.isText(left, lanes.textOf(right))
    throw notKnown("texts of two columns")
  }
  throw notKnown("the equality of values of several kinds")
}
