/**
 * Predicates: compiled where the lambda is in the subset, and the closure otherwise.
 *
 * Invariant:
 * - PR1 Both forms select the same rows and report the same failures, in the same order.
 */
import { assert } from "../base/assert.ts"
import type { Batch } from "../batch/batch.ts"
import { builtinsOf } from "./builtins.ts"
import { ClosurePredicate, type Params } from "./closure.ts"
import { predicateSource } from "./codegen-js.ts"
import { backEndOf, wasmOrNot, wasmPredicate } from "./codegen-wasm.ts"
import type { WasmSource } from "./codegen-wasm-kernel.ts"
import { mayThrow, type LambdaIr } from "./ir.ts"
import { irText } from "./ir-text.ts"
import { JsKernel } from "./js-kernel.ts"
import type { LambdaForm, OnRowError, Predicate } from "./lambda.ts"
import { compiledOrReason, lowerLambda, type LambdaRequest } from "./lower-lambda.ts"
import { NotCompilable } from "./not-compilable.ts"
import { once } from "./once.ts"
import { rewrite } from "./rewrite.ts"
import { WasmGate } from "./wasm-gate.ts"
import { WasmKernel } from "./wasm-kernel.ts"

/** Makes a predicate of a lambda. */
export function compilePredicate(request: LambdaRequest): Predicate {
  const closure = new ClosurePredicate(request.lambda, request.schema)
  const compiled = compiledOrReason(() => compile(request))
  if ("kind" in compiled) {
    return { form: compiled, select: (...batch) => closure.select(...batch) }
  }
  return new CompiledPredicate(request, compiled, closure)
}

/** A lambda, lowered and rewritten, and the JavaScript that runs it. */
interface Compiled {
  readonly ir: LambdaIr
  /** As it was before it was rewritten. */
  readonly irText: string
  readonly code: string
  readonly kernel: JsKernel
  readonly builtins: readonly string[]
}

function compile(request: LambdaRequest): Compiled {
  const lowered = lowerLambda(request)
  if (lowered.result.op === "object") throw new NotCompilable("It gives an object, which is always truthy.")
  const ir = rewrite(lowered, "truth")
  const source = predicateSource(ir)
  // What was folded away counts, too: the closure would call what it has been replaced by.
  const builtins = builtinsOf(lowered)
  const kernel = new JsKernel(source, request.params, builtins)
  return { ir, irText: irText(lowered), code: source.code, kernel, builtins }
}

class CompiledPredicate implements Predicate {
  readonly #compiled: Compiled
  readonly #closure: ClosurePredicate
  readonly #gate: WasmGate
  readonly #source: () => WasmSource | undefined
  readonly #wasm: () => WasmKernel | undefined

  constructor({ params, options, arena }: LambdaRequest, compiled: Compiled, closure: ClosurePredicate) {
    const { ir, builtins } = compiled
    this.#compiled = compiled
    this.#closure = closure
    this.#gate = new WasmGate(options.only !== undefined)
    this.#source = once(() => wasmOrNot(options.only, () => wasmPredicate(ir)))
    this.#wasm = once(() => {
      const source = arena === undefined ? undefined : this.#source()
      if (source === undefined) return undefined
      return new WasmKernel(source, { lets: ir.lets, params, builtins, arena: arena! })
    })
  }

  get form(): LambdaForm {
    const { code, ir, irText: text } = this.#compiled
    const source = this.#source()
    return {
      kind: "compiled",
      backEnds: [source === undefined ? "JavaScript" : backEndOf(source)],
      mayThrow: mayThrow(ir),
      mayFail: mayThrow(ir),
      code,
      ir: text,
    }
  }

  select(batch: Batch, params: Params, selected: Int32Array, onRowError: OnRowError): number {
    assert(selected !== batch.selection, "the selection that comes out is not the one that goes in")
    assert(selected.length >= batch.count, "there is room for all rows")
    // Where a kernel runs, no row fails.
    const wasm = this.#gate.admits(batch) ? this.#wasm() : undefined
    return (
      wasm?.run(batch, params, { list: selected, targets: [] }) ??
      this.#compiled.kernel.run(batch, params, [selected]) ??
      this.#closure.select(batch, params, selected, onRowError)
    )
  }
}
