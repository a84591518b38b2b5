/**
 * Whether the times of a batch never go back: asked of each batch, so by a kernel, which compares two rows with their
 * successors at once and looks whether it may stop once every 64 rows.
 *
 * Invariant:
 * - TO1 The kernel says what a loop over neighbours says.
 */
import type { LinearMemory } from "../../batch/arena.ts"
import { compiledModule } from "../../expr/compiled-module.ts"
import { i32, i64, i64x2, returns, v128, when, whileLoop } from "../../expr/wasm-code.ts"
import { WasmModule } from "../../expr/wasm-module.ts"

/** Whether the `count` int64 from an address on never go back. */
export type IsOrdered = (address: number, count: number) => number

const STRIDE = 64
const BYTES = 8

/** The kernel, working on `memory`. */
export function timeOrder(memory: LinearMemory): IsOrdered {
  return compiledModule("time order", orderModule).instantiate<{ isOrdered: IsOrdered }>(memory).isOrdered
}

function orderModule(): WasmModule {
  const module = new WasmModule()
  const parameters = { at: "i32", count: "i32" } as const
  return module.function("isOrdered", { parameters, result: "i32" }, ({ at, count }, scope) => {
    const last = scope.local("i32")
    const chunkEnd = scope.local("i32")
    const back = scope.local("v128")
    const advance = (rows: number) => at.set(i32.add(at.get, i32.const(rows * BYTES)))
    const behind = (rows: number) => i32.add(at.get, i32.const(rows * BYTES))
    const goesBack = [0, 2, 4, 6]
      .map((row) => i64x2.gtS(v128.load(at.get, row * BYTES), v128.load(at.get, (row + 1) * BYTES)))
      .reduce((one, other) => v128.or(one, other))
    return [
      // The last row has no successor.
      last.set(i32.add(at.get, i32.mul(i32.sub(count.get, i32.const(1)), i32.const(BYTES)))),
      whileLoop(i32.leU(behind(STRIDE), last.get), [
        chunkEnd.set(behind(STRIDE)),
        whileLoop(i32.ltU(at.get, chunkEnd.get), [back.set(v128.or(back.get, goesBack)), advance(8)]),
        when(v128.anyTrue(back.get), [returns(i32.const(0))]),
      ]),
      whileLoop(i32.ltU(at.get, last.get), [
        when(i64.gtS(i64.load(at.get), i64.load(at.get, BYTES)), [returns(i32.const(0))]),
        advance(1),
      ]),
      i32.const(1),
    ]
  })
}
