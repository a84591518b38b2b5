import { expect, it } from "vitest"
import { Prng } from "../../base/prng.ts"
import { GroupIndex } from "./group-index.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)

it("GI1 finds what a Map finds, for dense and for scattered ids, and as one turns into the other", () => {
  for (let seed = 0; seed < 300 * SCALE; seed++) {
    const prng = new Prng(seed)
    const index = new GroupIndex()
    const twin = new Map<number, number>()
    // The range that ids are drawn from changes on the way, so that both forms are left and entered.
    for (let phase = 0; phase < 3; phase++) {
      const range = prng.pick([8, 100, 3_000, 1_000_000])
      for (let adds = prng.below(300); adds > 0; adds--) {
        const id = prng.below(range)
        if (twin.has(id)) continue
        index.add(id, twin.size)
        twin.set(id, twin.size)
      }
    }
    const ids = Int32Array.from({ length: 600 }, () =>
      prng.chance(0.5) ? prng.below(2_000_000) : prng.pick([0, ...twin.keys()]),
    )
    const entries = new Int32Array(ids.length)
    index.find(ids, 0, ids.length, entries)
    const expected = Array.from(ids, (id) => (twin.get(id) ?? -1) + 1)
    expect(Array.from(entries), `seed ${seed}`).toEqual(expected)
    expect(
      Array.from(ids, (id) => index.groupOf(id) + 1),
      `seed ${seed}`,
    ).toEqual(expected)
  }
})
