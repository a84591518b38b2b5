/** How lambdas may run; see `lambda.ts`. */

/**
 * For each name: whether it is proven that the function's free variable of that name resolves to the global object's
 * own property, and that this property still holds the engine's genuine built-in.
 */
export interface GlobalsProof {
  areGenuineGlobals(fn: (...args: never[]) => unknown, names: readonly string[]): boolean
}

/** How lambdas may run. */
export interface CompileOptions {
  /** `"auto"` compiles what is in the subset; `"off"` runs every lambda as its closure. */
  readonly mode: "auto" | "off"
  /** Without it a lambda with any free name runs as a closure. */
  readonly proof: GlobalsProof | undefined
}
