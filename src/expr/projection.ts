/**
 * Projections: compiled where the lambda is in the subset, and the closure otherwise.
 *
 * A compiled projection notes the rows whose values are not of their columns' types and leaves them to the closure, so
 * that both forms say the same of them.
 *
 * Invariants:
 * - PJ1 Both forms write the same values and report the same failures, in the same order.
 * - PJ2 A column of text that only passes through takes its dictionary along: the target's is replaced.
 */
import { assert } from "../base/assert.ts"
import type { Batch } from "../batch/batch.ts"
import type { Column } from "../batch/column.ts"
import type { Dictionary } from "../batch/dictionary.ts"
import type { Field } from "../batch/schema.ts"
import { builtinsOf } from "./builtins.ts"
import { ClosureProjection, type Params, type ResultShape } from "./closure.ts"
import { projectionSource } from "./codegen-js.ts"
import type { Ir, LambdaIr } from "./ir.ts"
import { irText } from "./ir-text.ts"
import { JsKernel } from "./js-kernel.ts"
import type { LambdaForm, OnRowError, Projection } from "./lambda.ts"
import { compiledOrReason, lowerLambda, type LambdaRequest } from "./lower-lambda.ts"
import { NotCompilable } from "./not-compilable.ts"
import { rewrite } from "./rewrite.ts"
import { mayBe, OBJECT } from "./value-type.ts"

/** What a projection is made for. */
export interface ProjectionRequest extends LambdaRequest {
  readonly targets: readonly Field[]
  /** Whether the lambda gives an object with a value for each target, or the value of the only one. */
  readonly shape: ResultShape
}

/** Makes a projection of a lambda. */
export function compileProjection(request: ProjectionRequest): Projection {
  const { lambda, schema, targets, shape } = request
  const closure = new ClosureProjection(lambda, schema, targets, shape)
  const compiled = compiledOrReason(() => compile(request))
  if ("kind" in compiled) {
    return { form: compiled, project: (...batch) => closure.project(...batch) }
  }
  return new CompiledProjection(compiled.form, compiled.kernel, closure, targets)
}

function compile(request: ProjectionRequest): { form: LambdaForm; kernel: JsKernel } {
  const { targets, shape } = request
  const ir = lowerLambda(request)
  const { values, lets } = rewritten(valuesOf(ir, targets, shape), ir)
  const types = targets.map(({ type }) => type)
  const source = projectionSource(values, types, lets)
  const kernel = new JsKernel(source, request.params, builtinsOf(ir))
  return { form: { kind: "compiled", code: source.code, ir: irText(ir) }, kernel }
}

function rewritten(values: readonly Ir[], { lets, globals }: LambdaIr) {
  const entries = new Map(values.map((value, index) => [String(index), value]))
  const { result, lets: rewrittenLets } = rewrite({ result: { op: "object", entries }, lets, globals }, "value")
  assert(result.op === "object", "an object stays an object")
  return { values: [...result.entries.values()], lets: rewrittenLets }
}

function valuesOf({ result }: LambdaIr, targets: readonly Field[], shape: ResultShape): readonly Ir[] {
  const struct = targets.find(({ type }) => type.storage === "struct")
  if (struct !== undefined) {
    throw new NotCompilable(`It gives an object for the column ${JSON.stringify(struct.name)}, which is not compiled.`)
  }
  if (shape === "value") {
    if (result.op === "object") throw new NotCompilable("It gives an object and not a value.")
    return [checked(result)]
  }
  if (result.op !== "object") throw new NotCompilable("It gives something other than an object written out in it.")
  return targets.map(({ name }) => {
    const value = result.entries.get(name)
    if (value === undefined) throw new NotCompilable(`Its object lacks the column ${JSON.stringify(name)}.`)
    return checked(value)
  })
}

function checked(value: Ir): Ir {
  if (!mayBe(value.kinds, OBJECT)) return value
  throw new NotCompilable("It gives an object of the row as a whole.", "Read the object's fields by name.")
}

class CompiledProjection implements Projection {
  readonly form: LambdaForm
  readonly #kernel: JsKernel
  readonly #closure: ClosureProjection
  readonly #fields: readonly Field[]
  readonly #checks: readonly ((value: unknown) => string | undefined)[]
  readonly #translations: (Translation | undefined)[] = []
  #failed = new Int32Array(0)

  constructor(form: LambdaForm, kernel: JsKernel, closure: ClosureProjection, fields: readonly Field[]) {
    this.form = form
    this.#kernel = kernel
    this.#closure = closure
    this.#fields = fields
    this.#checks = fields.map(
      ({ type }) =>
        (value) =>
          type.definition.check(value),
    )
  }

  project(batch: Batch, params: Params, targets: readonly Column[], onRowError: OnRowError): void {
    assert(targets.length === this.#fields.length, "there is a column for each target")
    if (this.#failed.length < batch.count) this.#failed = new Int32Array(batch.count)
    targets.forEach((target, index) => {
      assert(target.storage === this.#fields[index]!.type.storage, "a target's column is of its type")
      // A required column may have a bitmap all the same: then none of its values is null.
      if (!this.#fields[index]!.type.isNullable) target.validity?.fill(0xff)
    })
    const failed = this.#failed
    const rest = [targets, failed, this.#checks, this.#codeOfSymbol, this.#translate]
    const failures = this.#kernel.run(batch, params, rest)
    if (failures === undefined) this.#closure.project(batch, params, targets, onRowError)
    else if (failures > 0) this.#closure.projectRows(batch, params, targets, onRowError, failed, failures)
  }

  readonly #codeOfSymbol = (target: number, dictionary: Dictionary) => {
    const check = this.#checks[target]!
    return (text: string): number => (check(text) === undefined ? dictionary.codeOf(text) : -2)
  }

  /** For each code of `from` the code of the same text in `to`, or -1 where that has not been looked up yet. */
  readonly #translate = (pair: number, from: Dictionary, to: Dictionary): Int32Array => {
    const known = this.#translations[pair]
    const isSame = known?.from === from && known.to === to
    if (isSame && known.codes.length >= from.size) return known.codes
    // A dictionary that grows from batch to batch is not translated anew each time.
    const codes = new Int32Array(isSame ? from.size * 2 : from.size).fill(-1)
    this.#translations[pair] = { from, to, codes }
    return codes
  }
}

interface Translation {
  readonly from: Dictionary
  readonly to: Dictionary
  readonly codes: Int32Array
}
