/** What patterns mean, one by one. */
import { describe, expect, test } from "vitest"
import { TidemarkError } from "../../base/errors.ts"
import { hasWildcards, matchesName, parseGlob } from "./glob.ts"

function matches(pattern: string, name: string): boolean {
  return parseGlob(pattern).some(({ names }) => names.length === 1 && matchesName(names[0]!, name))
}

describe("one name", () => {
  test.each([
    ["*.csv", "trips.csv", true],
    ["*.csv", "trips.csv.gz", false],
    ["trips-?.csv", "trips-1.csv", true],
    ["trips-?.csv", "trips-12.csv", false],
    ["trips-[0-9].csv", "trips-7.csv", true],
    ["trips-[!0-9].csv", "trips-7.csv", false],
    ["trips-[^0-9].csv", "trips-x.csv", true],
    ["[]x].csv", "].csv", true],
    ["{trips,rides}.csv", "rides.csv", true],
    ["{trips,rides}.csv", "walks.csv", false],
    ["{a,b{c,d}}*", "bd1", true],
    ["{a,b{c,d}}*", "b1", false],
    ["a{,b}", "a", true],
    ["{x}", "{x}", true],
    ["{x", "{x", true],
    ["a[b", "a[b", true],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["\\{a,b\\}", "{a,b}", true],
    ["水*", "水边", true],
    ["?", "🦉", true],
  ])("%s against %s: %s", (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected)
  })

  test.each([
    ["*", ".hidden", false],
    ["?hidden", ".hidden", false],
    ["[.]hidden", ".hidden", false],
    [".*", ".hidden", true],
    ["\\.*", ".hidden", true],
    ["**", ".git", false],
    ["**", "trips", true],
  ])("Q1 a dot at the start is named: %s against %s: %s", (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected)
  })

  test("Q2 many wildcards take no time", () => {
    const startMs = performance.now()
    expect(matches(`${"a*".repeat(60)}b`, "a".repeat(250))).toBe(false)
    expect(performance.now() - startMs).toBeLessThan(200)
  })
})

describe("a path", () => {
  function shape(pattern: string): string[] {
    return parseGlob(pattern).map(({ isAbsolute, names }) => {
      const texts = names.map((name) => (name.kind === "literal" ? name.name : `<${name.kind}>`))
      return (isAbsolute ? "/" : "") + texts.join("/")
    })
  }

  test.each([
    ["trips/*.csv", ["trips/<wildcard>"]],
    ["/data/**/x", ["/data/<directories>/x"]],
    ["./trips//a.csv", ["trips/a.csv"]],
    ["trips/../rides/a.csv", ["rides/a.csv"]],
    ["../x/./a", ["../x/a"]],
    ["*/../a", ["<wildcard>/../a"]],
    ["a/**/**/b", ["a/<directories>/b"]],
    ["{a,b/c}/x", ["a/x", "b/c/x"]],
  ])("%s is %j", (pattern, expected) => {
    expect(shape(pattern)).toEqual(expected)
  })

  test("only a plain path has no wildcards", () => {
    expect(hasWildcards("out/hourly")).toBe(false)
    expect(hasWildcards("out/a\\*b")).toBe(false)
    expect(hasWildcards("out/*.csv")).toBe(true)
    expect(hasWildcards("{a,b}")).toBe(true)
  })

  test.each(["", ".", "./", "a/.."])("%j names no file", (pattern) => {
    expect(() => parseGlob(pattern)).toThrow(TidemarkError)
  })

  test("braces that stand for too many patterns are refused", () => {
    expect(() => parseGlob("{a,b}".repeat(30))).toThrow(/more than 1000 patterns/)
  })
})
