/**
 * The names of a piece of generated JavaScript: what is read once a batch, and where the values of rows lie.
 *
 * Columns, parameters, functions and regular expressions are reached by their number. Nothing of the user's stands in the code but constants.
 *
 * Invariants:
 * - JL1 An expression is bound to one name, whose value does not change while the batch is processed.
 * - JL2 Text of the user stands in the code only as a literal (`constantText`), and ends nothing there.
 */
import { unreachable } from "../base/assert.ts"
import { type ColumnReference, type Constant, type ParamReference, placeOf, typeOfReference } from "./ir.ts"
import type { RegexLiteral } from "./regex.ts"

/** The literal of a value, in parentheses where it is not one token. */
export function constantText(value: Constant["value"]): string {
  switch (typeof value) {
    case "string":
      // JSON leaves these two as they are, which end lines where older JavaScript is read.
      return JSON.stringify(value)
        .replace(/\u2028/g, "\\u2028")
        .replace(/\u2029/g, "\\u2029")
    case "bigint":
      return value < 0n ? `(${value}n)` : `${value}n`
    case "number":
      if (Number.isNaN(value)) return "(0 / 0)"
      if (!Number.isFinite(value)) return value > 0 ? "(1 / 0)" : "(-1 / 0)"
      return value < 0 || Object.is(value, -0) ? `(-${Math.abs(value)})` : `${value}`
    case "undefined":
      return "(void 0)"
    default:
      return String(value)
  }
}

/** Names of values that are the same for all rows of a batch. */
export class JsLocals {
  readonly #names = new Map<string, string>()
  readonly #functions: string[] = []
  readonly #params = new Map<string, ParamReference>()
  readonly #regexes: RegexLiteral[] = []

  /** The name of what an expression gives at the start of a batch. */
  batch(expression: string): string {
    let name = this.#names.get(expression)
    if (name === undefined) this.#names.set(expression, (name = `s${this.#names.size}`))
    return name
  }

  /** The name of a known function: `functions` in the generated code holds them in this order. */
  function(name: string): string {
    if (!this.#functions.includes(name)) this.#functions.push(name)
    return `f${this.#functions.indexOf(name)}`
  }

  /** The name of a regular expression: `regexes` in the generated code holds them in the order of `regexes` here. */
  regex(source: string, flags: string): string {
    let index = this.#regexes.findIndex((each) => each.source === source && each.flags === flags)
    if (index === -1) index = this.#regexes.push({ source, flags }) - 1
    return `e${index}`
  }

  /** The name of a parameter's value: `params` in the generated code holds them in the order of `params` here. */
  param(reference: ParamReference): string {
    const place = placeOf(reference)
    if (!this.#params.has(place)) this.#params.set(place, reference)
    return this.batch(`params[${[...this.#params.keys()].indexOf(place)}]`)
  }

  /** The column that a reference means, as an expression. */
  column({ path }: ColumnReference): string {
    return path.reduce(
      (column, index, depth) => (depth === 0 ? `columns[${index}]` : `${column}.children[${index}]`),
      "",
    )
  }

  /** Whether the field itself is not null, as an expression; structs on the way are not asked. */
  isPresent(reference: ColumnReference): string {
    // A column of a nullable type has a bitmap only where it was needed.
    const bits = this.batch(`${this.column(reference)}.validity ?? ones`)
    return `((${bits}[row >> 3] >> (row & 7)) & 1) !== 0`
  }

  /** The value of the reference where there is one, as an expression. */
  load(reference: ColumnReference): string {
    const column = this.column(reference)
    const { storage, typeOf, isUnsigned, packing } = typeOfReference(reference).definition
    // Of objects it is asked only whether they are there.
    if (packing !== undefined) return "object"
    switch (storage) {
      case "bit":
        return `((${this.batch(`${column}.values`)}[row >> 3] >> (row & 7)) & 1) !== 0`
      case "int32":
      case "float64":
        return `${this.batch(`${column}.values`)}[row]`
      case "int64": {
        if (typeOf === "bigint") {
          const value = `${this.batch(`${column}.values`)}[row]`
          return isUnsigned ? `(${value} & 0xffffffffffffffffn)` : value
        }
        const halves = this.batch(`${column}.halves`)
        return `(${halves}[row << 1] >>> 0) + ${halves}[(row << 1) + 1] * 4294967296`
      }
      case "dictionary":
        return `${this.batch(`${column}.dictionary`)}.text(${this.code(reference)})`
      case "struct":
        return "object"
      default:
        return unreachable(storage, "a column's storage")
    }
  }

  /** The code in the dictionary of a column of text, as an expression. */
  code(reference: ColumnReference): string {
    return `${this.batch(`${this.column(reference)}.values`)}[row]`
  }

  /** Statements that bind the names, to stand at the start of a batch. */
  batchStatements(): string[] {
    return [...this.#names].map(([expression, name]) => `const ${name} = ${expression}`)
  }

  /** Statements that bind functions and regular expressions, to stand before any batch. */
  functionStatements(): string[] {
    return [
      ...this.#functions.map((_, index) => `const f${index} = functions[${index}]`),
      ...this.#regexes.map((_, index) => `const e${index} = regexes[${index}]`),
    ]
  }

  get regexes(): readonly RegexLiteral[] {
    return this.#regexes
  }

  get functions(): readonly string[] {
    return this.#functions
  }

  get params(): readonly ParamReference[] {
    return [...this.#params.values()]
  }
}
