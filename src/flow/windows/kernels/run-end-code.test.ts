/** Where runs of rows end, against where they were made to end. */
import { expect, it } from "vitest"
import { Prng } from "../../../base/prng.ts"
import { Arena } from "../../../batch/arena.ts"
import { i32, i64, whileLoop, type Code } from "../../../base/wasm-code.ts"
import { WasmModule } from "../../../base/wasm-module.ts"
import { increment, itemAddress } from "./code-places.ts"
import { findRunEnd } from "./run-end-code.ts"

type FindEnds = (times: number, count: number, sliceEnds: number, runEnds: number) => void

/** Writes where each run of `count` times ends. The times of a run are below its slice's end, and no later ones are. */
function findEnds(arena: Arena): FindEnds {
  const module = new WasmModule()
  const parameters = { times: "i32", count: "i32", sliceEnds: "i32", runEnds: "i32" } as const
  module.function("findEnds", { parameters, result: "none" }, ({ times, count, sliceEnds, runEnds }, scope) => {
    const [at, runEnd, index] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const sliceEnd = i64.load(itemAddress(sliceEnds.get, index.get, 3))
    const run = {
      scope,
      setup: new Array<Code<"none">>(),
      at,
      end: count,
      runEnd,
      isInSlice: (place: Code<"i32">) => i64.ltS(i64.load(itemAddress(times.get, place, 3)), sliceEnd),
    }
    const search = findRunEnd(run)
    return [
      ...run.setup,
      whileLoop(i32.ltU(at.get, count.get), [
        ...search,
        i32.store(itemAddress(runEnds.get, index.get, 2), runEnd.get),
        at.set(runEnd.get),
        increment(index),
      ]),
    ]
  })
  return module.instantiate<{ findEnds: FindEnds }>(arena.memory).findEnds
}

const LENGTHS = [1, 2, 7, 8, 9, 15, 16, 17, 95, 96, 97, 103, 104, 105, 112, 300, 1000]

it("finds where each run ends, however long it and the one before are", () => {
  const arena = new Arena({ maxBytes: 1 << 20 })
  const find = findEnds(arena)
  const [times, sliceEnds, runEnds] = [8 * 12 * 1000, 8 * 12, 4 * 12].map((bytes) => arena.allocate(bytes))
  const views = {
    times: new BigInt64Array(arena.buffer, times!.offset),
    sliceEnds: new BigInt64Array(arena.buffer, sliceEnds!.offset),
    runEnds: new Int32Array(arena.buffer, runEnds!.offset),
  }
  // Each length behind each other, and then some at random.
  const pairs = LENGTHS.flatMap((one) => LENGTHS.map((other) => [one, other, one]))
  const prng = new Prng(1)
  const mixed = Array.from({ length: 300 }, () => Array.from({ length: 12 }, () => prng.pick(LENGTHS)))
  for (const lengths of [...pairs, ...mixed.map((each) => each.slice(0, 1 + prng.below(12)))]) {
    const ends: number[] = []
    let count = 0
    lengths.forEach((length, run) => {
      // A run's times are those up to just before the slice's end, from where the slice before ends.
      for (let row = 0; row < length; row++)
        views.times[count + row] = BigInt(run * 10 + Math.floor((10 * row) / length))
      views.sliceEnds[run] = BigInt((run + 1) * 10)
      ends.push((count += length))
    })
    find(times!.offset, count, sliceEnds!.offset, runEnds!.offset)
    expect([...views.runEnds.subarray(0, lengths.length)], lengths.join(" ")).toEqual(ends)
  }
})
