/** What tools make of lambdas that is not compiled. `test/lambda-corpus.test.ts` has what is. */
import { describe, expect, it } from "vitest"
import { lambdaOf, select, TRUSTING, type TripLambda } from "./lambda.fixture.ts"

describe("what tools make of lambdas", () => {
  it("is refused where it has effects or hides the text", () => {
    const texts = [
      "(r) => { cov_2b().f[0]++; cov_2b().s[1]++; return cov_2b().b[0][0]++, r.fare > 0 }",
      "(r) => (0, __vi_import_0__.isLarge)(r.fare)",
      "(r) => { const f = /* @__PURE__ */ __name((x) => x > 0, 'f'); return f(r.fare) }",
    ]
    expect(texts.map((text) => select(lambdaOf(text), TRUSTING).form)).toMatchObject([
      { reason: "It counts its coverage, which only the closure does." },
      { reason: "It calls __vi_import_0__.isLarge, which is not compiled." },
      { reason: "It calls __name, which is not compiled." },
    ])
    const plain: TripLambda = (row) => row.fare > 0
    const reason = "Its source text is not that of a plain function: it is native, bound, a method or a class."
    expect(select(plain.bind(null), TRUSTING)).toMatchObject({ form: { reason }, rows: [0, 3] })
    expect(select(new Proxy(plain, {}), TRUSTING)).toMatchObject({ form: { reason }, rows: [0, 3] })
    const methods = {
      method: (() => ({ pick: (row: { fare: number }) => row.fare > 0 }).pick)() as TripLambda,
      ...({ shorthand: lambdaOf("({ keep(r) { return r.fare > 0 } }).keep") } as { shorthand: TripLambda }),
    }
    expect(select(methods.method, TRUSTING)).toMatchObject({ form: { kind: "compiled" }, rows: [0, 3] })
    expect(select(methods.shorthand, TRUSTING)).toMatchObject({ form: { reason }, rows: [0, 3] })
  })

  it("U1 is refused where modules and scripts read it differently", () => {
    const text = "(r) => r.fare <!--r.tip\n > 3"
    expect(select(lambdaOf(text), TRUSTING).form).toMatchObject({
      reason: 'Its source text holds "<!--" or "-->", which scripts and modules read differently.',
    })
  })

  it("is not fooled by a function that says another text of itself", () => {
    const liar = Object.assign((row: { fare: number }) => row.fare > 0, { toString: () => "(r) => r.fare < 0" })
    expect(select(liar as TripLambda, TRUSTING)).toMatchObject({ form: { ir: "(row.fare:float64 > 0)" }, rows: [0, 3] })
  })
})
