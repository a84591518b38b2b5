import { expect, test } from "vitest"
import { KnownPlaces } from "./known-places.ts"

test("places are found by the ordinals of their records, those of late at least", () => {
  const places = new KnownPlaces()
  expect(places.find(0)).toBeUndefined()
  let ordinal = 0
  for (let stretch = 0; stretch < 200; stretch++) {
    const count = stretch % 7
    const own = Array.from({ length: count * 200 }, (_, index) => ({ generation: stretch, offset: 2 ** 39 + index }))
    places.add(ordinal, own)
    own.forEach((place, index) => {
      if (index % 97 === 0) expect(places.find(ordinal + index)).toEqual(place)
    })
    ordinal += own.length
  }
  expect(ordinal).toBeGreaterThan(100_000)
  expect(places.find(ordinal)).toBeUndefined()
  expect(places.find(ordinal - 60_000)).toBeDefined()
  expect(places.find(ordinal - 70_000)).toBeUndefined()
})
