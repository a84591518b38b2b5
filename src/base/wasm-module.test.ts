import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { propertyCases } from "../../test/seeds.ts"
import { Arena } from "../batch/arena.ts"
import {
  block,
  branchIf,
  choose,
  f64,
  f64x2,
  i32,
  i32x4,
  i64,
  i64x2,
  i8x16,
  memoryCopy,
  memoryFill,
  returns,
  sequence,
  unsignedLeb,
  v128,
  when,
  whileLoop,
  withValue,
} from "./wasm-code.ts"
import { WasmModule } from "./wasm-module.ts"

const arena = new Arena({ maxBytes: 1 << 20 })

describe("wasm modules", () => {
  test("WC1 constants of any size come back as they are", () => {
    fc.assert(
      fc.property(fc.integer(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.double(), (small, large, double) => {
        const { one, two, three } = new WasmModule()
          .function("one", { parameters: {}, result: "i32" }, () => [i32.const(small)])
          .function("two", { parameters: {}, result: "i64" }, () => [i64.const(large)])
          .function("three", { parameters: {}, result: "f64" }, () => [f64.const(double)])
          .instantiate<Record<"one" | "two" | "three", () => unknown>>(arena.memory)
        expect([one(), two()]).toEqual([small | 0, large])
        expect(three()).toBe(double)
      }),
      propertyCases(300),
    )
  })

  test("unsigned LEB128 of numbers beyond 32 bits", () => {
    expect(unsignedLeb(0)).toEqual([0])
    expect(unsignedLeb(128)).toEqual([0x80, 1])
    expect(unsignedLeb(2 ** 40)).toEqual([0x80, 0x80, 0x80, 0x80, 0x80, 0x20])
  })

  test("WM1 the same description gives the same bytes", () => {
    const make = () =>
      new WasmModule().function("f", { parameters: { a: "f64" }, result: "f64" }, ({ a }) => [f64.neg(a.get)]).encode()
    expect(make()).toEqual(make())
  })

  test("loops, branches and choices: the sum of a run of doubles up to the first negative one", () => {
    const { offset, bytes } = arena.allocate(1024)
    const values = new Float64Array(arena.buffer, offset, bytes / 8)
    const { sum } = new WasmModule()
      .function("sum", { parameters: { at: "i32", end: "i32" }, result: "f64" }, ({ at, end }, scope) => {
        const total = scope.local("f64")
        return [
          block((exit) => [
            whileLoop(i32.ltU(at.get, end.get), [
              branchIf(exit, f64.lt(f64.load(at.get), f64.const(0))),
              total.set(f64.add(total.get, f64.load(at.get))),
              at.set(i32.add(at.get, i32.const(8))),
            ]),
            when(f64.gt(total.get, f64.const(100)), [returns(f64.const(100))]),
          ]),
          choose(f64.gt(total.get, f64.const(50)), f64.const(50), withValue([sequence()], total.get)),
        ]
      })
      .instantiate<{ sum: (at: number, end: number) => number }>(arena.memory)
    values.set([1, 2, 3, -1, 9])
    expect(sum(offset, offset + 40)).toBe(6)
    values.set([1, 2, 60, 3, 90])
    expect(sum(offset, offset + 32)).toBe(50)
    expect(sum(offset, offset + 40)).toBe(100)
    expect(sum(offset, offset)).toBe(0)
  })

  test("vectors: lanes, comparisons and shuffles", () => {
    const { offset } = arena.allocate(1024)
    const doubles = new Float64Array(arena.buffer, offset, 4)
    const longs = new BigInt64Array(arena.buffer, offset + 64, 2)
    const words = new Int32Array(arena.buffer, offset + 128, 4)
    const { run } = new WasmModule()
      .function("run", { parameters: { at: "i32" }, result: "i32" }, ({ at }, scope) => {
        const mask = scope.local("v128")
        return [
          mask.set(f64x2.gt(v128.load(at.get), f64x2.splat(f64.const(1)))),
          v128.store(at.get, v128.bitSelect(v128.load(at.get), f64x2.splat(f64.const(-1)), mask.get), 16),
          v128.store(at.get, i64x2.add(v128.load(at.get, 64), i64x2.splat(i64.const(5n))), 64),
          v128.store(
            at.get,
            i8x16.shuffle(
              v128.load(at.get, 128),
              v128.load(at.get, 128),
              [12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3],
            ),
            128,
          ),
          i32x4.bitmask(i32x4.gtS(v128.load(at.get, 128), i32x4.splat(i32.const(2)))),
        ]
      })
      .instantiate<{ run: (at: number) => number }>(arena.memory)
    doubles.set([0.5, 7])
    longs.set([-(2n ** 63n), 37n])
    words.set([1, 2, 3, 4])
    expect(run(offset)).toBe(0b0011)
    expect([...doubles.subarray(2)]).toEqual([-1, 7])
    expect([...longs]).toEqual([-(2n ** 63n) + 5n, 42n])
    expect([...words]).toEqual([4, 3, 2, 1])
  })

  test("memory is copied, where ranges overlap too, and filled", () => {
    const { offset } = arena.allocate(1024)
    const bytes = new Uint8Array(arena.buffer, offset, 16)
    const { run } = new WasmModule()
      .function("run", { parameters: { at: "i32" }, result: "none" }, ({ at }) => [
        memoryCopy(i32.add(at.get, i32.const(1)), at.get, i32.const(4)),
        memoryFill(i32.add(at.get, i32.const(8)), i32.const(7), i32.const(3)),
      ])
      .instantiate<{ run: (at: number) => void }>(arena.memory)
    bytes.set([1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 9])
    run(offset)
    expect([...bytes.subarray(0, 12)]).toEqual([1, 1, 2, 3, 4, 6, 0, 0, 7, 7, 7, 9])
  })
})
