/** What `int32` and `int53` share: reading whole numbers from CSV text and from JSON. */
import { Invalid, type TypeDefinition } from "../type.ts"

const WHOLE = /^-?[0-9]+$/

/** From text: decimal digits with an optional minus. No plus, exponent, fraction or white space. */
export function wholeNumberFromText(text: string, definition: TypeDefinition<number>): number | Invalid {
  if (!WHOLE.test(text)) return new Invalid("not a whole number")
  return inRange(Number(text), definition)
}

/** From a JSON number of whole value, however it is written: `1.0` and `1e3` are whole. */
export function wholeNumberFromJson(value: unknown, definition: TypeDefinition<number>): number | Invalid {
  if (typeof value !== "number") return new Invalid("not a number")
  return inRange(value, definition)
}

function inRange(value: number, definition: TypeDefinition<number>): number | Invalid {
  const problem = definition.check(value)
  // Adding 0 makes 0 of −0.
  return problem === undefined ? value + 0 : new Invalid(problem)
}
