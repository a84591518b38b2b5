/** Moved bytes, against a copy that goes through a list of its own. */
import { expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { Prng } from "../../../base/prng.ts"
import { moveBytes } from "./move-code.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)

it("bytes come to a lower place, or one apart, as they were, and no others change", () => {
  const arena = new Arena({ maxBytes: 1 << 16 })
  const move = moveBytes(arena.memory)
  const bytes = new Uint8Array(arena.buffer)
  const prng = new Prng(1)
  for (let round = 0; round < 3000 * SCALE; round++) {
    for (let at = 0; at < 1024; at++) bytes[at] = prng.below(256)
    const count = prng.below(300)
    const from = prng.below(400)
    const to = prng.chance(0.2) ? from + count : prng.below(from + 1)
    const expected = bytes.slice(0, 1024)
    expected.set(bytes.slice(from, from + count), to)
    move(to, from, count)
    expect(bytes.slice(0, 1024), `${count} bytes from ${from} to ${to}`).toEqual(expected)
  }
})
