/**
 * Compiled lambdas against their closures: random texts of the subset, on random rows with hostile values.
 *
 * A pair is one lambda on one row, counted where the generated code itself has answered: not where it has left the row to
 * the closure, which is compared with itself then. No pair is counted twice. There are some 140,000 for JavaScript and
 * 90,000 for WebAssembly; `TIDEMARK_FUZZ_SCALE` multiplies their number, `TIDEMARK_FUZZ_SEED` picks others.
 */
import { afterAll, describe, expect, it, vi } from "vitest"
import { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { allocateColumns, type Batch } from "../batch/batch.ts"
import { readValue, type Column } from "../batch/column.ts"
import { Schema } from "../batch/schema.ts"
import { wasmPredicate, wasmProjection } from "./codegen-wasm.ts"
import type { CompileOptions } from "./compile.ts"
import type { Ir, LambdaIr } from "./ir.ts"
import { JsKernel } from "./js-kernel.ts"
import { countParts, countWasmParts, partsOf, type Reached } from "./lambda-coverage.fixture.ts"
import { CAPTURED, Grammar, randomTargets } from "./lambda-grammar.fixture.ts"
import { PARAMS, randomBatches, ROW, ROWS } from "./lambda-rows.fixture.ts"
import type { LambdaForm, RowFunction } from "./lambda.ts"
import { lowerLambda, type LambdaRequest } from "./lower-lambda.ts"
import { compilePredicate } from "./predicate.ts"
import { compileProjection } from "./projection.ts"
import { rewrite } from "./rewrite.ts"
import { WasmKernel } from "./wasm-kernel.ts"

const SCALE = Number(process.env.TIDEMARK_FUZZ_SCALE ?? 1)
const SEED = Number(process.env.TIDEMARK_FUZZ_SEED ?? 20_240_607)
const LAMBDAS = Math.ceil(600 * SCALE)
const timeout = 60_000 * Math.max(1, SCALE)

const proof = {
  areGenuineGlobals: () => true,
  capturedConstant: (_: unknown, name: string) => (name in CAPTURED ? ([CAPTURED[name]!] as const) : undefined),
}
/** Every way to compile, each held against the closure. */
const BACK_ENDS: readonly (readonly ["JavaScript" | "WebAssembly", CompileOptions])[] = [
  ["JavaScript", { mode: "auto", proof, only: "JavaScript" }],
  ["WebAssembly", { mode: "auto", proof, only: "WebAssembly" }],
]
const CLOSURES: CompileOptions = { mode: "off", proof: undefined }

type Params = Readonly<Record<string, unknown>>
type Failure = readonly [number, string]
type BackEndName = (typeof BACK_ENDS)[number][0]

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

/** A lambda that was drawn. */
interface Drawn {
  readonly text: string
  readonly isPredicate: boolean
  make(options: CompileOptions): Runnable
  /** Counts the parts of the subset that the generated code of one back end answers. */
  countParts(options: CompileOptions, reached: Reached): void
}

/** What generated code has answered: a number, or `undefined` where it has left the batch to the closure. */
const kernelRuns = {
  JavaScript: vi.spyOn(JsKernel.prototype, "run"),
  WebAssembly: vi.spyOn(WasmKernel.prototype, "run"),
}
afterAll(() => vi.restoreAllMocks())

/** Of how many rows of the batch the generated code of a back end gave the answer when a lambda was last run. */
function answeredRows(backEnd: BackEndName, { count }: Batch, isPredicate: boolean): number {
  const answer = kernelRuns[backEnd].mock.results.at(-1)?.value as number | undefined
  if (answer === undefined) return 0
  // A predicate's kernel gives how many rows it has selected, a projection's how many it leaves to the closure.
  return isPredicate ? count : count - answer
}

/** The lambda of a text, as a closure of its own. */
function lambdaOf(text: string): RowFunction {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the fuzzer's own text
  return new Function(...Object.keys(CAPTURED), `return (${text})`)(...Object.values(CAPTURED)) as RowFunction
}

const arena = new Arena({ maxBytes: 1 << 24 })

function requestOf(text: string, options: CompileOptions): LambdaRequest {
  return { lambda: lambdaOf(text), schema: ROW, params: PARAMS, options, arena }
}

function predicateOf(text: string): Drawn {
  return {
    text,
    isPredicate: true,
    make(options) {
      const predicate = compilePredicate(requestOf(text, options))
      return {
        isCompiled: isCompiled(predicate.form, options),
        run(batch, params) {
          const selected = new Int32Array(ROWS)
          const failures: Failure[] = []
          const count = predicate.select(batch, params, selected, (row, error) => failures.push([row, String(error)]))
          return { results: [...selected.subarray(0, count)], failures }
        },
      }
    },
    countParts(options, reached) {
      const ir = rewrite(lowerLambda(requestOf(text, options)), "truth")
      if (options.only === "JavaScript") return countParts(ir, reached)
      wasmPredicate(ir)
      countWasmParts(ir, reached)
    },
  }
}

function projectionOf(text: string, targets: Schema): Drawn {
  return {
    text,
    isPredicate: false,
    make(options) {
      const request = { ...requestOf(text, options), targets: targets.fields, shape: "object" } as const
      const projection = compileProjection(request)
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
    },
    countParts(options, reached) {
      const ir = rewrite(lowerLambda(requestOf(text, options)), "value")
      if (options.only === "JavaScript") return countParts(ir, reached)
      countWasmParts(onlyWasm(ir, targets), reached)
    },
  }
}

/** A projection without the columns that are left to JavaScript. */
function onlyWasm({ result, lets, globals }: LambdaIr, { fields }: Schema): LambdaIr {
  const entries = result.op === "object" ? result.entries : new Map<string, Ir>()
  const values = fields.map(({ name }) => entries.get(name)!)
  const filled = wasmProjection(
    lets,
    values,
    fields.map(({ type }) => type),
  )!.targets
  const kept = fields.filter((_, index) => filled.has(index))
  return {
    result: { op: "object", entries: new Map(kept.map(({ name }) => [name, entries.get(name)!])) },
    lets,
    globals,
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

/** Expects a compiled lambda and its closure to give and report the same; gives whether a row has failed. */
function expectAlike(compiled: Runnable, closure: Runnable, { batch, params, what, look }: Comparison): boolean {
  const twin = closure.run(batch, params)
  if (twin.failures.length > 0) {
    // A failing guard leaves the whole batch to the closure, so rows that fail and others are compared by themselves.
    const failed = new Set(twin.failures.map(([row]) => row))
    const sound = onlyRows(batch, (row) => !failed.has(row))
    expect(compiled.run(sound, params), what).toEqual({ results: twin.results, failures: [] })
    look(sound)
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
  if (twin.failures.length === 0) look(batch)
  return twin.failures.length > 0
}

interface Comparison {
  readonly batch: Batch
  readonly params: Params
  /** Said where they differ. */
  readonly what: string
  /** Called when the compiled lambda has run for rows none of which fails. */
  look(rows: Batch): void
}

/** What was compared. */
interface Compared {
  /** The part of the lambdas that was compiled. */
  readonly compiledPart: number
  readonly pairs: number
}

/** Each lambda is compared on so many batches. */
const BATCHES_PER_LAMBDA = 2

/** Compares so many random lambdas. */
function compare(
  seed: number,
  write: (prng: Prng, grammar: Grammar) => Drawn,
  [name, options]: (typeof BACK_ENDS)[number],
  reached: Reached,
): Compared {
  const prng = new Prng(seed)
  const grammar = new Grammar(prng)
  const batches = randomBatches(arena, prng, 8)
  const counted = new Set<string>()
  let compiledCount = 0
  let pairs = 0
  for (let lambda = 0; lambda < LAMBDAS; lambda++) {
    const drawn = write(prng, grammar)
    const { text } = drawn
    let compiled: Runnable | undefined
    const first = prng.below(batches.length)
    for (let count = 0; count < BATCHES_PER_LAMBDA; count++) {
      const at = (first + count) % batches.length
      compiled ??= drawn.make(options)
      for (const runs of Object.values(kernelRuns)) runs.mockClear()
      const { isCompiled } = compiled
      const isNew = isCompiled && !counted.has(`${at} ${text}`)
      const look = (rows: Batch): void => {
        if (isNew) pairs += answeredRows(name, rows, drawn.isPredicate)
      }
      const comparison = { ...batches[at]!, what: `seed ${seed}: ${text}`, look }
      const hasFailed = expectAlike(compiled, drawn.make(CLOSURES), comparison)
      if (isNew) counted.add(`${at} ${text}`)
      if (isCompiled && count === 0) {
        compiledCount++
        drawn.countParts(options, reached)
      }
      // What has failed rests (JK3).
      if (hasFailed) compiled = undefined
    }
  }
  return { compiledPart: compiledCount / LAMBDAS, pairs }
}

/** How many pairs there must be at scale 1, and how large a part of the lambdas must be compiled: not all has WebAssembly. */
const LEAST = {
  JavaScript: { pairs: 110_000, predicates: 0.7, guarded: 0.7, projections: 0.5 },
  WebAssembly: { pairs: 75_000, predicates: 0.5, guarded: 0.4, projections: 0.5 },
}

describe.each(BACK_ENDS)("lambdas compiled to %s, and their closures", (name, options) => {
  const least = LEAST[name]
  const reached: Reached = new Map()
  let allPairs = 0

  function expectCompared({ compiledPart, pairs }: Compared, leastPart: number): string {
    allPairs += pairs
    expect(compiledPart).toBeGreaterThan(leastPart)
    return `${pairs} pairs, ${Math.round(compiledPart * 100)} %`
  }

  it("PR1 select the same rows", { timeout }, async ({ annotate }) => {
    const write = (_: Prng, grammar: Grammar): Drawn =>
      predicateOf(`(r, p) ${grammar.body("value", () => grammar.predicate())}`)
    await annotate(expectCompared(compare(SEED, write, [name, options], reached), least.predicates))
  })

  it("W1 G4 throw for the same rows, as null is told by tests", { timeout }, async ({ annotate }) => {
    const write = (_: Prng, grammar: Grammar): Drawn => predicateOf(grammar.guarded())
    await annotate(expectCompared(compare(SEED + 2, write, [name, options], reached), least.guarded))
  })

  it("PJ1 write the same values and report the same failures", { timeout }, async ({ annotate }) => {
    const write = (prng: Prng, grammar: Grammar): Drawn => {
      const fields = randomTargets(prng)
      const values = (): string => fields.map((field) => `${field.name}: ${field.write(grammar)}`).join(", ")
      const targets = new Schema(fields.map((field) => ({ name: field.name, type: field.type })))
      return projectionOf(`(r, p) ${grammar.body("object", () => `{ ${values()} }`)}`, targets)
    }
    await annotate(expectCompared(compare(SEED + 1, write, [name, options], reached), least.projections))
  })

  it("were enough, and of all parts of the subset", async ({ annotate }) => {
    await annotate(`${allPairs} pairs of a lambda and a row in all`)
    expect(allPairs).toBeGreaterThan(least.pairs * SCALE)
    const rare = partsOf(name).filter((part) => (reached.get(part) ?? 0) < Math.floor(SCALE))
    expect(rare).toEqual([])
  })
})
