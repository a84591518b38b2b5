/**
 * Lanes: what a kernel computes for a row, as a graph of operations on machine values. It stands between the IR, which
 * knows JavaScript's kinds of value, and WebAssembly, which knows registers: `codegen-wasm-lower.ts` makes lanes of IR;
 * `wasm-scalar.ts` writes them for one row, and `wasm-vector.ts` for eight.
 *
 * A lane has one of four types. A flag is a bit in some form: what form is for whoever writes the code.
 *
 * Invariants:
 * - LN1 A lane has no effect and can be evaluated for every row of a batch, whether the row counts or not, and whatever
 *   the slots of nulls hold.
 * - LN2 Equal lanes are one object, so that what is needed twice is computed once.
 */
import { assert } from "../base/assert.ts"
import type { KernelArgument } from "./wasm-argument.ts"

/** The type of a lane's values. */
export type LaneType = "f64" | "i32" | "i64" | "flag"

const F64_OF_F64 = ["f64", "f64"] as const
const F64_OF_TWO = ["f64", "f64", "f64"] as const
const I32_OF_TWO = ["i32", "i32", "i32"] as const
const I64_OF_TWO = ["i64", "i64", "i64"] as const
const F64_OF_I32 = ["f64", "i32"] as const
const F64_OF_I64 = ["f64", "i64"] as const
const FLAG_OF_F64S = ["flag", "f64", "f64"] as const
const FLAG_OF_I32S = ["flag", "i32", "i32"] as const
const FLAG_OF_I64S = ["flag", "i64", "i64"] as const
const FLAG_OF_TWO = ["flag", "flag", "flag"] as const

/** The operations: the type of their result, then those of their operands. */
const OPERATIONS = {
  ...{ "f64.add": F64_OF_TWO, "f64.sub": F64_OF_TWO, "f64.mul": F64_OF_TWO, "f64.div": F64_OF_TWO },
  ...{ "f64.min": F64_OF_TWO, "f64.max": F64_OF_TWO, "f64.neg": F64_OF_F64, "f64.abs": F64_OF_F64 },
  ...{ "f64.ceil": F64_OF_F64, "f64.floor": F64_OF_F64, "f64.trunc": F64_OF_F64, "f64.sqrt": F64_OF_F64 },
  /** The first with the sign of the second, which is not NaN. */
  "f64.copySign": F64_OF_TWO,
  ...{ "f64.fromI32": F64_OF_I32, "f64.fromU32": F64_OF_I32, "f64.fromFlag": ["f64", "flag"] as const },
  /** To the nearest double, to the even one of two. */
  "f64.fromI64": F64_OF_I64,
  /** The same for what is known to be a safe integer. */
  "f64.fromSafe": F64_OF_I64,
  ...{ "f64.eq": FLAG_OF_F64S, "f64.lt": FLAG_OF_F64S, "f64.le": FLAG_OF_F64S },
  ...{ "i32.and": I32_OF_TWO, "i32.or": I32_OF_TWO, "i32.xor": I32_OF_TWO, "i32.mul": I32_OF_TWO },
  /** By the number of bits that a constant says. */
  ...{ "i32.shl": I32_OF_TWO, "i32.shrS": I32_OF_TWO, "i32.shrU": I32_OF_TWO },
  /** The low word of the whole product of two unsigned words, shifted right by a constant that is less than 64. */
  "i32.mulShrU": ["i32", "i32", "i32", "i32"],
  /** JavaScript's `ToInt32`. */
  "i32.fromF64": ["i32", "f64"],
  /** Toward zero; what is out of range gives the nearest int32, and NaN 0. */
  "i32.saturated": ["i32", "f64"],
  /** The low half. */
  "i32.wrap": ["i32", "i64"],
  ...{ "i32.eq": FLAG_OF_I32S, "i32.lt": FLAG_OF_I32S, "i32.le": FLAG_OF_I32S },
  ...{ "i64.add": I64_OF_TWO, "i64.sub": I64_OF_TWO, "i64.mul": I64_OF_TWO },
  ...{ "i64.and": I64_OF_TWO, "i64.or": I64_OF_TWO, "i64.xor": I64_OF_TWO },
  /** By a constant that is neither 0 nor −1. */
  ...{ "i64.div": I64_OF_TWO, "i64.rem": I64_OF_TWO },
  "i64.fromI32": ["i64", "i32"],
  /** Of a safe integer; of anything else it is unspecified. −0 gives 0. */
  "i64.fromSafe": ["i64", "f64"],
  ...{ "i64.eq": FLAG_OF_I64S, "i64.lt": FLAG_OF_I64S, "i64.le": FLAG_OF_I64S },
  ...{
    "flag.and": FLAG_OF_TWO,
    "flag.or": FLAG_OF_TWO,
    "flag.xor": FLAG_OF_TWO,
    "flag.not": ["flag", "flag"] as const,
  },
  /** The second where the first is set, else the third. */
  "f64.select": ["f64", "flag", "f64", "f64"],
  "i32.select": ["i32", "flag", "i32", "i32"],
  "i64.select": ["i64", "flag", "i64", "i64"],
} as const satisfies Readonly<Record<string, readonly LaneType[]>>

/** The name of an operation. */
export type OperationName = keyof typeof OPERATIONS

type Signature<N extends OperationName> = (typeof OPERATIONS)[N]
/** The types of an operation's operands. */
export type OperandTypes<N extends OperationName> =
  Signature<N> extends readonly [LaneType, ...infer O extends readonly LaneType[]] ? O : never
/** The type of an operation's result. */
export type ResultType<N extends OperationName> = Signature<N>[0]
/** The lanes that an operation takes. */
type LanesOf<T extends readonly LaneType[]> = { [I in keyof T]: Lane<T[I]> }

/** Where a lane's value comes from. `argument` is an index of the graph's arguments. */
export type LaneDefinition =
  | { readonly kind: "constant"; readonly value: number | bigint | boolean }
  /** The argument itself, the same for all rows. */
  | { readonly kind: "argument"; readonly argument: number }
  /** The row's value of the array that starts at the argument. */
  | { readonly kind: "load"; readonly argument: number }
  /** The row's bit of the bitmap that starts at the argument. */
  | { readonly kind: "bit"; readonly argument: number }
  /** A value of the array that starts at the argument; of flags it is an array of bytes. −1 is an index, too. */
  | { readonly kind: "lookUp"; readonly argument: number; readonly index: Lane<"i32"> }
  | { readonly kind: "operation"; readonly name: OperationName; readonly operands: readonly Lane[] }

/** A value of a row. */
export interface Lane<T extends LaneType = LaneType> {
  readonly type: T
  readonly definition: LaneDefinition
  readonly id: number
}

/** Makes lanes. */
export class LaneGraph {
  readonly #lanes = new Map<string, Lane>()
  readonly #arguments = new Map<string, number>()
  readonly arguments: KernelArgument[] = []

  constant<T extends LaneType>(type: T, value: number | bigint | boolean): Lane<T> {
    return this.#make(type, `${Object.is(value, -0) ? "-0" : String(value)}`, { kind: "constant", value })
  }

  argument<T extends LaneType>(type: T, argument: KernelArgument): Lane<T> {
    const index = this.indexOf(argument)
    return this.#make(type, `argument ${index}`, { kind: "argument", argument: index })
  }

  load<T extends "f64" | "i32" | "i64">(type: T, argument: KernelArgument): Lane<T> {
    const index = this.indexOf(argument)
    return this.#make(type, `load ${index}`, { kind: "load", argument: index })
  }

  bit(argument: KernelArgument): Lane<"flag"> {
    const index = this.indexOf(argument)
    return this.#make("flag", `bit ${index}`, { kind: "bit", argument: index })
  }

  lookUp<T extends "f64" | "i32" | "flag">(type: T, argument: KernelArgument, index: Lane<"i32">): Lane<T> {
    const at = this.indexOf(argument)
    return this.#make(type, `lookUp ${at} ${index.id}`, { kind: "lookUp", argument: at, index })
  }

  operation<N extends OperationName>(name: N, ...operands: LanesOf<OperandTypes<N>>): Lane<ResultType<N>> {
    const lanes = operands as readonly Lane[]
    const [type, ...types]: readonly LaneType[] = OPERATIONS[name]
    assert(types.length === lanes.length, "an operation is given its operands")
    const key = `${name} ${lanes.map(({ id }) => id).join(" ")}`
    return this.#make(type as ResultType<N>, key, { kind: "operation", name, operands: lanes })
  }

  and(a: Lane<"flag">, b: Lane<"flag">): Lane<"flag"> {
    if (isConstant(a)) return isConstant(a, true) ? b : a
    if (isConstant(b)) return isConstant(b, true) ? a : b
    return a === b ? a : this.operation("flag.and", a, b)
  }

  or(a: Lane<"flag">, b: Lane<"flag">): Lane<"flag"> {
    if (isConstant(a)) return isConstant(a, true) ? a : b
    if (isConstant(b)) return isConstant(b, true) ? b : a
    return a === b ? a : this.operation("flag.or", a, b)
  }

  not(a: Lane<"flag">): Lane<"flag"> {
    if (isConstant(a)) return this.constant("flag", isConstant(a, false))
    const { definition } = a
    if (definition.kind === "operation" && definition.name === "flag.not") return definition.operands[0] as Lane<"flag">
    return this.operation("flag.not", a)
  }

  /** `test ? then : otherwise`. */
  select<T extends LaneType>(test: Lane<"flag">, then: Lane<T>, otherwise: Lane<T>): Lane<T>
  select(test: Lane<"flag">, then: Lane, otherwise: Lane): Lane {
    if (then === otherwise) return then
    if (isConstant(test)) return isConstant(test, true) ? then : otherwise
    switch (then.type) {
      case "f64":
        return this.operation("f64.select", test, then as Lane<"f64">, otherwise as Lane<"f64">)
      case "i32":
        return this.operation("i32.select", test, then as Lane<"i32">, otherwise as Lane<"i32">)
      case "i64":
        return this.operation("i64.select", test, then as Lane<"i64">, otherwise as Lane<"i64">)
      case "flag":
        if (test === then) return this.or(test, otherwise as Lane<"flag">)
        if (test === otherwise) return this.and(test, then as Lane<"flag">)
        return this.or(this.and(test, then as Lane<"flag">), this.and(this.not(test), otherwise as Lane<"flag">))
    }
  }

  /** The index of an argument among the graph's. */
  indexOf(argument: KernelArgument): number {
    const key = JSON.stringify(argument, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value))
    const known = this.#arguments.get(key)
    if (known !== undefined) return known
    this.#arguments.set(key, this.arguments.length)
    return this.arguments.push(argument) - 1
  }

  #make<T extends LaneType>(type: T, text: string, definition: LaneDefinition): Lane<T> {
    const key = `${type} ${text}`
    const known = this.#lanes.get(key)
    if (known !== undefined) return known as Lane<T>
    const lane: Lane<T> = { type, definition, id: this.#lanes.size }
    this.#lanes.set(key, lane)
    return lane
  }
}

/** Whether a flag is a constant, and which. */
export function isConstant({ definition }: Lane<"flag">, value?: boolean): boolean {
  return definition.kind === "constant" && (value === undefined || definition.value === value)
}

/** The lanes that a lane is made of. */
function operandsOf({ definition }: Lane): readonly Lane[] {
  if (definition.kind === "operation") return definition.operands
  return definition.kind === "lookUp" ? [definition.index] : []
}

/** How often each lane below some roots is needed, a root being needed once by itself. */
export function countUses(roots: readonly Lane[]): ReadonlyMap<Lane, number> {
  const uses = new Map<Lane, number>()
  const visit = (lane: Lane): void => {
    const known = uses.get(lane) ?? 0
    uses.set(lane, known + 1)
    if (known === 0) operandsOf(lane).forEach(visit)
  }
  roots.forEach(visit)
  return uses
}
