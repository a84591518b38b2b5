/**
 * IR to JavaScript expressions of one row.
 *
 * The general form is the same operators on the values as a closure would see them. Where kinds allow it, cheaper forms
 * with the same outcome stand instead: numbers for null in arithmetic, bits for null, codes for equal texts.
 *
 * Invariants:
 * - JE1 `value` gives what the node gives, by `Object.is`.
 * - JE2 `test` is truthy exactly where `value` is; `number` is what `ToNumber` makes of `value`.
 */
import { assert } from "../base/assert.ts"
import { dateIntrinsic } from "./intrinsics.ts"
import type { Binary, ColumnReference, Constant, Ir, Let, Logical, RegexCall, Unary } from "./ir.ts"
import { placeOf, typeOfReference } from "./ir.ts"
import { constantText, type JsLocals } from "./js-locals.ts"
import { freshCall } from "./regex.ts"
import { BOOLEAN, isWithin, mayBe, NULL, NULLISH, NUMBER, NUMBER_LIKE, OBJECT, STRING } from "./value-type.ts"

/** Counts how often the values that are dear to read are needed in a row. */
export type UseCounts = Map<string, { reference: ColumnReference; uses: number }>

/** Writes the expressions of one lambda. */
export class JsExpressions {
  readonly locals: JsLocals
  readonly counts: UseCounts = new Map()
  /** Places whose value is read once at the start of the row, with their names. */
  readonly #shared: ReadonlyMap<string, string>

  constructor(locals: JsLocals, shared: ReadonlyMap<string, string>) {
    this.locals = locals
    this.#shared = shared
  }

  /** The node's value. */
  value(node: Ir): string {
    switch (node.op) {
      case "constant":
        return constantText(node.value)
      case "column":
        return this.#column(node)
      case "param":
        return this.locals.param(node)
      case "narrowed":
        return this.value(node.value)
      case "let":
        return letName(node)
      case "unary":
        return this.#unary(node)
      case "binary":
        return this.#binary(node)
      case "logical":
        return this.#logical(node)
      case "conditional":
        return `(${this.test(node.test)} ? ${this.value(node.then)} : ${this.value(node.otherwise)})`
      case "call":
        return `${this.locals.function(node.name)}(${node.arguments.map((each) => this.value(each)).join(", ")})`
      case "stringMember": {
        const member = `(${this.value(node.text)}).${node.name}`
        return node.arguments === undefined
          ? member
          : `${member}(${node.arguments.map((each) => this.value(each)).join(", ")})`
      }
      case "numberMethod": {
        const args = node.arguments.map((each) => this.value(each)).join(", ")
        return `(${this.value(node.value)}).${node.name}(${args})`
      }
      case "regex":
        return this.#regex(node)
      case "datePart":
        return `${this.locals.function(dateIntrinsic(node.part))}(${this.number(node.millis)})`
      case "guard":
        return `(${this.test(node.test)} ? ${this.value(node.value)} : fail())`
      case "template": {
        const parts = node.values.map((each, index) => `${this.value(each)} + ${constantText(node.texts[index + 1]!)}`)
        return `(${[constantText(node.texts[0]!), ...parts].join(" + ")})`
      }
    }
  }

  /** An expression that is truthy where the node's value is. */
  test(node: Ir): string {
    switch (node.op) {
      case "column": {
        if (isWithin(node.kinds, OBJECT)) return "true"
        const isPresent = mayBe(node.kinds, NULL) ? this.locals.isPresent(node) : undefined
        if (isPresent === undefined || mayBe(node.kinds, STRING)) return this.value(node)
        return mayBe(node.kinds, OBJECT) ? `(${isPresent})` : `(${isPresent} && ${this.#load(node)})`
      }
      case "unary":
        return node.operator === "!" ? `(!${this.test(node.operand)})` : this.value(node)
      case "logical":
        if (node.operator === "??") return this.value(node)
        return `(${this.test(node.left)} ${node.operator} ${this.test(node.right)})`
      case "conditional":
        return `(${this.test(node.test)} ? ${this.test(node.then)} : ${this.test(node.otherwise)})`
      case "guard":
        return `(${this.test(node.test)} ? ${this.test(node.value)} : fail())`
      default:
        return this.value(node)
    }
  }

  /** What `ToNumber` makes of the node's value, which is a number, a boolean or nullish. */
  number(node: Ir): string {
    assert(isWithin(node.kinds, NUMBER_LIKE), "only number-like values become numbers without reading text")
    if (isWithin(node.kinds, NUMBER)) return this.value(node)
    switch (node.op) {
      case "constant":
        return constantText(Number(node.value))
      case "column":
        if (mayBe(node.kinds, BOOLEAN)) break
        return `(${this.locals.isPresent(node)} ? ${this.#load(node)} : 0)`
      case "conditional":
        return `(${this.test(node.test)} ? ${this.number(node.then)} : ${this.number(node.otherwise)})`
      case "guard":
        return `(${this.test(node.test)} ? ${this.number(node.value)} : fail())`
      default:
    }
    return `(+${this.value(node)})`
  }

  /** Whether the node is not null, for a column that may be. */
  isPresent(node: ColumnReference): string {
    assert(mayBe(node.kinds, NULL), "only columns that may be null are asked")
    return this.locals.isPresent(node)
  }

  /**
   * Whether a column's value, where there is one, equals a value that is of the same kind and never null. `undefined`
   * where that can only be told from the values themselves.
   */
  equalityWithColumn(left: ColumnReference, right: Ir): string | undefined {
    const kind = left.kinds & ~NULL
    // It is not evaluated where the column is null, so it must not be what throws.
    if (right.kinds !== kind || !right.isTotal) return undefined
    if (kind === NUMBER) return `(${this.#load(left)} === ${this.value(right)})`
    if (kind !== STRING || (right.op !== "constant" && right.op !== "param")) return undefined
    const dictionary = this.locals.batch(`${this.locals.column(left)}.dictionary`)
    return `(${this.locals.code(left)} === ${this.locals.batch(`${dictionary}.find(${this.value(right)})`)})`
  }

  /** The statement that reads a shared value at the start of the row, wherever in the row it is needed. */
  sharedStatement(reference: ColumnReference): string {
    const tests = reference.fields.flatMap(({ type }, depth) => {
      const upTo = {
        ...reference,
        path: reference.path.slice(0, depth + 1),
        fields: reference.fields.slice(0, depth + 1),
      }
      return type.isNullable ? [this.locals.isPresent(upTo)] : []
    })
    const load = this.locals.load(reference)
    const value = tests.length === 0 ? load : `${tests.join(" && ")} ? ${load} : null`
    return `const ${this.#shared.get(placeOf(reference))!} = ${value}`
  }

  #column(node: ColumnReference): string {
    const load = this.#load(node)
    return mayBe(node.kinds, NULL) ? `(${this.locals.isPresent(node)} ? ${load} : null)` : load
  }

  #load(node: ColumnReference): string {
    const { definition } = typeOfReference(node)
    if (definition.typeOf !== "string" && definition.typeOf !== "bigint") return `(${this.locals.load(node)})`
    const place = placeOf(node)
    const shared = this.#shared.get(place)
    const count = this.counts.get(place)
    this.counts.set(place, { reference: node, uses: (count?.uses ?? 0) + 1 })
    return shared ?? this.locals.load(node)
  }

  #regex({ method, source, flags, text, replacement }: RegexCall): string {
    const call = freshCall(method, flags)
    const regex = this.locals.regex(source, call.flags)
    const subject = this.value(text)
    const args = replacement === undefined ? regex : `${regex}, ${this.value(replacement)}`
    const result = method === "test" ? `${regex}.test(${subject})` : `(${subject}).${method}(${args})`
    return call.mustRewind ? `(${regex}.lastIndex = 0, ${result})` : result
  }

  #unary(node: Unary): string {
    const { operator, operand } = node
    switch (operator) {
      case "!":
        return `(!${this.test(operand)})`
      case "typeof":
        return `(typeof ${this.value(operand)})`
      default:
        return `(${operator} ${isWithin(operand.kinds, NUMBER_LIKE) ? this.number(operand) : this.value(operand)})`
    }
  }

  #binary({ operator, left, right }: Binary): string {
    switch (operator) {
      case "===":
      case "==":
        return this.#equality(operator, left, right)
      case "!==":
      case "!=":
        return `(!${this.#equality(operator === "!=" ? "==" : "===", left, right)})`
      default:
        if (isWithin(left.kinds | right.kinds, NUMBER_LIKE)) {
          return `(${this.number(left)} ${operator} ${this.number(right)})`
        }
        return `(${this.value(left)} ${operator} ${this.value(right)})`
    }
  }

  #equality(operator: "===" | "==", left: Ir, right: Ir): string {
    if (right.op === "column" && left.op !== "column") return this.#equality(operator, right, left)
    if (left.op === "column") {
      if (isNullConstant(right) && (operator === "==" || right.value === null)) {
        return mayBe(left.kinds, NULL) ? `(!(${this.locals.isPresent(left)}))` : "false"
      }
      const equal = this.equalityWithColumn(left, right)
      if (equal !== undefined) return mayBe(left.kinds, NULL) ? `(${this.locals.isPresent(left)} && ${equal})` : equal
    }
    return `(${this.value(left)} ${operator} ${this.value(right)})`
  }

  #logical({ operator, left, right }: Logical): string {
    if (operator === "??" && left.op === "column" && mayBe(left.kinds, NULL)) {
      return `(${this.locals.isPresent(left)} ? ${this.#load(left)} : ${this.value(right)})`
    }
    return `(${this.value(left)} ${operator} ${this.value(right)})`
  }
}

/** The name of a let in generated code. */
export function letName({ index }: Let): string {
  return `t${index}`
}

function isNullConstant(node: Ir): node is Constant {
  return node.op === "constant" && isWithin(node.kinds, NULLISH)
}
