/** The least or the greatest value: what `min` and `max` have in common. */
import { assert } from "../../base/assert.ts"
import type { ColumnType } from "../../batch/type.ts"
import { f64, f64x2, i64, when, type Code } from "../../expr/wasm-code.ts"
import {
  inputLeaf,
  resultOf,
  type AggregateDefinition,
  type AggregateKernel,
  type EntryField,
  type Word,
} from "./aggregate.ts"
import { extremeBlocks, type Extreme } from "./extreme-blocks.ts"
import { asF64, asI64, bitsOf, COUNT_FIELD, countUp, ifPresent, plus } from "./fields.ts"

const IDENTITIES = {
  min: { f64: bitsOf(Infinity), i64: 2n ** 63n - 1n },
  max: { f64: bitsOf(-Infinity), i64: -(2n ** 63n) },
} as const

function pick(which: Extreme, one: Code<Word>, other: Code<Word>): Code<Word> {
  // Those of WebAssembly are those of `Math`: NaN wins, and −0 is less than +0.
  if (one.type === "f64") return f64[which](asF64(one), asF64(other))
  const isFirst = (which === "min" ? i64.leS : i64.geS)(asI64(one), asI64(other))
  return i64.select(isFirst, asI64(one), asI64(other))
}

/** The same where nobody knows which it will be: those of lanes do not branch. */
function pickEither(which: Extreme, one: Code<Word>, other: Code<Word>): Code<Word> {
  if (one.type !== "f64") return pick(which, one, other)
  return f64x2.extractLane(f64x2[which](f64x2.splat(asF64(one)), f64x2.splat(asF64(other))), 0)
}

function kernelOf(which: Extreme, input: ColumnType): AggregateKernel {
  const { isNullable } = input
  const leaf = inputLeaf(input)
  const extreme: EntryField = { word: leaf.word, identity: IDENTITIES[which][leaf.word], isValid: () => true }
  const fields = isNullable ? [extreme, COUNT_FIELD] : [extreme]
  return {
    inputs: [leaf],
    results: [{ path: [], type: resultOf(input, input) }],
    entry: fields,
    window: fields,
    add: (record, [kept, present]) =>
      ifPresent(isNullable, record, [
        kept!.store(pick(which, kept!.load(), record.value(0))),
        ...(isNullable ? [countUp(present!)] : []),
      ]),
    blocks: (access, entry, scope) =>
      extremeBlocks({ which, leaf, pick: (one, other) => pick(which, one, other) }, access, entry, scope),
    lift: (entry) => entry,
    combine: (earlier, later) => [
      pickEither(which, earlier[0]!.get, later[0]!.get),
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
      input !== undefined && (input.definition.typeOf === "number" || input.kind === "int64")
        ? resultOf(input, input)
        : undefined,
    kernel(input) {
      assert(input !== undefined, `${which} reads a column`)
      return kernelOf(which, input)
    },
  }
}
