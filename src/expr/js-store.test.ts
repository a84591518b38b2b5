import { describe, expect, it } from "vitest"
import type { ColumnType } from "../batch/type.ts"
import { Schema, schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { batchOf, CLOSURES, lambdaOf, project, TRUSTING } from "./lambda.fixture.ts"

const TYPES: readonly ColumnType[] = [
  ...[t.bool, t.int32, t.int53, t.int64, t.float64, t.string, t.timestamp(), t.timestamp({ format: "ns" })],
  t.enum("a", "1"),
]

const NUMBERS = [0, -0, 0.5, -1, 1e300, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 31 - 1, -(2 ** 31), -(2 ** 31) - 1]
const WIDE = [2 ** 53, 2 ** 53 - 1, -(2 ** 53), -(2 ** 53 - 1), 2 ** 32, 2 ** 32 + 1, -(2 ** 32) - 1, 2 ** 63]
const BIGINTS = [0n, -1n, 2n ** 63n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 63n) - 1n, 2n ** 200n]
const TEXTS = ["", "a", "1", "b", "\ud800", "😀"]

/** Every value as a literal, and as what comes from a computation of which only the kind is known. */
const LITERALS = [
  ...[...NUMBERS, ...WIDE].map((value) => (Object.is(value, -0) ? "-0" : value === Infinity ? "1 / 0" : String(value))),
  ...[...BIGINTS.map((value) => `${value}n`), ...TEXTS.map((text) => JSON.stringify(text))],
  ...["true", "false", "null", "void 0"],
].map((text) => text.replace("-Infinity", "-1 / 0").replace("NaN", "0 / 0"))

describe("stores of compiled projections", () => {
  it.each(TYPES.flatMap((type) => [type, type.nullable()]).map((type) => ({ label: type.label, type })))(
    "JS1 JS2 accept and write for $label what the type's check and writeValue do",
    ({ type }) => {
      const target = new Schema([{ name: "x", type }])
      const batch = batchOf(schema({ on: t.bool }), [{ on: true }, { on: false }, { on: true }])
      for (const literal of LITERALS) {
        const ways = [literal, `r.on ? ${literal} : null`, `(r.on && (${literal}))`, `[0, (${literal})][1]`]
        const results = ways.map((way) => {
          const lambda = lambdaOf(`(r) => ({ x: ${way} })`)
          const [compiled, closure] = [TRUSTING, CLOSURES].map((options) => project(lambda, target, options, batch))
          expect({ ...compiled!, form: null }, way).toEqual({ ...closure!, form: null })
          return compiled!.form.kind
        })
        expect(results).toEqual(["compiled", "compiled", "compiled", "closure"])
      }
    },
  )
})
