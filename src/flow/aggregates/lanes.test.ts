/** Counts as doubles, two at once, against what JavaScript makes of them. */
import { expect, it } from "vitest"
import { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { v128 } from "../../base/wasm-code.ts"
import { WasmModule } from "../../base/wasm-module.ts"
import { doublesOf } from "./lanes.ts"

const COUNT_MAX = 2 ** 52 - 1

it("turns each count into the double of the same value", () => {
  const arena = new Arena({ maxBytes: 1 << 16 })
  const { offset } = arena.allocate(16)
  const { convert } = new WasmModule()
    .function("convert", { parameters: { at: "i32" }, result: "none" }, ({ at }) => [
      v128.store(at.get, doublesOf(v128.load(at.get))),
    ])
    .instantiate<{ convert: (at: number) => void }>(arena.memory)
  const counts = new BigInt64Array(arena.buffer, offset, 2)
  const doubles = new Float64Array(arena.buffer, offset, 2)
  const prng = new Prng(1)
  const powers = Array.from({ length: 52 }, (_, power) => 2 ** power)
  const edges = [0, ...powers.flatMap((power) => [power - 1, power, Math.min(power + 1, COUNT_MAX)]), COUNT_MAX]
  const drawn = Array.from({ length: 1000 }, () => prng.below(2 ** (1 + prng.below(52))))
  for (const count of [...edges, ...drawn]) {
    const other = COUNT_MAX - count
    counts.set([BigInt(count), BigInt(other)])
    convert(offset)
    expect([...doubles]).toEqual([count, other])
  }
})
