/**
 * Moving a stretch of shared memory, sixteen bytes at a time: JavaScript copies that by words at best, and byte by byte
 * where its ends do not lie alike.
 */
import type { LinearMemory } from "../../../base/linear-memory.ts"
import { compiledModule } from "../../../expr/compiled-module.ts"
import { i32, v128, whileLoop } from "../../../base/wasm-code.ts"
import { WasmModule } from "../../../base/wasm-module.ts"
import { increment } from "./code-places.ts"

/** Moves `bytes` bytes to a lower address, or to where no byte of them lies. */
export type MoveBytes = (to: number, from: number, bytes: number) => void

const VECTOR_BYTES = 16

/** The function, working on `memory`. */
export function moveBytes(memory: LinearMemory): MoveBytes {
  return compiledModule("move", moveModule).instantiate<{ move: MoveBytes }>(memory).move
}

function moveModule(): WasmModule {
  const module = new WasmModule()
  const parameters = { to: "i32", from: "i32", bytes: "i32" } as const
  return module.function("move", { parameters, result: "none" }, ({ to, from, bytes }, scope) => {
    const end = scope.local("i32")
    const step = (width: number) => [increment(to, width), increment(from, width)]
    return [
      end.set(i32.add(to.get, bytes.get)),
      whileLoop(i32.leU(i32.add(to.get, i32.const(4 * VECTOR_BYTES)), end.get), [
        // One after the other: what is written is below what is still to be read.
        ...[0, 1, 2, 3].map((part) =>
          v128.store(to.get, v128.load(from.get, part * VECTOR_BYTES), part * VECTOR_BYTES),
        ),
        ...step(4 * VECTOR_BYTES),
      ]),
      whileLoop(i32.ltU(to.get, end.get), [i32.store8(to.get, i32.load8U(from.get)), increment(to), increment(from)]),
    ]
  })
}
