/** What threads that decode are told, and what they answer: plain data. Addresses are those of the memory that they share. */
import type { BadRecord, Position } from "../../batch/position.ts"
import type { DecoderSpec } from "./decoder-spec.ts"

/** What a thread is told when it starts. */
export interface DecodeThreadStart {
  readonly memory: unknown
  /** What whoever starts it has compiled so far; see `keptModules`. */
  readonly modules: ReadonlyMap<string, unknown>
  /** The part of the memory that is its own. */
  readonly from: number
  readonly bytes: number
}

/** What a thread is told. */
export type ToDecodeThread =
  /** There is a decoder of that number from here on. */
  | { readonly kind: "decoder"; readonly decoder: number; readonly spec: DecoderSpec }
  /** Some bytes are to be decoded. */
  | ({ readonly kind: "decode"; readonly task: number; readonly decoder: number } & DecodeRange)
  /** The batch of a task is not needed any more. */
  | { readonly kind: "release"; readonly task: number }

/** Bytes of a partition. */
export interface DecodeRange {
  readonly address: number
  readonly length: number
  /** Where the first byte stands in the partition: a record starts there. */
  readonly offset: number
  /** No record that starts at or behind this offset. */
  readonly untilOffset: number
}

/** What a thread answers. */
export type FromDecodeThread =
  | ({ readonly kind: "decoded"; readonly task: number } & DecodedRange)
  /** It could not; whoever decodes the bytes elsewhere finds out why. */
  | { readonly kind: "failed"; readonly task: number; readonly reason: string }

/** What was made of a range. Ordinals count from its start. */
export interface DecodedRange {
  readonly rows: number
  /** See `placesOf`. */
  readonly places: readonly number[]
  /** Where each row starts in the partition, and its ordinal: addresses of doubles. */
  readonly offsets: number
  readonly ordinals: number
  readonly bad: readonly BadRecord[]
  readonly next: Position
  /** For each of the batch's text columns, what has come to its dictionary since the thread's last answer. */
  readonly texts: readonly NewTexts[]
}

/** New texts of a dictionary: their UTF-8, and where each ends in it. */
export interface NewTexts {
  /** Whether they are the first ones of another dictionary. */
  readonly isAnother: boolean
  readonly bytes: Uint8Array
  readonly ends: Uint32Array
}
