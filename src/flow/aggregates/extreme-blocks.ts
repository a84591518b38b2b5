/** The least or the greatest value, block by block, in lanes: their order means nothing, neither for NaN nor for −0. */
import { f64x2, i32x4, i64, i64x2, v128, type Code, type Local } from "../../base/wasm-code.ts"
import type { FunctionScope } from "../../base/wasm-module.ts"
import {
  BLOCK_ROWS,
  type BlockAccess,
  type BlockCode,
  type FieldPlace,
  type InputLeaf,
  type Word,
} from "./aggregate.ts"
import { blockVectors, countPresent, vectorLocals, vectorOf, type LaneBytes } from "./lanes.ts"

/** Which of two values is kept. */
export type Extreme = "min" | "max"

/** How values are compared in lanes. */
interface ExtremeLanes {
  readonly bytes: LaneBytes
  /** What no value loses against. */
  readonly nothing: Code<"v128">
  readonly pick: (one: Local<"v128">, other: Code<"v128">) => Code<"v128">
  readonly lane: (vector: Local<"v128">, lane: number) => Code<Word>
}

/** Numbers without a sign are compared as numbers with one are, once each has this bit turned round. */
const SIGN_BITS = v128.const([...new Uint8Array(new BigInt64Array(2).fill(-(2n ** 63n)).buffer)])

function lanesFor(which: Extreme, { storage, type }: InputLeaf): ExtremeLanes {
  const isMin = which === "min"
  if (type.definition.isUnsigned) {
    return {
      bytes: 8,
      nothing: vectorOf(new BigInt64Array(2).fill(isMin ? -1n : 0n)),
      pick: (one, other) => {
        const [a, b] = [v128.xor(one.get, SIGN_BITS), v128.xor(other, SIGN_BITS)]
        return v128.bitSelect(other, one.get, isMin ? i64x2.gtS(a, b) : i64x2.gtS(b, a))
      },
      lane: (vector, lane) => i64x2.extractLane(vector.get, lane),
    }
  }
  switch (storage) {
    case "float64":
      return {
        bytes: 8,
        nothing: vectorOf(new Float64Array(2).fill(isMin ? Infinity : -Infinity)),
        pick: (one, other) => f64x2[which](one.get, other),
        lane: (vector, lane) => f64x2.extractLane(vector.get, lane),
      }
    case "int32":
      return {
        bytes: 4,
        nothing: vectorOf(new Int32Array(4).fill(isMin ? 2 ** 31 - 1 : -(2 ** 31))),
        pick: (one, other) => i32x4[isMin ? "minS" : "maxS"](one.get, other),
        lane: (vector, lane) => i64.extendS(i32x4.extractLane(vector.get, lane)),
      }
    default:
      return {
        bytes: 8,
        nothing: vectorOf(new BigInt64Array(2).fill(isMin ? 2n ** 63n - 1n : -(2n ** 63n))),
        pick: (one, other) => {
          const isOther = isMin ? i64x2.gtS(one.get, other) : i64x2.gtS(other, one.get)
          return v128.bitSelect(other, one.get, isOther)
        },
        lane: (vector, lane) => i64x2.extractLane(vector.get, lane),
      }
  }
}

/** Keeps one of the kept value and the block's, and counts where there may be none. */
export function extremeBlocks(
  { which, leaf, pick }: { which: Extreme; leaf: InputLeaf; pick: (one: Code<Word>, other: Code<Word>) => Code<Word> },
  access: BlockAccess,
  [kept, present]: readonly FieldPlace[],
  scope: FunctionScope,
): BlockCode {
  const lanes = lanesFor(which, leaf)
  const vectors = blockVectors(access, lanes.bytes, present === undefined ? undefined : lanes.nothing)
  const totals = vectorLocals(scope, vectors.length)
  const [together, ...others] = totals
  const value = scope.local("v128")
  const laneCount = BLOCK_ROWS / vectors.length
  return {
    begin: totals.map((total) => total.set(lanes.nothing)),
    addBlock: [
      ...totals.flatMap((total, index) => [value.set(vectors[index]!), total.set(lanes.pick(total, value.get))]),
      ...(present === undefined ? [] : [countPresent(access, present)]),
    ],
    end: [
      ...others.map((other) => together!.set(lanes.pick(together!, other.get))),
      ...Array.from({ length: laneCount }, (_, lane) => kept!.store(pick(kept!.load(), lanes.lane(together!, lane)))),
    ],
  }
}
