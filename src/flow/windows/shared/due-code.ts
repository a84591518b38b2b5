/** Code that keeps windows by when they are due. See `due-heap.ts` for what lies where. */
import {
  block,
  branchIf,
  f64,
  i32,
  i64,
  loop,
  branch,
  sequence,
  type Code,
  type Local,
} from "../../../base/wasm-code.ts"
import type { WasmModule } from "../../../base/wasm-module.ts"
import { itemAddress } from "../kernels/code-places.ts"

/** Offsets of a place. */
export const DUE = { end: 0, window: 8 } as const

export const DUE_BYTES = 16

/** Writes `postponeFirst(heap, count, end)`: the window that was due first is now due at `end`. */
export function writePostponeFirst(module: WasmModule): void {
  const parameters = { heap: "i32", count: "i32", end: "f64" } as const
  module.function("postponeFirst", { parameters, result: "none" }, ({ heap, count, end }, scope) => {
    const [child, place, from] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const window = scope.local("i64")
    const endAt = (address: Code<"i32">, by = 0) => f64.load(address, by * DUE_BYTES + DUE.end)
    const move = (to: Local<"i32">) => [
      f64.store(to.get, endAt(from.get), DUE.end),
      i64.store(to.get, i64.load(from.get, DUE.window), DUE.window),
    ]
    return [
      window.set(i64.load(heap.get, DUE.window)),
      place.set(heap.get),
      child.set(i32.const(1)),
      block((done) => [
        loop((again) => [
          branchIf(done, i32.geU(child.get, count.get)),
          from.set(placeAddress(heap, child.get)),
          // Nobody foresees which of the two it is. Behind the last place is one that is due never.
          child.set(i32.add(child.get, f64.lt(endAt(from.get, 1), endAt(from.get)))),
          from.set(placeAddress(heap, child.get)),
          branchIf(done, f64.ge(endAt(from.get), end.get)),
          ...move(place),
          place.set(from.get),
          child.set(i32.add(i32.shl(child.get, i32.const(1)), i32.const(1))),
          branch(again),
        ]),
      ]),
      f64.store(place.get, end.get, DUE.end),
      i64.store(place.get, window.get, DUE.window),
      sequence(),
    ]
  })
}

function placeAddress(heap: Local<"i32">, place: Code<"i32">): Code<"i32"> {
  return itemAddress(heap.get, i32.shl(place, i32.const(1)), 3)
}
