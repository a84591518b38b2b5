/**
 * Whether the times of a batch never go back: asked of each batch, so by a kernel, which compares two rows with their
 * successors at once and looks now and then whether it may stop. It goes through both halves of a batch side by side:
 * memory that is read at two places at once comes faster. At four it was faster still on an older processor, and slower on a newer
 * one (a row took 0.24 ns at one place, 0.22 at two, 0.26 at four).
 *
 * Invariant:
 * - TO1 The kernel says what a loop over neighbours says.
 */
import type { LinearMemory } from "../../base/linear-memory.ts"
import { compiledModule } from "../../expr/compiled-module.ts"
import { i32, i64, i64x2, returns, v128, when, whileLoop, type Local } from "../../base/wasm-code.ts"
import { increment } from "../windows/kernels/code-places.ts"
import { WasmModule } from "../../base/wasm-module.ts"

/** Whether the `count` int64 from an address on never go back. */
export type IsOrdered = (address: number, count: number) => number

/** So many parts of a batch are gone through side by side. */
const PARTS = 2
/** Rows of a part between looks whether to stop, and rows of a round. */
const STRIDE = 64
const ROUND = 8
const BYTES = 8

/** The kernel, working on `memory`. */
export function timeOrder(memory: LinearMemory): IsOrdered {
  return compiledModule("time order", orderModule).instantiate<{ isOrdered: IsOrdered }>(memory).isOrdered
}

function orderModule(): WasmModule {
  const module = new WasmModule()
  const parameters = { at: "i32", count: "i32" } as const
  return module.function("isOrdered", { parameters, result: "i32" }, ({ at, count }, scope) => {
    const back = scope.local("v128")
    const [last, partBytes] = [scope.local("i32"), scope.local("i32")]
    const [partEnd, strideEnd] = [scope.local("i32"), scope.local("i32")]
    const parts = [at, ...Array.from({ length: PARTS - 1 }, () => scope.local("i32"))]
    const behind = (rows: number) => i32.add(at.get, i32.const(rows * BYTES))
    const goesBack = (from: Local<"i32">) =>
      [0, 2, 4, 6]
        .map((row) => i64x2.gtS(v128.load(from.get, row * BYTES), v128.load(from.get, (row + 1) * BYTES)))
        .reduce((one, other) => v128.or(one, other))
    const look = (places: readonly Local<"i32">[]) => [
      back.set(places.map(goesBack).reduce((one, other) => v128.or(one, other), back.get)),
      ...places.map((place) => increment(place, ROUND * BYTES)),
    ]
    const stopWhereBack = when(v128.anyTrue(back.get), [returns(i32.const(0))])
    // The last row has no successor.
    const others = i32.sub(count.get, i32.const(1))
    return [
      when(i32.eqz(count.get), [returns(i32.const(1))]),
      last.set(i32.add(at.get, i32.mul(others, i32.const(BYTES)))),
      partBytes.set(i32.mul(i32.shrU(others, i32.const(Math.log2(PARTS * STRIDE))), i32.const(STRIDE * BYTES))),
      partEnd.set(i32.add(at.get, partBytes.get)),
      ...parts.slice(1).map((part, before) => part.set(i32.add(parts[before]!.get, partBytes.get))),
      whileLoop(i32.ltU(at.get, partEnd.get), [
        strideEnd.set(behind(STRIDE)),
        whileLoop(i32.ltU(at.get, strideEnd.get), look(parts)),
        stopWhereBack,
      ]),
      at.set(parts.at(-1)!.get),
      whileLoop(i32.leU(behind(ROUND), last.get), look([at])),
      stopWhereBack,
      whileLoop(i32.ltU(at.get, last.get), [
        when(i64.gtS(i64.load(at.get), i64.load(at.get, BYTES)), [returns(i32.const(0))]),
        increment(at, BYTES),
      ]),
      i32.const(1),
    ]
  })
}
