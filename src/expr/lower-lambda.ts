/**
 * From a lambda to IR, with the proof that its names from outside mean what they seem to.
 *
 * Invariant:
 * - LL1 IR that relies on a name from outside is given out only with a proof for that name and for this very function.
 */
import type { Arena } from "../batch/arena.ts"
import type { Schema } from "../batch/schema.ts"
import type { CompileOptions } from "./compile.ts"
import { builtinsOf, isBuiltinIntact } from "./builtins.ts"
import type { LambdaIr } from "./ir.ts"
import type { LambdaForm, RowFunction } from "./lambda.ts"
import { lowerFunction } from "./lower-function.ts"
import { NotCompilable } from "./not-compilable.ts"
import { parseFunction } from "./parse.ts"

/** What a lambda is compiled for. */
export interface LambdaRequest {
  readonly lambda: RowFunction
  /** Its rows. */
  readonly schema: Schema
  /** The job's parameters. */
  readonly params: Schema
  readonly options: CompileOptions
  /** Where the rows lie. Without it nothing runs as WebAssembly. */
  readonly arena?: Arena
}

/** How a lambda runs, or the closure's form where it cannot be compiled: then `compile` throws `NotCompilable`. */
export function compiledOrReason<T>(compile: () => T): T | Extract<LambdaForm, { kind: "closure" }> {
  try {
    return compile()
  } catch (error) {
    if (error instanceof NotCompilable) return { kind: "closure", reason: error.reason, hint: error.hint }
    // Lowering and writing code go down the tree by recursion.
    if (error instanceof RangeError) {
      return { kind: "closure", reason: "It is nested too deeply to be compiled.", hint: undefined }
    }
    throw error
  }
}

/**
 * The IR of a lambda.
 *
 * @throws NotCompilable where it is outside the subset, or a name is not proven.
 */
export function lowerLambda({ lambda, schema, params, options }: LambdaRequest): LambdaIr {
  if (options.mode === "off") throw new NotCompilable("Compiling is switched off.")
  const capturedConstant = (name: string) => options.proof?.capturedConstant(lambda, name)
  const ir = lowerFunction(parseFunction(lambda), { schema, params, capturedConstant })
  if (ir.globals.length > 0) {
    const names = ir.globals.map((name) => JSON.stringify(name)).join(", ")
    if (options.proof === undefined || !options.proof.areGenuineGlobals(lambda, ir.globals)) {
      throw new NotCompilable(`It uses ${names}, and it is not proven that this is JavaScript's own here.`)
    }
    const replaced = builtinsOf(ir).filter((name) => !isBuiltinIntact(name))
    if (replaced.length > 0) throw new NotCompilable(`${replaced.join(", ")} has been replaced in this process.`)
  }
  return ir
}
