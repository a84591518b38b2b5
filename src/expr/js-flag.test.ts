import { describe, expect, it } from "vitest"
import { formOf, lambdaOf } from "./lambda.fixture.ts"

function code(text: string): string {
  const form = formOf(lambdaOf(text))
  return form.kind === "compiled" ? form.code : form.reason
}

describe("tests without branches", () => {
  it.each([
    "(r, p) => r.fare > 0 && r.fare < p.maxFare",
    "(r) => r.zone === 'JFK' || r.kind !== 'van'",
    "(r) => !(r.note === null) && r.isPaid && r.isShared",
    "(r) => { const net = r.fare - r.tip * 2; return net > 0 }",
    "(r) => r.tip !== null && r.tip > 3",
    "(r) => r.car == null || !(r.car.doors > 3 && r.car.plate !== null && r.car.plate !== 'x')",
  ])("are written for %s", (text) => {
    expect(code(text)).toContain("selectedCount += ")
    expect(code(text)).not.toMatch(/&&|\|\|/)
  })

  it.each([
    ["what is not a boolean", "(r) => r.fare"],
    ["what is asked of a text that a test has shown not to be null", "(r) => r.note !== null && r.note.length > 1"],
    ["texts", "(r) => r.isPaid && r.zone < 'b'"],
    ["calls", "(r) => r.isPaid && Math.sqrt(r.fare) > 3"],
    ["what takes long", "(r) => r.isPaid && r.fare % 7 > 3"],
    ["bigints", "(r) => r.isPaid && r.id > 3n"],
    ["a condition", "(r) => r.isPaid ? r.fare > 1 : r.isShared"],
  ])("are not written for %s", (_, text) => {
    expect(code(text)).toContain("selected[selectedCount++] = row")
  })
})
