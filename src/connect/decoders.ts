/**
 * Decoding on other threads: a source reads bytes into the arena, a thread makes columns of them, and the source gives
 * them out in its own order.
 *
 * Nothing depends on it: where no thread has time, or one could not do it, the source decodes by itself.
 */
import type { Batch } from "../batch/batch.ts"
import type { BadRecord, Position } from "../batch/position.ts"

/** Bytes to be decoded. */
export interface DecodeTask {
  /** Where they lie in the arena's memory. They stay there until the answer. */
  readonly address: number
  readonly length: number
  /** Where the first byte stands in the partition: a record starts there. */
  readonly offset: number
  /** No record that starts at or behind this offset of the partition is to be decoded. */
  readonly untilOffset: number
}

/** What was made of a task's bytes. */
export interface DecodedTask {
  /** Records, good and bad. */
  readonly records: number
  /** Where the next record starts. */
  readonly nextOffset: number
  /**
   * The records as those of a partition in which they begin at a position. It is called once at most.
   *
   * @param partition becomes `origin.partition`.
   */
  take(
    position: Position,
    partition: number,
  ): { readonly batch: Batch | undefined; readonly bad: readonly BadRecord[]; readonly next: Position }
}

/** A place on a thread, for one task. */
export interface DecodeSlot {
  /** Decodes; `undefined` where the thread could not. */
  decode(task: DecodeTask): Promise<DecodedTask | undefined>
  /** Gives the place back, and with it the memory of what was decoded. */
  release(): void
}

/** A decoder that every thread has. */
export interface ThreadDecoder {
  /** A place for a task, or `undefined` where all threads have enough to do. */
  slot(): DecodeSlot | undefined
}

/** The threads that decode. */
export interface Decoders {
  /** How many tasks they can have at once. */
  readonly slots: number
  /** Threads that end now, whose memory comes back: whoever is about to decode by itself waits for them. */
  readonly leaving: Promise<void> | undefined
  /** A decoder made of plain data, in the form that `formats` gives it: the same one for the same data. */
  decoder(spec: object): ThreadDecoder
}
