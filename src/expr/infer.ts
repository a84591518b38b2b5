/**
 * Which operations are total for operands of given kinds, and the kinds of their results.
 *
 * Invariant:
 * - Q1 An operation is accepted only where JavaScript throws for no operands of those kinds. (Texts and bigints beyond
 *   the engine's greatest size are the exception, which `js-kernel.ts` catches; so are some values of bigints, for which
 *   `guarded-binary.ts` sets guards.)
 */
import type { BinaryOperator, Ir, UnaryOperator } from "./ir.ts"
import { NotCompilable } from "./not-compilable.ts"
import {
  BIGINT,
  BOOLEAN,
  isWithin,
  kindsText,
  mayBe,
  NULLISH,
  NUMBER,
  OBJECT,
  STRING,
  type Kinds,
} from "./value-type.ts"

/** The kinds of `operator operand`. */
export function inferUnary(operator: UnaryOperator, { kinds }: Ir): Kinds {
  switch (operator) {
    case "!":
      return BOOLEAN
    case "typeof":
      return STRING
    case "+":
      refuseObject(kinds, operator)
      if (mayBe(kinds, BIGINT)) throw new NotCompilable(`"+" in front of a bigint throws.`, "Use Number(…).")
      return NUMBER
    case "-":
    case "~":
      refuseObject(kinds, operator)
      return (kinds & BIGINT) | (isWithin(kinds, BIGINT) ? 0 : NUMBER)
  }
}

/** The kinds of `left operator right`. */
export function inferBinary(operator: BinaryOperator, left: Ir, right: Ir): Kinds {
  const kinds = left.kinds | right.kinds
  switch (operator) {
    case "===":
    case "!==":
    case "==":
    case "!=":
      if (mayBe(kinds, OBJECT) && !isWithin(left.kinds, NULLISH) && !isWithin(right.kinds, NULLISH)) {
        throw new NotCompilable(`It compares an object by "${operator}".`, "Compare the object's fields.")
      }
      return BOOLEAN
    case "<":
    case ">":
    case "<=":
    case ">=":
      refuseObject(kinds, operator)
      return BOOLEAN
    case "+":
      return inferPlus(left.kinds, right.kinds)
    default:
      return inferArithmetic(operator, left.kinds, right.kinds)
  }
}

/** The kinds of what `${value}` reads. */
export function checkTemplateValue({ kinds }: Ir): void {
  refuseObject(kinds, "${…}")
}

function inferPlus(left: Kinds, right: Kinds): Kinds {
  const kinds = left | right
  refuseObject(kinds, "+")
  if (left === STRING || right === STRING) return STRING
  if (left === BIGINT && right === BIGINT) return BIGINT
  if (mayBe(kinds, BIGINT)) throw mixes("+", left, right)
  return NUMBER | (kinds & STRING)
}

function inferArithmetic(operator: BinaryOperator, left: Kinds, right: Kinds): Kinds {
  const kinds = left | right
  refuseObject(kinds, operator)
  if (!mayBe(kinds, BIGINT)) return NUMBER
  if (!isWithin(kinds, BIGINT)) throw mixes(operator, left, right)
  if (operator === ">>>") throw new NotCompilable(`">>>" of bigints throws.`)
  return BIGINT
}

function mixes(operator: BinaryOperator, left: Kinds, right: Kinds): NotCompilable {
  const reason = `"${operator}" of ${kindsText(left)} and ${kindsText(right)} throws where it mixes a bigint with another kind.`
  const isNull = mayBe(left | right, NULLISH) && isWithin(left | right, BIGINT | NULLISH)
  return new NotCompilable(
    reason,
    isNull ? "Say what null stands for: row.id ?? 0n." : "Convert the bigint by Number(…).",
  )
}

function refuseObject(kinds: Kinds, operator: string): void {
  if (mayBe(kinds, OBJECT)) {
    throw new NotCompilable(`It uses an object as a whole with "${operator}".`, "Read the object's fields by name.")
  }
}
