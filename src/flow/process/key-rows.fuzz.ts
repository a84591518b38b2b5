import { expect, test } from "vitest"
import { Prng } from "../../base/prng.ts"
import { hashOfBytes, KeyRows } from "./key-rows.ts"
import { PackedBytes } from "./packed-bytes.ts"

const encoder = new TextEncoder()

/** Bytes of which none begin with others. */
function keyOf(number: number): Uint8Array {
  return encoder.encode(`${number}.`)
}

test.each([hashOfBytes, () => 0, (bytes: Uint8Array) => (bytes[0]! % 3) - 1])(
  "KR1 KR2 PB1 rows are those of a Map, whatever the hash, and records stay where they are",
  (hashOf) => {
    for (let seed = 0; seed < 20; seed++) {
      const prng = new Prng(seed)
      const packed = new PackedBytes()
      const rows = new KeyRows(packed, 1)
      const twin = new Map<number, number>()
      const range = prng.pick([3, 50, 400])
      for (let step = 0; step < 1500; step++) {
        const number = prng.below(range)
        const key = keyOf(number)
        const hash = hashOf(key, 0, key.length)
        const row = rows.find(hash, key, 0, key.length)
        expect(row).toBe(twin.get(number) ?? -1)
        if (row < 0) {
          const added = rows.add(hash, packed.append(encoder.encode(`${number}.${"x".repeat(prng.below(900))}`)))
          expect([...twin.values()]).not.toContain(added)
          twin.set(number, added)
        } else if (prng.chance(0.6)) {
          const place = rows.placeOf(row)
          rows.remove(hash, row)
          packed.drop(place)
          twin.delete(number)
          expect(rows.placeOf(row)).toBe(0)
        } else if (prng.chance(0.5) || packed.isSparse(rows.placeOf(row))) {
          const before = rows.placeOf(row)
          rows.setPlace(row, packed.append(key))
          packed.drop(before)
        }
        expect(rows.size).toBe(twin.size)
      }
    }
  },
)

test("PB2 a chunk goes with its last record, and counts as sparse when most of them have gone", () => {
  const packed = new PackedBytes()
  const given = Uint8Array.from({ length: 100 }, (_, index) => index)
  const first = packed.take(given.subarray(10, 50))
  const places = [0, 10, 20, 30].map((at) => first + at)
  packed.addedAt(first, places.length)
  // What lies in the same buffer is of the same chunk.
  const second = packed.take(given.subarray(50))
  expect(packed.offsetOf(second)).toBe(50)
  packed.drop(first)
  packed.drop(second)
  expect(places.map((place) => packed.readerAt(place).uint8())).toEqual([10, 20, 30, 40])
  expect(packed.isSparse(places[3]!)).toBe(false)
  packed.drop(places[0]!)
  packed.drop(places[1]!)
  expect(packed.isSparse(places[3]!)).toBe(true)
  packed.drop(places[2]!)
  packed.drop(places[3]!)
  const other = packed.take(Uint8Array.of(1, 2))
  expect(other).toBe(first - 10)
  expect(() => packed.readerAt(places[3]!)).toThrow()
})
