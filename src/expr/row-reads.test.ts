import { describe, expect, it } from "vitest"
import { CLOSURES, lambdaOf, select, TRIP } from "./lambda.fixture.ts"
import { columnsRead } from "./row-reads.ts"

const ALL = TRIP.fields.map(({ name }) => name)

function names(text: string): string[] {
  return columnsRead(lambdaOf(text), TRIP).map((index) => TRIP.fields[index]!.name)
}

describe("columns that closures read", () => {
  it.each([
    ["() => 1", []],
    ["(r) => helper(r.fare, r['odd name'])", ["fare", "odd name"]],
    ["(r) => { for (const x of list) if (x === r.zone) return r?.tip; return false }", ["tip", "zone"]],
    ["(r) => [1].some((x) => x < r.fare)", ["fare"]],
    ["({ fare, zone: { length = 0 } }) => helper(fare, length)", ["fare", "zone"]],
    ["(r) => { const { fare, tip: t = 1 } = r; return helper(fare, t) }", ["fare", "tip"]],
    ["(r) => ({ r: r.fare }).r", ["fare"]],
    ["(r) => other.r + r.driver.name.trim()", ["driver"]],
    ["async (r) => { await r.fare }", ["fare"]],
    ["(r) => { r.fare = 1; delete r.tip; return r.fare }", ["fare", "tip"]],
  ])("RR1 are known: %s", (text, expected) => {
    expect(names(text)).toEqual(expected)
  })

  it.each([
    "(r) => helper(r)",
    "(r) => ({ ...r })",
    "(r) => ({ r })",
    "(r) => [r]",
    "(r) => r[key]",
    "(r) => r.fare()",
    "(r) => r.fare?.()",
    "(r) => r.fare`x`",
    "(r) => r.nope",
    "(r) => r.hasOwnProperty",
    "(r) => 'tip' in r",
    "(r) => { for (const name in r) return name }",
    "(r) => { const copy = r; return copy.fare }",
    "(r) => { const { ...rest } = r; return rest }",
    "(r) => { const { [key]: x } = r; return x }",
    "(r) => { const { fare = r } = r; return fare }",
    "(r) => { let x; ({ x } = r); return x }",
    "(r, p = r) => r.fare",
    "(r) => eval('r')",
    "function (r) { return arguments[0] }",
    "({ fare = arguments }) => fare",
    "function ({ driver: { nope = arguments } }) { return nope }",
    "({ ...rest }) => rest",
    "({ [key]: x }) => x",
    "(...rows) => rows[0].fare",
    "(r = {}) => r.fare",
    "Number",
    "({ keep(r) { return r.fare } }).keep",
    "class { constructor(r) {} }",
  ])("RR1 are all: %s", (text) => {
    expect(names(text)).toEqual(ALL)
  })

  it("are all that is in the row", () => {
    const seen: unknown[] = []
    const spy = Object.assign(globalThis, { __spy: (value: unknown) => seen.push(value) }) as { __spy?: unknown }
    try {
      select(lambdaOf("(r) => __spy(r)"), CLOSURES)
      select(lambdaOf("(r) => { __spy(r.fare); return __spy(Object.keys((() => r)())) }"), CLOSURES)
    } finally {
      delete spy.__spy
    }
    expect(Object.keys(seen[0] as object)).toEqual(ALL)
    expect(seen[5]).toEqual(ALL)
  })
})
