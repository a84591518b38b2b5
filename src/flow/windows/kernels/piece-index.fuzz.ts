import { expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { LinearArray } from "../../../batch/linear-array.ts"
import { Prng } from "../../../base/prng.ts"
import { PieceIndex } from "./piece-index.ts"
import { PieceList } from "../piece-list.ts"
import { PIECE } from "./window-control.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)

it("PI1 PI2 the tables of pieces find what Maps find, for dense and for scattered ids, full and moved", () => {
  for (let seed = 0; seed < 200 * SCALE; seed++) {
    const prng = new Prng(seed)
    const arena = new Arena({ maxBytes: 1 << 20 })
    const [index, list] = [new PieceIndex(arena), new PieceList(arena)]
    const entryIds = new LinearArray(arena, 4, 4096)
    const twins: Map<number, number>[] = []
    /** Room for tables up to an entry; those of the first pieces are made anew where they are lost for it. */
    const reserve = (capacity: number, pieces: number) => {
      if (!index.reserve(capacity)) return
      for (let piece = 0; piece < pieces; piece++) index.build(entryIds.address, list.recordAddress(piece))
    }
    let from = prng.below(5)
    for (let piece = 0; piece < 3; piece++) {
      list.write(piece, { start: 0, end: 1, firstWindowEnd: 1, lastWindowEnd: 1 }, 1, from)
      const capacity = prng.pick([1, 2, 3, 5, 7, 8, 100, 127, 128, 129])
      list.set(piece, PIECE.capacity, capacity)
      list.set(piece, PIECE.shift, PieceIndex.shiftOf(capacity))
      reserve(from + capacity, piece)
      const [range, step] = prng.pick([
        [200, 1],
        [200, 64],
        [400, 4096],
        [2 ** 20, 1],
      ])!
      const ids = new Set<number>()
      while (ids.size < capacity) ids.add(prng.below(range!) * step!)
      const built = prng.below(capacity + 1)
      const twin = new Map([...ids].map((id, place) => [id, place]))
      entryIds.i32.set([...ids], from)
      list.set(piece, PIECE.size, built)
      index.build(entryIds.address, list.recordAddress(piece))
      expect(list.get(piece, PIECE.indexed)).toBe(built)
      for (let size = built; size < capacity;) {
        size += 1 + prng.below(capacity - size)
        list.set(piece, PIECE.size, size)
        const next = entryIds.i32[from + size - 1]!
        expect(index.find(list.recordAddress(piece), next)).toBe(-1)
        const isTwice = size > 1 && prng.chance(0.1)
        if (isTwice) entryIds.i32[from + size - 1] = entryIds.i32[from + prng.below(size - 1)]!
        expect(index.addNew(entryIds.address, list.recordAddress(piece)), `seed ${seed}`).toBe(!isTwice)
        if (!isTwice) continue
        entryIds.i32[from + size - 1] = next
        index.build(entryIds.address, list.recordAddress(piece))
      }
      expect(list.get(piece, PIECE.indexed)).toBe(capacity)
      twins.push(twin)
      from += capacity
    }
    const by = prng.below(60)
    reserve(from + by, twins.length)
    index.move(0, by, from)
    twins.forEach((twin, piece) => {
      list.set(piece, PIECE.from, list.get(piece, PIECE.from) + by)
      const asked = [...twin.keys(), ...Array.from({ length: 200 }, () => prng.below(2 ** 20))]
      const wrong = asked.filter((id) => index.find(list.recordAddress(piece), id) !== (twin.get(id) ?? -1))
      expect(wrong, `seed ${seed}`).toEqual([])
    })
  }
}, 600_000)
