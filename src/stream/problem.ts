/**
 * Problems: types that stand where a call would be a mistake, so that the compiler's message ends in a sentence.
 *
 * Invariant:
 * - PM1 No value has the type `Problem`: what asks for one cannot be satisfied, and what is one can be neither called nor
 *   used.
 */

declare const PROBLEM: unique symbol

/**
 * A mistake, in words. The compiler shows it where a program makes the mistake; no value has this type.
 *
 * @example
 * ```ts
 * import type { AppendStream, Problem } from "tidemark"
 *
 * type Window = AppendStream<{ zone: string }>["window"]
 * const told: Window extends Problem<infer Sentence> ? Sentence : never = "Call .keyBy(...) before .window(...), or .keyBy() for the whole stream."
 * ```
 */
export interface Problem<out Sentence extends string> {
  readonly [PROBLEM]: Sentence
}
