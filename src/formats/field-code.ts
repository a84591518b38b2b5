/**
 * WebAssembly that reads one field of many records into a column: the loop, and what the readers of all types share.
 *
 * Where each field stands is known by then: an index holds, for record i, the last byte before the field (or its first
 * one: `before` is what to add) at `starts + i * startStep` and one past its last byte at `ends + i * endStep`. A reader
 * takes the spellings that nearly all fields have; the numbers of the records whose field it does not take are listed at
 * `unread`, for JavaScript, and the function gives how many they are.
 *
 * Readers load up to 32 bytes from a field's start or before its end, whatever its length: what they load beside the
 * field must lie in the memory, and never matters.
 *
 * Invariants:
 * - FC1 What a reader takes, `FieldReader.readText` takes with the same value.
 * - FC2 For a record that is listed, the column's value and validity are as they were, or unspecified.
 */
import {
  block,
  branch,
  branchIf,
  i32,
  i8x16,
  loop,
  v128,
  when,
  type Code,
  type Label,
  type Local,
  type WasmType,
} from "../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../base/wasm-module.ts"

/** What every reader is given. */
const FIELD_PARAMETERS = {
  starts: "i32",
  startStep: "i32",
  before: "i32",
  ends: "i32",
  endStep: "i32",
  /** How many records. */
  count: "i32",
  /** The row of the first one. */
  row: "i32",
  /** Where the column's values and its validity lie; 0 for the latter where no text stands for null. */
  values: "i32",
  validity: "i32",
  unread: "i32",
  /** The byte that quotes fields, where the format has one. */
  quote: "i32",
} as const

/** The same in JavaScript. */
export type FieldArguments = readonly [
  starts: number,
  startStep: number,
  before: number,
  ends: number,
  endStep: number,
  count: number,
  row: number,
  values: number,
  validity: number,
  unread: number,
  quote: number,
]

/** The field that a reader is at. */
export interface FieldAtHand {
  readonly start: Local<"i32">
  readonly end: Local<"i32">
  /** How many bytes it has, or a mark below zero; never the mark of null. */
  readonly length: Local<"i32">
  readonly row: Local<"i32">
  /** Where the column's values lie, and where that of the row does. */
  readonly values: Local<"i32">
  readonly value: Code<"i32">
  /** Leads to the list. */
  readonly unknown: Label
  /** Leads to the next field. */
  readonly done: Label
}

/** A function that reads fields. */
export interface FieldReading<P extends Readonly<Record<string, WasmType>>> {
  readonly name: string
  /** Bytes of a value, as a power of two; a boolean takes a bit. */
  readonly sizeBits: 0 | 2 | 3
  /** What it is given besides. */
  readonly parameters: P
  /** The code for a field. What follows it has been read. */
  read(
    field: FieldAtHand,
    given: { readonly [N in keyof P]: Local<P[N]> },
    scope: FunctionScope,
  ): readonly Code<"none">[]
}

/** How a format spells fields. */
export interface FieldSpelling {
  /** How the index says null: by a field without bytes, or by a mark (`NULL_LENGTH`). */
  readonly null: "empty" | "marked"
  /** Whether zeros may stand before other digits. */
  readonly hasLeadingZeros: boolean
  /** Whether fields of all types may stand within quotes; otherwise the index leaves quotes out. */
  readonly hasQuotes: boolean
}

/** The length of a field that the index has found to be null, and of one that is not spelled as its column's are. */
export const NULL_LENGTH = -2
export const ODD_LENGTH = -1

/** Adds a function that reads fields. */
export function writeFieldReader<P extends Readonly<Record<string, WasmType>>>(
  module: WasmModule,
  spelling: FieldSpelling,
  reading: FieldReading<P>,
): void {
  const parameters = { ...FIELD_PARAMETERS, ...reading.parameters }
  module.function(reading.name, { parameters, result: "i32" }, (given, scope) => {
    const { starts, startStep, before, ends, endStep, count, row, values, validity, unread, quote } =
      given as unknown as {
        readonly [N in keyof typeof FIELD_PARAMETERS]: Local<"i32">
      }
    const [start, end, length] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const [index, list] = [scope.local("i32"), scope.local("i32")]
    const step = (local: Local<"i32">, by: Code<"i32">) => local.set(i32.add(local.get, by))
    const value =
      reading.sizeBits === 0 ? values.get : i32.add(values.get, i32.shl(row.get, i32.const(reading.sizeBits)))
    const isNull = i32.eq(length.get, i32.const(spelling.null === "empty" ? 0 : NULL_LENGTH))
    const writeNull = (unknown: Label, done: Label) => [
      branchIf(unknown, i32.eqz(validity.get)),
      storeBit(validity, row, i32.const(0)),
      // A code must be safe to look up. Other values of nulls are never read.
      ...(reading.sizeBits === 2 ? [i32.store(value, i32.const(0))] : []),
      branch(done),
    ]
    const readOne = [
      start.set(i32.add(i32.load(starts.get), before.get)),
      end.set(i32.load(ends.get)),
      length.set(i32.sub(end.get, start.get)),
      block((done) => [
        block((unknown) => [
          when(isNull, writeNull(unknown, done)),
          ...(spelling.hasQuotes ? [leaveQuotes({ start, end, length, unknown }, quote)] : []),
          ...reading.read({ start, end, length, row, values, value, unknown, done }, given, scope),
          branch(done),
        ]),
        i32.store(list.get, index.get),
        step(list, i32.const(4)),
      ]),
      step(starts, startStep.get),
      step(ends, endStep.get),
      step(row, i32.const(1)),
      step(index, i32.const(1)),
    ]
    const isLeft = i32.ltU(index.get, count.get)
    return [
      list.set(unread.get),
      when(isLeft, [loop((again) => [...readOne, branchIf(again, isLeft)])]),
      i32.shrU(i32.sub(list.get, unread.get), i32.const(2)),
    ]
  })
}

/** Takes a field for what stands within its quotes, where it is quoted. An empty text within is for JavaScript. */
function leaveQuotes(
  { start, end, length, unknown }: Pick<FieldAtHand, "start" | "end" | "length" | "unknown">,
  quote: Local<"i32">,
): Code<"none"> {
  return when(i32.eq(i32.load8U(start.get), quote.get), [
    branchIf(unknown, i32.ltU(length.get, i32.const(3))),
    end.set(i32.sub(end.get, i32.const(1))),
    branchIf(unknown, i32.ne(i32.load8U(end.get), quote.get)),
    start.set(i32.add(start.get, i32.const(1))),
    length.set(i32.sub(length.get, i32.const(2))),
  ])
}

/** Stores the row's bit of a bitmap. */
export function storeBit(bitmap: Local<"i32">, row: Local<"i32">, bit: Code<"i32">): Code<"none"> {
  const address = i32.add(bitmap.get, i32.shrU(row.get, i32.const(3)))
  const place = i32.and(row.get, i32.const(7))
  const others = i32.and(i32.load8U(address), i32.xor(i32.shl(i32.const(1), place), i32.const(-1)))
  return i32.store8(address, i32.or(others, i32.shl(bit, place)))
}

/** A vector whose 16 bytes are alike. */
export function bytesOf(byte: number): Code<"v128"> {
  return v128.const(Array<number>(16).fill(byte))
}

/** Whether any of 16 bytes is above a bound. */
export function anyAbove(bytes: Code<"v128">, bound: Code<"v128">): Code<"i32"> {
  return v128.anyTrue(i8x16.gtU(bytes, bound))
}
