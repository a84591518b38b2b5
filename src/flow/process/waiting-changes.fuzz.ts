import { expect, test } from "vitest"
import { Prng } from "../../base/prng.ts"
import { t } from "../../batch/types.ts"
import { hashOfBytes } from "./key-rows.ts"
import { KEYS_MAX, ScannedChanges } from "./scanned-changes.ts"
import { OTHER, PARTIAL, WaitingChanges, WHOLE } from "./waiting-changes.ts"

interface Change {
  readonly key: string
  readonly chunk: number
  readonly offset: number
  readonly form: number
}

const LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 600]
/** Keys that are longer are never compared. */
const COMPARED_MAX = 256

/** Keys of which those of one length differ in the first, the last or some other byte. */
function keyOf(number: number): Uint8Array {
  const length = LENGTHS[number % LENGTHS.length]!
  const key = new Uint8Array(length).fill(7)
  key[(number * 5) % length] = number >> 4
  return key
}

/** What is left: of each key all, in order, but values right before changes that say all of them. */
function leftOf(changes: readonly Change[]): Map<string, Change[]> {
  const left = new Map<string, Change[]>()
  for (const change of changes) {
    const own = left.get(change.key) ?? []
    left.set(change.key, own)
    const isLong = change.key.split(",").length > COMPARED_MAX
    const before = own.at(-1)
    if (change.form === WHOLE && before !== undefined && before.form !== OTHER && !isLong) own.pop()
    own.push(isLong ? { ...change, form: OTHER } : change)
  }
  return left
}

test.each([hashOfBytes, () => 0, (bytes: Uint8Array) => (bytes[0]! % 3) - 1])(
  "WC1 of each key comes what was added, in order, but for what later changes replace, whatever the hash",
  (hashOf) => {
    for (let seed = 0; seed < 60; seed++) {
      const prng = new Prng(seed)
      const waiting = new WaitingChanges()
      const scanned = new ScannedChanges([t.int32], [], undefined)
      const range = prng.pick([3, 30, 300])
      for (let round = 0; round < 2; round++) {
        const added: Change[] = []
        for (let chunk = prng.below(2 ** 20), calls = prng.below(12); calls > 0; calls--, chunk++) {
          const count = 1 + prng.below(KEYS_MAX)
          const start = prng.pick([0, 17, 2 ** 31, 2 ** 32 - 2 ** 20])
          const bytes = new Uint8Array(count * 600)
          for (let index = 0, at = 0; index < count; index++) {
            const key = keyOf(prng.below(range))
            bytes.set(key, at)
            const form = prng.pick([WHOLE, WHOLE, PARTIAL, OTHER])
            scanned.hashes[index] = hashOf(key, 0, key.length)
            scanned.starts[index] = at
            scanned.keyEnds[index] = at + key.length
            scanned.arePlain[index] = form === OTHER ? 0 : 1
            scanned.areWhole[index] = form === WHOLE || prng.chance(form === OTHER ? 0.5 : 0) ? 1 : 0
            added.push({ key: [...key].join(), chunk, offset: start + at, form })
            at += key.length
          }
          waiting.add(scanned, count, bytes, chunk, start)
        }
        const keys = new Map(added.map(({ key, chunk, offset }) => [`${chunk} ${offset}`, key]))
        const shown = new Map<string, Change[]>()
        let [announced, count, leftOut] = [0, 0, 0]
        waiting.drain({
          table: (_table, keys) => (announced += keys),
          change: (hash, chunk, offset, keyBytes, form) => {
            const key = keys.get(`${chunk} ${offset}`)!
            const bytes = Uint8Array.from(key.split(",").map(Number))
            expect(hash).toBe(hashOf(bytes, 0, bytes.length))
            if (form !== OTHER) expect(keyBytes).toBe(bytes.length)
            shown.set(key, [...(shown.get(key) ?? []), { key, chunk, offset, form }])
            count++
          },
          leftOut: () => leftOut++,
        })
        expect(shown).toEqual(leftOf(added))
        const isLong = ({ key }: Change) => key.split(",").length > COMPARED_MAX
        const short = new Set(added.filter((change) => !isLong(change)).map(({ key }) => key))
        expect([announced, count + leftOut]).toEqual([short.size + added.filter(isLong).length, added.length])
        expect(waiting.bytes).toBe(0)
      }
    }
  },
)
