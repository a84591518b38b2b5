/** Tests of the guesses in error hints. */
import { expect, test } from "vitest"
import { nameHint, nearestName } from "./did-you-mean.ts"

test("a mistyped name finds the one that was meant", () => {
  const names = ["pickup", "zone", "fare", "windowStart"]
  expect(nearestName("picup", names)).toBe("pickup")
  expect(nearestName("zoen", names)).toBe("zone")
  expect(nearestName("Fare", names)).toBe("fare")
  expect(nearestName("fair", names)).toBe("fare")
  expect(nearestName("window_start", names)).toBe("windowStart")
})

test("of several near names the nearest wins, of equally near ones the first", () => {
  expect(nearestName("fares", ["faces", "fares2", "fare"])).toBe("faces")
  expect(nearestName("amounts", ["amont", "amount"])).toBe("amount")
})

test("a name that is far from all is no guess", () => {
  expect(nearestName("zone", ["fare", "tip"])).toBeUndefined()
  expect(nearestName("x", ["abc"])).toBeUndefined()
  expect(nearestName("fair", ["hair", "stare"])).toBe("hair")
  expect(nearestName("fair", ["care", "stare", "tip"])).toBeUndefined()
  expect(nearestName("zone", [])).toBeUndefined()
})

test("the hint names what there is, and cuts long lists", () => {
  expect(nameHint("zon", ["zone", "fare"], "columns")).toBe('Did you mean "zone"? The columns are "zone", "fare".')
  expect(nameHint("zon", [], "inputs")).toBe("There are no inputs.")
  const many = Array.from({ length: 25 }, (_, index) => `c${index}`)
  expect(nameHint("other", many, "columns")).toMatch(/^The columns are "c0", .*, "c19" and 5 more\.$/)
})
