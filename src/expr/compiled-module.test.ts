import { describe, expect, it, vi } from "vitest"
import { Arena } from "../batch/arena.ts"
import { compiledModule } from "./compiled-module.ts"
import { i32 } from "../base/wasm-code.ts"
import { WasmModule } from "../base/wasm-module.ts"

/** A module whose one function adds a constant to what it finds at an address. */
function adding(constant: number): WasmModule {
  return new WasmModule().function("add", { parameters: { at: "i32" }, result: "i32" }, ({ at }) => [
    i32.add(i32.load(at.get), i32.const(constant)),
  ])
}

interface Adding {
  readonly add: (at: number) => number
}

const arena = new Arena({ maxBytes: 1 << 16 })
const words = new Int32Array(arena.buffer)

describe("compiled modules", () => {
  it("are written and compiled once for a key", () => {
    const write = vi.fn(() => adding(1))
    const first = compiledModule("once", write)
    expect(compiledModule("once", write)).toBe(first)
    expect(compiledModule("another", () => adding(2))).not.toBe(first)
    expect(write).toHaveBeenCalledOnce()
  })

  it("work on the memory that an instance was made for", () => {
    const module = compiledModule("memories", () => adding(100))
    const other = new Arena({ maxBytes: 1 << 16 })
    words[2] = 5
    new Int32Array(other.buffer)[2] = 7
    const [one, two] = [module.instantiate<Adding>(arena.memory), module.instantiate<Adding>(other.memory)]
    expect([one.add(8), two.add(8), one.add(8)]).toEqual([105, 107, 105])
  })

  it("are kept in bounded number, those that were used last; one that was dropped is written anew and does the same", () => {
    const kept = vi.fn(() => adding(1))
    const dropped = vi.fn(() => adding(2))
    compiledModule("dropped", dropped)
    compiledModule("kept", kept)
    words[0] = 40
    for (let each = 0; each < 255; each++) {
      compiledModule(`filling ${each}`, () => adding(each))
      compiledModule("kept", kept)
    }
    expect([dropped, kept].map((write) => write.mock.calls.length)).toEqual([1, 1])
    expect(compiledModule("dropped", dropped).instantiate<Adding>(arena.memory).add(0)).toBe(42)
    expect(compiledModule("kept", kept).instantiate<Adding>(arena.memory).add(0)).toBe(41)
    expect([dropped, kept].map((write) => write.mock.calls.length)).toEqual([2, 1])
  })
})
