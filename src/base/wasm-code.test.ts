/** Each instruction of the encoder, run, against what JavaScript gives: on values at the edges of types. */
import { describe, expect, test } from "vitest"
import { Prng } from "./prng.ts"
import { Arena } from "../batch/arena.ts"
import * as wasm from "./wasm-code.ts"
import {
  RESULT,
  on,
  reads,
  writes,
  lanewise,
  V,
  VV,
  I,
  L,
  F,
  words,
  longs,
  doubles,
  double,
  compares,
  bitmask,
  shifts,
  bytesOfWords,
  bytesOfDoubles,
  bytesOfLongs,
  LANES_OF_FOUR,
  draw,
} from "./wasm-instruction.fixture.ts"
import type { Value, Instruction } from "./wasm-instruction.fixture.ts"
import { WasmModule } from "./wasm-module.ts"

const { f64, f64x2, i16x8, i32, i32x4, i64, i64x2, i8x16, v128 } = wasm

const flag = (isSet: boolean): number => (isSet ? 1 : 0)
const mask = (isSet: boolean): number => (isSet ? -1 : 0)
const longMask = (isSet: boolean): bigint => (isSet ? -1n : 0n)
const long = (value: bigint): bigint => BigInt.asIntN(64, value)
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value)
const saturated = (value: number): number =>
  Number.isNaN(value) ? 0 : Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), Math.trunc(value))) | 0
const saturatedLong = (value: number): bigint => {
  if (Number.isNaN(value)) return 0n
  if (value >= 2 ** 63) return 2n ** 63n - 1n
  return value <= -(2 ** 63) ? -(2n ** 63n) : BigInt(Math.trunc(value))
}
const bitsOf = (value: number): bigint => new BigInt64Array(Float64Array.of(value).buffer)[0]!
const halves = (bytes: DataView): number[] => [bytes.getInt32(0, true), bytes.getInt32(4, true)]
const wordsOf = (bytes: Uint8Array): Int32Array => new Int32Array(bytes.slice().buffer)
const shortsOf = (bytes: Uint8Array): Uint16Array => new Uint16Array(bytes.slice().buffer)
const copySign = (a: number, b: number): number => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a))
const shortOf = (word: number): number => Math.min(2 ** 15 - 1, Math.max(-(2 ** 15), word))
const SHUFFLE = [0, 31, 1, 30, 2, 29, 15, 16, 7, 7, 20, 3, 18, 12, 0, 24]

type Table<G> = Readonly<Record<Exclude<keyof G, "const">, Instruction | readonly Instruction[]>>

const I32: Table<typeof i32> = {
  add: on(I, "i32", i32.add, (a, b) => (a + b) | 0),
  sub: on(I, "i32", i32.sub, (a, b) => (a - b) | 0),
  mul: on(I, "i32", i32.mul, Math.imul),
  divU: on(I, "i32", i32.divU, (a, b) => (b === 0 ? undefined : ((a >>> 0) / (b >>> 0)) | 0)),
  and: on(I, "i32", i32.and, (a, b) => a & b),
  or: on(I, "i32", i32.or, (a, b) => a | b),
  xor: on(I, "i32", i32.xor, (a, b) => a ^ b),
  shl: on(I, "i32", i32.shl, (a, b) => a << b),
  shrS: on(I, "i32", i32.shrS, (a, b) => a >> b),
  shrU: on(I, "i32", i32.shrU, (a, b) => (a >>> b) | 0),
  eqz: on(["i32"], "i32", i32.eqz, (a) => flag(a === 0)),
  eq: on(I, "i32", i32.eq, (a, b) => flag(a === b)),
  ne: on(I, "i32", i32.ne, (a, b) => flag(a !== b)),
  ltS: on(I, "i32", i32.ltS, (a, b) => flag(a < b)),
  ltU: on(I, "i32", i32.ltU, (a, b) => flag(a >>> 0 < b >>> 0)),
  gtS: on(I, "i32", i32.gtS, (a, b) => flag(a > b)),
  gtU: on(I, "i32", i32.gtU, (a, b) => flag(a >>> 0 > b >>> 0)),
  leS: on(I, "i32", i32.leS, (a, b) => flag(a <= b)),
  leU: on(I, "i32", i32.leU, (a, b) => flag(a >>> 0 <= b >>> 0)),
  geS: on(I, "i32", i32.geS, (a, b) => flag(a >= b)),
  geU: on(I, "i32", i32.geU, (a, b) => flag(a >>> 0 >= b >>> 0)),
  clz: on(["i32"], "i32", i32.clz, Math.clz32),
  ctz: on(["i32"], "i32", i32.ctz, (a) => (a === 0 ? 32 : 31 - Math.clz32(a & -a))),
  popcnt: on(["i32"], "i32", i32.popcnt, (a) => [...(a >>> 0).toString(2)].filter((bit) => bit === "1").length),
  wrap: on(["i64"], "i32", i32.wrap, (a) => Number(BigInt.asIntN(32, a))),
  truncSatF64S: on(["f64"], "i32", i32.truncSatF64S, saturated),
  load: reads("i32", i32.load, (bytes) => bytes.getInt32(0, true)),
  load8S: reads("i32", i32.load8S, (bytes) => bytes.getInt8(0)),
  load8U: reads("i32", i32.load8U, (bytes) => bytes.getUint8(0)),
  load16U: reads("i32", i32.load16U, (bytes) => bytes.getUint16(0, true)),
  store: writes("i32", i32.store, (bytes, value) => bytes.setInt32(0, value, true)),
  store8: writes("i32", i32.store8, (bytes, value) => bytes.setInt8(0, value)),
  store16: writes("i32", i32.store16, (bytes, value) => bytes.setInt16(0, value, true)),
  select: on(["i32", "i32", "i32"], "i32", i32.select, (test, a, b) => (test ? a : b)),
}

const I64: Table<typeof i64> = {
  add: on(L, "i64", i64.add, (a, b) => long(a + b)),
  sub: on(L, "i64", i64.sub, (a, b) => long(a - b)),
  mul: on(L, "i64", i64.mul, (a, b) => long(a * b)),
  divS: on(L, "i64", i64.divS, (a, b) => (b === 0n || (b === -1n && a === -(2n ** 63n)) ? undefined : a / b)),
  divU: on(L, "i64", i64.divU, (a, b) => (b === 0n ? undefined : long(unsigned(a) / unsigned(b)))),
  remS: on(L, "i64", i64.remS, (a, b) => (b === 0n ? undefined : a % b)),
  and: on(L, "i64", i64.and, (a, b) => a & b),
  or: on(L, "i64", i64.or, (a, b) => a | b),
  xor: on(L, "i64", i64.xor, (a, b) => a ^ b),
  shl: on(L, "i64", i64.shl, (a, b) => long(a << (b & 63n))),
  shrS: on(L, "i64", i64.shrS, (a, b) => a >> (b & 63n)),
  shrU: on(L, "i64", i64.shrU, (a, b) => long(unsigned(a) >> (b & 63n))),
  rotl: on(L, "i64", i64.rotl, (a, b) => long((a << (b & 63n)) | (unsigned(a) >> (-b & 63n)))),
  ctz: on(["i64"], "i64", i64.ctz, (a) => (a === 0n ? 64n : BigInt((a & -a).toString(2).length - 1))),
  popcnt: on(["i64"], "i64", i64.popcnt, (a) => {
    return BigInt([...unsigned(a).toString(2)].filter((bit) => bit === "1").length)
  }),
  eqz: on(["i64"], "i32", i64.eqz, (a) => flag(a === 0n)),
  eq: on(L, "i32", i64.eq, (a, b) => flag(a === b)),
  ne: on(L, "i32", i64.ne, (a, b) => flag(a !== b)),
  ltS: on(L, "i32", i64.ltS, (a, b) => flag(a < b)),
  ltU: on(L, "i32", i64.ltU, (a, b) => flag(unsigned(a) < unsigned(b))),
  gtS: on(L, "i32", i64.gtS, (a, b) => flag(a > b)),
  gtU: on(L, "i32", i64.gtU, (a, b) => flag(unsigned(a) > unsigned(b))),
  leS: on(L, "i32", i64.leS, (a, b) => flag(a <= b)),
  leU: on(L, "i32", i64.leU, (a, b) => flag(unsigned(a) <= unsigned(b))),
  geS: on(L, "i32", i64.geS, (a, b) => flag(a >= b)),
  geU: on(L, "i32", i64.geU, (a, b) => flag(unsigned(a) >= unsigned(b))),
  clz: on(["i64"], "i64", i64.clz, (a) => BigInt(64 - (a === 0n ? 0 : unsigned(a).toString(2).length))),
  extendS: on(["i32"], "i64", i64.extendS, BigInt),
  extendU: on(["i32"], "i64", i64.extendU, (a) => BigInt(a >>> 0)),
  truncSatF64S: on(["f64"], "i64", i64.truncSatF64S, saturatedLong),
  // A NaN may have other bits in the memory than those that JavaScript gives it.
  reinterpretF64: on(
    ["i64"],
    "i64",
    (a) => i64.reinterpretF64(f64.reinterpretI64(a)),
    (a) => a,
  ),
  load: reads("i64", i64.load, (bytes) => bytes.getBigInt64(0, true)),
  load32S: reads("i64", i64.load32S, (bytes) => BigInt(bytes.getInt32(0, true))),
  load32U: reads("i64", i64.load32U, (bytes) => BigInt(bytes.getUint32(0, true))),
  store: writes("i64", i64.store, (bytes, value) => bytes.setBigInt64(0, value, true)),
  select: on(["i32", "i64", "i64"], "i64", i64.select, (test, a, b) => (test ? a : b)),
}

const F64: Table<typeof f64> = {
  add: on(F, "f64", f64.add, (a, b) => a + b),
  sub: on(F, "f64", f64.sub, (a, b) => a - b),
  mul: on(F, "f64", f64.mul, (a, b) => a * b),
  div: on(F, "f64", f64.div, (a, b) => a / b),
  min: on(F, "f64", f64.min, Math.min),
  max: on(F, "f64", f64.max, Math.max),
  abs: on(["f64"], "f64", f64.abs, Math.abs),
  neg: on(["f64"], "f64", f64.neg, (a) => -a),
  ceil: on(["f64"], "f64", f64.ceil, Math.ceil),
  floor: on(["f64"], "f64", f64.floor, Math.floor),
  trunc: on(["f64"], "f64", f64.trunc, Math.trunc),
  sqrt: on(["f64"], "f64", f64.sqrt, Math.sqrt),
  eq: on(F, "i32", f64.eq, (a, b) => flag(a === b)),
  ne: on(F, "i32", f64.ne, (a, b) => flag(a !== b)),
  lt: on(F, "i32", f64.lt, (a, b) => flag(a < b)),
  gt: on(F, "i32", f64.gt, (a, b) => flag(a > b)),
  le: on(F, "i32", f64.le, (a, b) => flag(a <= b)),
  ge: on(F, "i32", f64.ge, (a, b) => flag(a >= b)),
  // The sign of a NaN is not seen from JavaScript.
  copySign: on(
    F,
    "f64",
    (a, b) => f64.copySign(a, f64.add(b, f64.const(0.25))),
    (a, b) => (Number.isNaN(b) ? Math.abs(a) : copySign(a, b + 0.25)),
  ),
  convertI32S: on(["i32"], "f64", f64.convertI32S, (a) => a),
  convertI32U: on(["i32"], "f64", f64.convertI32U, (a) => a >>> 0),
  convertI64S: on(["i64"], "f64", f64.convertI64S, Number),
  reinterpretI64: on(["i64"], "f64", f64.reinterpretI64, (a) => new Float64Array(BigInt64Array.of(a).buffer)[0]!),
  load: reads("f64", f64.load, (bytes) => bytes.getFloat64(0, true)),
  store: writes("f64", f64.store, (bytes, value) => bytes.setFloat64(0, value, true)),
  select: on(["i32", "f64", "f64"], "f64", f64.select, (test, a, b) => (test ? a : b)),
}

const bytewise = (twin: (a: number, b: number) => number) => lanewise(Uint8Array, twin)

const V128: Table<typeof v128> = {
  load: reads("v128", v128.load, (bytes) => new Uint8Array(bytes.buffer.slice(13, 29))),
  store: writes("v128", v128.store, (bytes, value) => new Uint8Array(bytes.buffer).set(value)),
  store64Lane: [0, 1].map((lane) =>
    writes(
      "v128",
      (address, value, offset) => v128.store64Lane(address, value, lane, offset),
      (bytes, value) => new Uint8Array(bytes.buffer).set(value.subarray(lane * 8, lane * 8 + 8)),
    ),
  ),
  load32Splat: reads("v128", v128.load32Splat, (bytes) => {
    const word = bytes.getInt32(0, true)
    return bytesOfWords(word, word, word, word)
  }),
  load64Splat: reads("v128", v128.load64Splat, (bytes) => bytesOfWords(...halves(bytes), ...halves(bytes))),
  load8x8U: reads("v128", v128.load8x8U, (bytes) => {
    return new Uint8Array(Uint16Array.from({ length: 8 }, (_, at) => bytes.getUint8(at)).buffer)
  }),
  load64Zero: reads("v128", v128.load64Zero, (bytes) => bytesOfWords(...halves(bytes), 0, 0)),
  load32x2S: reads("v128", v128.load32x2S, (bytes) => bytesOfLongs(...halves(bytes).map(BigInt))),
  not: on(
    V,
    "v128",
    v128.not,
    lanewise(Uint8Array, (a) => ~a),
  ),
  and: on(
    VV,
    "v128",
    v128.and,
    bytewise((a, b) => a & b),
  ),
  andNot: on(
    VV,
    "v128",
    v128.andNot,
    bytewise((a, b) => a & ~b),
  ),
  or: on(
    VV,
    "v128",
    v128.or,
    bytewise((a, b) => a | b),
  ),
  xor: on(
    VV,
    "v128",
    v128.xor,
    bytewise((a, b) => a ^ b),
  ),
  bitSelect: on(
    ["v128", "v128", "v128"],
    "v128",
    v128.bitSelect,
    lanewise(Uint8Array, (a, b, c) => (a & c!) | (b! & ~c!)),
  ),
  anyTrue: on(V, "i32", v128.anyTrue, (a) => flag(a.some((byte) => byte !== 0))),
  select: on(["i32", "v128", "v128"], "v128", v128.select, (test, a, b) => (test ? a : b)),
}

const I8X16: Table<typeof i8x16> = {
  splat: on(["i32"], "v128", i8x16.splat, (a) => new Uint8Array(16).fill(a)),
  shuffle: on(
    VV,
    "v128",
    (a, b) => i8x16.shuffle(a, b, SHUFFLE),
    (a, b) => Uint8Array.from(SHUFFLE, (at) => [...a, ...b][at]!),
  ),
  narrowI16x8S: on(VV, "v128", i8x16.narrowI16x8S, (a, b) => {
    const shorts = [a, b].flatMap((each) => [...new Int16Array(each.slice().buffer)])
    return new Uint8Array(Int8Array.from(shorts, (short) => Math.min(127, Math.max(-128, short))).buffer)
  }),
  swizzle: on(VV, "v128", i8x16.swizzle, (a, b) => b.map((at) => a[at] ?? 0)),
  ne: on(
    VV,
    "v128",
    i8x16.ne,
    bytewise((a, b) => (a === b ? 0 : 0xff)),
  ),
  eq: on(
    VV,
    "v128",
    i8x16.eq,
    lanewise(Int8Array, (a, b) => mask(a === b)),
  ),
  gtU: on(
    VV,
    "v128",
    i8x16.gtU,
    lanewise(Uint8Array, (a, b) => mask(a > b!)),
  ),
  geS: on(
    VV,
    "v128",
    i8x16.geS,
    lanewise(Int8Array, (a, b) => mask(a >= b!)),
  ),
  add: on(
    VV,
    "v128",
    i8x16.add,
    lanewise(Int8Array, (a, b) => a + b!),
  ),
  sub: on(
    VV,
    "v128",
    i8x16.sub,
    lanewise(Int8Array, (a, b) => a - b!),
  ),
  bitmask: bitmask(i8x16.bitmask, Int8Array),
}

const I16X8: Table<typeof i16x8> = {
  narrowI32x4S: on(VV, "v128", i16x8.narrowI32x4S, (a, b) => {
    return new Uint8Array(Int16Array.from([...wordsOf(a), ...wordsOf(b)], shortOf).buffer)
  }),
  extractLaneU: [0, 3, 7].map((lane) =>
    on(
      V,
      "i32",
      (a) => i16x8.extractLaneU(a, lane),
      (a) => shortsOf(a)[lane]!,
    ),
  ),
  add: on(
    VV,
    "v128",
    i16x8.add,
    lanewise(Int16Array, (a, b) => a + b!),
  ),
  mul: on(
    VV,
    "v128",
    i16x8.mul,
    lanewise(Int16Array, (a, b) => Math.imul(a, b!)),
  ),
  shrU: shifts(i16x8.shrU, (by) => lanewise(Uint16Array, (a) => a >>> (by & 15))),
  bitmask: bitmask(i16x8.bitmask, Int16Array),
}

const I32X4: Table<typeof i32x4> = {
  splat: on(["i32"], "v128", i32x4.splat, (a) => bytesOfWords(a, a, a, a)),
  extractLane: LANES_OF_FOUR.map((lane) =>
    on(
      V,
      "i32",
      (a) => i32x4.extractLane(a, lane),
      (a) => wordsOf(a)[lane]!,
    ),
  ),
  replaceLane: LANES_OF_FOUR.map((lane) =>
    on(
      ["v128", "i32"],
      "v128",
      (a, value) => i32x4.replaceLane(a, lane, value),
      (a, value) => bytesOfWords(...wordsOf(a).with(lane, value)),
    ),
  ),
  eq: words(i32x4.eq, (a, b) => mask(a === b)),
  ne: words(i32x4.ne, (a, b) => mask(a !== b)),
  ltS: words(i32x4.ltS, (a, b) => mask(a < b)),
  gtS: words(i32x4.gtS, (a, b) => mask(a > b)),
  leS: words(i32x4.leS, (a, b) => mask(a <= b)),
  geS: words(i32x4.geS, (a, b) => mask(a >= b)),
  add: words(i32x4.add, (a, b) => a + b),
  sub: words(i32x4.sub, (a, b) => a - b),
  mul: words(i32x4.mul, Math.imul),
  dotI16x8S: on(VV, "v128", i32x4.dotI16x8S, (a, b) => {
    const [x, y] = [a, b].map((bytes) => new Int16Array(bytes.slice().buffer)) as [Int16Array, Int16Array]
    return bytesOfWords(
      ...LANES_OF_FOUR.map((lane) => x[2 * lane]! * y[2 * lane]! + x[2 * lane + 1]! * y[2 * lane + 1]!),
    )
  }),
  minS: words(i32x4.minS, Math.min),
  maxS: words(i32x4.maxS, Math.max),
  bitmask: bitmask(i32x4.bitmask, Int32Array),
  allTrue: on(V, "i32", i32x4.allTrue, (a) => flag(wordsOf(a).every((lane) => lane !== 0))),
  shl: shifts(i32x4.shl, (by) => lanewise(Int32Array, (a) => a << by)),
  shrS: shifts(i32x4.shrS, (by) => lanewise(Int32Array, (a) => a >> by)),
  shrU: shifts(i32x4.shrU, (by) => lanewise(Int32Array, (a) => a >>> by)),
  extendLowI16x8U: on(V, "v128", i32x4.extendLowI16x8U, (a) => bytesOfWords(...shortsOf(a).subarray(0, 4))),
  extendHighI16x8U: on(V, "v128", i32x4.extendHighI16x8U, (a) => bytesOfWords(...shortsOf(a).subarray(4))),
  truncSatF64x2SZero: on(V, "v128", i32x4.truncSatF64x2SZero, (a) => {
    return bytesOfWords(...[...new Float64Array(a.slice().buffer)].map(saturated), 0, 0)
  }),
}

const unsignedWord = (bytes: Uint8Array, lane: number): bigint => BigInt(wordsOf(bytes)[lane]! >>> 0)
const longsOf = (bytes: Uint8Array): BigInt64Array => new BigInt64Array(bytes.slice().buffer)

const I64X2: Table<typeof i64x2> = {
  splat: on(["i64"], "v128", i64x2.splat, (a) => bytesOfLongs(a, a)),
  extractLane: [0, 1].map((lane) =>
    on(
      V,
      "i64",
      (a) => i64x2.extractLane(a, lane),
      (a) => longsOf(a)[lane]!,
    ),
  ),
  eq: longs(i64x2.eq, (a, b) => longMask(a === b)),
  ne: longs(i64x2.ne, (a, b) => longMask(a !== b)),
  ltS: longs(i64x2.ltS, (a, b) => longMask(a < b)),
  gtS: longs(i64x2.gtS, (a, b) => longMask(a > b)),
  leS: longs(i64x2.leS, (a, b) => longMask(a <= b)),
  geS: longs(i64x2.geS, (a, b) => longMask(a >= b)),
  add: longs(i64x2.add, (a, b) => a + b),
  sub: longs(i64x2.sub, (a, b) => a - b),
  shl: shifts(i64x2.shl, (by) => lanewise(BigInt64Array, (a) => a << BigInt(by & 63))),
  shrU: shifts(i64x2.shrU, (by) => lanewise(BigInt64Array, (a) => unsigned(a) >> BigInt(by & 63))),
  bitmask: bitmask(i64x2.bitmask, BigInt64Array),
  extendLowI32x4S: on(V, "v128", i64x2.extendLowI32x4S, (a) =>
    bytesOfLongs(...[...wordsOf(a).subarray(0, 2)].map(BigInt)),
  ),
  extendHighI32x4S: on(V, "v128", i64x2.extendHighI32x4S, (a) =>
    bytesOfLongs(...[...wordsOf(a).subarray(2)].map(BigInt)),
  ),
  extMulLowI32x4U: on([...V, ...V], "v128", i64x2.extMulLowI32x4U, (a, b) =>
    bytesOfLongs(...[0, 1].map((lane) => unsignedWord(a, lane) * unsignedWord(b, lane))),
  ),
  extMulHighI32x4U: on([...V, ...V], "v128", i64x2.extMulHighI32x4U, (a, b) =>
    bytesOfLongs(...[2, 3].map((lane) => unsignedWord(a, lane) * unsignedWord(b, lane))),
  ),
}

const doublesOf = (bytes: Uint8Array): Float64Array => new Float64Array(bytes.slice().buffer)
const asDoubles = (instruction: Instruction): Instruction => ({ ...instruction, gives: "f64x2" })

const F64X2: Table<typeof f64x2> = {
  splat: asDoubles(on(["f64"], "v128", f64x2.splat, (a) => bytesOfDoubles(a, a))),
  extractLane: [0, 1].map((lane) =>
    on(
      V,
      "f64",
      (a) => f64x2.extractLane(a, lane),
      (a) => doublesOf(a)[lane]!,
    ),
  ),
  replaceLane: [0, 1].map((lane) =>
    asDoubles(
      on(
        ["v128", "f64"],
        "v128",
        (a, value) => f64x2.replaceLane(a, lane, value),
        (a, value) => bytesOfDoubles(...doublesOf(a).with(lane, value)),
      ),
    ),
  ),
  eq: compares(f64x2.eq, (a, b) => a === b),
  ne: compares(f64x2.ne, (a, b) => a !== b),
  lt: compares(f64x2.lt, (a, b) => a < b),
  gt: compares(f64x2.gt, (a, b) => a > b),
  le: compares(f64x2.le, (a, b) => a <= b),
  ge: compares(f64x2.ge, (a, b) => a >= b),
  abs: double(f64x2.abs, Math.abs),
  neg: double(f64x2.neg, (a) => -a),
  sqrt: double(f64x2.sqrt, Math.sqrt),
  ceil: double(f64x2.ceil, Math.ceil),
  floor: double(f64x2.floor, Math.floor),
  trunc: double(f64x2.trunc, Math.trunc),
  add: doubles(f64x2.add, (a, b) => a + b),
  sub: doubles(f64x2.sub, (a, b) => a - b),
  mul: doubles(f64x2.mul, (a, b) => a * b),
  div: doubles(f64x2.div, (a, b) => a / b),
  min: doubles(f64x2.min, Math.min),
  max: doubles(f64x2.max, Math.max),
  convertLowI32x4S: on(V, "v128", f64x2.convertLowI32x4S, (a) => bytesOfDoubles(...wordsOf(a).subarray(0, 2))),
  convertLowI32x4U: on(V, "v128", f64x2.convertLowI32x4U, (a) => {
    return bytesOfDoubles(...[...wordsOf(a).subarray(0, 2)].map((word) => word >>> 0))
  }),
}

const GROUPS = {
  i32: I32,
  i64: I64,
  f64: F64,
  v128: V128,
  i8x16: I8X16,
  i16x8: I16X8,
  i32x4: I32X4,
  i64x2: I64X2,
  f64x2: F64X2,
}
const INSTRUCTIONS = Object.entries(GROUPS).flatMap(([group, table]) =>
  Object.entries(table as Readonly<Record<string, Instruction | readonly Instruction[]>>).map(
    ([name, tried]) => [`${group}.${name}`, [tried].flat() as readonly Instruction[]] as const,
  ),
)

const arena = new Arena({ maxBytes: 1 << 20 })
const ROUNDS = 500

/** Values as the memory has them, little-endian, at an address. */
function put(at: number, value: Value): void {
  const memory = new DataView(arena.buffer)
  if (typeof value === "bigint") memory.setBigInt64(at, value, true)
  else if (value instanceof Uint8Array) new Uint8Array(arena.buffer).set(value, at)
  else throw new TypeError("a number may be of two types")
}

function read(at: number, gives: Instruction["gives"]): unknown {
  const memory = new DataView(arena.buffer)
  switch (gives) {
    case "i32":
      return memory.getInt32(at, true)
    case "i64":
      return memory.getBigInt64(at, true)
    case "f64":
      return memory.getFloat64(at, true)
    case "f64x2":
      return [memory.getFloat64(at, true), memory.getFloat64(at + 8, true)]
    case "v128":
      return [...new Uint8Array(arena.buffer, at, 16)]
  }
}

function readable(value: Value, gives: Instruction["gives"]): unknown {
  if (!(value instanceof Uint8Array)) return value
  return gives === "f64x2" ? [...doublesOf(value)] : [...value]
}

describe("instructions", () => {
  test.each(INSTRUCTIONS)("WC1 %s gives what JavaScript gives", (name, tried) => {
    const prng = new Prng(7)
    const { offset } = arena.allocate(1024)
    const memory = new DataView(arena.buffer)
    for (const { takes, gives, write, twin } of tried) {
      const { run } = new WasmModule()
        .function("run", { parameters: { at: "i32" }, result: "none" }, ({ at }) => [write(at.get)])
        .instantiate<{ run: (at: number) => void }>(arena.memory)
      for (let round = 0; round < ROUNDS; round++) {
        const operands = takes.map((type) => draw(prng, type))
        new Uint8Array(arena.buffer, offset, 64).fill(0)
        operands.forEach((value, index) => {
          const at = offset + index * 16
          if (takes[index] === "i32") memory.setInt32(at, value as number, true)
          else if (takes[index] === "f64") memory.setFloat64(at, value as number, true)
          else put(at, value)
        })
        const expected = twin(operands)
        const what = `${name} of ${operands.join("; ")}`
        if (expected === undefined) expect(() => run(offset), what).toThrow(/divide|division|remainder|unrepresentable/)
        else {
          run(offset)
          expect(read(offset + RESULT, gives), what).toEqual(readable(expected, gives))
        }
      }
    }
  })

  test("the table above has every instruction", () => {
    for (const [group, table] of Object.entries(GROUPS)) {
      const written = Object.keys(wasm[group as keyof typeof GROUPS]).filter((name) => name !== "const")
      expect([group, ...Object.keys(table).sort()]).toEqual([group, ...written.sort()])
    }
  })

  test("constants are the bits that they are made of", () => {
    const { offset } = arena.allocate(64)
    const bytes = Array.from({ length: 16 }, (_, at) => at * 17)
    const { run } = new WasmModule()
      .function("run", { parameters: { at: "i32" }, result: "none" }, ({ at }) => [
        v128.store(at.get, v128.const(bytes)),
        i64.store(at.get, i64.reinterpretF64(f64.const(-0)), 16),
      ])
      .instantiate<{ run: (at: number) => void }>(arena.memory)
    run(offset)
    expect(read(offset, "v128")).toEqual(bytes)
    expect(read(offset + 16, "i64")).toBe(bitsOf(-0))
  })
})

describe("structures", () => {
  test("WC1 calls, loops, branches and variables: the steps of a number to 1", () => {
    const { next, steps } = new WasmModule()
      .function("next", { parameters: { n: "i64" }, result: "i64" }, ({ n }) => [
        wasm.choose(
          i32.wrap(i64.and(n.get, i64.const(1n))),
          i64.add(i64.mul(n.get, i64.const(3n)), i64.const(1n)),
          i64.shrU(n.get, i64.const(1n)),
        ),
      ])
      .function("steps", { parameters: { n: "i64" }, result: "i32" }, ({ n }, scope) => {
        const count = scope.local("i32")
        return [
          wasm.block((done) => [
            wasm.loop((again) => [
              wasm.when(
                i64.eq(n.get, i64.const(1n)),
                [wasm.branch(done)],
                [count.set(i32.add(count.get, i32.const(1)))],
              ),
              wasm.branchIf(again, i64.ne(n.tee(wasm.call("i64", "next", n.get)), i64.const(0n))),
            ]),
          ]),
          count.get,
        ]
      })
      .instantiate<{ next: (n: bigint) => bigint; steps: (n: bigint) => number }>(arena.memory)
    expect([next(7n), next(22n)]).toEqual([22n, 11n])
    expect([1n, 2n, 7n, 27n].map((n) => steps(n))).toEqual([0, 1, 16, 111])
  })
})
