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
import { irText } from "./ir-text.ts"
import { JsKernel } from "./js-kernel.ts"
import type { LambdaForm, OnRowError, Predicate } from "./lambda.ts"
import { compiledOrReason, lowerLambda, type LambdaRequest } from "./lower-lambda.ts"
import { NotCompilable } from "./not-compilable.ts"
import { rewrite } from "./rewrite.ts"

/** Makes a predicate of a lambda. */
export function compilePredicate(request: LambdaRequest): Predicate {
  const closure = new ClosurePredicate(request.lambda, request.schema)
  const compiled = compiledOrReason(() => compile(request))
  if ("kind" in compiled) {
    return { form: compiled, select: (...batch) => closure.select(...batch) }
  }
  return new CompiledPredicate(compiled.form, compiled.kernel, closure)
}

function compile(request: LambdaRequest): { form: LambdaForm; kernel: JsKernel } {
  const ir = lowerLambda(request)
  if (ir.result.op === "object") throw new NotCompilable("It gives an object, which is always truthy.")
  const source = predicateSource(rewrite(ir, "truth"))
  const kernel = new JsKernel(source, request.params, builtinsOf(ir))
  return { form: { kind: "compiled", code: source.code, ir: irText(ir) }, kernel }
}

class CompiledPredicate implements Predicate {
  readonly form: LambdaForm
  readonly #kernel: JsKernel
  readonly #closure: ClosurePredicate

  constructor(form: LambdaForm, kernel: JsKernel, closure: ClosurePredicate) {
    this.form = form
    this.#kernel = kernel
    this.#closure = closure
  }

  select(batch: Batch, params: Params, selected: Int32Array, onRowError: OnRowError): number {
    assert(selected !== batch.selection, "the selection that comes out is not the one that goes in")
    assert(selected.length >= batch.count, "there is room for all rows")
    // A compiled predicate is total, so no row of it fails.
    return this.#kernel.run(batch, params, [selected]) ?? this.#closure.select(batch, params, selected, onRowError)
  }
}
