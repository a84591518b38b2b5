/** What can be asked of a node of the IR, and answered by a lane; see `codegen-wasm-lanes.ts`, which answers. */
import type { ColumnReference, Ir } from "./ir.ts"
import { NotCompilable } from "./not-compilable.ts"
import type { Kinds } from "./value-type.ts"
import type { KernelArgument, KernelText } from "./wasm-argument.ts"
import type { Lane, LaneGraph } from "./wasm-lane.ts"

/** See the head of this file. What has no lane throws `NotCompilable`. */
export interface LaneQuestions {
  readonly graph: LaneGraph
  /** Whether the value is truthy. */
  truth(node: Ir): Lane<"flag">
  /** Whether the value is one of `kinds`: null, undefined, or either. */
  is(node: Ir, kinds: Kinds): Lane<"flag">
  /** The number that `ToNumber` makes of the value. */
  number(node: Ir): Lane<"f64">
  /** The same where the value is not nullish; where it is, it is any number. */
  presentNumber(node: Ir): Lane<"f64">
  /** `ToInt32` of the value, and of `>>>` the same bits. */
  int32(node: Ir): Lane<"i32">
  /** The value as an int64, where it is a bigint. */
  bigint(node: Ir): Lane<"i64">
  /** Whether a column's text, where it is not null, is one that is known before the batch. */
  isText(node: ColumnReference, text: KernelText): Lane<"flag">
  /** A text that is known before the batch. */
  textOf(node: Ir): KernelText
  /** The address of a column's values. */
  values(column: ColumnReference): KernelArgument
  /** Notes rows of which the answer is not known, where JavaScript gets to what is being asked about. */
  noteUnknown(rows: Lane<"flag">): void
}

/** Of codes: there is null instead of a text, or something that is no value of the column. */
export const NULL_CODE = -1
export const INVALID_CODE = -2

/** A lambda, or a part of it, is left to JavaScript. */
export function notKnown(what: string): NotCompilable {
  return new NotCompilable(`WebAssembly has no instructions for ${what}.`)
}
