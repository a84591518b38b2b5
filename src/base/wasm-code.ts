/**
 * WebAssembly instructions as values: typed trees of code that `wasm-module.ts` turns into bytes.
 *
 * A `Code<"f64">` is a sequence of instructions that leaves one double on the stack; a `Code<"none">` leaves nothing. So
 * operands nest as calls do, and a slip of types is a compile error here and not a module that does not validate:
 * `f64.add(total.get, f64.load(at.get))`. Control structures name their labels, and depths are counted when encoding.
 *
 * Only what kernels use stands here. Names follow the specification (https://webassembly.github.io/spec/core/), in
 * camel case.
 *
 * Invariants:
 * - WC1 A code of type T pops nothing that it did not push, and leaves exactly one T (or nothing, for "none").
 * - WC2 Alignment hints say 1 byte, which is valid for every address.
 */
import { assert } from "./assert.ts"

/** The types of values on the stack. */
export type WasmType = "i32" | "i64" | "f64" | "v128"

/** A place to which code can branch. Each is one by itself. */
export class Label {
  readonly kind = "label"
}

/** A structured instruction: its body may branch to its label. */
export interface ControlPart {
  readonly control: "block" | "loop" | "if"
  readonly type: WasmType | "none"
  readonly label: Label
  readonly body: Parts
  readonly otherwise?: Parts
}

/** A branch to a label. */
export interface BranchPart {
  readonly branch: number
  readonly to: Label
}

/** A call of another function of the module. */
export interface CallPart {
  readonly callee: string
}

/** Bytes, structured instructions, branches and calls, nested as they were written. */
export type Part = number | ControlPart | BranchPart | CallPart | Parts
/** Parts, one after the other. */
export type Parts = readonly Part[]

/** Instructions that leave a value of type `T`. */
export interface Code<T extends WasmType | "none"> {
  readonly type: T
  readonly parts: Parts
}

function code<T extends WasmType | "none">(type: T, parts: Parts): Code<T> {
  return { type, parts }
}

/** An unsigned number in LEB128. */
export function unsignedLeb(value: number): number[] {
  assert(Number.isSafeInteger(value) && value >= 0, "an unsigned whole number")
  const bytes: number[] = []
  do {
    const rest = Math.floor(value / 128)
    bytes.push((value % 128) | (rest > 0 ? 0x80 : 0))
    value = rest
  } while (value > 0)
  return bytes
}

/** A whole number of 32 bits in signed LEB128. Most constants are such, and arithmetic of bigints takes ten times as long. */
function signedLeb32(value: number): number[] {
  const bytes: number[] = []
  for (;;) {
    const low = value & 0x7f
    value >>= 7
    const isDone = (value === 0 && (low & 0x40) === 0) || (value === -1 && (low & 0x40) !== 0)
    bytes.push(isDone ? low : low | 0x80)
    if (isDone) return bytes
  }
}

function signedLeb(value: bigint): number[] {
  const bytes: number[] = []
  for (;;) {
    const low = Number(value & 0x7fn)
    value >>= 7n
    const isDone = (value === 0n && (low & 0x40) === 0) || (value === -1n && (low & 0x40) !== 0)
    bytes.push(isDone ? low : low | 0x80)
    if (isDone) return bytes
  }
}

/** Opcodes behind the prefix of vector instructions. */
function vector(opcode: number): number[] {
  return [0xfd, ...unsignedLeb(opcode)]
}

type Opcode = readonly number[]

/** An opcode as a part. Parts are made a hundred thousand times in a start: there are no more of them than must be. */
function partOf(opcode: Opcode): Part {
  return opcode.length === 1 ? opcode[0]! : opcode
}

function unary<A extends WasmType, T extends WasmType>(type: T, opcode: Opcode): (a: Code<A>) => Code<T> {
  const part = partOf(opcode)
  return (a) => code(type, [a.parts, part])
}

function binary<A extends WasmType, T extends WasmType>(type: T, opcode: Opcode): (a: Code<A>, b: Code<A>) => Code<T> {
  const part = partOf(opcode)
  return (a, b) => code(type, [a.parts, b.parts, part])
}

/** A distance from an address. */
function offsetPart(offset: number): Part {
  return offset >= 0 && offset < 0x80 ? offset : unsignedLeb(offset)
}

function load<T extends WasmType>(type: T, opcode: Opcode): (address: Code<"i32">, offset?: number) => Code<T> {
  const part = partOf(opcode)
  return (address, offset = 0) => code(type, [address.parts, part, 0, offsetPart(offset)])
}

function store<T extends WasmType>(
  opcode: Opcode,
): (address: Code<"i32">, value: Code<T>, offset?: number) => Code<"none"> {
  const part = partOf(opcode)
  return (address, value, offset = 0) => code("none", [address.parts, value.parts, part, 0, offsetPart(offset)])
}

const shift =
  (opcode: Opcode) =>
  (a: Code<"v128">, by: Code<"i32">): Code<"v128"> =>
    code("v128", [a.parts, by.parts, opcode])

const extract =
  <T extends WasmType>(type: T, opcode: number) =>
  (a: Code<"v128">, lane: number): Code<T> =>
    code(type, [a.parts, vector(opcode), lane])

const replace =
  <T extends WasmType>(opcode: number) =>
  (a: Code<"v128">, lane: number, value: Code<T>): Code<"v128"> =>
    code("v128", [a.parts, value.parts, vector(opcode), lane])

const select =
  <T extends WasmType>(type: T) =>
  (test: Code<"i32">, then: Code<T>, otherwise: Code<T>): Code<T> =>
    code(type, [then.parts, otherwise.parts, test.parts, type === "v128" ? [0x1c, 1, 0x7b] : 0x1b])

/** 32-bit integers; comparisons give 0 or 1. */
export const i32 = {
  const: (value: number): Code<"i32"> => code("i32", [0x41, signedLeb32(value | 0)]),
  add: binary<"i32", "i32">("i32", [0x6a]),
  sub: binary<"i32", "i32">("i32", [0x6b]),
  mul: binary<"i32", "i32">("i32", [0x6c]),
  /** Traps where the right side is 0. */
  divU: binary<"i32", "i32">("i32", [0x6e]),
  and: binary<"i32", "i32">("i32", [0x71]),
  or: binary<"i32", "i32">("i32", [0x72]),
  xor: binary<"i32", "i32">("i32", [0x73]),
  shl: binary<"i32", "i32">("i32", [0x74]),
  shrS: binary<"i32", "i32">("i32", [0x75]),
  shrU: binary<"i32", "i32">("i32", [0x76]),
  eqz: unary<"i32", "i32">("i32", [0x45]),
  eq: binary<"i32", "i32">("i32", [0x46]),
  ne: binary<"i32", "i32">("i32", [0x47]),
  ltS: binary<"i32", "i32">("i32", [0x48]),
  ltU: binary<"i32", "i32">("i32", [0x49]),
  gtS: binary<"i32", "i32">("i32", [0x4a]),
  gtU: binary<"i32", "i32">("i32", [0x4b]),
  leS: binary<"i32", "i32">("i32", [0x4c]),
  leU: binary<"i32", "i32">("i32", [0x4d]),
  geS: binary<"i32", "i32">("i32", [0x4e]),
  geU: binary<"i32", "i32">("i32", [0x4f]),
  clz: unary<"i32", "i32">("i32", [0x67]),
  ctz: unary<"i32", "i32">("i32", [0x68]),
  popcnt: unary<"i32", "i32">("i32", [0x69]),
  /** The low half of an int64. */
  wrap: unary<"i64", "i32">("i32", [0xa7]),
  /** Toward zero; NaN gives 0, and what is out of range the nearest end. */
  truncSatF64S: unary<"f64", "i32">("i32", [0xfc, 2]),
  load: load("i32", [0x28]),
  load8S: load("i32", [0x2c]),
  load8U: load("i32", [0x2d]),
  load16U: load("i32", [0x2f]),
  store: store<"i32">([0x36]),
  store8: store<"i32">([0x3a]),
  store16: store<"i32">([0x3b]),
  select: select("i32"),
}

/** 64-bit integers; comparisons give an i32. */
export const i64 = {
  const: (value: bigint): Code<"i64"> => code("i64", [0x42, signedLeb(BigInt.asIntN(64, value))]),
  add: binary<"i64", "i64">("i64", [0x7c]),
  sub: binary<"i64", "i64">("i64", [0x7d]),
  mul: binary<"i64", "i64">("i64", [0x7e]),
  /** Traps where the right side is 0, and for −2⁶³ by −1. */
  divS: binary<"i64", "i64">("i64", [0x7f]),
  /** Traps where the right side is 0. */
  divU: binary<"i64", "i64">("i64", [0x80]),
  /** The remainder has the sign of the left side. Traps where the right side is 0. */
  remS: binary<"i64", "i64">("i64", [0x81]),
  and: binary<"i64", "i64">("i64", [0x83]),
  or: binary<"i64", "i64">("i64", [0x84]),
  xor: binary<"i64", "i64">("i64", [0x85]),
  shl: binary<"i64", "i64">("i64", [0x86]),
  shrS: binary<"i64", "i64">("i64", [0x87]),
  shrU: binary<"i64", "i64">("i64", [0x88]),
  rotl: binary<"i64", "i64">("i64", [0x89]),
  ctz: unary<"i64", "i64">("i64", [0x7a]),
  popcnt: unary<"i64", "i64">("i64", [0x7b]),
  eqz: unary<"i64", "i32">("i32", [0x50]),
  eq: binary<"i64", "i32">("i32", [0x51]),
  ne: binary<"i64", "i32">("i32", [0x52]),
  ltS: binary<"i64", "i32">("i32", [0x53]),
  ltU: binary<"i64", "i32">("i32", [0x54]),
  gtS: binary<"i64", "i32">("i32", [0x55]),
  gtU: binary<"i64", "i32">("i32", [0x56]),
  leS: binary<"i64", "i32">("i32", [0x57]),
  leU: binary<"i64", "i32">("i32", [0x58]),
  geS: binary<"i64", "i32">("i32", [0x59]),
  geU: binary<"i64", "i32">("i32", [0x5a]),
  clz: unary<"i64", "i64">("i64", [0x79]),
  extendS: unary<"i32", "i64">("i64", [0xac]),
  extendU: unary<"i32", "i64">("i64", [0xad]),
  /** Toward zero; NaN gives 0, and what is out of range the nearest end. */
  truncSatF64S: unary<"f64", "i64">("i64", [0xfc, 6]),
  reinterpretF64: unary<"f64", "i64">("i64", [0xbd]),
  load: load("i64", [0x29]),
  load32S: load("i64", [0x34]),
  load32U: load("i64", [0x35]),
  store: store<"i64">([0x37]),
  select: select("i64"),
}

/** Doubles. `min` and `max` are those of `Math`: NaN wins, and −0 is less than +0. */
export const f64 = {
  const: (value: number): Code<"f64"> => {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setFloat64(0, value, true)
    return code("f64", [0x44, [...bytes]])
  },
  add: binary<"f64", "f64">("f64", [0xa0]),
  sub: binary<"f64", "f64">("f64", [0xa1]),
  mul: binary<"f64", "f64">("f64", [0xa2]),
  div: binary<"f64", "f64">("f64", [0xa3]),
  min: binary<"f64", "f64">("f64", [0xa4]),
  max: binary<"f64", "f64">("f64", [0xa5]),
  abs: unary<"f64", "f64">("f64", [0x99]),
  neg: unary<"f64", "f64">("f64", [0x9a]),
  ceil: unary<"f64", "f64">("f64", [0x9b]),
  floor: unary<"f64", "f64">("f64", [0x9c]),
  trunc: unary<"f64", "f64">("f64", [0x9d]),
  sqrt: unary<"f64", "f64">("f64", [0x9f]),
  eq: binary<"f64", "i32">("i32", [0x61]),
  ne: binary<"f64", "i32">("i32", [0x62]),
  lt: binary<"f64", "i32">("i32", [0x63]),
  gt: binary<"f64", "i32">("i32", [0x64]),
  le: binary<"f64", "i32">("i32", [0x65]),
  ge: binary<"f64", "i32">("i32", [0x66]),
  /** The first with the sign of the second. */
  copySign: binary<"f64", "f64">("f64", [0xa6]),
  convertI32S: unary<"i32", "f64">("f64", [0xb7]),
  convertI32U: unary<"i32", "f64">("f64", [0xb8]),
  convertI64S: unary<"i64", "f64">("f64", [0xb9]),
  reinterpretI64: unary<"i64", "f64">("f64", [0xbf]),
  load: load("f64", [0x2b]),
  store: store<"f64">([0x39]),
  select: select("f64"),
}

/** Vectors of 128 bits, whatever their lanes. */
export const v128 = {
  load: load("v128", vector(0)),
  store: store<"v128">(vector(11)),
  const: (bytes: readonly number[]): Code<"v128"> => {
    assert(bytes.length === 16, "a vector has 16 bytes")
    return code("v128", [vector(12), bytes])
  },
  /** Stores one of the two lanes of 8 bytes. */
  store64Lane: (address: Code<"i32">, value: Code<"v128">, lane: number, offset = 0): Code<"none"> =>
    code("none", [address.parts, value.parts, vector(91), 0, offsetPart(offset), lane]),
  /** Loads 4 bytes into all four lanes. */
  load32Splat: load("v128", vector(9)),
  /** Loads 8 bytes into both lanes. */
  load64Splat: load("v128", vector(10)),
  /** Loads 8 bytes as 8 lanes of 16 bits. */
  load8x8U: load("v128", vector(2)),
  /** Loads 8 bytes into the low half; the high one is 0. */
  load64Zero: load("v128", vector(93)),
  /** Loads two int32 as two int64. */
  load32x2S: load("v128", vector(5)),
  not: unary<"v128", "v128">("v128", vector(77)),
  and: binary<"v128", "v128">("v128", vector(78)),
  andNot: binary<"v128", "v128">("v128", vector(79)),
  or: binary<"v128", "v128">("v128", vector(80)),
  xor: binary<"v128", "v128">("v128", vector(81)),
  /** Bits of the first where the mask is set, else of the second. */
  bitSelect: (then: Code<"v128">, otherwise: Code<"v128">, mask: Code<"v128">): Code<"v128"> =>
    code("v128", [then.parts, otherwise.parts, mask.parts, vector(82)]),
  anyTrue: unary<"v128", "i32">("i32", vector(83)),
  select: select("v128"),
}

/** Lanes of 8 bits. */
export const i8x16 = {
  splat: unary<"i32", "v128">("v128", vector(15)),
  /** Bytes of two vectors by constant place: 0 … 15 of the first, 16 … 31 of the second. */
  shuffle: (a: Code<"v128">, b: Code<"v128">, lanes: readonly number[]): Code<"v128"> => {
    assert(lanes.length === 16, "a shuffle names 16 bytes")
    return code("v128", [a.parts, b.parts, vector(13), lanes])
  },
  /** Bytes of the first by the places that the second says; 0 where that is 16 or more. */
  swizzle: binary<"v128", "v128">("v128", vector(14)),
  /** Of two vectors of 16 bits. */
  narrowI16x8S: binary<"v128", "v128">("v128", vector(101)),
  ne: binary<"v128", "v128">("v128", vector(36)),
  eq: binary<"v128", "v128">("v128", vector(35)),
  gtU: binary<"v128", "v128">("v128", vector(40)),
  geS: binary<"v128", "v128">("v128", vector(43)),
  add: binary<"v128", "v128">("v128", vector(110)),
  sub: binary<"v128", "v128">("v128", vector(113)),
  bitmask: unary<"v128", "i32">("i32", vector(100)),
}

/** Lanes of 16 bits. */
export const i16x8 = {
  /** The lanes of two vectors, each as the nearest value of 16 bits. */
  narrowI32x4S: binary<"v128", "v128">("v128", vector(133)),
  extractLaneU: extract("i32", 25),
  add: binary<"v128", "v128">("v128", vector(142)),
  mul: binary<"v128", "v128">("v128", vector(149)),
  shrU: shift(vector(141)),
  bitmask: unary<"v128", "i32">("i32", vector(132)),
}

/** Lanes of 32 bits; comparisons set all bits of a lane, or none. */
export const i32x4 = {
  splat: unary<"i32", "v128">("v128", vector(17)),
  extractLane: extract("i32", 27),
  replaceLane: replace<"i32">(28),
  eq: binary<"v128", "v128">("v128", vector(55)),
  ne: binary<"v128", "v128">("v128", vector(56)),
  ltS: binary<"v128", "v128">("v128", vector(57)),
  gtS: binary<"v128", "v128">("v128", vector(59)),
  leS: binary<"v128", "v128">("v128", vector(61)),
  geS: binary<"v128", "v128">("v128", vector(63)),
  add: binary<"v128", "v128">("v128", vector(174)),
  sub: binary<"v128", "v128">("v128", vector(177)),
  mul: binary<"v128", "v128">("v128", vector(181)),
  /** Products of lanes of 16 bits, two neighbours added. */
  dotI16x8S: binary<"v128", "v128">("v128", vector(186)),
  minS: binary<"v128", "v128">("v128", vector(182)),
  maxS: binary<"v128", "v128">("v128", vector(184)),
  bitmask: unary<"v128", "i32">("i32", vector(164)),
  allTrue: unary<"v128", "i32">("i32", vector(163)),
  shl: shift(vector(171)),
  shrS: shift(vector(172)),
  shrU: shift(vector(173)),
  extendLowI16x8U: unary<"v128", "v128">("v128", vector(169)),
  extendHighI16x8U: unary<"v128", "v128">("v128", vector(170)),
  /** Two doubles in the low half, toward zero; NaN gives 0, and what is out of range the nearest end. */
  truncSatF64x2SZero: unary<"v128", "v128">("v128", vector(252)),
}

/** Lanes of 64 bits; comparisons set all bits of a lane, or none. */
export const i64x2 = {
  splat: unary<"i64", "v128">("v128", vector(18)),
  extractLane: extract("i64", 29),
  eq: binary<"v128", "v128">("v128", vector(214)),
  ne: binary<"v128", "v128">("v128", vector(215)),
  ltS: binary<"v128", "v128">("v128", vector(216)),
  gtS: binary<"v128", "v128">("v128", vector(217)),
  leS: binary<"v128", "v128">("v128", vector(218)),
  geS: binary<"v128", "v128">("v128", vector(219)),
  add: binary<"v128", "v128">("v128", vector(206)),
  sub: binary<"v128", "v128">("v128", vector(209)),
  shl: shift(vector(203)),
  shrU: shift(vector(205)),
  bitmask: unary<"v128", "i32">("i32", vector(196)),
  extendLowI32x4S: unary<"v128", "v128">("v128", vector(199)),
  extendHighI32x4S: unary<"v128", "v128">("v128", vector(200)),
  /** Products of two unsigned words, whole. */
  extMulLowI32x4U: binary<"v128", "v128">("v128", vector(222)),
  extMulHighI32x4U: binary<"v128", "v128">("v128", vector(223)),
}

/** Lanes of doubles; comparisons set all bits of a lane, or none. */
export const f64x2 = {
  splat: unary<"f64", "v128">("v128", vector(20)),
  extractLane: extract("f64", 33),
  replaceLane: replace<"f64">(34),
  eq: binary<"v128", "v128">("v128", vector(71)),
  ne: binary<"v128", "v128">("v128", vector(72)),
  lt: binary<"v128", "v128">("v128", vector(73)),
  gt: binary<"v128", "v128">("v128", vector(74)),
  le: binary<"v128", "v128">("v128", vector(75)),
  ge: binary<"v128", "v128">("v128", vector(76)),
  abs: unary<"v128", "v128">("v128", vector(236)),
  neg: unary<"v128", "v128">("v128", vector(237)),
  sqrt: unary<"v128", "v128">("v128", vector(239)),
  ceil: unary<"v128", "v128">("v128", vector(116)),
  floor: unary<"v128", "v128">("v128", vector(117)),
  trunc: unary<"v128", "v128">("v128", vector(122)),
  add: binary<"v128", "v128">("v128", vector(240)),
  sub: binary<"v128", "v128">("v128", vector(241)),
  mul: binary<"v128", "v128">("v128", vector(242)),
  div: binary<"v128", "v128">("v128", vector(243)),
  min: binary<"v128", "v128">("v128", vector(244)),
  max: binary<"v128", "v128">("v128", vector(245)),
  /** The low two lanes of int32 as doubles. */
  convertLowI32x4S: unary<"v128", "v128">("v128", vector(254)),
  /** The low two lanes of unsigned 32 bits as doubles. */
  convertLowI32x4U: unary<"v128", "v128">("v128", vector(255)),
}

/** A parameter or variable of a function. */
export class Local<T extends WasmType> {
  readonly type: T
  readonly index: number
  /** Its value. */
  readonly get: Code<T>

  constructor(type: T, index: number) {
    this.type = type
    this.index = index
    this.get = code(type, [0x20, ...unsignedLeb(index)])
  }

  set(value: Code<T>): Code<"none"> {
    return code("none", [value.parts, 0x21, ...unsignedLeb(this.index)])
  }

  /** Stores the value and leaves it. */
  tee(value: Code<T>): Code<T> {
    return code(this.type, [value.parts, 0x22, unsignedLeb(this.index)])
  }
}

/** One after the other. */
export function sequence(...codes: readonly Code<"none">[]): Code<"none"> {
  return code(
    "none",
    codes.map(({ parts }) => parts),
  )
}

/** Code, then a value. */
export function withValue<T extends WasmType>(before: readonly Code<"none">[], value: Code<T>): Code<T> {
  return code(value.type, [before.map(({ parts }) => parts), value.parts])
}

/** `if (test) then else otherwise`. */
export function when(
  test: Code<"i32">,
  then: readonly Code<"none">[],
  otherwise: readonly Code<"none">[] = [],
): Code<"none"> {
  const part: ControlPart = {
    control: "if",
    type: "none",
    label: new Label(),
    body: then.map(({ parts }) => parts),
    ...(otherwise.length === 0 ? {} : { otherwise: otherwise.map(({ parts }) => parts) }),
  }
  return code("none", [test.parts, part])
}

/** `test ? then : otherwise`, of which one is evaluated. */
export function choose<T extends WasmType>(test: Code<"i32">, then: Code<T>, otherwise: Code<T>): Code<T> {
  const part: ControlPart = {
    control: "if",
    type: then.type,
    label: new Label(),
    body: then.parts,
    otherwise: otherwise.parts,
  }
  return code(then.type, [test.parts, part])
}

/** A block that `exit` leaves. */
export function block(write: (exit: Label) => readonly Code<"none">[]): Code<"none"> {
  return structured("block", write)
}

/** A loop that goes round once more where its code branches to `again`. */
export function loop(write: (again: Label) => readonly Code<"none">[]): Code<"none"> {
  return structured("loop", write)
}

function structured(control: "block" | "loop", write: (label: Label) => readonly Code<"none">[]): Code<"none"> {
  const label = new Label()
  const body = write(label).map(({ parts }) => parts)
  return code("none", [{ control, type: "none", label, body } satisfies ControlPart])
}

/** `while (test) { body }`, tested at the end of each round, too. */
export function whileLoop(test: Code<"i32">, body: readonly Code<"none">[]): Code<"none"> {
  return when(test, [loop((again) => [...body, branchIf(again, test)])])
}

/** Goes to a label. */
export function branch(to: Label): Code<"none"> {
  return code("none", [{ branch: 0x0c, to }])
}

/** Goes to a label where the test is not 0. */
export function branchIf(to: Label, test: Code<"i32">): Code<"none"> {
  return code("none", [test.parts, { branch: 0x0d, to }])
}

/** Calls a function of the same module, whose result is of the given type. */
export function call<T extends WasmType | "none">(
  type: T,
  callee: string,
  ...given: readonly Code<WasmType>[]
): Code<T> {
  return code(type, [given.map(({ parts }) => parts), { callee }])
}

/** Ends the function with a value. */
export function returns(value: Code<WasmType>): Code<"none"> {
  return code("none", [value.parts, 0x0f])
}

/** Copies bytes within the memory; the ranges may overlap. */
export function memoryCopy(to: Code<"i32">, from: Code<"i32">, bytes: Code<"i32">): Code<"none"> {
  return code("none", [to.parts, from.parts, bytes.parts, 0xfc, 10, 0, 0])
}

/** Sets bytes of the memory to a value. */
export function memoryFill(at: Code<"i32">, value: Code<"i32">, bytes: Code<"i32">): Code<"none"> {
  return code("none", [at.parts, value.parts, bytes.parts, 0xfc, 11, 0])
}
