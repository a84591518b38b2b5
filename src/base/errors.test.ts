import { describe, expect, it } from "vitest"
import { assert, AssertionError, unreachable } from "./assert.ts"
import { ERROR_CODES, TidemarkError } from "./errors.ts"

describe("errors", () => {
  it("R1 has each code once, in lower case with dashes, as its page is named", () => {
    expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length)
    for (const code of ERROR_CODES) expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
  })

  it("carries code, hint and cause", () => {
    const cause = new Error("EIO")
    const error = new TidemarkError("disk-failed", "The disk failed.", { hint: "Buy another.", cause })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: "TidemarkError",
      code: "disk-failed",
      message: "The disk failed.",
      hint: "Buy another.",
      cause,
    })
    expect("cause" in new TidemarkError("disk-full", "The disk is full.")).toBe(false)
  })

  it("asserts what is believed, and says what was not so", () => {
    expect(() => assert(true, "water is wet")).not.toThrow()
    expect(() => assert(0, "water is wet")).toThrow(new AssertionError("water is wet"))
    expect(() => unreachable("sea" as never, "a shore")).toThrow("a shore has the unexpected value sea")
  })
})
