/**
 * What threads that compute parts of a stream are told, and what they answer: plain data. Addresses are those of the memory
 * that they share. What there is much of stands in lists of numbers, as every object costs when it is copied.
 */
import type { OperatorCounts } from "../dataflow-status.ts"
import type { PartPlanData } from "./part-plan.ts"

/** What a thread is told when it starts. */
export interface PartThreadStart {
  readonly role: "parts"
  readonly memory: unknown
  /** What whoever starts it has compiled so far; see `keptModules`. */
  readonly modules: ReadonlyMap<string, unknown>
  /** The part of the memory that is its own. */
  readonly from: number
  readonly bytes: number
  /** The address of the words that `SIGNALS` names. */
  readonly signals: number
  /** It may have so many bytes of results that nobody has taken. */
  readonly resultBytesMax: number
  readonly plan: PartPlanData
  /** By operator: the states at the start of the stream, as changes of empty ones. */
  readonly states: ReadonlyMap<string, Uint8Array>
}

/** A batch where it lies. */
export interface BatchPlace {
  readonly rows: number
  readonly partition: number
  /** See `placesOf`. */
  readonly places: readonly number[]
  /** The numbers of the dictionaries of its text columns, in the order of `textColumns`. */
  readonly dictionaries: readonly number[]
  /** The rows that count; `null` where all do. */
  readonly selection: Int32Array | null
}

/** Texts of a dictionary: their UTF-8, and where each ends in it. */
export interface Texts {
  readonly bytes: Uint8Array
  readonly ends: Uint32Array
}

/** Batches that follow each other; what comes of the first ones is not wanted, as they belong to parts before. */
export interface PartTask {
  readonly part: number
  /** The number of the first batch, counted from the start of the stream. */
  readonly from: number
  /** By the number of a dictionary: the texts that it has got since the last task. The thread forgets all that are not named. */
  readonly dictionaries: ReadonlyMap<number, Texts>
  /** See `packBatches`. */
  readonly batches: Float64Array
  /** By the place of a batch, where some of them have one. */
  readonly selections: ReadonlyMap<number, Int32Array> | undefined
  /** So many rows of the first batch are left out: a multiple of 8. */
  readonly firstRow: number
  /** Places in `batches`: from where on all is as it is in the whole stream, and where the part begins. */
  readonly resumeAt: number
  readonly start: number
  /** Before the batch at this place the last epoch before the part was cut; `undefined` where that was before all of them. */
  readonly lastCut: number | undefined
  /** Behind so many batches of `batches` epochs are cut: ascending. */
  readonly cuts: readonly number[]
  /** The partition that ends behind the last batch, where one does. */
  readonly ends: number | undefined
}

/** Batches of one schema as numbers: of each its rows, its partition, its places, and the dictionaries of its texts. */
export function packBatches(batches: readonly BatchPlace[]): Pick<PartTask, "batches" | "selections"> {
  const width = batches.length === 0 ? 0 : 2 + batches[0]!.places.length + batches[0]!.dictionaries.length
  const packed = new Float64Array(batches.length * width)
  const selections = new Map<number, Int32Array>()
  batches.forEach(({ rows, partition, places, dictionaries, selection }, place) => {
    packed.set([rows, partition, ...places, ...dictionaries], place * width)
    if (selection !== null) selections.set(place, selection)
  })
  return { batches: packed, selections: selections.size === 0 ? undefined : selections }
}

/** The batch at a place, each of which has so many places of columns, and so many text columns. */
export function unpackBatch(
  { batches, selections }: PartTask,
  place: number,
  placeCount: number,
  textCount: number,
): BatchPlace {
  const at = place * (2 + placeCount + textCount)
  const places = [...batches.subarray(at + 2, at + 2 + placeCount)]
  const dictionaries = [...batches.subarray(at + 2 + placeCount, at + 2 + placeCount + textCount)]
  const selection = selections?.get(place) ?? null
  return { rows: batches[at]!, partition: batches[at + 1]!, places, dictionaries, selection }
}

/** Rows of an output. */
export interface ResultPlace {
  readonly rows: number
  readonly isTimeOrdered: boolean
  readonly places: readonly number[]
}

/** What comes of a part, in its order. */
export type PartResult =
  /** Batches of an output: of each its rows, 1 or 0 for whether they are in order of time, and its places. */
  | { readonly kind: "rows"; readonly output: string; readonly batches: number[] }
  /** What has come to the dictionary of a text column of an output, which is another one where it says so. */
  | ({ readonly kind: "texts"; readonly output: string; readonly column: number; readonly isAnother: boolean } & Texts)
  /** What a thread has made of rows where it made them; see `ResultFold`. */
  | { readonly kind: "folded"; readonly value: unknown }
  /** The changes of states since the last cut, by operator; and the late rows of the part so far. */
  | {
      readonly kind: "cut"
      readonly changes: ReadonlyMap<string, Uint8Array>
      readonly lateRows: ReadonlyMap<string, number>
    }

/** What a thread answers. */
export type FromPartThread =
  | ({ readonly kind: "results" } & PartResults)
  | ({
      readonly kind: "done"
      /** The greatest event time behind each of the part's batches, of those that were given with it. */
      readonly latest: Float64Array
      /** By operator, in the order of the plan: of the part alone. */
      readonly counts: readonly OperatorCounts[]
    } & PartResults)
  /** It could not; whoever computes the part elsewhere finds out why. */
  | { readonly kind: "failed"; readonly part: number; readonly reason: string }

/** What has come of a part since the last answer. */
interface PartResults {
  readonly part: number
  /** No record before the first batch may be at this time or later, or the part is not as it is in the whole stream. */
  readonly least: number
  readonly results: readonly PartResult[]
}

/** Words that both sides see at once, and how many there are. */
export const SIGNALS = { released: 0, words: 16 } as const
