/**
 * The approximate number of distinct values, by HyperLogLog (P. Flajolet, É. Fusy, O. Gandouet, F. Meunier, AofA 2007) over
 * 64-bit hashes, with the improved raw estimator of O. Ertl ("New cardinality estimation algorithms for HyperLogLog
 * sketches", arXiv:1702.01284, 2017), which is unbiased from a few values to 2⁶⁰ without tables of corrections.
 *
 * Few values are kept as their hashes, and counted exactly but for equal hashes; more, as 2^p registers. From which number
 * on is fixed, so a partial result is a function of the set of hashes: not of the order of records, nor of merges.
 *
 * The standard error is 1.04 / √2^p: two thirds of results are within it, 95 % within twice, and 99.7 % within three times.
 * That is a statement about hashes of values that were not made to fool it.
 *
 * In state: 0, how many hashes, and each as 8 bytes; or 1 and the registers, a byte each.
 */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { int53Type } from "../../batch/types/int53.ts"
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts"
import { KeyHash, valueKey } from "./value-key.ts"

/** The least and the greatest standard error that can be asked for. With fewer registers the errors have long tails. */
export const DISTINCT_ERRORS = { least: 0.0021, greatest: 0.1, usual: 0.02 } as const

/** Of `1.04 / √registers`. */
const ERROR_FACTOR = 1.04
/** How many registers a hash is worth: it has 8 bytes in state, and several times that in a `Set`. */
export const REGISTERS_PER_HASH = 8

/** Hashes as bigints, or registers. */
type Sketch = Set<bigint> | Uint8Array

/** The definition for a standard error. */
export function approxCountDistinct(error: number): AccumulatorDefinition {
  const precision = precisionOf(error)
  return {
    resultType: (input) => (input === undefined ? undefined : int53Type),
    accumulator(input): Accumulator<Sketch> {
      const type = input!.required()
      const hash = new KeyHash()
      return {
        ...sketches(precision),
        init: () => new Set(),
        add(sketch, value) {
          const { high, low } = hash.of(valueKey(type, value))
          if (!(sketch instanceof Set)) {
            addHash(sketch, precision, high, low)
            return sketch
          }
          words[0] = low
          words[1] = high
          return settled(sketch.add(word[0]!), precision)
        },
      }
    },
  }
}

/** The logarithm of the number of registers, for a standard error. */
export function precisionOf(error: number): number {
  assert(error >= DISTINCT_ERRORS.least && error <= DISTINCT_ERRORS.greatest, "there is such an error")
  let precision = 7
  while (ERROR_FACTOR / Math.sqrt(2 ** precision) > error) precision++
  return precision
}

const word = new BigUint64Array(1)
const words = new Uint32Array(word.buffer)

function sketches(precision: number): Pick<Accumulator<Sketch>, "merge" | "result" | "write" | "read"> {
  const registerCount = 2 ** precision
  return {
    merge(earlier, later) {
      if (earlier instanceof Set && later instanceof Set) {
        for (const each of later) earlier.add(each)
        return settled(earlier, precision)
      }
      const registers = earlier instanceof Set ? registersOf(earlier, precision) : earlier
      const others = later instanceof Set ? registersOf(later, precision) : later
      for (let at = 0; at < registerCount; at++) if (others[at]! > registers[at]!) registers[at] = others[at]!
      return registers
    },
    result: (sketch) => (sketch instanceof Set ? sketch.size : Math.round(estimate(sketch, precision))),
    write: writeSketch,
    read: (from) => readSketch(from, registerCount),
  }
}

/** The hashes, or their registers where there are too many. */
function settled(hashes: Set<bigint>, precision: number): Sketch {
  return hashes.size * REGISTERS_PER_HASH <= 2 ** precision ? hashes : registersOf(hashes, precision)
}

function registersOf(hashes: Set<bigint>, precision: number): Uint8Array {
  const registers = new Uint8Array(2 ** precision)
  for (const each of hashes) {
    word[0] = each
    addHash(registers, precision, words[1]!, words[0]!)
  }
  return registers
}

/** The first `precision` bits name a register, which keeps the greatest place of the first one among the other bits. */
function addHash(registers: Uint8Array, precision: number, high: number, low: number): void {
  const index = high >>> (32 - precision)
  const first = (high << precision) | (low >>> (32 - precision))
  const zeros = first !== 0 ? Math.clz32(first) : 32 + Math.min(Math.clz32(low << precision), 32 - precision)
  if (zeros + 1 > registers[index]!) registers[index] = zeros + 1
}

/** Ertl's improved raw estimator. */
function estimate(registers: Uint8Array, precision: number): number {
  const count = registers.length
  const greatest = 64 - precision + 1
  const numbers = new Array<number>(greatest + 1).fill(0)
  for (const register of registers) numbers[register]!++
  let sum = count * upperSum(1 - numbers[greatest]! / count)
  for (let value = greatest - 1; value >= 1; value--) sum = (sum + numbers[value]!) / 2
  sum += count * lowerSum(numbers[0]! / count)
  return ((count / (2 * Math.LN2)) * count) / sum
}

/** Ertl's σ: x + Σ x^(2^k) 2^(k−1), which stands for registers that are 0. */
function lowerSum(share: number): number {
  if (share === 1) return Infinity
  let [x, y, sum] = [share, 1, share]
  for (let before = NaN; sum !== before; y *= 2) {
    x *= x
    before = sum
    sum += x * y
  }
  return sum
}

/** Ertl's τ: (1 − x − Σ (1 − x^(2^−k))² 2^−k) / 3, which stands for registers that are as great as they can be. */
function upperSum(share: number): number {
  if (share === 0 || share === 1) return 0
  let [x, y, sum] = [share, 1, 1 - share]
  for (let before = NaN; sum !== before;) {
    x = Math.sqrt(x)
    before = sum
    y /= 2
    sum -= (1 - x) ** 2 * y
  }
  return sum / 3
}

function writeSketch(sketch: Sketch, out: ByteWriter): void {
  if (!(sketch instanceof Set)) {
    out.uint8(1)
    out.raw(sketch)
    return
  }
  out.uint8(0)
  out.varint(sketch.size)
  for (const each of sketch) out.int64(BigInt.asIntN(64, each))
}

function readSketch(from: ByteReader, registerCount: number): Sketch {
  if (from.uint8() !== 0) return from.raw(registerCount).slice()
  const hashes = new Set<bigint>()
  for (let left = from.varint(); left > 0; left--) hashes.add(BigInt.asUintN(64, from.int64()))
  return hashes
}
