/** What the compiler knows of a keyed stream, for types that take several. */

declare const KEYED: unique symbol

/** A stream grouped by the columns `K` of its rows `R`, in a job with the parameters `P`; `T` is its event-time column. */
export interface Keyed<out R, out K, out P, out T> {
  /** For the compiler only. */
  readonly [KEYED]: { readonly row: R; readonly keys: K; readonly params: P; readonly time: T }
}

/** Any of them. */
export type AnyKeyed = Keyed<unknown, PropertyKey, unknown, string>

/** What the compiler knows of one. */
export type PartsOf<S extends AnyKeyed> = S[typeof KEYED]
