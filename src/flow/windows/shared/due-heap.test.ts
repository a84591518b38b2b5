/** Tests of windows by when they are due: against a list that is searched. */
import { expect, it } from "vitest"
import { Prng } from "../../../base/prng.ts"
import { Arena } from "../../../batch/arena.ts"
import { compiledModule } from "../../../expr/compiled-module.ts"
import { WasmModule } from "../../../base/wasm-module.ts"
import { writePostponeFirst } from "./due-code.ts"
import { DueHeap } from "./due-heap.ts"

type PostponeFirst = (heap: number, count: number, end: number) => void

const arena = new Arena({ maxBytes: 1 << 20 })

function postponeFirstOf(): PostponeFirst {
  const module = compiledModule("test postponeFirst", () => {
    const written = new WasmModule()
    writePostponeFirst(written)
    return written
  })
  return module.instantiate<{ postponeFirst: PostponeFirst }>(arena.memory).postponeFirst
}

it("gives the window that is due first, whatever came before", () => {
  const postponeFirst = postponeFirstOf()
  for (let seed = 0; seed < 200; seed++) {
    const prng = new Prng(seed)
    const due = new DueHeap(arena)
    expect(due.firstEnd).toBe(Infinity)
    const ends = Array.from({ length: prng.below(70) }, () => -Infinity)
    for (const end of ends) {
      due.add()
      expect(due.firstEnd).toBe(end)
    }
    for (let filled = 0; filled < 3; filled++) {
      for (let step = 0; step < 100; step++) {
        const least = Math.min(...ends)
        expect(due.firstEnd).toBe(least)
        if (ends.length === 0) break
        expect(ends[due.first]).toBe(least)
        const end = Math.max(0, least) + prng.below(40)
        ends[due.first] = end
        postponeFirst(due.address, due.count, end)
      }
      for (let window = 0; window < ends.length; window++) ends[window] = prng.chance(0.2) ? -Infinity : prng.below(40)
      due.fill(ends)
    }
    due.release()
    expect(arena.usedBytes).toBe(0)
  }
})
