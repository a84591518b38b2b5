/** What an operator keeps at a moment, as plain values, for those who look at a job from outside. */

type Row = Readonly<Record<string, unknown>>

/**
 * A timer that is set.
 *
 * @example
 * ```ts
 * import type { KeptTimer } from "tidemark/testing"
 *
 * const isReminder = ({ timer, tag }: KeptTimer): boolean => timer === "reminder" && tag === ""
 * ```
 */
export interface KeptTimer {
  /** Its name in `timers`. */
  readonly timer: string
  /** What tells timers of one name and key apart; empty where it was set without. */
  readonly tag: string
  /** When it is due, in microseconds: of event time, or by the clock. */
  readonly time: number
}

/**
 * What `process` keeps of one key.
 *
 * @example
 * ```ts
 * import type { KeptKey } from "tidemark/testing"
 *
 * const seen = ({ state }: KeptKey): number => (state["seen"] as number | undefined) ?? 0
 * ```
 */
export interface KeptKey {
  /** The values of the key columns, by name. */
  readonly key: Row
  /**
   * By the names in `state`: the value of value and reducing state, an array of list state, a `Map` of map state. What holds
   * nothing, or has expired, is left out.
   */
  readonly state: Row
  /** In the order in which they are due. */
  readonly timers: readonly KeptTimer[]
}

/** See the head of this file. */
export type OperatorContents =
  | { readonly kind: "keys"; readonly keys: readonly KeptKey[] }
  /** Rows whose calls are not answered, in the order in which they came. */
  | { readonly kind: "calls"; readonly rows: readonly Row[] }
  /** The results that its open windows would give now. */
  | { readonly kind: "windows"; readonly rows: readonly Row[] }
