/**
 * Lanes as code for one row. A flag is an i32, 0 or 1.
 *
 * Lanes that are needed several times are kept in variables, which `statements` set: they must stand, in order, before
 * the code that `value` gives.
 */
import type { Lane, LaneType, OperandTypes, OperationName, ResultType } from "./wasm-lane.ts"
import { f64, i32, i64, type Code, type Local, type WasmType } from "../base/wasm-code.ts"
import type { FunctionScope } from "../base/wasm-module.ts"

/** The type on the stack of a lane's value. */
export type StackType<T extends LaneType> = T extends "flag" ? "i32" : Exclude<T, "flag">

type CodesOf<T extends readonly LaneType[]> = { [I in keyof T]: Code<StackType<T[I]>> }

const TWO_32 = f64.const(2 ** 32)
const PER_TWO_32 = f64.const(2 ** -32)

const OPERATIONS: {
  readonly [N in OperationName]: (...codes: CodesOf<OperandTypes<N>>) => Code<StackType<ResultType<N>>>
} = {
  ...{ "f64.add": f64.add, "f64.sub": f64.sub, "f64.mul": f64.mul, "f64.div": f64.div },
  ...{ "f64.min": f64.min, "f64.max": f64.max, "f64.neg": f64.neg, "f64.abs": f64.abs, "f64.sqrt": f64.sqrt },
  ...{ "f64.ceil": f64.ceil, "f64.floor": f64.floor, "f64.trunc": f64.trunc, "f64.copySign": f64.copySign },
  ...{ "f64.fromI32": f64.convertI32S, "f64.fromU32": f64.convertI32U, "f64.fromFlag": f64.convertI32S },
  ...{ "f64.fromI64": f64.convertI64S, "f64.fromSafe": f64.convertI64S },
  ...{ "f64.eq": f64.eq, "f64.lt": f64.lt, "f64.le": f64.le },
  ...{ "i32.and": i32.and, "i32.or": i32.or, "i32.xor": i32.xor, "i32.mul": i32.mul },
  ...{ "i32.shl": i32.shl, "i32.shrS": i32.shrS, "i32.shrU": i32.shrU, "i32.wrap": i32.wrap },
  "i32.mulShrU": (a, b, by) => i32.wrap(i64.shrU(i64.mul(i64.extendU(a), i64.extendU(b)), i64.extendU(by))),
  // The remainder by 2³² is exact, as all steps are by powers of two; it fits an int64, unlike what is very large.
  "i32.fromF64": (x) => i32.wrap(i64.truncSatF64S(f64.sub(x, f64.mul(f64.trunc(f64.mul(x, PER_TWO_32)), TWO_32)))),
  "i32.saturated": i32.truncSatF64S,
  ...{ "i32.eq": i32.eq, "i32.lt": i32.ltS, "i32.le": i32.leS },
  ...{ "i64.add": i64.add, "i64.sub": i64.sub, "i64.mul": i64.mul, "i64.div": i64.divS, "i64.rem": i64.remS },
  ...{ "i64.and": i64.and, "i64.or": i64.or, "i64.xor": i64.xor },
  ...{ "i64.fromI32": i64.extendS, "i64.fromSafe": i64.truncSatF64S },
  ...{ "i64.eq": i64.eq, "i64.lt": i64.ltS, "i64.le": i64.leS },
  ...{ "flag.and": i32.and, "flag.or": i32.or, "flag.xor": i32.xor, "flag.not": i32.eqz },
  ...{ "f64.select": f64.select, "i32.select": i32.select, "i64.select": i64.select },
}

/** Bytes of a value, as a power of two; a flag in a table takes a byte. */
export const SIZE_BITS = { f64: 3, i64: 3, i32: 2, flag: 0 } as const

/** Writes lanes for the row whose number a variable holds. */
export class ScalarWriter {
  readonly #scope: FunctionScope
  readonly #arguments: readonly Local<WasmType>[]
  readonly #uses: ReadonlyMap<Lane, number>
  readonly #row: Local<"i32">
  readonly #kept = new Map<Lane, Local<WasmType>>()
  #statements: Code<"none">[] = []

  constructor(
    scope: FunctionScope,
    args: readonly Local<WasmType>[],
    uses: ReadonlyMap<Lane, number>,
    row: Local<"i32">,
  ) {
    this.#scope = scope
    this.#arguments = args
    this.#uses = uses
    this.#row = row
  }

  /** The statements since the last call. */
  takeStatements(): Code<"none">[] {
    const statements = this.#statements
    this.#statements = []
    return statements
  }

  /** The lane's value. */
  value<T extends LaneType>(lane: Lane<T>): Code<StackType<T>>
  value(lane: Lane): Code<WasmType> {
    const kept = this.#kept.get(lane)
    if (kept !== undefined) return kept.get
    const value = this.#code(lane)
    const isCheap = lane.definition.kind === "constant" || lane.definition.kind === "argument"
    if (isCheap || this.#uses.get(lane) === 1) return value
    const local = this.#scope.local<WasmType>(value.type)
    this.#statements.push(local.set(value))
    this.#kept.set(lane, local)
    return local.get
  }

  #code({ type, definition }: Lane): Code<WasmType> {
    switch (definition.kind) {
      case "constant":
        return constantCode(type, definition.value)
      case "argument":
        return this.#arguments[definition.argument]!.get
      case "load":
        return loadCode(type, this.#at(definition.argument, this.#row.get, SIZE_BITS[type]))
      case "bit":
        return i32.and(i32.shrU(i32.load8U(this.bitAddress(definition.argument)), this.bitNumber()), i32.const(1))
      case "lookUp":
        return loadCode(type, this.#at(definition.argument, this.value(definition.index), SIZE_BITS[type]))
      case "operation": {
        const write = OPERATIONS[definition.name] as (...codes: Code<WasmType>[]) => Code<WasmType>
        return write(...definition.operands.map((operand) => this.value(operand)))
      }
    }
  }

  /** The address of the byte of a bitmap that holds the row's bit. */
  bitAddress(argument: number): Code<"i32"> {
    return i32.add(this.#address(argument), i32.shrU(this.#row.get, i32.const(3)))
  }

  /** The number of the row's bit in its byte. */
  bitNumber(): Code<"i32"> {
    return i32.and(this.#row.get, i32.const(7))
  }

  /** The address of the row's value of an array. */
  valueAddress(argument: number, type: "f64" | "i32" | "i64"): Code<"i32"> {
    return this.#at(argument, this.#row.get, SIZE_BITS[type])
  }

  #at(argument: number, index: Code<"i32">, bits: number): Code<"i32"> {
    return i32.add(this.#address(argument), bits === 0 ? index : i32.shl(index, i32.const(bits)))
  }

  #address(argument: number): Code<"i32"> {
    return this.#arguments[argument]!.get as Code<"i32">
  }
}

/** A constant. */
export function constantCode(type: LaneType, value: number | bigint | boolean): Code<WasmType> {
  switch (type) {
    case "f64":
      return f64.const(value as number)
    case "i64":
      return i64.const(value as bigint)
    case "i32":
    case "flag":
      return i32.const(Number(value))
  }
}

/** Loads a value of an array; that of a table of flags is a byte. */
export function loadCode(type: LaneType, address: Code<"i32">, offset = 0): Code<WasmType> {
  switch (type) {
    case "f64":
      return f64.load(address, offset)
    case "i64":
      return i64.load(address, offset)
    case "i32":
      return i32.load(address, offset)
    case "flag":
      return i32.load8U(address, offset)
  }
}
