/**
 * Statements that store what a lambda gives for a row in the columns of a projection.
 *
 * A value that is not surely of the column's type is tested as the type's own `check` does; where it fails, the row is
 * noted and left to the closure, which says what is wrong.
 *
 * Invariants:
 * - JS1 What is stored is what `writeValue` would store of the same value.
 * - JS2 A test here accepts nothing that the type's `check` refuses.
 */
import type { ColumnType } from "../batch/type.ts"
import type { ColumnReference, Ir } from "./ir.ts"
import { typeOfReference } from "./ir.ts"
import type { JsExpressions } from "./js-expression.ts"
import { withoutKinds } from "./nodes.ts"
import { isWithin, kindsOfColumn, mayBe, NULL, NULLISH, STRING } from "./value-type.ts"

/** Notes the row as failed and goes on with the next one. */
export const FAIL = "{ failed[failures++] = row; continue }"

/** A column of the projection. */
export interface JsTarget {
  readonly index: number
  readonly type: ColumnType
}

/** Writes the stores of one projection. */
export class JsStores {
  readonly #expressions: JsExpressions
  /** Names of codes that are looked up when first needed in a batch. */
  readonly lazyCodes: string[] = []
  /** Pairs of dictionaries between which codes are translated, by the columns that they belong to. */
  readonly #translations = new Map<string, number>()

  constructor(expressions: JsExpressions) {
    this.#expressions = expressions
  }

  /** Statements that store the value of `node`, for a whole column. */
  storeColumn(node: Ir, target: JsTarget): string {
    if (node.op === "column" && isPlainText(typeOfReference(node)) && isPlainText(target.type)) {
      return this.#storeSameDictionary(node, target)
    }
    return this.#store(node, target)
  }

  #store(node: Ir, target: JsTarget): string {
    const expressions = this.#expressions
    if (node.op === "conditional") {
      const { test, then, otherwise } = node
      return `if (${expressions.test(test)}) { ${this.#store(then, target)} } else { ${this.#store(otherwise, target)} }`
    }
    if (node.op === "guard") return `if (!${expressions.test(node.test)}) fail(); ${this.#store(node.value, target)}`
    if (node.op === "constant" && node.value === null) return this.#storeNull(target)
    if (node.op === "column" && mayBe(node.kinds, NULL)) {
      return `if (${expressions.isPresent(node)}) { ${this.#store(withoutKinds(node, NULL), target)} } else { ${this.#storeNull(target)} }`
    }
    if (node.op === "logical" && node.operator === "??" && node.left.op === "column" && mayBe(node.left.kinds, NULL)) {
      const { left, right } = node
      return `if (${expressions.isPresent(node.left)}) { ${this.#store(withoutKinds(left, NULL), target)} } else { ${this.#store(right, target)} }`
    }
    return this.#storeValue(node, target)
  }

  #storeValue(node: Ir, target: JsTarget): string {
    const { kinds } = node
    const wanted = kindsOfColumn(target.type) & ~NULL
    if (target.type.storage === "dictionary" && isWithin(kinds, STRING)) return this.#storeText(node, target)
    const tests: string[] = []
    if (!isWithin(kinds, wanted | NULL)) tests.push(`typeof x !== "${target.type.definition.typeOf}"`)
    const outOfRange = this.#outOfRangeTest(target)
    if (outOfRange !== undefined) tests.push(outOfRange)
    const fail = tests.length === 0 ? "" : `if (${tests.join(" || ")}) ${FAIL} `
    const store = `${fail}${this.#storePresent(target)}`
    const rest = mayBe(kinds, NULLISH) ? `if (x === null) { ${this.#storeNull(target)} } else { ${store} }` : store
    return `const x = ${this.#expressions.value(node)}; ${rest}`
  }

  /** Stores `x`, which has passed the tests. */
  #storePresent(target: JsTarget): string {
    const { locals } = this.#expressions
    const { storage, definition } = target.type
    const values = (): string => locals.batch(`targets[${target.index}].values`)
    switch (storage) {
      case "bit":
        return `if (x) ${values()}[row >> 3] |= 1 << (row & 7); else ${values()}[row >> 3] &= ~(1 << (row & 7)); ${this.#setPresent(target)}`
      case "int64": {
        if (definition.typeOf === "bigint") return `${values()}[row] = x; ${this.#setPresent(target)}`
        const halves = locals.batch(`targets[${target.index}].halves`)
        const floor = locals.function("Math.floor")
        return `${halves}[row << 1] = x; ${halves}[(row << 1) + 1] = ${floor}(x / 4294967296); ${this.#setPresent(target)}`
      }
      case "dictionary":
        return `const code = ${this.#codeOf("x", target)}; ${this.#storeFound("code", target)}`
      default: {
        const value = definition.isSingle ? `${locals.function("Math.fround")}(x)` : "x"
        return `${values()}[row] = ${value}; ${this.#setPresent(target)}`
      }
    }
  }

  /** A text is stored by its code; those of literals, parameters and columns are looked up once for many rows. */
  #storeText(node: Ir, target: JsTarget): string {
    const { locals } = this.#expressions
    if (node.op === "constant" || node.op === "param") {
      const name = `k${this.lazyCodes.length}`
      this.lazyCodes.push(name)
      const find = `if (${name} === -1) ${name} = ${this.#codeOf(this.#expressions.value(node), target)}`
      return `${find}; ${this.#storeFound(name, target)}`
    }
    if (node.op === "column") {
      const source = locals.batch(`${locals.column(node)}.dictionary`)
      const codes = locals.batch(
        `translate(${this.#translation(node, target)}, ${source}, targets[${target.index}].dictionary)`,
      )
      const from = locals.code(node)
      const find = `if (code === -1) code = ${codes}[${from}] = ${this.#codeOf(locals.load(node), target)}`
      return `let code = ${codes}[${from}]; ${find}; ${this.#storeFound("code", target)}`
    }
    return `const code = ${this.#codeOf(this.#expressions.value(node), target)}; ${this.#storeFound("code", target)}`
  }

  /** Stores a code that `#codeOf` gave. */
  #storeFound(code: string, target: JsTarget): string {
    const fail = isPlainText(target.type) ? "" : `if (${code} < 0) ${FAIL} `
    return `${fail}${this.#storeCode(code, target)}`
  }

  #translation(from: ColumnReference, to: JsTarget): number {
    const pair = `${from.path.join(".")} ${to.index}`
    const known = this.#translations.get(pair) ?? this.#translations.size
    this.#translations.set(pair, known)
    return known
  }

  #storeSameDictionary(node: ColumnReference, target: JsTarget): string {
    const { locals } = this.#expressions
    // The column passes through as it is, so its codes are good when its dictionary comes along.
    locals.batch(`targets[${target.index}].dictionary = ${locals.column(node)}.dictionary`)
    const store = this.#storeCode(locals.code(node), target)
    if (!mayBe(node.kinds, NULL)) return store
    return `if (${this.#expressions.isPresent(node)}) { ${store} } else { ${this.#storeNull(target)} }`
  }

  #storeCode(code: string, target: JsTarget): string {
    return `${this.#expressions.locals.batch(`targets[${target.index}].values`)}[row] = ${code}; ${this.#setPresent(target)}`
  }

  #storeNull(target: JsTarget): string {
    if (!target.type.isNullable) return FAIL
    const { locals } = this.#expressions
    const clear = `${locals.batch(`targets[${target.index}].validity`)}[row >> 3] &= ~(1 << (row & 7))`
    if (target.type.storage !== "dictionary") return clear
    return `${clear}; ${locals.batch(`targets[${target.index}].values`)}[row] = 0`
  }

  #setPresent(target: JsTarget): string {
    if (!target.type.isNullable) return ""
    return `${this.#expressions.locals.batch(`targets[${target.index}].validity`)}[row >> 3] |= 1 << (row & 7)`
  }

  /** The code of a text in the target's dictionary, or -2 where the text is not of the target's type. */
  #codeOf(text: string, target: JsTarget): string {
    const { locals } = this.#expressions
    const dictionary = `targets[${target.index}].dictionary`
    if (isPlainText(target.type)) return `${locals.batch(dictionary)}.codeOf(${text})`
    return `${locals.batch(`codeOfSymbol(${target.index}, ${dictionary})`)}(${text})`
  }

  /** Whether `x`, which is of the right kind, is no value of the type: `undefined` where every such value is. */
  #outOfRangeTest({ index, type }: JsTarget): string | undefined {
    const { locals } = this.#expressions
    const { range } = type.definition
    if (range !== undefined) {
      const { least, greatest } = range
      const isWhole = type.storage === "int32" ? "(x | 0) === x" : `${locals.function("Number.isSafeInteger")}(x)`
      return `!(${isWhole} && x >= ${least} && x <= ${greatest})`
    }
    switch (type.kind) {
      case "bool":
      case "float64":
      case "string":
        return undefined
      case "enum":
        // Its code is looked up by `codeOfSymbol`, which asks the type.
        return undefined
      default:
        return `${locals.batch(`checks[${index}]`)}(x) !== undefined`
    }
  }
}

/** Whether a column holds any text, rather than one of a closed list. */
export function isPlainText({ kind, storage, definition }: ColumnType): boolean {
  return kind === "string" && storage === "dictionary" && definition.symbols === undefined
}
