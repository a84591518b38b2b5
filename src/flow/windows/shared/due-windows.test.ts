/** Tests of windows by when they are due: against a list that is searched. */
import { expect, it } from "vitest"
import { Prng } from "../../../base/prng.ts"
import { DueWindows } from "./due-windows.ts"

it("gives the window that is due first, whatever came before", () => {
  for (let seed = 0; seed < 200; seed++) {
    const prng = new Prng(seed)
    const windows = Array.from({ length: prng.below(12) }, () => ({
      floorEnd: prng.chance(0.2) ? -Infinity : prng.below(20),
    }))
    const due = new DueWindows<(typeof windows)[number]>()
    expect(due.firstEnd).toBe(Infinity)
    for (let filled = 0; filled < 2; filled++) {
      due.fill(windows)
      for (let step = 0; step < 40; step++) {
        const least = Math.min(...windows.map(({ floorEnd }) => floorEnd))
        expect(due.firstEnd).toBe(least)
        if (windows.length === 0) break
        expect(due.first.floorEnd).toBe(least)
        due.first.floorEnd = Math.max(0, least) + prng.below(10)
        due.postponeFirst(due.first.floorEnd)
      }
      for (const window of windows) window.floorEnd = prng.below(20)
    }
  }
})
