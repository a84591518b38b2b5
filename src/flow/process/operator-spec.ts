/** What an operator of a program's own is made of, as the plan has it: one instance a key, which keeps what it likes. */
import type { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { ProcessedStream } from "./process-spec.ts"

/** An instance as the program gives it, with the names of its public type. */
export interface OperatorInstance {
  /** A handler of records, or one by the name of each stream. */
  readonly onRecord: unknown
  readonly wakeAt?: () => unknown
  readonly onWake?: (time: number, context: unknown) => unknown
  readonly clockAt?: () => unknown
  readonly onClock?: (now: number, context: unknown) => unknown
  readonly snapshot: () => unknown
}

/** What an instance is opened with. */
export interface OperatorOpening {
  readonly key: Readonly<Record<string, unknown>>
  readonly params: Readonly<Record<string, unknown>>
  /** What `snapshot` has given last; `undefined` where there is nothing of the key. */
  readonly state: unknown
}

/** The parts of an operator. */
export interface OperatorSpec {
  /** Columns by which rows have an instance in common; all inputs have them. */
  readonly keys: readonly string[]
  /** One for each of what feeds the node, in the same order. */
  readonly inputs: readonly ProcessedStream[]
  /** What goes to other ports, by name. */
  readonly sides: Readonly<Record<string, Schema>>
  /** The type of what instances give as their snapshot. */
  readonly type: ColumnType
  readonly open: (opening: OperatorOpening) => unknown
}

/** What its state means, as text: it is taken over where this is the same. */
export function operatorText({ keys, type }: OperatorSpec, rows: Schema): string {
  const keyed = keys.map((name) => `${JSON.stringify(name)}: ${rows.field(name)!.type.label}`)
  return `by (${keyed.join(", ")}) of ${type.label}`
}
