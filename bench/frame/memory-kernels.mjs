/**
 * WebAssembly over an arena's memory, for what must not slow down what is measured: sums of result columns, and reading
 * as fast as the memory gives.
 *
 * Sums of int32 are modulo 2³², of int64 modulo 2⁶⁴: they do not depend on the order. Those of doubles do, by rounding.
 */
import { f64, f64x2, i32, i32x4, i64, i64x2, v128, when, whileLoop } from "../../dist/modules/base/wasm-code.js"
import { WasmModule } from "../../dist/modules/base/wasm-module.js"

const VECTORS = 8
/** Rows of a list that are added at once, each to a sum of its own. */
const PICKED = 4

/** How values of a storage add: as a vector, alone, and how a vector's lanes do. */
const ADDITIONS = {
  Int32: { type: "i32", width: 4, lanes: 4, vector: i32x4, scalar: i32 },
  Int64: { type: "i64", width: 8, lanes: 2, vector: i64x2, scalar: i64 },
  Float64: { type: "f64", width: 8, lanes: 2, vector: f64x2, scalar: f64 },
}

/**
 * Functions over the arena's memory; addresses are in bytes. For each storage `sumInt32(at, count)` adds values that lie
 * together and `sumInt32Of(at, rows, count)` those of the rows listed at `rows`; `read(at, bytes)` is sequential reading
 * with loads of 128 bits. `hash32(before, at, rows, count)` and `hash64` go on from the hash of what came before, bit for bit
 * and in the order of rows, with those listed at `rows` or, where that is 0, all.
 */
export function memoryKernels(arena) {
  const module = new WasmModule()
  addRead(module)
  for (const [storage, addition] of Object.entries(ADDITIONS)) {
    addSum(module, `sum${storage}`, addition)
    addPickedSum(module, `sum${storage}Of`, addition)
  }
  addHash(module, "hash32", 4, (at) => i64.load32U(at))
  addHash(module, "hash64", 8, (at) => i64.load(at))
  return module.instantiate(arena.memory)
}

/** It gives a sum, so that nothing may be left out. */
function addRead(module) {
  const { type, scalar } = ADDITIONS.Int64
  module.function("read", { parameters: { at: "i32", bytes: "i32" }, result: type }, ({ at, bytes }, scope) => {
    const whole = sumVectors(scope, ADDITIONS.Int64, at, bytes, 1)
    return [...whole.code, scalar.add(whole.sum, scalar.const(0n))]
  })
}

function addSum(module, name, addition) {
  const { type, width, scalar } = addition
  module.function(name, { parameters: { at: "i32", count: "i32" }, result: type }, ({ at, count }, scope) => {
    const rest = scope.local(type)
    const whole = sumVectors(scope, addition, at, count, width)
    return [
      ...whole.code,
      whileLoop(i32.ne(count.get, i32.const(0)), [
        rest.set(scalar.add(rest.get, scalar.load(at.get))),
        at.set(i32.add(at.get, i32.const(width))),
        count.set(i32.sub(count.get, i32.const(1))),
      ]),
      scalar.add(whole.sum, rest.get),
    ]
  })
}

/** Adds what fills whole rounds of vectors. Afterwards `at` and `left`, in units of `unit` bytes, are the rest. */
function sumVectors(scope, { lanes, vector, scalar }, at, left, unit) {
  const sums = Array.from({ length: VECTORS }, () => scope.local("v128"))
  const bytes = 16 * VECTORS
  const round = i32.const(bytes / unit)
  const lane = (index) => vector.extractLane(sums[0].get, index)
  return {
    code: [
      whileLoop(i32.geU(left.get, round), [
        ...sums.map((sum, index) => sum.set(vector.add(sum.get, v128.load(at.get, 16 * index)))),
        at.set(i32.add(at.get, i32.const(bytes))),
        left.set(i32.sub(left.get, round)),
      ]),
      ...sums.slice(1).map((sum) => sums[0].set(vector.add(sums[0].get, sum.get))),
    ],
    sum: Array.from({ length: lanes }, (_, index) => lane(index)).reduce(scalar.add),
  }
}

function addPickedSum(module, name, { type, width, scalar }) {
  const parameters = { at: "i32", rows: "i32", count: "i32" }
  module.function(name, { parameters, result: type }, ({ at, rows, count }, scope) => {
    const sums = Array.from({ length: PICKED }, () => scope.local(type))
    const add = (sum, index) => {
      const row = i32.mul(i32.load(rows.get, 4 * index), i32.const(width))
      return sum.set(scalar.add(sum.get, scalar.load(i32.add(at.get, row))))
    }
    const onward = (picked) => [
      rows.set(i32.add(rows.get, i32.const(4 * picked))),
      count.set(i32.sub(count.get, i32.const(picked))),
    ]
    return [
      whileLoop(i32.geU(count.get, i32.const(PICKED)), [...sums.map(add), ...onward(PICKED)]),
      whileLoop(i32.ne(count.get, i32.const(0)), [add(sums[0], 0), ...onward(1)]),
      sums.map((sum) => sum.get).reduce(scalar.add),
    ]
  })
}

/** By what a hash is multiplied before a value is added. */
export const HASH_FACTOR = 0x9e3779b97f4a7c15n

function addHash(module, name, width, load) {
  const parameters = { before: "i64", at: "i32", rows: "i32", count: "i32" }
  module.function(name, { parameters, result: "i64" }, ({ before, at, rows, count }, scope) => {
    const index = scope.local("i32")
    const row = scope.local("i32")
    return [
      whileLoop(i32.ltU(index.get, count.get), [
        row.set(index.get),
        when(rows.get, [row.set(i32.load(i32.add(rows.get, i32.shl(index.get, i32.const(2)))))]),
        before.set(
          i64.add(
            i64.mul(before.get, i64.const(HASH_FACTOR)),
            load(i32.add(at.get, i32.mul(row.get, i32.const(width)))),
          ),
        ),
        index.set(i32.add(index.get, i32.const(1))),
      ]),
      before.get,
    ]
  })
}
