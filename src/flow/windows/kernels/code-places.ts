/** Places in linear memory, for code that reads and writes them: fields of the control block, of pieces, and of arrays. */
import { f64, i32, i64, v128, type Code, type Local } from "../../../base/wasm-code.ts"
import type { FunctionScope } from "../../../base/wasm-module.ts"
import type { FieldPlace, Word } from "../../aggregates/aggregate.ts"

/** Sets a new variable to what stands in the control block, and gives the variable. */
export function loadedFrom(
  control: Local<"i32">,
  offset: number,
  scope: FunctionScope,
  setup: Code<"none">[],
): Local<"i32"> {
  const local = scope.local("i32")
  setup.push(local.set(i32.load(control.get, offset)))
  return local
}

/** The same for a field of 8 bytes. */
export function loadedLongFrom(
  control: Local<"i32">,
  offset: number,
  scope: FunctionScope,
  setup: Code<"none">[],
): Local<"i64"> {
  const local = scope.local("i64")
  setup.push(local.set(i64.load(control.get, offset)))
  return local
}

/** The address of item `index` of an array. */
export function itemAddress(base: Code<"i32">, index: Code<"i32">, shift: 0 | 2 | 3 | 6): Code<"i32"> {
  return i32.add(base, shift === 0 ? index : i32.shl(index, i32.const(shift)))
}

/** Item `index8 / 8` of an array of fields. */
export function fieldPlace(word: Word, base: Local<"i32">, index8: Local<"i32">): FieldPlace {
  const address = i32.add(base.get, index8.get)
  return {
    word,
    load: () => (word === "f64" ? f64.load(address) : i64.load(address)),
    store: (value) =>
      word === "f64" ? f64.store(address, value as Code<"f64">) : i64.store(address, value as Code<"i64">),
  }
}

/** The constant of a field's bits. */
export function bitsConstant(word: Word, bits: bigint): Code<Word> {
  return word === "f64" ? f64.reinterpretI64(i64.const(bits)) : i64.const(bits)
}

/** Both lanes of 8 bytes with the same bits. */
export function vectorOfBits(bits: bigint): Code<"v128"> {
  const lanes = BigInt64Array.of(bits, bits)
  return v128.const([...new Uint8Array(lanes.buffer)])
}

/** Whether bit `row` of a bitmap is set. */
export function bitOf(bitmap: Code<"i32">, row: Local<"i32">): Code<"i32"> {
  const byte = i32.load8U(i32.add(bitmap, i32.shrU(row.get, i32.const(3))))
  return i32.and(i32.shrU(byte, i32.and(row.get, i32.const(7))), i32.const(1))
}

/** Counts a variable up by one. */
export function increment(local: Local<"i32">, by = 1): Code<"none"> {
  return local.set(i32.add(local.get, i32.const(by)))
}
