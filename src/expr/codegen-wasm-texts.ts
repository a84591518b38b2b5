/**
 * What of a lambda is a function of one text: that is computed once a text, and looked up for each row by its code.
 *
 * WebAssembly knows texts by their codes only, so it can tell whether a text equals another, and no more. But a node that
 * reads one column of texts and nothing else of the row gives the same for the same code. It becomes a table.
 *
 * Invariant:
 * - WX1 A node that has a table depends on the text (or null) of one column and on parameters, and on nothing else.
 */
import { NATIVE_FUNCTIONS } from "./codegen-wasm-calls.ts"
import { childrenOf, placeOf, typeOfReference, type Binary, type ColumnReference, type Ir } from "./ir.ts"
import { mayBe, OBJECT, STRING } from "./value-type.ts"

/** What a table holds for each text: whether the node is truthy, the number that it is, or the code of a text. */
export type TextTableKind = "flag" | "f64" | "code"

/** A table over the dictionary of a column. */
export interface TextTable {
  readonly kind: TextTableKind
  /** A reference to the column. */
  readonly column: ColumnReference
  /** What is computed of each text. */
  readonly ir: Ir
  /** Of codes, the target whose dictionary they belong to. */
  readonly target: number | undefined
}

/** Tells which nodes have tables. */
export class TextNodes {
  readonly #native = new Map<Ir, boolean>()
  readonly #columns = new Map<Ir, ColumnReference | null | undefined>()

  /** The column whose table is to answer for a node: one that asks for more of texts than whether they are equal. */
  mappedColumn(node: Ir): ColumnReference | undefined {
    return this.#isNative(node) ? undefined : this.textColumn(node)
  }

  /** The column of texts that a node reads, where it reads that one, and no other. */
  textColumn(node: Ir): ColumnReference | undefined {
    return mayBe(node.kinds, OBJECT) ? undefined : (this.#columnOf(node) ?? undefined)
  }

  /** The one column of texts below a node; `undefined` where there is none, `null` where there is another column. */
  #columnOf(node: Ir): ColumnReference | null | undefined {
    if (node.op === "column") {
      // Within a struct, null may be that of the struct.
      return typeOfReference(node).storage === "dictionary" && node.path.length === 1 ? node : null
    }
    if (this.#columns.has(node)) return this.#columns.get(node)
    let found: ColumnReference | null | undefined
    for (const child of node.op === "let" ? [node.value] : childrenOf(node)) {
      const column = this.#columnOf(child)
      if (column === undefined) continue
      if (column === null || (found !== undefined && placeOf(found!) !== placeOf(column))) {
        found = null
        break
      }
      found = column
    }
    this.#columns.set(node, found)
    return found
  }

  /** Whether no table is needed: the node asks of texts whether they are equal, empty or null, if anything. */
  #isNative(node: Ir): boolean {
    const known = this.#native.get(node)
    if (known !== undefined) return known
    const isNative = this.#isNewNative(node)
    this.#native.set(node, isNative)
    return isNative
  }

  #isNewNative(node: Ir): boolean {
    const areChildrenNative = (): boolean => childrenOf(node).every((child) => this.#isNative(child))
    switch (node.op) {
      case "constant":
      case "column":
      case "param":
        return true
      case "let":
        return this.#isNative(node.value)
      case "narrowed":
      case "guard":
      case "logical":
      case "conditional":
      case "datePart":
        return areChildrenNative()
      case "unary":
        if (node.operator === "typeof") return false
        return (node.operator === "!" || !mayBe(node.operand.kinds, STRING)) && areChildrenNative()
      case "binary":
        return isNativeBinary(node) && areChildrenNative()
      case "call":
        if (!NATIVE_FUNCTIONS.has(node.name)) return false
        return node.arguments.every(({ kinds }) => !mayBe(kinds, STRING)) && areChildrenNative()
      case "stringMember":
      case "numberMethod":
      case "template":
      case "regex":
        return false
    }
  }
}

function isNativeBinary({ operator, left, right }: Binary): boolean {
  const isText = [left, right].map(({ kinds }) => mayBe(kinds, STRING))
  if (!isText.includes(true)) return true
  const isEquality = operator === "===" || operator === "!==" || operator === "==" || operator === "!="
  if (!isEquality) return false
  // Of null only, nothing is asked of the text.
  if (isText.includes(false)) return true
  return left.op === "column" ? isKnownText(right) : right.op === "column" && isKnownText(left)
}

function isKnownText({ op }: Ir): boolean {
  return op === "constant" || op === "param"
}
