/**
 * Projections: compiled where the lambda is in the subset, and the closure otherwise.
 *
 * A compiled projection notes the rows whose values are not of their columns' types and leaves them to the closure, so
 * that both forms say the same of them.
 *
 * Invariants:
 * - PJ1 Both forms write the same values and report the same failures, in the same order.
 */
import { assert } from "../base/assert.ts"
import type { Arena } from "../batch/arena.ts"
import type { Batch } from "../batch/batch.ts"
import type { Column } from "../batch/column.ts"
import type { Field } from "../batch/schema.ts"
import { nounsOf, type ColumnType } from "../batch/type.ts"
import { builtinsOf } from "./builtins.ts"
import { ClosureProjection, type Params, type ResultShape } from "./closure.ts"
import { backEndOf, wasmOrNot, wasmProjection, type WasmProjection } from "./codegen-wasm.ts"
import type { BackEnd } from "./compile.ts"
import { mayThrow, type Ir, type LambdaIr } from "./ir.ts"
import { irText } from "./ir-text.ts"
import { FAIL } from "./js-store.ts"
import { JsProjection, type LambdaParts } from "./js-projection.ts"
import type { LambdaForm, OnRowError, Projection } from "./lambda.ts"
import { compiledOrReason, lowerLambda, type LambdaRequest } from "./lower-lambda.ts"
import { NotCompilable } from "./not-compilable.ts"
import { once } from "./once.ts"
import { rewrite } from "./rewrite.ts"
import { mayBe, OBJECT } from "./value-type.ts"
import { WasmGate } from "./wasm-gate.ts"
import { WasmKernel } from "./wasm-kernel.ts"

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
  return new CompiledProjection(request, compiled, closure)
}

/** A lowered lambda, and the JavaScript that runs it. */
interface Compiled extends LambdaParts {
  readonly irText: string
  readonly isThrowing: boolean
  /** Rewritten, as are the lets. */
  readonly values: readonly Ir[]
  readonly types: readonly ColumnType[]
  readonly projection: JsProjection
}

function compile(request: ProjectionRequest): Compiled {
  const { targets, shape, params } = request
  const ir = lowerLambda(request)
  const { values, lets, isThrowing } = rewritten(valuesOf(ir, targets, shape), ir)
  const types = targets.map(({ type }) => type)
  const parts = { lets, params, builtins: builtinsOf(ir) }
  const forms = { irText: irText(ir), isThrowing }
  return { ...parts, ...forms, values, types, projection: new JsProjection(values, types, parts) }
}

/** What runs as WebAssembly, and the JavaScript for the columns that have none. */
interface WasmKernels {
  readonly kernel: WasmKernel
  readonly rest: { readonly projection: JsProjection; readonly indexes: readonly number[] } | undefined
}

function wasmKernels(compiled: Compiled, { source, targets }: WasmProjection, arena: Arena): WasmKernels {
  const { values, types } = compiled
  const { sharedDictionaries } = source
  const kernel = new WasmKernel(source, { ...compiled, arena, targetTypes: types, sharedDictionaries })
  const indexes = [...types.keys()].filter((index) => !targets.has(index))
  if (indexes.length === 0) return { kernel, rest: undefined }
  const pick = <T>(list: readonly T[]): T[] => indexes.map((index) => list[index]!)
  return { kernel, rest: { projection: new JsProjection(pick(values), pick(types), compiled), indexes } }
}

function rewritten(values: readonly Ir[], { lets, globals }: LambdaIr) {
  const entries = new Map(values.map((value, index) => [String(index), value]))
  const simpler = rewrite({ result: { op: "object", entries }, lets, globals }, "value")
  assert(simpler.result.op === "object", "an object stays an object")
  return { values: [...simpler.result.entries.values()], lets: simpler.lets, isThrowing: mayThrow(simpler) }
}

function valuesOf({ result }: LambdaIr, targets: readonly Field[], shape: ResultShape): readonly Ir[] {
  for (const { name, type } of targets) {
    const nouns = nounsOf(type)
    if (nouns === undefined) continue
    throw new NotCompilable(`It gives ${nouns.one} for the column ${JSON.stringify(name)}, which is not compiled.`)
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
  readonly #compiled: Compiled
  readonly #closure: ClosureProjection
  readonly #gate: WasmGate
  readonly #source: () => WasmProjection | undefined
  readonly #wasm: () => WasmKernels | undefined
  #failed = new Int32Array(0)

  constructor({ options, arena }: ProjectionRequest, compiled: Compiled, closure: ClosureProjection) {
    const { lets, values, types } = compiled
    this.#compiled = compiled
    this.#closure = closure
    this.#gate = new WasmGate(options.only !== undefined)
    this.#source = once(() => wasmOrNot(options.only, () => wasmProjection(lets, values, types)))
    this.#wasm = once(() => {
      const source = arena === undefined ? undefined : this.#source()
      return source === undefined ? undefined : wasmKernels(compiled, source, arena!)
    })
  }

  get form(): LambdaForm {
    const { irText: text, isThrowing, types, projection } = this.#compiled
    const wasm = this.#source()
    const backEnds: BackEnd[] = wasm === undefined ? [] : [backEndOf(wasm.source)]
    if (wasm === undefined || wasm.targets.size < types.length) backEnds.push("JavaScript")
    const { code } = projection
    const mayFail = isThrowing || code.includes(FAIL)
    return { kind: "compiled", backEnds, mayThrow: isThrowing, mayFail, code, ir: text }
  }

  project(batch: Batch, params: Params, targets: readonly Column[], onRowError: OnRowError): void {
    const { types, projection } = this.#compiled
    assert(targets.length === types.length, "there is a column for each target")
    targets.forEach((target, index) => {
      assert(target.storage === types[index]!.storage, "a target's column is of its type")
      // A required column may have a bitmap all the same: then none of its values is null.
      if (!types[index]!.isNullable) target.validity?.fill(0xff)
    })
    const failed = this.#runWasm(batch, params, targets) ?? projection.run(batch, params, targets)
    if (failed === undefined) this.#closure.project(batch, params, targets, onRowError)
    else if (failed.length > 0) {
      this.#closure.projectRows(batch, params, targets, onRowError, failed, failed.length)
    }
  }

  /** The rows that failed, ascending; `undefined` where JavaScript must fill all columns. */
  #runWasm(batch: Batch, params: Params, targets: readonly Column[]): Int32Array | undefined {
    const wasm = this.#gate.admits(batch) ? this.#wasm() : undefined
    if (wasm === undefined) return undefined
    const { kernel, rest } = wasm
    if (this.#failed.length < batch.count) this.#failed = new Int32Array(batch.count)
    const count = kernel.run(batch, params, { list: this.#failed, targets })
    if (count === undefined) return undefined
    const failed = this.#failed.subarray(0, count)
    if (rest === undefined) return failed
    const others = rest.projection.run(
      batch,
      params,
      rest.indexes.map((index) => targets[index]!),
    )
    return others === undefined ? undefined : merged(failed, others)
  }
}

/** The rows of two ascending lists, ascending. */
function merged(one: Int32Array, other: Int32Array): Int32Array {
  if (other.length === 0) return one
  return one.length === 0 ? other : Int32Array.from(new Set([...one, ...other])).sort()
}
