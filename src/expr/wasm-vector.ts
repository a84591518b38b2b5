/**
 * Lanes as code for eight rows at a time, the first of which is a multiple of eight: so bitmaps are read by the byte.
 *
 * Doubles and int64 of eight rows are four vectors, int32 are two. A flag has one of three forms: a mask as wide as
 * doubles (four vectors), a mask as wide as int32 (two), or eight bits of an i32. It stays in the form in which it comes,
 * where what it meets has the same form, as masks of two rows are cheaper to combine than to convert; the eight bits are
 * what counts in the end.
 *
 *     wide      │ rows 0 1 │ 2 3 │ 4 5 │ 6 7 │   of doubles, int64
 *     narrow    │ rows 0 1 2 3   │ 4 5 6 7   │   of int32, codes
 *     bits      │ row 0 is the lowest        │   of bitmaps, tables
 *
 * What is needed several times is kept in variables, which statements set, as in `wasm-scalar.ts`. What is the same for
 * all rows is spread over vectors once, before the loop.
 *
 * Invariants:
 * - WV1 For each of the eight rows a lane gives, bit by bit but for NaNs, what `wasm-scalar.ts` gives.
 */
import { AssertionError } from "../base/assert.ts"
import type { Lane, OperationName } from "./wasm-lane.ts"
import { f64x2, i16x8, i32, i32x4, i64x2, i8x16, v128, type Code, type Local } from "../base/wasm-code.ts"
import type { WasmType } from "../base/wasm-code.ts"
import type { FunctionScope } from "../base/wasm-module.ts"
import { constantCode, loadCode, SIZE_BITS } from "./wasm-scalar.ts"

/** How many rows are done at a time. */
export const VECTOR_ROWS = 8

type Vector = Code<"v128">
/** How a value of eight rows lies in vectors, or in bits. */
type Form = "wide" | "narrow" | "bits"

/** 2⁵² and 2⁸⁴ + 2⁶³ as bits: a word in their low half becomes the last places of a double. */
const BITS_2_52 = 0x4330_0000_0000_0000n
const BITS_2_84 = 0x4530_0000_8000_0000n

/** Takes the low words of four int64 or masks in two vectors. */
const LOW_WORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]

/** Takes the low halves of two vectors. */
const LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]

const FLAG_OPERATIONS: ReadonlySet<OperationName> = new Set(["flag.and", "flag.or", "flag.xor", "flag.not"])

/** Operations whose operands and result have one form, which are done for each vector by itself. */
const VECTOR_OPERATIONS: Readonly<Partial<Record<OperationName, (...vectors: Vector[]) => Vector>>> = {
  ...{ "f64.add": f64x2.add, "f64.sub": f64x2.sub, "f64.mul": f64x2.mul, "f64.div": f64x2.div },
  ...{ "f64.min": f64x2.min, "f64.max": f64x2.max, "f64.neg": f64x2.neg, "f64.abs": f64x2.abs, "f64.sqrt": f64x2.sqrt },
  ...{ "f64.ceil": f64x2.ceil, "f64.floor": f64x2.floor, "f64.trunc": f64x2.trunc },
  "f64.copySign": (value, sign) => v128.bitSelect(sign, value, longs(0x8000_0000_0000_0000n)),
  ...{ "f64.eq": f64x2.eq, "f64.lt": f64x2.lt, "f64.le": f64x2.le },
  ...{ "i32.and": v128.and, "i32.or": v128.or, "i32.xor": v128.xor, "i32.mul": i32x4.mul },
  ...{ "i32.eq": i32x4.eq, "i32.lt": i32x4.ltS, "i32.le": i32x4.leS },
  ...{ "i64.add": i64x2.add, "i64.sub": i64x2.sub },
  ...{ "i64.and": v128.and, "i64.or": v128.or, "i64.xor": v128.xor },
  ...{ "i64.eq": i64x2.eq, "i64.lt": i64x2.ltS, "i64.le": i64x2.leS },
}

const MASK_OPERATIONS: Readonly<Partial<Record<OperationName, (...masks: Vector[]) => Vector>>> = {
  ...{ "flag.and": v128.and, "flag.or": v128.or, "flag.xor": v128.xor, "flag.not": v128.not },
}

const BIT_OPERATIONS: Readonly<Partial<Record<OperationName, (...bits: Code<"i32">[]) => Code<"i32">>>> = {
  ...{ "flag.and": i32.and, "flag.or": i32.or, "flag.xor": i32.xor },
  "flag.not": (bits) => i32.xor(bits!, i32.const(0xff)),
}

const SHIFTS: Readonly<Partial<Record<OperationName, (a: Vector, by: Code<"i32">) => Vector>>> = {
  ...{ "i32.shl": i32x4.shl, "i32.shrS": i32x4.shrS, "i32.shrU": i32x4.shrU },
}

/** Whether lanes can be done eight rows at a time. Multiplying and dividing int64 is for one row at a time. */
export function isVectorisable(lanes: Iterable<Lane>): boolean {
  for (const { definition } of lanes) {
    if (definition.kind !== "operation") continue
    const { name } = definition
    if (name === "i64.mul" || name === "i64.div" || name === "i64.rem") return false
  }
  return true
}

/** Writes lanes for eight rows, the number of the first of which a variable holds. */
export class VectorWriter {
  readonly #scope: FunctionScope
  readonly #arguments: readonly Local<WasmType>[]
  readonly #uses: ReadonlyMap<Lane, number>
  readonly #row: Local<"i32">
  readonly #kept = new Map<string, Local<WasmType>>()
  readonly #addresses = new Map<string, Local<"i32">>()
  readonly #forms = new Map<Lane, Form>()
  #statements: Code<"none">[] = []
  /** What is to be done once before the first row. */
  readonly prologue: Code<"none">[] = []

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

  /** Two rows of doubles or int64, or their masks as wide. `part` is 0 to 3. */
  wide(lane: Lane, part: number): Vector {
    return this.#shared(lane, `wide ${part}`, () => this.#wide(lane, part))
  }

  /** Four rows of int32, or their masks as wide. `part` is 0 or 1. */
  narrow(lane: Lane, part: number): Vector {
    return this.#shared(lane, `narrow ${part}`, () => this.#narrow(lane, part))
  }

  /** Eight bits of a flag. */
  bits(lane: Lane<"flag">): Code<"i32"> {
    return this.#shared(lane, "bits", () => this.#bits(lane))
  }

  /** The address of the first row's value of an array. */
  valueAddress(argument: number, type: "f64" | "i32" | "i64"): Code<"i32"> {
    return this.#address(argument, (row) => i32.shl(row, i32.const(SIZE_BITS[type])), SIZE_BITS[type])
  }

  /** The address of the eight rows' byte in a bitmap. */
  bitAddress(argument: number): Code<"i32"> {
    return this.#address(argument, (row) => i32.shrU(row, i32.const(3)), -3)
  }

  #address(argument: number, place: (row: Code<"i32">) => Code<"i32">, bits: number): Code<"i32"> {
    const key = `${argument} ${bits}`
    let local = this.#addresses.get(key)
    if (local === undefined) {
      local = this.#scope.local("i32")
      this.#statements.push(local.set(i32.add(this.#argument(argument), place(this.#row.get))))
      this.#addresses.set(key, local)
    }
    return local.get
  }

  #argument(argument: number): Code<"i32"> {
    return this.#arguments[argument]!.get as Code<"i32">
  }

  #shared<T extends WasmType>(lane: Lane, key: string, write: () => Code<T>): Code<T> {
    const { kind } = lane.definition
    if (kind === "constant" || kind === "argument") return write()
    return this.#uses.get(lane) === 1 ? write() : this.#keep(`${lane.id} ${key}`, write)
  }

  /** The value from a variable, which is set here where it has not been yet. */
  #keep<T extends WasmType>(key: string, write: () => Code<T>): Code<T> {
    let local = this.#kept.get(key) as Local<T> | undefined
    if (local === undefined) {
      const value = write()
      local = this.#scope.local(value.type)
      this.#statements.push(local.set(value))
      this.#kept.set(key, local)
    }
    return local.get
  }

  /** What is the same for all rows, in all places of a vector, from before the loop. */
  #splat(lane: Lane): Vector {
    const key = `${lane.id} splat`
    let local = this.#kept.get(key) as Local<"v128"> | undefined
    if (local === undefined) {
      local = this.#scope.local("v128")
      const { definition, type } = lane
      const value =
        definition.kind === "constant"
          ? constantCode(type, definition.value)
          : this.#arguments[(definition as { readonly argument: number }).argument]!.get
      this.prologue.push(local.set(splatOf(type === "flag" ? i32.sub(i32.const(0), value as Code<"i32">) : value)))
      this.#kept.set(key, local)
    }
    return local.get
  }

  #wide(lane: Lane, part: number): Vector {
    const { type, definition } = lane
    switch (definition.kind) {
      case "constant":
      case "argument":
        return this.#splat(lane)
      case "load":
        return v128.load(this.valueAddress(definition.argument, type as "f64"), part * 16)
      case "bit":
        return this.#wideMaskOfBits(lane as Lane<"flag">, part)
      case "lookUp": {
        if (type === "flag") return this.#wideMaskOfBits(lane as Lane<"flag">, part)
        const [low, high] = [this.#lookedUp(lane, part * 2), this.#lookedUp(lane, part * 2 + 1)]
        return f64x2.replaceLane(splatOf(low), 1, high as Code<"f64">)
      }
      case "operation":
        return this.#wideOperation(lane, definition.name, definition.operands, part)
    }
  }

  #wideOperation(lane: Lane, name: OperationName, operands: readonly Lane[], part: number): Vector {
    const vectors = VECTOR_OPERATIONS[name]
    if (lane.type === "flag") {
      const form = this.#formOf(lane)
      if (form === "bits") return this.#wideMaskOfBits(lane as Lane<"flag">, part)
      if (form === "narrow") return halfOf(this.#keptNarrow(lane, part >> 1), part, "extend")
      return (MASK_OPERATIONS[name] ?? vectors!)(...operands.map((operand) => this.wide(operand, part)))
    }
    switch (name) {
      case "f64.select":
      case "i64.select": {
        const [test, then, otherwise] = operands
        return v128.bitSelect(this.wide(then!, part), this.wide(otherwise!, part), this.wide(test!, part))
      }
      case "f64.fromI32":
      case "f64.fromU32":
        return this.#doublesOfInts(operands[0]!, part, name === "f64.fromU32")
      case "f64.fromFlag":
        return v128.and(this.wide(operands[0]!, part), doubles(1))
      case "i64.fromI32":
        return this.#longsOfInts(operands[0]!, part)
      case "f64.fromI64":
      case "f64.fromSafe":
        return this.#doublesOfLongs(this.wide(operands[0]!, part))
      case "i64.fromSafe":
        return this.#longsOfDoubles(this.wide(operands[0]!, part))
      default:
        return vectors!(...operands.map((operand) => this.wide(operand, part)))
    }
  }

  #doublesOfInts(operand: Lane, part: number, isUnsigned: boolean): Vector {
    const { definition } = operand
    const convert = isUnsigned ? f64x2.convertLowI32x4U : f64x2.convertLowI32x4S
    if (definition.kind === "load" && this.#uses.get(operand) === 1) {
      return convert(v128.load64Zero(this.valueAddress(definition.argument, "i32"), part * 8))
    }
    return convert(halfOf(this.#keptNarrow(operand, part >> 1), part, "shuffle"))
  }

  #longsOfInts(operand: Lane, part: number): Vector {
    const { definition } = operand
    if (definition.kind === "load" && this.#uses.get(operand) === 1) {
      return v128.load32x2S(this.valueAddress(definition.argument, "i32"), part * 8)
    }
    return halfOf(this.#keptNarrow(operand, part >> 1), part, "extend")
  }

  #narrow(lane: Lane, part: number): Vector {
    const { definition, type } = lane
    switch (definition.kind) {
      case "constant":
      case "argument":
        return this.#splat(lane)
      case "load":
        return v128.load(this.valueAddress(definition.argument, "i32"), part * 16)
      case "bit":
        return this.#narrowMaskOfBits(lane as Lane<"flag">, part)
      case "lookUp": {
        if (type === "flag") return this.#narrowMaskOfBits(lane as Lane<"flag">, part)
        const values = [0, 1, 2, 3].map((row) => this.#lookedUp(lane, part * 4 + row) as Code<"i32">)
        return values
          .slice(1)
          .reduce((vector, value, index) => i32x4.replaceLane(vector, index + 1, value), splatOf(values[0]!))
      }
      case "operation":
        return this.#narrowOperation(lane, definition.name, definition.operands, part)
    }
  }

  #narrowOperation(lane: Lane, name: OperationName, operands: readonly Lane[], part: number): Vector {
    const wides = (convert: (vector: Vector) => Vector): Vector => {
      const [low, high] = [0, 1].map((half) => convert(this.wide(operands[0]!, part * 2 + half)))
      return i8x16.shuffle(low!, high!, LOW_WORDS)
    }
    if (lane.type === "flag") {
      const form = this.#formOf(lane)
      if (form === "bits") return this.#narrowMaskOfBits(lane as Lane<"flag">, part)
      if (form === "wide") return i8x16.shuffle(this.wide(lane, part * 2), this.wide(lane, part * 2 + 1), LOW_WORDS)
      return (MASK_OPERATIONS[name] ?? VECTOR_OPERATIONS[name]!)(...operands.map((each) => this.narrow(each, part)))
    }
    const shift = SHIFTS[name]
    if (shift !== undefined) return shift(this.narrow(operands[0]!, part), i32.const(shiftOf(operands[1]!)))
    switch (name) {
      case "i32.select": {
        const [test, then, otherwise] = operands
        return v128.bitSelect(this.narrow(then!, part), this.narrow(otherwise!, part), this.narrow(test!, part))
      }
      case "i32.mulShrU": {
        const [a, b] = [this.#keptNarrow(operands[0]!, part), this.narrow(operands[1]!, part)]
        const by = i32.const(shiftOf(operands[2]!))
        const products = [i64x2.extMulLowI32x4U(a, b), i64x2.extMulHighI32x4U(a, b)].map((each) => i64x2.shrU(each, by))
        return i8x16.shuffle(products[0]!, products[1]!, LOW_WORDS)
      }
      case "i32.wrap":
        return wides((vector) => vector)
      case "i32.fromF64":
        return wides((vector) => this.#lowWordsOfDoubles(vector))
      case "i32.saturated": {
        const [low, high] = [0, 1].map((half) => i32x4.truncSatF64x2SZero(this.wide(operands[0]!, part * 2 + half)))
        return i8x16.shuffle(low!, high!, LOW_HALVES)
      }
      default:
        return VECTOR_OPERATIONS[name]!(...operands.map((operand) => this.narrow(operand, part)))
    }
  }

  /**
   * The nearest doubles of int64. The low word becomes 2⁵² + low, the high one, with its sign bit turned round,
   * 2⁸⁴ + 2⁶³ + high · 2³²; so the subtraction is exact, and the addition rounds once.
   */
  #doublesOfLongs(vector: Vector): Vector {
    const value = this.#variable(vector)
    const low = v128.bitSelect(value.get, longs(BITS_2_52), longs(0xffff_ffffn))
    const high = v128.xor(i64x2.shrU(value.get, i32.const(32)), longs(BITS_2_84))
    return f64x2.add(f64x2.sub(high, doubles(2 ** 84 + 2 ** 63 + 2 ** 52)), low)
  }

  /** Safe integers as int64: the high word, and the low one, which is never negative, as last places of doubles. */
  #longsOfDoubles(vector: Vector): Vector {
    const value = this.#variable(vector)
    const high = this.#variable(f64x2.floor(f64x2.mul(value.get, doubles(2 ** -32))))
    const low = f64x2.sub(value.get, f64x2.mul(high.get, doubles(2 ** 32)))
    return v128.or(
      i64x2.shl(f64x2.add(high.get, doubles(1.5 * 2 ** 52)), i32.const(32)),
      v128.and(f64x2.add(low, doubles(2 ** 52)), longs(0xffff_ffffn)),
    )
  }

  /** `ToInt32` of two doubles, in the low words of an int64 each. */
  #lowWordsOfDoubles(vector: Vector): Vector {
    const value = this.#variable(f64x2.trunc(vector))
    // The remainder by 2³², as in `wasm-scalar.ts`.
    const multiple = f64x2.mul(f64x2.trunc(f64x2.mul(value.get, doubles(2 ** -32))), doubles(2 ** 32))
    const rest = this.#variable(f64x2.sub(value.get, multiple))
    // At this size the last place of a double is 1, so its low bits are those of the whole number. NaN gives 0.
    return v128.and(f64x2.add(rest.get, doubles(1.5 * 2 ** 52)), f64x2.eq(rest.get, rest.get))
  }

  #variable(value: Vector): Local<"v128"> {
    const local = this.#scope.local("v128")
    this.#statements.push(local.set(value))
    return local
  }

  #bits(lane: Lane<"flag">): Code<"i32"> {
    const { definition } = lane
    switch (definition.kind) {
      case "constant":
        return i32.const(definition.value === true ? 0xff : 0)
      case "argument":
        return i32.and(i32.sub(i32.const(0), this.#argument(definition.argument)), i32.const(0xff))
      case "bit":
        return i32.load8U(this.bitAddress(definition.argument))
      case "lookUp":
        return this.#lookedUpBits(lane)
      case "operation": {
        const form = this.#formOf(lane)
        if (form === "wide") return bitsOfNarrow(this.#narrowOfWide(lane, 0), this.#narrowOfWide(lane, 1))
        if (form === "narrow") return bitsOfNarrow(this.narrow(lane, 0), this.narrow(lane, 1))
        const operands = definition.operands.map((operand) => this.bits(operand as Lane<"flag">))
        return BIT_OPERATIONS[definition.name]!(...operands)
      }
      case "load":
        throw new AssertionError("a flag is not loaded")
    }
  }

  #narrowOfWide(lane: Lane<"flag">, part: number): Vector {
    return i8x16.shuffle(this.wide(lane, part * 2), this.wide(lane, part * 2 + 1), LOW_WORDS)
  }

  /** The form in which a flag comes. */
  #formOf(lane: Lane): Form {
    const known = this.#forms.get(lane)
    if (known !== undefined) return known
    const form = this.#newFormOf(lane)
    this.#forms.set(lane, form)
    return form
  }

  #newFormOf({ definition }: Lane): Form {
    if (definition.kind !== "operation") return "bits"
    const { name, operands } = definition
    if (!FLAG_OPERATIONS.has(name)) return operands[0]!.type === "i32" ? "narrow" : "wide"
    const forms = operands.map((operand) => this.#formOf(operand))
    return forms.every((form) => form === forms[0]) ? forms[0]! : "bits"
  }

  #wideMaskOfBits(lane: Lane<"flag">, part: number): Vector {
    const [low, high] = [1 << (part * 2), 2 << (part * 2)]
    return this.#maskOfBits(lane, words(low, low, high, high))
  }

  #narrowMaskOfBits(lane: Lane<"flag">, part: number): Vector {
    return this.#maskOfBits(lane, words(...([1, 2, 4, 8].map((bit) => bit << (part * 4)) as Words)))
  }

  #maskOfBits(lane: Lane<"flag">, places: Vector): Vector {
    const bits = this.#keep(`${lane.id} spread`, () => i32x4.splat(this.bits(lane)))
    return i32x4.eq(v128.and(bits, places), places)
  }

  #keptNarrow(lane: Lane, part: number): Vector {
    return this.#keep(`${lane.id} narrow ${part}`, () => this.#narrow(lane, part))
  }

  /** The value that one row looks up. */
  #lookedUp({ type, definition }: Lane, row: number): Code<WasmType> {
    const { argument, index } = definition as { readonly argument: number; readonly index: Lane<"i32"> }
    const at = this.#intOf(index, row)
    const bits = SIZE_BITS[type]
    return loadCode(type, i32.add(this.#argument(argument), bits === 0 ? at : i32.shl(at, i32.const(bits))))
  }

  #lookedUpBits(lane: Lane<"flag">): Code<"i32"> {
    const bits = Array.from({ length: VECTOR_ROWS }, (_, row) => {
      const bit = this.#lookedUp(lane, row) as Code<"i32">
      return row === 0 ? bit : i32.shl(bit, i32.const(row))
    })
    return bits.reduce((all, bit) => i32.or(all, bit))
  }

  /** The int32 of one of the eight rows. */
  #intOf(lane: Lane<"i32">, row: number): Code<"i32"> {
    const { definition } = lane
    if (definition.kind === "load") return i32.load(this.valueAddress(definition.argument, "i32"), row * 4)
    return i32x4.extractLane(this.#keptNarrow(lane, row >> 2), row & 3)
  }
}

type Words = [number, number, number, number]

function words(...values: Words): Vector {
  return v128.const(values.flatMap((value) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]))
}

function longs(value: bigint): Vector {
  const [low, high] = [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))]
  return words(low, high, low, high)
}

function doubles(value: number): Vector {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return longs(view.getBigUint64(0))
}

function splatOf(value: Code<WasmType>): Vector {
  switch (value.type) {
    case "f64":
      return f64x2.splat(value as Code<"f64">)
    case "i64":
      return i64x2.splat(value as Code<"i64">)
    case "i32":
      return i32x4.splat(value as Code<"i32">)
    case "v128":
      return value as Vector
  }
}

function shiftOf({ definition }: Lane): number {
  return (definition as { readonly value: number }).value
}

/** Eight bits of two masks of four rows. */
function bitsOfNarrow(low: Vector, high: Vector): Code<"i32"> {
  return i16x8.bitmask(i16x8.narrowI32x4S(low, high))
}

/** Two of four int32: moved to the low half, or as int64. */
function halfOf(vector: Vector, part: number, how: "shuffle" | "extend"): Vector {
  if (how === "extend") return (part & 1) === 0 ? i64x2.extendLowI32x4S(vector) : i64x2.extendHighI32x4S(vector)
  if ((part & 1) === 0) return vector
  return i8x16.shuffle(vector, vector, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15])
}
