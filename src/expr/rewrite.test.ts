/** Lambdas as they are rewritten. That they give the same is for the fuzzer of lambdas. */
import { describe, expect, it } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { irText } from "./ir-text.ts"
import { batchOf, lambdaOf, PARAMS, project, TRIP, TRIPS, TRUSTING } from "./lambda.fixture.ts"
import { lowerLambda } from "./lower-lambda.ts"
import { rewrite } from "./rewrite.ts"
import { STRING } from "./value-type.ts"

function rewritten(text: string, asked: "value" | "truth" = "value"): string {
  const ir = lowerLambda({ lambda: lambdaOf(text), schema: TRIP, params: PARAMS, options: TRUSTING })
  return irText(rewrite(ir, asked))
}

describe("rewriting", () => {
  it.each([
    ["(r) => 60 * 60 + -0", "3600"],
    ["(r) => -0 * 1", "-0"],
    ["(r) => 0 / 0 > r.fare", "(NaN > row.fare:float64)"],
    ["(r) => r.id + 2n ** 3n * 2n", "(row.id:int64 + ((2n ** 3n) * 2n))"],
    ["(r) => r.id > 9n * 9n", "(row.id:int64 > 81n)"],
    ["(r) => 'a' + `b${1}${null}` + typeof 1n", '"ab1nullbigint"'],
    ["(r) => Math.max(3, 2) + 'abc'.length + 'aB'.toUpperCase().length", "8"],
    ["(r) => 'x'.repeat(300).length", '"x".repeat(300).length'],
    ["(r) => !0 && r.fare", "row.fare:float64"],
    ["(r) => !1 && r.note.length", "false"],
    ["(r) => 1 < 2 ? r.fare : r.tip", "row.fare:float64"],
    ["(r) => null ?? r.fare", "row.fare:float64"],
    ["(r) => (r.fare > 0 && true) || false", "(row.fare:float64 > 0)"],
    ["(r) => r.fare && true", "(row.fare:float64 && true)"],
    [
      "(r) => { const debug = 1 - 1; const n = r.fare * 2; return debug ? n + 1 : n }",
      "t0 = (row.fare:float64 * 2)\nt0",
    ],
  ])("FO1 folds %s", (text, ir) => {
    expect(rewritten(text)).toBe(ir)
  })

  it.each([
    ["(r) => r.fare === null || r.zone", "row.zone:string"],
    ["(r) => r.fare !== undefined && r.zone", "row.zone:string"],
    ["(r) => r.tip !== null && r.tip !== void 0 ? r.tip : 0", "((row.tip:float64? !== null) ? row.tip:float64? : 0)"],
    ["(r) => (r.isPaid ? null : undefined) === null", "((row.isPaid:bool ? null : undefined) === null)"],
    ["(r) => (r.isPaid ? null : undefined) == null", "true"],
    ["(r) => (r.isPaid ? null : null) === undefined", "false"],
    ["(r) => r.tip == undefined", "(row.tip:float64? == undefined)"],
    ["(r) => r.fare ?? r.note.length", "row.fare:float64"],
    ["(r) => (r.note !== null ? r.note : 'x') ?? 1", '((row.note:string? !== null) ? row.note:string? : "x")'],
    ["(r) => typeof r.fare === 'number' && r.zone", "row.zone:string"],
    ["(r) => typeof r.tip === 'number'", '((typeof row.tip:float64?) === "number")'],
  ])("FO1 knows what is null by its type: %s", (text, ir) => {
    expect(rewritten(text)).toBe(ir)
  })

  it.each([
    ["(r) => r.note.length === null", "(guard((row.note:string? != null), row.note:string?.length) === null)"],
    ["(r) => typeof r.note.length", "(typeof guard((row.note:string? != null), row.note:string?.length))"],
    ["(r) => 1n / 0n", "guard(false, (1n / 0n))"],
    ["(r) => 1n / 2n", "(1n / 2n)"],
  ])("FO2 neither drops nor folds what may throw: %s", (text, ir) => {
    expect(rewritten(text)).toBe(ir)
  })

  it.each([
    [
      "(r) => /x/.test(r.zone) && r.fare > 0 && r.zone === 'JFK'",
      '(((row.fare:float64 > 0) && (row.zone:string === "JFK")) && /x/.test(row.zone:string))',
    ],
    ["(r) => !(r.zone.trim() === '' || r.isPaid) ", '(! (row.isPaid:bool || (row.zone:string.trim() === "")))'],
    [
      "(r) => (/x/.test(r.zone) && r.isPaid) ? r.fare : 0",
      "((row.isPaid:bool && /x/.test(row.zone:string)) ? row.fare:float64 : 0)",
    ],
  ])("OR1 puts cheap tests first: %s", (text, ir) => {
    expect(rewritten(text, "truth")).toBe(ir)
  })

  it("OR1 keeps the order where the value of a chain counts", () => {
    const text = "(r) => /x/.test(r.zone) && r.fare"
    expect(rewritten(text)).toBe("(/x/.test(row.zone:string) && row.fare:float64)")
    expect(rewritten(text, "truth")).toBe("(row.fare:float64 && /x/.test(row.zone:string))")
  })

  it.each([
    [
      "(r) => r.zone.trim() === 'x' && r.note !== null && r.note.length > 3 && r.isPaid",
      '(((row.isPaid:bool && (row.note:string? !== null)) && (row.zone:string.trim() === "x")) && (row.note:string?.length > 3))',
    ],
    [
      "(r) => r.zone.trim() === 'x' && r.note.length > 3 && r.isPaid",
      '(((row.zone:string.trim() === "x") && (guard((row.note:string? != null), row.note:string?.length) > 3)) && row.isPaid:bool)',
    ],
    [
      "(r) => r.zone.trim() === 'x' && r.car && r.car.doors > 3 && r.fare > 0",
      '(((row.car:object? && (row.fare:float64 > 0)) && (row.zone:string.trim() === "x")) && (row.car.doors:int32 > 3))',
    ],
  ])("OR2 moves nothing before what it relies on, nor past what may throw: %s", (text, ir) => {
    expect(rewritten(text, "truth")).toBe(ir)
  })

  it.each([
    [
      "(r) => r.zone.trim() === 'x' || r.zone.trim() === 'y'",
      't0 = row.zone:string.trim()\n((t0 === "x") || (t0 === "y"))',
    ],
    [
      "(r) => ({ a: r.zone.trim() + 1, b: r.isPaid ? r.zone.trim() + 1 : '' })",
      't0 = (row.zone:string.trim() + 1)\n{ "a": t0, "b": (row.isPaid:bool ? t0 : "") }',
    ],
    [
      "(r) => { const t = r.zone.trim(); return t + r.zone.trim().length }",
      "t0 = row.zone:string.trim()\n(t0 + t0.length)",
    ],
    [
      "(r) => (r.zone + r.kind).trim().length + (r.zone + r.kind).length + (r.zone + r.kind).trim().length",
      "t0 = (row.zone:string + row.kind:enum)\nt1 = t0.trim().length\n((t1 + t0.length) + t1)",
    ],
    ["(r) => /a/.test(r.zone) || /a/i.test(r.zone)", "(/a/.test(row.zone:string) || /a/i.test(row.zone:string))"],
  ])("SH2 shares what repeats: %s", (text, ir) => {
    expect(rewritten(text)).toBe(ir)
  })

  it("SH1 evaluates what is shared as every row may, whatever tests have told elsewhere", () => {
    const lambda = lambdaOf("(r) => ({ a: r.note !== null ? String(r.note) + 1 : '', b: String(r.note) + 1 })")
    const targets = schema({ a: t.string, b: t.string })
    // A dictionary without any text, from which nothing can be read.
    const rows = batchOf(TRIP, [{ ...TRIPS[0]!, note: null }])
    const outcome = project(lambda, targets, TRUSTING, rows)
    expect(outcome).toMatchObject({ form: { kind: "compiled" }, rows: [{ a: "", b: "null1" }], failures: [] })
    const text =
      "(r) => ({ a: r.note !== null ? String(r.note) + 1 : '', b: (r.note ?? 'x') + 1, c: String(r.note) + 1 })"
    expect(rewritten(text)).toContain("t0 = (String(row.note:string?) + 1)")
  })

  it("keeps what tests have told of what is shared", () => {
    const text =
      "(r) => { const n = r.car?.plate?.trim(); return n !== undefined && n.length > 1 ? n : r.car?.plate?.trim() }"
    const { result, lets } = rewrite(
      lowerLambda({ lambda: lambdaOf(text), schema: TRIP, params: PARAMS, options: TRUSTING }),
      "value",
    )
    expect(lets).toHaveLength(1)
    expect(result).toMatchObject({ op: "conditional", then: { op: "narrowed", kinds: STRING } })
  })

  it.each([
    "(r) => r.isPaid ? r.zone.trim().length + r.zone.trim().length : 0",
    "(r) => r.fare * 2 > 1 && r.fare * 2 < 9",
    "(r) => r.isPaid && r.note.trim().length > 1 && r.note.trim().length < 9",
  ])("SH1 shares neither what some rows do not need, nor what is cheap: %s", (text) => {
    expect(rewritten(text)).not.toContain("t0")
  })
})
