/**
 * Numbers that are known to be whole, which have exact lanes of integers.
 *
 * Invariants:
 * - WI1 `exactInteger` gives the node's value for every row; −0 is 0.
 * - WI2 Where `boundOf` gives a bound, the value is a whole number or −0, and no further from 0.
 */
import type { LaneQuestions } from "./lane-questions.ts"
import { typeOfReference, type Binary, type Call, type Ir } from "./ir.ts"
import { isWithin, NUMBER, NUMBER_LIKE, UNDEFINED, mayBe } from "./value-type.ts"
import type { Lane } from "./wasm-lane.ts"

const INT32_BOUND = 2 ** 31
const SAFE_BOUND = 2 ** 53

const INT32_OPERATORS: ReadonlySet<string> = new Set(["&", "|", "^", "<<", ">>"])

/** An integer of either size. */
export type IntegerLane = Lane<"i32"> | Lane<"i64">

/** The value as an integer, where the node is a number that is always whole and fits; `undefined` elsewhere. */
export function exactInteger(lanes: LaneQuestions, node: Ir): IntegerLane | undefined {
  if (!isWithin(node.kinds, NUMBER)) return undefined
  const { graph } = lanes
  switch (node.op) {
    case "constant": {
      const value = node.value as number
      if ((value | 0) === value) return graph.constant("i32", value | 0)
      return Number.isSafeInteger(value) ? graph.constant("i64", BigInt(value)) : undefined
    }
    case "column": {
      const { storage } = typeOfReference(node)
      if (storage === "int32") return graph.load("i32", lanes.values(node))
      return storage === "int64" ? graph.load("i64", lanes.values(node)) : undefined
    }
    case "let":
    case "narrowed":
    case "guard":
      return exactInteger(lanes, node.value)
    case "unary":
      return node.operator === "~" ? lanes.int32(node) : undefined
    case "binary":
      return INT32_OPERATORS.has(node.operator) ? lanes.int32(node) : undefined
    case "call":
      if (node.name === "Math.imul") return lanes.int32(node)
      return node.name === "Math.floor" ? exactQuotient(lanes, node.arguments[0]) : undefined
    default:
      return undefined
  }
}

/**
 * An int32 by a positive constant, rounded down: of numbers below 2³¹ the product with the inverse, as a fraction of 2³¹⁺ᵇ
 * that is rounded up, where b are the bits of the divisor (Granlund and Montgomery, Division by Invariant Integers using
 * Multiplication, PLDI 1994). Negative numbers are turned round bit by bit, −1 to 0, and their quotient back.
 */
function exactQuotient(lanes: LaneQuestions, node: Ir | undefined): Lane<"i32"> | undefined {
  if (node?.op !== "binary" || node.operator !== "/" || node.right.op !== "constant") return undefined
  const divisor = node.right.value
  if (!Number.isInteger(divisor) || Number(divisor) < 1 || Number(divisor) > INT32_BOUND) return undefined
  const dividend = exactInteger(lanes, node.left)
  if (dividend?.type !== "i32") return undefined
  const { graph } = lanes
  const by = 31 + 32 - Math.clz32(Number(divisor) - 1)
  const inverse = Number(BigInt.asIntN(32, 2n ** BigInt(by) / BigInt(divisor as number) + 1n))
  const turned = graph.operation("i32.shrS", dividend, graph.constant("i32", 31))
  const positive = graph.operation("i32.xor", dividend, turned)
  const [factor, shift] = [graph.constant("i32", inverse), graph.constant("i32", by)]
  return graph.operation("i32.xor", graph.operation("i32.mulShrU", positive, factor, shift), turned)
}

/**
 * The sum or difference of two exact integers, where the node is one: exact, and beyond 2⁵³ where JavaScript's is there
 * and no more than near; so one is a safe integer exactly where the other is, and then they are the same.
 */
export function exactSum(lanes: LaneQuestions, node: Ir): Lane<"i64"> | undefined {
  if (node.op !== "binary" || (node.operator !== "+" && node.operator !== "-")) return undefined
  const { graph } = lanes
  const [left, right] = [exactInteger(lanes, node.left), exactInteger(lanes, node.right)]
  if (left === undefined || right === undefined) return undefined
  return graph.operation(node.operator === "+" ? "i64.add" : "i64.sub", widened(graph, left), widened(graph, right))
}

/** The value as a double, where it is an exact int32 and never −0. */
export function wholeNumber(lanes: LaneQuestions, node: Call): Lane<"f64"> | undefined {
  const integer = exactInteger(lanes, node)
  return integer?.type === "i32" ? lanes.graph.operation("f64.fromI32", integer) : undefined
}

/** An integer as an int64. */
export function widened(graph: LaneQuestions["graph"], integer: IntegerLane): Lane<"i64"> {
  return integer.type === "i64" ? integer : graph.operation("i64.fromI32", integer)
}

/** A number from which the value, as `ToNumber` gives it, is at most so far from 0; `undefined` where it is not whole. */
export function boundOf(node: Ir): number | undefined {
  if (!isWithin(node.kinds, NUMBER_LIKE) || mayBe(node.kinds, UNDEFINED)) return undefined
  switch (node.op) {
    case "constant": {
      const value = Number(node.value)
      return Number.isInteger(value) ? within(Math.abs(value)) : undefined
    }
    case "column":
      return {
        bit: 1,
        int32: INT32_BOUND,
        int64: SAFE_BOUND,
        float64: undefined,
        dictionary: undefined,
        struct: undefined,
      }[typeOfReference(node).storage]
    case "let":
    case "narrowed":
    case "guard":
      return boundOf(node.value)
    case "unary":
      if (node.operator === "~") return INT32_BOUND
      return node.operator === "-" || node.operator === "+" ? boundOf(node.operand) : 1
    case "conditional":
      return greater(boundOf(node.then), boundOf(node.otherwise))
    case "logical":
      return greater(boundOf(node.left), boundOf(node.right))
    case "binary":
      return boundOfBinary(node)
    default:
      return undefined
  }
}

function boundOfBinary({ operator, left, right }: Binary): number | undefined {
  if (INT32_OPERATORS.has(operator)) return INT32_BOUND
  if (operator === ">>>") return 2 * INT32_BOUND
  const [one, other] = [boundOf(left), boundOf(right)]
  if (one === undefined || other === undefined) return undefined
  switch (operator) {
    case "+":
    case "-":
      return within(one + other)
    case "*":
      return within(one * other)
    case "%":
      // By 0 it is NaN.
      return right.op === "constant" && other > 0 ? one : undefined
    default:
      return undefined
  }
}

function within(bound: number): number | undefined {
  return bound <= SAFE_BOUND ? bound : undefined
}

function greater(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other)
}
