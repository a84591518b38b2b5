/**
 * IR to columnar JavaScript: the source of a function that works on all rows of a batch in one loop.
 *
 * This back end takes all IR there is. Another one, such as WebAssembly, is another file of this kind. Nothing is run
 * here: `js-kernel.ts` makes functions of the source.
 *
 * Invariants:
 * - GJ1 The same IR gives the same source.
 * - GJ2 The source names nothing outside of itself: what it uses comes in as arguments.
 */
import { assert } from "../base/assert.ts"
import type { ColumnType } from "../batch/type.ts"
import type { ColumnReference, Ir, LambdaIr, Let, ParamReference } from "./ir.ts"
import { JsExpressions, letName } from "./js-expression.ts"
import { flagOf } from "./js-flag.ts"
import { JsLocals } from "./js-locals.ts"
import { JsStores } from "./js-store.ts"
import type { RegexLiteral } from "./regex.ts"

/** Generated source and what it wants to be given. */
export interface JsSource {
  /**
   * The body of a function of `functions`, the genuine functions of these names, `regexes`, and `fail`, which throws where
   * a guard fails. It gives the kernel:
   * for predicates `(columns, params, ones, selection, count, selected) => number of selected rows`,
   * for projections `(columns, params, ones, selection, count, targets, failed, checks, codeOfSymbol, translate) =>
   * number of failed rows`.
   */
  readonly code: string
  /** Names of known functions. */
  readonly functions: readonly string[]
  /** Regular expressions to be made. */
  readonly regexes: readonly RegexLiteral[]
  /** Places whose values `params` holds. */
  readonly params: readonly ParamReference[]
}

/** What is done for a row, written with the names it is given. */
type WriteRow = (expressions: JsExpressions) => { statements: readonly string[]; mutable?: readonly string[] }

/** The source of a predicate. */
export function predicateSource(ir: LambdaIr): JsSource {
  const { result, lets } = ir
  assert(result.op !== "object", "a predicate gives a value")
  return generate("selected", "return selectedCount", ["selectedCount = 0"], lets, (expressions) => {
    const flag = flagOf(result, expressions)
    if (flag === undefined) return { statements: [`if (${expressions.test(result)}) selected[selectedCount++] = row`] }
    // The row is written in any case, and over-written by the next one where it does not count.
    return { statements: ["selected[selectedCount] = row", `selectedCount += ${flag} | 0`] }
  })
}

/** The source of a projection: `values[i]` goes to the column of `types[i]`. */
export function projectionSource(values: readonly Ir[], types: readonly ColumnType[], lets: readonly Let[]): JsSource {
  assert(values.length === types.length, "each column has its value")
  const parameters = "targets, failed, checks, codeOfSymbol, translate"
  return generate(parameters, "return failures", ["failures = 0"], lets, (expressions) => {
    const stores = new JsStores(expressions)
    const statements = values.map((value, index) => `{ ${stores.storeColumn(value, { index, type: types[index]! })} }`)
    return { statements, mutable: stores.lazyCodes.map((name) => `${name} = -1`) }
  })
}

function generate(
  parameters: string,
  end: string,
  counters: readonly string[],
  lets: readonly Let[],
  writeRow: WriteRow,
): JsSource {
  const shared = dearPlacesUsedTwice(lets, writeRow)
  const locals = new JsLocals()
  const expressions = new JsExpressions(locals, shared.names)
  const row = [
    ...shared.references.map((reference) => expressions.sharedStatement(reference)),
    ...letStatements(lets, expressions),
  ]
  const { statements, mutable = [] } = writeRow(expressions)
  row.push(...statements)
  const code = [
    '"use strict"',
    ...locals.functionStatements(),
    "const object = {}",
    `return (columns, params, ones, selection, count, ${parameters}) => {`,
    ...indent(1, locals.batchStatements()),
    ...indent(
      1,
      [...counters, ...mutable].map((counter) => `let ${counter}`),
    ),
    "  if (selection === null) {",
    "    for (let row = 0; row < count; row++) {",
    ...indent(3, row),
    "    }",
    "  } else {",
    "    for (let at = 0; at < count; at++) {",
    "      const row = selection[at]",
    ...indent(3, row),
    "    }",
    "  }",
    `  ${end}`,
    "}",
  ]
  return { code: code.join("\n"), functions: locals.functions, regexes: locals.regexes, params: locals.params }
}

/** The row is written once for nothing, to count what it reads. */
function dearPlacesUsedTwice(lets: readonly Let[], writeRow: WriteRow) {
  const expressions = new JsExpressions(new JsLocals(), new Map())
  letStatements(lets, expressions)
  writeRow(expressions)
  const names = new Map<string, string>()
  const references: ColumnReference[] = []
  for (const [place, { reference, uses }] of expressions.counts) {
    if (uses < 2) continue
    names.set(place, `r${references.length}`)
    references.push(reference)
  }
  return { names, references }
}

function letStatements(lets: readonly Let[], expressions: JsExpressions): string[] {
  return lets.map((each) => `const ${letName(each)} = ${expressions.value(each.value)}`)
}

function indent(depth: number, lines: readonly string[]): string[] {
  return lines.map((line) => `${"  ".repeat(depth)}${line}`)
}
