/**
 * Arithmetic of bigints as lanes of int64.
 *
 * Invariant:
 * - WB1 Where a result leaves int64, which a bigint does not mind, the row is noted as unknown. Of a product this is
 *   noted a little early.
 */
import { notKnown, type LaneQuestions } from "./lane-questions.ts"
import type { Binary, Unary } from "./ir.ts"
import type { Lane } from "./wasm-lane.ts"

type Longs = Lane<"i64">

/** `- a` or `~ a`. */
export function unaryBigint(lanes: LaneQuestions, { operator, operand }: Unary): Longs {
  const { graph } = lanes
  const value = lanes.bigint(operand)
  if (operator === "~") return graph.operation("i64.xor", value, graph.constant("i64", -1n))
  return difference(lanes, graph.constant("i64", 0n), value)
}

/** `a operator b`. */
export function binaryBigint(lanes: LaneQuestions, { operator, left, right }: Binary): Longs {
  const { graph } = lanes
  const [a, b] = [lanes.bigint(left), lanes.bigint(right)]
  switch (operator) {
    case "&":
      return graph.operation("i64.and", a, b)
    case "|":
      return graph.operation("i64.or", a, b)
    case "^":
      return graph.operation("i64.xor", a, b)
    case "+":
      return sum(lanes, a, b)
    case "-":
      return difference(lanes, a, b)
    case "*":
      return product(lanes, a, b)
    case "/":
    case "%":
      // −2⁶³ / −1n leaves int64, and 0n is for a guard.
      if (right.op !== "constant" || right.value === -1n || right.value === 0n) throw notKnown("a division of bigints")
      return graph.operation(operator === "/" ? "i64.div" : "i64.rem", a, b)
    default:
      throw notKnown(`"${operator}" of bigints`)
  }
}

function sum(lanes: LaneQuestions, a: Longs, b: Longs): Longs {
  const { graph } = lanes
  const result = graph.operation("i64.add", a, b)
  // It has left int64 where its sign is neither that of a nor that of b.
  const signs = graph.operation("i64.and", graph.operation("i64.xor", result, a), graph.operation("i64.xor", result, b))
  lanes.noteUnknown(isNegative(lanes, signs))
  return result
}

function difference(lanes: LaneQuestions, a: Longs, b: Longs): Longs {
  const { graph } = lanes
  const result = graph.operation("i64.sub", a, b)
  // It has left int64 where a and b differ in sign, and a and the result do.
  const signs = graph.operation("i64.and", graph.operation("i64.xor", a, b), graph.operation("i64.xor", a, result))
  lanes.noteUnknown(isNegative(lanes, signs))
  return result
}

function product(lanes: LaneQuestions, a: Longs, b: Longs): Longs {
  const { graph } = lanes
  // As doubles, the factors and their product are off by far less than a half.
  const [x, y] = [graph.operation("f64.fromI64", a), graph.operation("f64.fromI64", b)]
  const size = graph.operation("f64.abs", graph.operation("f64.mul", x, y))
  lanes.noteUnknown(graph.not(graph.operation("f64.lt", size, graph.constant("f64", 2 ** 62))))
  return graph.operation("i64.mul", a, b)
}

function isNegative({ graph }: LaneQuestions, value: Longs): Lane<"flag"> {
  return graph.operation("i64.lt", value, graph.constant("i64", 0n))
}
