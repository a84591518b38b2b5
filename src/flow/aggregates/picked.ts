/**
 * The value of one record, picked by event time: what `first` and `last` have in common.
 *
 * An entry holds the picked record's event time, a bit for each of its parts that is null, where some may be, and the
 * parts: a value that is no struct has one, a struct one a field. Nothing is computed with them, so they are kept as bits.
 */
import { assert } from "../../base/assert.ts"
import type { ColumnType } from "../../batch/type.ts"
import { i32, i64, when, type Code } from "../../base/wasm-code.ts"
import {
  resultOf,
  type AggregateDefinition,
  type AggregateKernel,
  type EntryField,
  type InputLeaf,
  type RecordAccess,
  type ResultAccess,
  type WindowValues,
  type Word,
} from "./aggregate.ts"
import type { Accumulator } from "./accumulator.ts"
import { asI64, isSafe } from "./fields.ts"
import { readValue, writeValue } from "./value-bytes.ts"

/** Which of two records is picked. */
export type Pick = "first" | "last"

/** Times to which every record's is preferred. */
const NEVER = { first: 2n ** 63n - 1n, last: -(2n ** 63n) } as const

/** A part of a value, and the bit that says that it is null; a struct within a struct has only that. */
interface ValuePart {
  readonly path: readonly number[]
  readonly type: ColumnType
  /** -1 where it is never null by itself. */
  readonly nullBit: number
  /** What of it may be null, where the whole value is not: itself, or a struct within the value that holds it. */
  readonly nullables: readonly ValuePart[]
}

function partsOf(type: ColumnType, path: readonly number[], holders: readonly ValuePart[], parts: ValuePart[]): void {
  const isRoot = path.length === 0
  const isNullable = type.isNullable && !isRoot
  const nullBit = isNullable ? parts.filter((part) => part.nullBit !== -1).length : -1
  const nullables = [...holders]
  const part: ValuePart = { path, type, nullBit, nullables }
  if (isNullable) nullables.push(part)
  if (isNullable || type.storage !== "struct") parts.push(part)
  const { fields = [] } = type.definition
  fields.forEach((field, index) => partsOf(field.type, [...path, index], nullables, parts))
}

function isValidPart(type: ColumnType): (bits: bigint) => boolean {
  switch (type.storage) {
    case "bit":
      return (bits) => bits === 0n || bits === 1n
    case "int32":
      return (bits) => BigInt.asIntN(32, bits) === bits && type.definition.check(Number(bits)) === undefined
    case "int64":
      if (type.definition.typeOf === "bigint") return () => true
      return (bits) => isSafe(bits) && type.definition.check(Number(bits)) === undefined
    default:
      return () => true
  }
}

/** Where the parts of a value stand in an entry, and among the inputs. */
interface PickedLayout {
  readonly input: ColumnType
  readonly parts: readonly ValuePart[]
  readonly nullable: readonly ValuePart[]
  /** Parts with a value; the others are structs that may be null. */
  readonly stored: readonly ValuePart[]
  readonly inputs: readonly InputLeaf[]
  readonly inputOf: (part: ValuePart) => number
}

function layoutOf(input: ColumnType): PickedLayout {
  const parts: ValuePart[] = []
  partsOf(input, [], [], parts)
  const isStruct = input.storage === "struct"
  const nullable = parts.filter(({ nullBit }) => nullBit !== -1)
  assert(nullable.length <= 62, "the null bits of a value fit a word")
  // The first input says whether the value as a whole is null; those of the parts follow.
  const leaves = parts.map(({ path, type }): InputLeaf => {
    return { path, type, storage: type.storage === "struct" ? "bit" : type.storage, word: "i64" }
  })
  return {
    input,
    parts,
    nullable,
    stored: parts.filter(({ type }) => type.storage !== "struct"),
    inputs: isStruct ? [{ path: [], type: input, storage: "bit", word: "i64" }, ...leaves] : leaves,
    inputOf: (part) => parts.indexOf(part) + (isStruct ? 1 : 0),
  }
}

/** The fields: event time, the null bits where there may be any, the values. */
function fieldsOf(which: Pick, { nullable, stored, inputOf }: PickedLayout): readonly EntryField[] {
  const time: EntryField = {
    word: "i64",
    identity: NEVER[which],
    isValid: (bits) => isSafe(bits) || bits === NEVER[which],
  }
  const mask: EntryField = {
    word: "i64",
    identity: 0n,
    isValid: (bits) => bits >= 0n && bits < 1n << BigInt(nullable.length),
  }
  const values = stored.map((part): EntryField => {
    const isText = part.type.storage === "dictionary"
    return {
      word: "i64",
      identity: 0n,
      isValid: isValidPart(part.type),
      ...(isText ? { dictionaryOf: inputOf(part) } : {}),
    }
  })
  return [time, ...(nullable.length > 0 ? [mask] : []), ...values]
}

/** A record's null bits. */
function nullsOf({ nullable, inputOf }: PickedLayout, record: RecordAccess): Code<"i64"> {
  return nullable
    .map((part) => i64.shl(i64.extendU(i32.eqz(record.isPresent(inputOf(part)))), i64.const(BigInt(part.nullBit))))
    .reduce((all, bit) => i64.or(all, bit), i64.const(0n))
}

/** A record's value of a part; 0 where there is none: what stands there is unspecified (N2), and state must not depend on it. */
function valueOf({ inputOf }: PickedLayout, record: RecordAccess, part: ValuePart): Code<Word> {
  const [first, ...others] = part.nullables.map((nullable) => record.isPresent(inputOf(nullable)))
  const value = record.value(inputOf(part))
  if (first === undefined) return value
  const isThere = others.reduce((all, each) => i32.and(all, each), first)
  return i64.select(isThere, asI64(value), i64.const(0n))
}

function finish(which: Pick, layout: PickedLayout, [at, ...rest]: WindowValues, result: ResultAccess) {
  const { input, parts, nullable, stored } = layout
  const kept = nullable.length > 0 ? rest.slice(1) : rest
  const isPartNull = ({ nullBit }: ValuePart) =>
    i64.ne(i64.and(asI64(rest[0]!.get), i64.const(1n << BigInt(nullBit))), i64.const(0n))
  const whole = input.storage === "struct" ? parts.length : 0
  return [
    ...stored.map((part, index) => result.store(parts.indexOf(part), kept[index]!.get as Code<Word>)),
    ...nullable.map((part) => when(isPartNull(part), [result.storeNull(parts.indexOf(part))])),
    ...(input.isNullable ? [when(i64.eq(asI64(at!.get), i64.const(NEVER[which])), [result.storeNull(whole)])] : []),
  ]
}

function kernelOf(which: Pick, input: ColumnType): AggregateKernel {
  const layout = layoutOf(input)
  const { parts, nullable, stored } = layout
  const hasNulls = nullable.length > 0
  const fields = fieldsOf(which, layout)
  const prefers = (later: Code<"i64">, earlier: Code<"i64">) =>
    which === "first" ? i64.ltS(later, earlier) : i64.geS(later, earlier)
  return {
    inputs: layout.inputs,
    results: parts
      .map(({ path, type }) => ({ path, type: path.length === 0 ? resultOf(input, input) : type }))
      .concat(input.storage === "struct" ? [{ path: [], type: resultOf(input, input) }] : []),
    entry: fields,
    window: fields,
    readsTime: true,
    add: (record, [at, ...rest]) => {
      const isPicked = prefers(record.time, asI64(at!.load()))
      const places = hasNulls ? rest.slice(1) : rest
      return [
        when(input.isNullable ? i32.and(isPicked, record.isPresent(0)) : isPicked, [
          at!.store(record.time),
          ...(hasNulls ? [rest[0]!.store(nullsOf(layout, record))] : []),
          ...stored.map((part, index) => places[index]!.store(valueOf(layout, record, part))),
        ]),
      ]
    },
    lift: (entry) => entry,
    combine: (earlier, later) => {
      // Where no record was picked from the later slices, their time is never preferred; that of `last` could be equal.
      const isLater = i32.and(
        prefers(asI64(later[0]!.get), asI64(earlier[0]!.get)),
        i64.ne(asI64(later[0]!.get), i64.const(NEVER[which])),
      )
      return earlier.map((field, index) => i64.select(isLater, asI64(later[index]!.get), asI64(field.get)))
    },
    finish: (values, result) => finish(which, layout, values, result),
  }
}

interface PickedValue {
  readonly time: number
  readonly value: unknown
}

/** The same as plain values: the picked value and when it happened; null where there was none. */
function accumulatorOf(which: Pick, type: ColumnType): Accumulator<PickedValue | null> {
  const required = type.required()
  const prefers = (later: number, earlier: number) => (which === "first" ? later < earlier : later >= earlier)
  return {
    init: () => null,
    add: (kept, value, time) => (kept === null || prefers(time, kept.time) ? { time, value } : kept),
    merge: (earlier, later) =>
      earlier === null || (later !== null && prefers(later.time, earlier.time)) ? later : earlier,
    result: (kept) => kept?.value ?? null,
    write(kept, out) {
      out.uint8(kept === null ? 0 : 1)
      if (kept === null) return
      out.float64(kept.time)
      writeValue(required, kept.value, out)
    },
    read(from) {
      if (from.uint8() === 0) return null
      const time = from.float64()
      if (!Number.isSafeInteger(time)) throw new RangeError(`${time} stands for a time`)
      return { time, value: readValue(required, from) }
    },
  }
}

/** The definition of `first` or `last`. */
export function pickedBy(which: Pick): AggregateDefinition {
  return {
    resultType: (input) => (input === undefined ? undefined : resultOf(input, input)),
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
