/** How lambdas may run; see `lambda.ts`. */

/** What is proven of the free names of a function. */
export interface NameProof {
  /**
   * For each name: whether it is proven that the function's free variable of that name resolves to the global object's
   * own property, and that this property still holds the engine's genuine built-in.
   */
  areGenuineGlobals(fn: (...args: never[]) => unknown, names: readonly string[]): boolean
  /**
   * The value, in an array, of the variable of that name that the function captures, where it is proven that the variable
   * has this primitive value whenever the function is called from now on.
   */
  capturedConstant(
    fn: (...args: never[]) => unknown,
    name: string,
  ): readonly [null | boolean | number | bigint | string] | undefined
}

/** What compiled lambdas run as. */
export type BackEnd = "WebAssembly SIMD" | "WebAssembly" | "JavaScript"

/** How lambdas may run. */
export interface CompileOptions {
  /** `"auto"` compiles what is in the subset; `"off"` runs every lambda as its closure. */
  readonly mode: "auto" | "off"
  /** Without it a lambda with any free name runs as a closure. */
  readonly proof: NameProof | undefined
  /**
   * For tests: one back end for all it can do, from the first row. Left out, the compiler picks one for each lambda, and
   * leaves batches to JavaScript that are not worth it.
   */
  readonly only?: "WebAssembly" | "JavaScript"
}
