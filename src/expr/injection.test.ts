/** Hostile names and literals: generated code holds nothing of the user's but constants, as literals. */
import { parse, type AnyNode } from "acorn"
import { afterEach, describe, expect, it } from "vitest"
import { Arena } from "../batch/arena.ts"
import { allocateColumns } from "../batch/batch.ts"
import { readValue } from "../batch/column.ts"
import { Schema, schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { batchOf, CLOSURES, lambdaOf, TRUSTING } from "./lambda.fixture.ts"
import type { LambdaForm, RowFunction } from "./lambda.ts"
import { compilePredicate } from "./predicate.ts"
import { compileProjection } from "./projection.ts"

const PWNED = "globalThis.__pwned = true"
const HOSTILE = [
  `"]; ${PWNED}; //`,
  `'); ${PWNED}; ('`,
  `\`; ${PWNED}; \``,
  `\${${PWNED}}`,
  `\\"; ${PWNED}; //`,
  `\u2028${PWNED}\u2029${PWNED}`,
  `\n${PWNED}\r\n`,
  `*/ ${PWNED} /*`,
  `</script><script>${PWNED}</script>`,
  "<!-- -",
  "\0",
  "\ud800",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "__defineGetter__",
  "columns",
  "row",
  "fail",
]

const arena = new Arena({ maxBytes: 1 << 20 })

afterEach(() => expect(Reflect.has(globalThis, "__pwned")).toBe(false))

/** Names that generated code may use: parameters of its functions, members of columns, and numbered locals. */
const OWN_NAMES = new RegExp(
  "^(?:columns|params|ones|selection|count|selected|selectedCount|targets|failed|failures|checks|codeOfSymbol|translate|" +
    "functions|regexes|fail|object|at|row|code|x|values|halves|validity|dictionary|children|text|find|codeOf|test|" +
    "[a-z]\\d+)$",
)

/** As it stands in a lambda: scripts and modules read `<!--` differently, so no lambda with it is compiled. */
function literalOf(text: string): string {
  return JSON.stringify(text).replace("<!--", "\\u003c!--")
}

/** The names in generated code that are none of its own, and its texts. */
function contentsOf(form: LambdaForm): { names: string[]; texts: string[] } {
  expect(form).toMatchObject({ kind: "compiled" })
  const code = form.kind === "compiled" ? form.code : ""
  expect(code).not.toMatch(/[\u2028\u2029]/)
  const names = new Set<string>()
  const texts = new Set<string>()
  const visit = (node: AnyNode): void => {
    if (node.type === "Identifier" && !OWN_NAMES.test(node.name)) names.add(node.name)
    if (node.type === "Literal" && typeof node.value === "string") texts.add(node.value)
    if (node.type === "Literal" && node.value instanceof RegExp) texts.add("a regular expression")
    for (const value of Object.values(node) as unknown[]) {
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
        if (typeof child === "object" && child !== null && "type" in child) visit(child as AnyNode)
      }
    }
  }
  visit(parse(code, { ecmaVersion: "latest", allowReturnOutsideFunction: true }))
  return { names: [...names], texts: [...texts].filter((text) => text !== "use strict") }
}

describe("generated code", () => {
  it.each(HOSTILE)("JL2 holds no name of a column, field or parameter: %j", (hostile) => {
    const key = literalOf(hostile)
    const rows = schema({ [hostile]: t.float64, o: t.object({ [hostile]: t.string.nullable() }) })
    const params = schema({ [hostile]: t.float64 })
    const lambda = lambdaOf(`(r, p) => r[${key}] === p[${key}] && r.o[${key}] !== null`) as RowFunction
    const batch = batchOf(rows, [
      { [hostile]: 1, o: { [hostile]: "x" } },
      { [hostile]: 2, o: { [hostile]: "x" } },
      { [hostile]: 1, o: { [hostile]: null } },
    ])
    for (const options of [TRUSTING, CLOSURES]) {
      const predicate = compilePredicate({ lambda, schema: rows, params, options })
      const selected = new Int32Array(3)
      const count = predicate.select(batch, { [hostile]: 1 }, selected, () => expect.unreachable())
      expect([...selected.subarray(0, count)]).toEqual([0])
      if (options === TRUSTING) expect(contentsOf(predicate.form)).toEqual({ names: [], texts: [] })
    }
  })

  it.each(HOSTILE)("JL2 holds texts as literals, and regular expressions not at all: %j", (hostile) => {
    const key = literalOf(hostile)
    const escaped = hostile.replace(/[^\w]/gu, (unit) => `\\u{${unit.codePointAt(0)!.toString(16)}}`)
    const rows = schema({ text: t.string })
    // No column and no enum can hold a lone surrogate.
    const isText = hostile !== "\ud800"
    const targets = schema({ [hostile]: t.string, symbol: t.enum(isText ? hostile : "some", "other") })
    const member = isText ? key : '"some"'
    const lambda = lambdaOf(
      `(r) => ({ ${key}: r.text + ${key} + \`<\${r.text}>\`, symbol: /^${escaped}$/u.test(r.text) ? ${member} : "other" })`,
    ) as RowFunction
    const batch = batchOf(rows, [{ text: hostile }, { text: "" }])
    const request = { lambda, schema: rows, params: new Schema([]), targets: targets.fields, shape: "object" as const }
    const [compiled, twin] = [TRUSTING, CLOSURES].map((options) => {
      const projection = compileProjection({ ...request, options })
      const { columns, release } = allocateColumns(arena, targets, 2)
      projection.project(batch, {}, columns, () => expect.unreachable())
      const values = [0, 1].map((row) => columns.map((column) => readValue(column, row)))
      release()
      return { values, form: projection.form }
    })
    expect(compiled!.values).toEqual(twin!.values)
    const texts = [hostile, "<", ">", "some", "other"]
    expect(contentsOf(compiled!.form)).toMatchObject({ names: [] })
    expect(contentsOf(compiled!.form).texts.filter((text) => !texts.includes(text))).toEqual([])
  })
})
