/** Lanes computed row by row in plain JavaScript: the slow, obvious twin of `wasm-scalar.ts` and `wasm-vector.ts`. */
import type { Lane, LaneType, OperandTypes, OperationName, ResultType } from "./wasm-lane.ts"

/** A lane's value: of a double or int32 a number, of an int64 a bigint, of a flag a boolean. */
export type LaneValue = number | bigint | boolean

/** What the arguments stand for, by their indexes: one value, or those of an array or table (whose entry -1 is first). */
export type LaneInputs = readonly (LaneValue | readonly LaneValue[])[]

function int64(value: bigint): bigint {
  return BigInt.asIntN(64, value)
}

type ValueOf<T extends LaneType> = T extends "i64" ? bigint : T extends "flag" ? boolean : number
type ValuesOf<T extends readonly LaneType[]> = { [I in keyof T]: ValueOf<T[I]> }

const OPERATIONS: { readonly [N in OperationName]: (...values: ValuesOf<OperandTypes<N>>) => ValueOf<ResultType<N>> } =
  {
    "f64.add": (a, b) => a + b,
    "f64.sub": (a, b) => a - b,
    "f64.mul": (a, b) => a * b,
    "f64.div": (a, b) => a / b,
    "f64.min": (a, b) => Math.min(a, b),
    "f64.max": (a, b) => Math.max(a, b),
    "f64.neg": (a) => -a,
    "f64.abs": (a) => Math.abs(a),
    "f64.ceil": (a) => Math.ceil(a),
    "f64.floor": (a) => Math.floor(a),
    "f64.trunc": (a) => Math.trunc(a),
    "f64.sqrt": (a) => Math.sqrt(a),
    "f64.copySign": (a, b) => (isNegative(a) === isNegative(b) ? a : -a),
    "f64.fromI32": (a) => a,
    "f64.fromU32": (a) => a >>> 0,
    "f64.fromFlag": (a) => Number(a),
    "f64.fromI64": (a) => Number(a),
    "f64.fromSafe": (a) => Number(a),
    "f64.eq": (a, b) => a === b,
    "f64.lt": (a, b) => a < b,
    "f64.le": (a, b) => a <= b,
    "i32.and": (a, b) => a & b,
    "i32.or": (a, b) => a | b,
    "i32.xor": (a, b) => a ^ b,
    "i32.mul": (a, b) => Math.imul(a, b),
    "i32.shl": (a, b) => a << b,
    "i32.shrS": (a, b) => a >> b,
    "i32.shrU": (a, b) => (a >>> b) | 0,
    "i32.mulShrU": (a, b, by) => Number(BigInt.asIntN(32, (BigInt(a >>> 0) * BigInt(b >>> 0)) >> BigInt(by))),
    "i32.fromF64": (a) => a | 0,
    "i32.saturated": (a) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(a))) | 0,
    "i32.wrap": (a) => Number(BigInt.asIntN(32, a)),
    "i32.eq": (a, b) => a === b,
    "i32.lt": (a, b) => a < b,
    "i32.le": (a, b) => a <= b,
    "i64.add": (a, b) => int64(a + b),
    "i64.sub": (a, b) => int64(a - b),
    "i64.mul": (a, b) => int64(a * b),
    "i64.and": (a, b) => a & b,
    "i64.or": (a, b) => a | b,
    "i64.xor": (a, b) => a ^ b,
    "i64.div": (a, b) => a / b,
    "i64.rem": (a, b) => a % b,
    "i64.fromI32": (a) => BigInt(a),
    "i64.fromSafe": (a) => BigInt(a),
    "i64.eq": (a, b) => a === b,
    "i64.lt": (a, b) => a < b,
    "i64.le": (a, b) => a <= b,
    "flag.and": (a, b) => a && b,
    "flag.or": (a, b) => a || b,
    "flag.xor": (a, b) => a !== b,
    "flag.not": (a) => !a,
    "f64.select": (test, a, b) => (test ? a : b),
    "i32.select": (test, a, b) => (test ? a : b),
    "i64.select": (test, a, b) => (test ? a : b),
  }

function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0)
}

/** The lane's value for a row. */
export function laneValue({ definition }: Lane, inputs: LaneInputs, row: number): LaneValue {
  switch (definition.kind) {
    case "constant":
      return definition.value
    case "argument":
      return inputs[definition.argument] as LaneValue
    case "load":
    case "bit":
      return (inputs[definition.argument] as readonly LaneValue[])[row]!
    case "lookUp": {
      const index = laneValue(definition.index, inputs, row) as number
      return (inputs[definition.argument] as readonly LaneValue[])[index + 1]!
    }
    case "operation": {
      const operation = OPERATIONS[definition.name] as (...values: LaneValue[]) => LaneValue
      return operation(...definition.operands.map((operand) => laneValue(operand, inputs, row)))
    }
  }
}
