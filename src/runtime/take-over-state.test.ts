import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import type { OperatorState } from "../flow/operator.ts"
import type { LogPart } from "../log/seen-records.ts"
import type { WrittenChanges } from "../state/written-changes.ts"
import { takeOverState } from "./take-over-state.ts"

const spill = { begin: () => Promise.resolve(), flush: () => Promise.resolve() }

/** A state that takes note of what it is given, and fails when it is given something behind its end. */
function stateOf(id: string, taken: number[]): OperatorState {
  let hasEnded = false
  const applyChanges: OperatorState["applyChanges"] = (changes) => {
    if (hasEnded) throw new Error("changes come behind the last")
    taken.push(changes.uint8())
  }
  return { id, applyChanges, endChanges: () => void (hasEnded = true) } as unknown as OperatorState
}

test("P21 each state takes its changes in order; what is read again is read forwards, slices and then epochs, for all states together", async () => {
  for (let seed = 0; seed < 100; seed++) {
    const prng = new Prng(seed)
    const ids = ["a", "b", "c"]
    const expected = new Map<string, number[]>()
    const written = new Map<string, WrittenChanges[]>()
    const keptChance = prng.pick([0, 0.3])
    for (const id of ids) {
      const changes: WrittenChanges[] = []
      const numbers: number[] = []
      // Slices, and then epochs that lie between them and behind.
      for (const end of [100, 200]) {
        for (let offset = prng.below(30); offset < end; offset += 1 + prng.below(30)) {
          const number = prng.below(256)
          numbers.push(number)
          const part: LogPart = { place: { generation: 1, offset }, recordBytes: 1, from: number, length: 1 }
          changes.push(prng.chance(keptChance) ? Uint8Array.of(number) : part)
        }
      }
      written.set(id, changes)
      expected.set(id, numbers)
    }
    const taken = new Map(ids.map((id) => [id, [] as number[]]))
    const read: number[] = []
    let isClosed = false
    const seen = {
      read: ({ place, from }: LogPart) => {
        read.push(place.offset)
        return Promise.resolve(Uint8Array.of(from))
      },
      close: () => Promise.resolve(void (isClosed = true)),
    }
    const states = ids.map((id) => stateOf(id, taken.get(id)!))
    await takeOverState(states, written, new Map(), seen, spill)
    expect(taken).toEqual(expected)
    expect(read.filter((offset, index) => offset < (read[index - 1] ?? 0)).length).toBeLessThanOrEqual(1)
    expect(isClosed).toBe(true)
  }
})
