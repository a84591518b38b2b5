/** Lambdas as compilers, minifiers and bundlers rewrite them. */
import { transformSync, type TransformOptions } from "esbuild"
import { describe, expect, it } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { CLOSURES, lambdaOf, project, select, TRUSTING, type TripLambda } from "./lambda.fixture.ts"

const PREDICATES = [
  "(r: Trip) => r.fare > 0",
  "(r: Trip, p: Params) => r.fare > 0 && r.fare < p.maxFare!",
  "(r: Trip) => (r.tip ?? 0) > 1 || r.note === null",
  "(r: Trip) => r.driver.home?.city === 'Rome' && !r.isShared",
  "({ fare, tip, driver: { age } }: Trip) => fare + (tip ?? age ?? 0) > 10",
  "(r: Trip) => { const net = r.fare - (r.tip ?? 0); return net > 0 ? net < 1e6 : true }",
  "(r: Trip) => { if (r.car === null) return false; return r.car.doors >= 4 }",
  "(r: Trip) => r.parent !== null && r.parent + 1n > 5n",
  "function (r: Trip) { return r.zone !== '' && r.zone.length < 1_000_000 }",
  "(r: Trip) => r.fare < Infinity && Math.max(r.fare, 1) >= 1 && r.note !== undefined",
  "(r: Trip) => `${r.zone}-${r.kind}` === 'JFK-taxi' satisfies boolean",
  "(r: Trip) => Number.isFinite(r.fare) as boolean",
  "(r: Trip) => (r.tip !== null && r.tip! ** 2 > 1) || r.car?.plate?.startsWith('X') === true",
]

const PROJECTIONS = [
  "(r: Trip) => ({ net: r.fare - (r.tip ?? 0), label: `${r.zone}!` })",
  "(r: Trip) => { const { fare, zone } = r; return { net: fare, label: zone } }",
  "(r: Trip) => r.isPaid ? { net: r.fare, label: 'paid' } : { net: 0, label: r.note ?? 'none' }",
  "(r: Trip, p: Params) => { const net = Math.round(r.fare) % p.maxFare; return { net, label: r.kind } }",
]

const FORMS: Readonly<Record<string, TransformOptions>> = {
  "as it is": {},
  minified: { minify: true },
  "with names kept": { keepNames: true },
  "minified with names kept": { minify: true, keepNames: true },
  "for es2017": { target: "es2017" },
  "minified for es2017": { minify: true, target: "es2017" },
  "as CommonJS": { format: "cjs", target: "es2019" },
  "in a function": { format: "iife", minifySyntax: true },
}

/** bigints cannot be lowered. */
const HAS_BIGINT = /\dn\b/

function emitted(source: string, options: TransformOptions): TripLambda {
  const { code } = transformSync(`globalThis.__emitted = ${source}`, { loader: "ts", ...options })
  const holder = globalThis as { __emitted?: TripLambda }
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the test's own text
    new Function("module", code)({})
    return holder.__emitted!
  } finally {
    delete holder.__emitted
  }
}

describe.each(Object.entries(FORMS))("lambdas %s", (_, options) => {
  const isPossible = (source: string): boolean => options.target === undefined || !HAS_BIGINT.test(source)

  it.each(PREDICATES.filter(isPossible))("compile: %s", (source) => {
    const lambda = emitted(source, options)
    const compiled = select(lambda, TRUSTING)
    expect(compiled.form).toMatchObject({ kind: "compiled" })
    expect({ ...compiled, form: null }).toEqual({ ...select(lambda, CLOSURES), form: null })
    expect(compiled.rows).toEqual(select(emitted(source, {}), CLOSURES).rows)
  })

  it.each(PROJECTIONS)("compile: %s", (source) => {
    const targets = schema({ net: t.float64, label: t.string })
    const lambda = emitted(source, options)
    const compiled = project(lambda, targets, TRUSTING)
    expect(compiled.form).toMatchObject({ kind: "compiled" })
    expect({ ...compiled, form: null }).toEqual({ ...project(lambda, targets, CLOSURES), form: null })
  })
})

describe("what else tools make of lambdas", () => {
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
