/**
 * What an aggregate is: which types it takes and gives, and its kernel, of which the window operator's code is made.
 *
 * A partial result (a key's, in one slice) is an *entry* of some 8-byte fields; the results of several slices together
 * have fields of their own, which may be wider (a sum of sums of int64 has 128 bits). A kernel writes the code that adds
 * a record to an entry, lifts an entry to window fields, combines those of earlier and later slices, and stores a result.
 * Each aggregate is one file.
 *
 * Invariants:
 * - G1 Null is skipped: an entry without a value that is not null has the result null.
 * - G2 The identities are neutral: combining them with anything changes nothing, bit for bit.
 * - G3 Adding gives what adding record by record, in order, gives: how records are cut into batches changes no bit.
 * - G4 `combine` is associative up to rounding, and exactly so where `remove` undoes it.
 */
import { assert } from "../../base/assert.ts"
import { ColumnType, type Storage } from "../../batch/type.ts"
import type { Code, Label, Local } from "../../base/wasm-code.ts"
import type { FunctionScope } from "../../base/wasm-module.ts"
import type { AccumulatorDefinition } from "./accumulator.ts"

/** The types of fields. */
export type Word = "i64" | "f64"

/** A value of one record that a kernel reads: a column, or a column within a struct. */
export interface InputLeaf {
  /** The places of children within the aggregate's input column; empty for the column itself. */
  readonly path: readonly number[]
  readonly type: ColumnType
  readonly storage: Exclude<Storage, "struct">
  /** As what a kernel reads it: doubles as `f64`, or as their bits; all else as `i64`. Dictionary codes are the operator's own. */
  readonly word: Word
}

/** A column that results go to: the aggregate's, or one within it. */
export interface ResultLeaf {
  readonly path: readonly number[]
  readonly type: ColumnType
}

/** A field of an entry. */
export interface EntryField {
  readonly word: Word
  /** The bits that it starts with. */
  readonly identity: bigint
  /** Whether an entry may hold these bits (as a signed number). */
  readonly isValid: (bits: bigint) => boolean
  /** Where it holds codes of the dictionary of one of the inputs: which. */
  readonly dictionaryOf?: number
}

/** A field of what several slices have together. */
export interface WindowField {
  readonly word: Word
  readonly identity: bigint
  /** Whether `combine` adds it up by itself, as an integer: it can be taken away again, also where the kernel has no `remove`. */
  readonly isCount?: true
}

/** A field in memory, for code that works on it. */
export interface FieldPlace {
  readonly word: Word
  load(): Code<Word>
  store(value: Code<Word>): Code<"none">
}

/** A record, for code that adds it. */
export interface RecordAccess {
  /** Its event time. */
  readonly time: Code<"i64">
  /** The value of an input; unspecified where it is null. */
  value(input: number): Code<Word>
  /** Whether an input is not null. */
  isPresent(input: number): Code<"i32">
}

/** How many rows a block has. */
export const BLOCK_ROWS = 8

/** Blocks of rows that follow each other in a batch and whose records all count, for code that adds a block at once. */
export interface BlockAccess {
  /** How many rows the blocks have together: at most as many as a batch. */
  readonly rows: Code<"i32">
  /** Where the values of the block's rows for an input lie, one behind the other. Unspecified where they are null. */
  values(input: number): Code<"i32">
  /** A bit for each of the block's rows: whether an input is not null. Only for inputs that may be null. */
  presence(input: number): Code<"i32">
  /** Where to branch when it turns out that a record may have to be refused: then nothing is added. */
  readonly doubted: Label
}

/** Code that adds blocks: before the first one, for each, and behind the last, after which the entry is as `add` makes it. */
export interface BlockCode {
  readonly begin: readonly Code<"none">[]
  readonly addBlock: readonly Code<"none">[]
  readonly end: readonly Code<"none">[]
}

/** A result row, for code that stores a result in it. */
export interface ResultAccess {
  /** Stores the value of a leaf. */
  store(leaf: number, value: Code<Word>): Code<"none">
  /** Makes a leaf null; leaves are not null to begin with. */
  storeNull(leaf: number): Code<"none">
  /** Notes that the row has no result, because it is out of range. All bits of its leaves are 0. */
  fail(): Code<"none">
}

/** Code for two result rows at once. Fields and results are vectors of two lanes; results are never null. */
export interface PairCode {
  /** As `combine`; not asked of kernels that have `remove`, nor for counts. */
  combine?(earlier: readonly Code<"v128">[], later: readonly Code<"v128">[]): readonly Code<"v128">[]
  /** The values of the leaves, which have 8 bytes. */
  finish(values: readonly Code<"v128">[]): readonly Code<"v128">[]
}

/** What a row adds to a field of an entry where keys are lanes of vectors: one, or the value of the first input, a double. */
export type LaneField = "count" | "float sum"

/** Window fields, loaded into variables. */
export type WindowValues = readonly Local<Word>[]

/** The code of one aggregate over one input type. */
export interface AggregateKernel {
  readonly inputs: readonly InputLeaf[]
  readonly results: readonly ResultLeaf[]
  readonly entry: readonly EntryField[]
  readonly window: readonly WindowField[]
  /** Whether `add` asks for the record's event time. */
  readonly readsTime?: true
  /** Code that is true where the record must not be added, because a sum would leave its range: never for an identity. */
  refuses?(record: RecordAccess, entry: readonly FieldPlace[], scope: FunctionScope): Code<"i32">
  add(record: RecordAccess, entry: readonly FieldPlace[], scope: FunctionScope): readonly Code<"none">[]
  /** Code that is true where none of the next `count` records is refused, whatever they hold. Without it, none can say. */
  accepts?(count: Code<"i32">, entry: readonly FieldPlace[]): Code<"i32">
  /** How to add blocks, with the same bits as record by record. The entry's fields are variables. */
  blocks?(access: BlockAccess, entry: readonly FieldPlace[], scope: FunctionScope): BlockCode
  /** By entry field: what `add` does, where that is no more than this and inputs are never null. */
  readonly lanes?: readonly LaneField[]
  /** The window fields of an entry alone. */
  lift(entry: readonly Code<Word>[]): readonly Code<Word>[]
  /** The window fields of records of earlier slices and of later ones together. */
  combine(earlier: WindowValues, later: WindowValues): readonly Code<Word>[]
  /**
   * Undoes `combine`, bit for bit: what is left of `whole` without `part`. Kernels that have it are kept as one running
   * total; the others in two stacks.
   */
  remove?(whole: WindowValues, part: WindowValues): readonly Code<Word>[]
  /** Stores the result. */
  finish(values: WindowValues, result: ResultAccess): readonly Code<"none">[]
  /** How to combine and finish two rows at once, with the same bits. */
  readonly pairs?: PairCode
  /** Whether `finish` may note that a row has no result. */
  readonly mayFail?: true
}

/** An aggregate that has kernels, too: see the files beside this one. */
export interface AggregateDefinition extends AccumulatorDefinition {
  /** Its kernel for an input type for which there is a result type. */
  kernel(input: ColumnType | undefined): AggregateKernel
  /** The kernel of windows that share slices, where it is another one: see `sharedKernel`. */
  wideKernel?(input: ColumnType | undefined): AggregateKernel
  /** The kernel of windows without a key that share no slices, where it is another one: see `turn-sum.ts`. */
  aloneKernel?(input: ColumnType | undefined): AggregateKernel
}

/**
 * The kernel of windows that share slices. Its entries are what windows have, so that some of them together are one again,
 * and it refuses no record.
 */
export function sharedKernel(definition: AggregateDefinition, input: ColumnType | undefined): AggregateKernel {
  const kernel = definition.wideKernel?.(input) ?? definition.kernel(input)
  assert(kernel.refuses === undefined, "what windows share refuses no record")
  assert(kernel.entry.length === kernel.window.length, "entries of slices are what windows have")
  return kernel
}

/** The type of results whose values are of `type`, and null where a group's input may be null throughout. */
export function resultOf(type: ColumnType, input: ColumnType): ColumnType {
  return new ColumnType(type.definition, { isNullable: input.isNullable })
}

/** The one leaf of an input that is no struct. */
export function inputLeaf(type: ColumnType): InputLeaf {
  const { storage } = type
  if (storage === "struct") throw new TypeError("objects are no numbers")
  return { path: [], type, storage, word: storage === "float64" ? "f64" : "i64" }
}
