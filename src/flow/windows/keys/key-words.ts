/**
 * WebAssembly that computes the words of a key from the columns of a row: what `KeyColumn.encode` does, for one row,
 * without branches. A key of one word is one variable, a longer one is limbs of two words each.
 */
import { assert } from "../../../base/assert.ts"
import { choose, f64, i32, i64, withValue, type Code, type Local } from "../../../base/wasm-code.ts"
import type { FunctionScope } from "../../../base/wasm-module.ts"
import { NAN_HIGH } from "./key-column.ts"
import { NO_BITMAP } from "./key-control.ts"
import { hashLimbsCode, hashWordCode } from "./key-hash.ts"
import type { KeyLayout, KeyPartLayout } from "./key-layout.ts"

/** Where the columns of a part lie, as a kernel's variables. */
export interface PartAddresses {
  readonly values: Local<"i32">
  /** Of the bitmap, or `NO_BITMAP` where none is null. */
  readonly validity: Local<"i32">
  /** Of what is known about the dictionary's codes (`CodeCache.of`). */
  readonly codes: Local<"i32">
}

/** The words of a key as variables of a kernel, and the code that fills them. */
export class KeyWords {
  readonly #layout: KeyLayout
  readonly #addresses: readonly PartAddresses[]
  /** By place: the words that stand alone, null bits first. */
  readonly #ones: readonly Local<"i32">[]
  /** By place, halved: two words each. A key of one word has none. */
  readonly #limbs: readonly Local<"i64">[]
  readonly #isValid: Local<"i32">
  readonly #double: Local<"f64">
  readonly #sum: Local<"i64">

  constructor(layout: KeyLayout, addresses: readonly PartAddresses[], scope: FunctionScope) {
    const { parts, hasNulls, stride } = layout
    this.#layout = layout
    this.#addresses = addresses
    const ones = (hasNulls ? 1 : 0) + parts.filter(({ width }) => width === 1).length
    this.#ones = Array.from({ length: ones }, () => scope.local("i32"))
    this.#limbs = Array.from({ length: Math.floor(stride / 2) }, () => scope.local("i64"))
    this.#isValid = scope.local("i32")
    this.#double = scope.local("f64")
    this.#sum = scope.local("i64")
  }

  /** The only word that is a value; there is one in keys of one part of one word. */
  get value(): Code<"i32"> {
    return this.#ones.at(-1)!.get
  }

  /** The null bits. */
  get nulls(): Code<"i32"> | undefined {
    return this.#layout.hasNulls ? this.#ones[0]!.get : undefined
  }

  /** Fills the variables from a row. A text whose code is not known yet has the word −1, as no known text has. */
  read(row: Local<"i32">): Code<"none">[] {
    const nulls = this.#layout.hasNulls ? this.#ones[0]! : undefined
    const codes: Code<"none">[] = nulls === undefined ? [] : [nulls.set(i32.const(0))]
    this.#layout.parts.forEach(({ width, at, nullBit }, index) => {
      const isNullable = nullBit !== 0
      if (isNullable) {
        codes.push(this.#isValid.set(this.validityOf(index, row)))
        const isNull = i32.shl(i32.xor(this.#isValid.get, i32.const(1)), i32.const(index))
        codes.push(nulls!.set(i32.or(nulls!.get, isNull)))
      }
      const mask = i32.sub(i32.const(0), this.#isValid.get)
      if (width === 2) {
        const value = this.#twoWords(index, row)
        codes.push(this.#limbs[at / 2]!.set(isNullable ? i64.and(value, i64.extendS(mask)) : value))
      } else {
        const value = this.#oneWord(index, row)
        codes.push(this.#ones[at]!.set(isNullable ? i32.and(value, mask) : value))
      }
    })
    if (this.#limbs.length === 0) return codes
    for (let at = 0; at < this.#ones.length; at += 2) codes.push(this.#limbs[at / 2]!.set(this.#pairAt(at)))
    return codes
  }

  #pairAt(at: number): Code<"i64"> {
    const low = i64.extendU(this.#ones[at]!.get)
    const second = this.#ones[at + 1]
    return second === undefined ? low : i64.or(low, i64.shl(i64.extendU(second.get), i64.const(32n)))
  }

  /** 1 where the part of the row is not null, else 0. */
  validityOf(index: number, row: Local<"i32">): Code<"i32"> {
    const { validity } = this.#addresses[index]!
    return choose(i32.eq(validity.get, i32.const(NO_BITMAP)), i32.const(1), bitOf(validity, row))
  }

  #oneWord(index: number, row: Local<"i32">): Code<"i32"> {
    const { values, codes } = this.#addresses[index]!
    const { storage } = this.#part(index)
    if (storage === "bit") return bitOf(values, row)
    const value = i32.load(elementOf(values, row, 2))
    if (storage === "int32") return value
    assert(storage === "dictionary", "objects are no keys")
    // Behind the number of null, so 4 bytes on.
    return i32.sub(i32.load(i32.add(codes.get, i32.shl(value, i32.const(2))), 4), i32.const(1))
  }

  #twoWords(index: number, row: Local<"i32">): Code<"i64"> {
    const address = elementOf(this.#addresses[index]!.values, row, 3)
    if (this.#part(index).storage === "int64") return i64.load(address)
    const double = this.#double
    const nan = i64.const(BigInt(NAN_HIGH) << 32n)
    return withValue(
      // Adding +0 turns −0 into +0.
      [double.set(f64.add(f64.load(address), f64.const(0)))],
      i64.select(f64.eq(double.get, double.get), i64.reinterpretF64(double.get), nan),
    )
  }

  #part(index: number): KeyPartLayout {
    return this.#layout.parts[index]!
  }

  /** Whether the row has a text whose code is not known yet. */
  get isUnknown(): Code<"i32"> | undefined {
    const texts = this.#layout.parts.filter(({ storage }) => storage === "dictionary")
    if (texts.length === 0) return undefined
    const words = texts.map(({ at }) => this.#ones[at]!.get)
    return i32.ltS(
      words.reduce((one, other) => i32.or(one, other)),
      i32.const(0),
    )
  }

  /** Sets a variable to the hash. */
  hash(hash: Local<"i32">): Code<"none">[] {
    return this.#limbs.length === 0 ? hashWordCode(hash, this.value) : hashLimbsCode(hash, this.#sum, this.#limbs)
  }

  /** Whether the words at an address are the same. */
  areAt(address: Local<"i32">): Code<"i32"> {
    if (this.#limbs.length === 0) return i32.eq(i32.load(address.get), this.value)
    const differences = this.#limbs.map((limb, index) => i64.xor(i64.load(address.get, 8 * index), limb.get))
    return i64.eqz(differences.reduce((one, other) => i64.or(one, other)))
  }

  /** Writes the words to an address. */
  write(address: Local<"i32">): Code<"none">[] {
    if (this.#limbs.length === 0) return [i32.store(address.get, this.value)]
    return this.#limbs.map((limb, index) => i64.store(address.get, limb.get, 8 * index))
  }
}

function elementOf(base: Local<"i32">, row: Local<"i32">, shift: number): Code<"i32"> {
  return i32.add(base.get, i32.shl(row.get, i32.const(shift)))
}

function bitOf(bitmap: Local<"i32">, row: Local<"i32">): Code<"i32"> {
  const byte = i32.load8U(i32.add(bitmap.get, i32.shrU(row.get, i32.const(3))))
  return i32.and(i32.shrU(byte, i32.and(row.get, i32.const(7))), i32.const(1))
}
