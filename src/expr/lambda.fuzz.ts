/**
 * Compiled lambdas against their closures: random texts of the subset, on random rows with hostile values.
 *
 * A pair is one lambda on one row: some 140,000 by default. `TIDEMARK_FUZZ_SCALE` multiplies their number,
 * `TIDEMARK_FUZZ_SEED` picks others.
 */
import { describe, expect, it } from "vitest"
import { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { allocateColumns, type Batch } from "../batch/batch.ts"
import { readValue, type Column } from "../batch/column.ts"
import { Schema } from "../batch/schema.ts"
import type { CompileOptions } from "./compile.ts"
import { Grammar, randomTargets } from "./lambda-grammar.fixture.ts"
import { PARAMS, randomBatches, ROW, ROWS } from "./lambda-rows.fixture.ts"
import type { LambdaForm, RowFunction } from "./lambda.ts"
import { compilePredicate } from "./predicate.ts"
import { compileProjection } from "./projection.ts"

const SCALE = Number(process.env.TIDEMARK_FUZZ_SCALE ?? 1)
const SEED = Number(process.env.TIDEMARK_FUZZ_SEED ?? 20_240_607)
const LAMBDAS = Math.ceil(1000 * SCALE)
const timeout = 60_000 * Math.max(1, SCALE)

const proof = { areGenuineGlobals: () => true, capturedConstant: () => undefined }
/** Every way to compile, each held against the closure. */
const BACK_ENDS: readonly (readonly ["JavaScript" | "WebAssembly", CompileOptions])[] = [
  ["JavaScript", { mode: "auto", proof, only: "JavaScript" }],
  ["WebAssembly", { mode: "auto", proof, only: "WebAssembly" }],
]
const CLOSURES: CompileOptions = { mode: "off", proof: undefined }

type Params = Readonly<Record<string, unknown>>
type Failure = readonly [number, string]

/** What came of a lambda: what it selected or wrote, and which rows failed how. */
interface Outcome {
  readonly results: readonly unknown[]
  readonly failures: readonly Failure[]
}

/** One lambda in one form. */
interface Runnable {
  readonly isCompiled: boolean
  run(batch: Batch, params: Params): Outcome
}

/** The lambda of a text, as a closure of its own. */
function lambdaOf(text: string): RowFunction {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the fuzzer's own text
  return new Function(`return (${text})`)() as RowFunction
}

const arena = new Arena({ maxBytes: 1 << 24 })

function predicateOf(text: string, options: CompileOptions): Runnable {
  const predicate = compilePredicate({ lambda: lambdaOf(text), schema: ROW, params: PARAMS, options, arena })
  return {
    isCompiled: isCompiled(predicate.form, options),
    run(batch, params) {
      const selected = new Int32Array(ROWS)
      const failures: Failure[] = []
      const count = predicate.select(batch, params, selected, (row, error) => failures.push([row, String(error)]))
      return { results: [...selected.subarray(0, count)], failures }
    },
  }
}

function projectionOf(text: string, targets: Schema, options: CompileOptions): Runnable {
  const request = { lambda: lambdaOf(text), schema: ROW, params: PARAMS, options, arena }
  const projection = compileProjection({ ...request, targets: targets.fields, shape: "object" })
  return {
    isCompiled: isCompiled(projection.form, options),
    run(batch, params) {
      const { columns, release } = allocateColumns(arena, targets, ROWS)
      const failures: Failure[] = []
      projection.project(batch, params, columns, (row, error) => failures.push([row, String(error)]))
      const results = valuesOf(batch, columns, failures)
      release()
      return { results, failures }
    },
  }
}

function isCompiled(form: LambdaForm, { only }: CompileOptions): boolean {
  return form.kind === "compiled" && form.backEnds.some((backEnd) => backEnd.startsWith(only ?? ""))
}

/** Values of the rows that count and have not failed, so that `toEqual` tells -0 from 0. */
function valuesOf(batch: Batch, columns: readonly Column[], failures: readonly Failure[]): unknown[][] {
  const failed = new Set(failures.map(([row]) => row))
  const values: unknown[][] = []
  batch.forEachRow((row) => {
    if (!failed.has(row)) values.push([row, ...columns.map((column) => readValue(column, row))])
  })
  return values
}

/** Some rows of the batch. */
function onlyRows(batch: Batch, isKept: (row: number) => boolean): Batch {
  const kept: number[] = []
  batch.forEachRow((row) => {
    if (isKept(row)) kept.push(row)
  })
  return batch.with({ selection: Int32Array.from(kept), count: kept.length })
}

/** Expects a compiled lambda and its closure to give and report the same. */
function expectAlike(compiled: Runnable, closure: Runnable, batch: Batch, params: Params, what: string): void {
  const twin = closure.run(batch, params)
  if (twin.failures.length > 0) {
    // A failing guard leaves the whole batch to the closure, so rows that fail and others are compared by themselves.
    const failed = new Set(twin.failures.map(([row]) => row))
    const sound = onlyRows(batch, (row) => !failed.has(row))
    expect(compiled.run(sound, params), what).toEqual({ results: twin.results, failures: [] })
    const [first] = twin.failures
    const alone = compiled.run(
      onlyRows(batch, (row) => row === first![0]),
      params,
    )
    expect(alone, what).toEqual({ results: [], failures: [first] })
    // After that the closure runs for one batch at once (JK3).
    compiled.run(sound, params)
  }
  expect(compiled.run(batch, params), what).toEqual(twin)
}

/** Compares so many random lambdas; gives the part of them that was compiled, and how many pairs there were. */
function compare(
  seed: number,
  write: (prng: Prng, grammar: Grammar) => { text: string; make: (options: CompileOptions) => Runnable },
  options: CompileOptions,
): { compiledPart: number; pairs: number } {
  const prng = new Prng(seed)
  const grammar = new Grammar(prng)
  const batches = randomBatches(arena, prng, 8)
  let compiledCount = 0
  let pairs = 0
  for (let lambda = 0; lambda < LAMBDAS; lambda++) {
    const { text, make } = write(prng, grammar)
    const { batch, params } = prng.pick(batches)
    const compiled = make(options)
    expectAlike(compiled, make(CLOSURES), batch, params, `seed ${seed}: ${text}`)
    if (compiled.isCompiled) compiledCount++
    if (compiled.isCompiled) pairs += batch.count
  }
  return { compiledPart: compiledCount / LAMBDAS, pairs }
}

/** How large a part of the lambdas must be compiled: much of what is drawn here has no WebAssembly. */
const LEAST_PARTS = {
  JavaScript: { predicates: 0.7, guarded: 0.7, projections: 0.5 },
  WebAssembly: { predicates: 0.5, guarded: 0.4, projections: 0.5 },
}

describe.each(BACK_ENDS)("lambdas compiled to %s, and their closures", (name, options) => {
  const least = LEAST_PARTS[name]

  it("PR1 select the same rows", { timeout }, async ({ annotate }) => {
    const { compiledPart, pairs } = compare(
      SEED,
      (prng, grammar) => {
        const text = `(r, p) ${grammar.body("value", () => (prng.chance(0.4) ? grammar.cheap(3) : grammar.any(4)))}`
        return { text, make: (form) => predicateOf(text, form) }
      },
      options,
    )
    await annotate(`${pairs} pairs, ${Math.round(compiledPart * 100)} %`)
    expect(compiledPart).toBeGreaterThan(least.predicates)
  })

  it("W1 G4 throw for the same rows, as null is told by tests", { timeout }, async ({ annotate }) => {
    const { compiledPart, pairs } = compare(
      SEED + 2,
      (_prng, grammar) => {
        const text = grammar.guarded()
        return { text, make: (form) => predicateOf(text, form) }
      },
      options,
    )
    await annotate(`${pairs} pairs, ${Math.round(compiledPart * 100)} %`)
    expect(compiledPart).toBeGreaterThan(least.guarded)
  })

  it("PJ1 write the same values and report the same failures", { timeout }, async ({ annotate }) => {
    const { compiledPart, pairs } = compare(
      SEED + 1,
      (prng, grammar) => {
        const fields = randomTargets(prng)
        const values = (): string => fields.map(({ name, write }) => `${name}: ${write(grammar)}`).join(", ")
        const text = `(r, p) ${grammar.body("object", () => `{ ${values()} }`)}`
        const targets = new Schema(fields.map(({ name, type }) => ({ name, type })))
        return { text, make: (form) => projectionOf(text, targets, form) }
      },
      options,
    )
    await annotate(`${pairs} pairs, ${Math.round(compiledPart * 100)} %`)
    expect(compiledPart).toBeGreaterThan(least.projections)
  })
})
