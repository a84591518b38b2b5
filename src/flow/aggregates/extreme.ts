/** The least or the greatest value: what `min` and `max` have in common. */
import { assert } from "../../base/assert.ts"
import type { ColumnType } from "../../batch/type.ts"
import { f64, f64x2, i64, when, type Code } from "../../base/wasm-code.ts"
import type { Accumulator } from "./accumulator.ts"
import { readValue, writeValue } from "./value-bytes.ts"
import {
  inputLeaf,
  resultOf,
  type AggregateDefinition,
  type AggregateKernel,
  type EntryField,
  type Word,
} from "./aggregate.ts"
import { extremeBlocks, type Extreme } from "./extreme-blocks.ts"
import { anyBits, asF64, asI64, bitsOf, COUNT_FIELD, countUp, ifPresent, plus } from "./fields.ts"

const IDENTITIES = {
  min: { f64: bitsOf(Infinity), i64: 2n ** 63n - 1n, unsigned: -1n },
  max: { f64: bitsOf(-Infinity), i64: -(2n ** 63n), unsigned: 0n },
} as const

const COMPARISONS = {
  min: { signed: i64.leS, unsigned: i64.leU },
  max: { signed: i64.geS, unsigned: i64.geU },
} as const

/** Which value is kept, and how those in words of 64 bits are compared. */
interface Picking {
  readonly which: Extreme
  readonly sign: "signed" | "unsigned"
}

function pick({ which, sign }: Picking, one: Code<Word>, other: Code<Word>): Code<Word> {
  // Those of WebAssembly are those of `Math`: NaN wins, and −0 is less than +0.
  if (one.type === "f64") return f64[which](asF64(one), asF64(other))
  const isFirst = COMPARISONS[which][sign](asI64(one), asI64(other))
  return i64.select(isFirst, asI64(one), asI64(other))
}

/** The same where nobody knows which it will be: those of lanes do not branch. */
function pickEither(picking: Picking, one: Code<Word>, other: Code<Word>): Code<Word> {
  if (one.type !== "f64") return pick(picking, one, other)
  return f64x2.extractLane(f64x2[picking.which](f64x2.splat(asF64(one)), f64x2.splat(asF64(other))), 0)
}

function kernelOf(which: Extreme, input: ColumnType): AggregateKernel {
  const { isNullable } = input
  const leaf = inputLeaf(input)
  const { isUnsigned } = input.definition
  const picking: Picking = { which, sign: isUnsigned ? "unsigned" : "signed" }
  const identity = IDENTITIES[which][isUnsigned ? "unsigned" : leaf.word]
  const extreme: EntryField = { word: leaf.word, identity, isValid: anyBits }
  const fields = isNullable ? [extreme, COUNT_FIELD] : [extreme]
  return {
    inputs: [leaf],
    results: [{ path: [], type: resultOf(input, input) }],
    entry: fields,
    window: fields,
    add(record, [kept, present], scope) {
      // Comparing words reads them twice, and memory is read once.
      const [before, value] = [scope.local<Word>(leaf.word), scope.local<Word>(leaf.word)]
      return ifPresent(isNullable, record, [
        before.set(kept!.load()),
        value.set(record.value(0)),
        kept!.store(pick(picking, before.get, value.get)),
        ...(isNullable ? [countUp(present!)] : []),
      ])
    },
    blocks: (access, entry, scope) =>
      extremeBlocks({ which, leaf, pick: (one, other) => pick(picking, one, other) }, access, entry, scope),
    lift: (entry) => entry,
    combine: (earlier, later) => [
      pickEither(picking, earlier[0]!.get, later[0]!.get),
      ...(isNullable ? [plus(earlier[1]!, later[1]!)] : []),
    ],
    finish: ([kept, present], result) => [
      result.store(0, kept!.get),
      ...(isNullable ? [when(i64.eqz(asI64(present!.get)), [result.storeNull(0)])] : []),
    ],
  }
}

/** The definition of `min` or `max`: over numbers, bigints and timestamps. */
export function extremeOf(which: Extreme): AggregateDefinition {
  return {
    resultType: (input) =>
      input !== undefined && ["number", "bigint"].includes(input.definition.typeOf)
        ? resultOf(input, input)
        : undefined,
    kernel(input) {
      assert(input !== undefined, `${which} reads a column`)
      return kernelOf(which, input)
    },
    accumulator(input) {
      assert(input !== undefined, `${which} reads a column`)
      return accumulatorOf(which, input)
    },
  }
}

type Value = number | bigint

/** The same as plain values: the least or greatest so far, null where there was none. */
function accumulatorOf(which: Extreme, type: ColumnType): Accumulator<Value | null> {
  const pickValue = (one: Value, other: Value): Value => {
    if (typeof one === "number") return Math[which](one, other as number)
    return one < other === (which === "min") ? one : other
  }
  const nullable = type.nullable()
  return {
    init: () => null,
    add: (kept, value) => (kept === null ? (value as Value) : pickValue(kept, value as Value)),
    merge: (earlier, later) => (earlier === null || later === null ? (earlier ?? later) : pickValue(earlier, later)),
    result: (kept) => kept,
    write: (kept, out) => writeValue(nullable, kept, out),
    read: (from) => readValue(nullable, from) as Value | null,
  }
}
