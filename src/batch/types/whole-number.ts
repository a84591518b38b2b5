/** What `int32` and `int53` share: reading whole numbers from CSV text and from JSON. */
import { Invalid, type TypeDefinition } from "../type.ts"

const WHOLE = /^-?[0-9]+$/

/** From text: decimal digits with an optional minus. No plus, exponent, fraction or white space. */
export function wholeNumberFromText(text: string, definition: TypeDefinition<number>): number | Invalid {
  if (!WHOLE.test(text)) return new Invalid("not a whole number")
  const value = Number(text)
  return definition.check(value) === undefined
    ? withoutSign(value)
    : new Invalid(`outside the range of ${definition.kind}`)
}

/** From a JSON number of whole value, however it is written: `1.0` and `1e3` are whole. */
export function wholeNumberFromJson(value: unknown, definition: TypeDefinition<number>): number | Invalid {
  if (typeof value !== "number") return new Invalid("not a number")
  const problem = definition.check(value)
  return problem === undefined ? withoutSign(value) : new Invalid(problem)
}

/** Makes 0 of −0. */
function withoutSign(value: number): number {
  return value + 0
}
