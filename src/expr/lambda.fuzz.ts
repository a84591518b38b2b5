/**
 * Compiled lambdas against their closures: random texts of the subset, on random rows with hostile values.
 *
 * A case is one lambda on one row. `TIDEMARK_FUZZ_SCALE` multiplies their number, `TIDEMARK_FUZZ_SEED` picks others.
 */
import { describe, expect, it } from "vitest"
import { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { allocateColumns, batchOfRows, type Batch } from "../batch/batch.ts"
import { isValid, readValue, type Column } from "../batch/column.ts"
import { Schema, schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { RowFunction } from "./lambda.ts"
import { compilePredicate } from "./predicate.ts"
import { compileProjection } from "./projection.ts"

const SCALE = Number(process.env.TIDEMARK_FUZZ_SCALE ?? 1)
const SEED = Number(process.env.TIDEMARK_FUZZ_SEED ?? 20_240_607)
const ROWS = 60
const LAMBDAS = Math.ceil(1000 * SCALE)

const ROW = schema({
  f: t.float64,
  g: t.float64.nullable(),
  i: t.int32,
  j: t.int53.nullable(),
  at: t.timestamp(),
  b: t.int64,
  c: t.int64.nullable(),
  s: t.string,
  u: t.string.nullable(),
  e: t.enum("red", "green", "😀"),
  yes: t.bool,
  maybe: t.bool.nullable(),
  o: t.object({ x: t.float64.nullable(), y: t.string, p: t.object({ z: t.int32, w: t.string.nullable() }).nullable() }),
  q: t.object({ x: t.float64, y: t.string.nullable(), n: t.int64 }).nullable(),
})
const PARAMS = schema({
  limit: t.float64,
  some: t.float64.nullable(),
  word: t.string,
  big: t.int64,
  on: t.bool,
  at: t.object({ x: t.float64, y: t.string.nullable() }).nullable(),
})

const NUMBERS = [0, -0, 1, -1, 0.5, 1e300, -1e-300, 2 ** 53, 2 ** 53 - 1, -(2 ** 53), 2 ** 31, -(2 ** 31), 4294967296.5]
const DOUBLES = [...NUMBERS, NaN, Infinity, -Infinity, 5e-324, 1.7976931348623157e308, 3, 100, 12.75]
const INT32S = [0, 1, -1, 3, 100, 2 ** 31 - 1, -(2 ** 31)]
const INT53S = [...INT32S, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 32, 2 ** 32 - 1, -(2 ** 32), 1_700_000_000_000_000]
const INT64S = [0n, 1n, -1n, 3n, 100n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n, -(2n ** 32n) - 1n]
const TEXTS = [
  "",
  "a",
  "A",
  "JFK",
  "red",
  "10",
  " 10 ",
  "0x1f",
  "😀",
  "e\u0301",
  "\u2028",
  '"]; throw 1; //',
  "null",
  "\ufffd",
]
/** No column can hold a lone surrogate, but a literal or a parameter may. */
const LITERALS = [...TEXTS, "\ud800", "a\udc00"]

function randomRow(prng: Prng): Record<string, unknown> {
  const orNull = (value: unknown): unknown => (prng.chance(0.3) ? null : value)
  return {
    f: prng.chance(0.5) ? prng.pick(DOUBLES) : (prng.float() - 0.5) * 1000,
    g: orNull(prng.pick(DOUBLES)),
    i: prng.pick(INT32S),
    j: orNull(prng.pick(INT53S)),
    at: prng.pick(INT53S),
    b: prng.pick(INT64S),
    c: orNull(prng.pick(INT64S)),
    s: prng.pick(TEXTS),
    u: orNull(prng.pick(TEXTS)),
    e: prng.pick(["red", "green", "😀"]),
    yes: prng.chance(0.5),
    maybe: orNull(prng.chance(0.5)),
    o: {
      x: orNull(prng.pick(DOUBLES)),
      y: prng.pick(TEXTS),
      p: orNull({ z: prng.pick(INT32S), w: orNull(prng.pick(TEXTS)) }),
    },
    q: orNull({ x: prng.pick(DOUBLES), y: orNull(prng.pick(TEXTS)), n: prng.pick(INT64S) }),
  }
}

function randomParams(prng: Prng): Record<string, unknown> {
  return Object.freeze({
    limit: prng.pick(DOUBLES),
    some: prng.chance(0.5) ? null : prng.pick(DOUBLES),
    word: prng.pick(LITERALS),
    big: prng.pick(INT64S),
    on: prng.chance(0.5),
    at: prng.chance(0.5) ? null : { x: prng.pick(DOUBLES), y: prng.chance(0.5) ? null : prng.pick(LITERALS) },
  })
}

/** Writes random expressions, of a kind or of any, mostly such as are in the subset. */
class Grammar {
  readonly prng: Prng
  /** Local names in scope, by kind. */
  names: { number: string[]; string: string[]; bigint: string[]; boolean: string[] } = noNames()

  constructor(prng: Prng) {
    this.prng = prng
  }

  number(depth: number): string {
    const { prng } = this
    const leaves = ["r.f", "r.i", "r.at", "p.limit", "r.s.length", ...this.names.number]
    if (depth <= 0) return prng.chance(0.3) ? this.numberLiteral() : prng.pick(leaves)
    const n = (): string => this.number(depth - 1)
    const loose = (): string => this.numberLike(depth - 1)
    switch (prng.below(14)) {
      case 0:
        return prng.pick(leaves)
      case 1:
        return this.numberLiteral()
      case 2:
      case 3:
      case 4:
        return `(${loose()} ${prng.pick(["+", "-", "*", "/", "%"])} ${loose()})`
      case 5:
        return `((${loose()}) ${prng.pick(["**", "&", "|", "^", "<<", ">>", ">>>"])} ${loose()})`
      case 6:
        return `(${prng.pick(["-", "+", "~"])} ${prng.pick([loose, loose, () => this.string(depth - 1)])()})`
      case 7:
        return `(${prng.pick(["r.g", "r.j", "r.q?.x", "r.o.x", "p.some", "r.o.p?.z", "p.at?.x"])} ?? ${n()})`
      case 8: {
        const name = prng.pick(["abs", "ceil", "floor", "round", "sqrt", "trunc", "sign", "fround", "clz32", "log2"])
        return `Math.${name}(${loose()})`
      }
      case 9:
        return `Math.${prng.pick(["max", "min", "hypot", "atan2", "imul"])}(${loose()}, ${loose()})`
      case 10:
        return `(${this.boolean(depth - 1)} ? ${n()} : ${n()})`
      case 11:
        return `${prng.pick(["Number", "parseFloat", "parseInt"])}(${this.any(depth - 1, true)})`
      case 12:
        return `${this.string(depth - 1)}.${prng.pick(["length", "indexOf(r.s)", "charCodeAt(r.i)", `lastIndexOf(${this.text()})`])}`
      default:
        return `(${this.string(depth - 1)} ${prng.pick(["-", "*", "/"])} ${n()})`
    }
  }

  /** A number, a boolean or null. */
  numberLike(depth: number): string {
    const { prng } = this
    if (prng.chance(0.6)) return this.number(depth)
    if (prng.chance(0.2)) return this.boolean(depth)
    return prng.pick([
      "r.g",
      "r.j",
      "r.maybe",
      "r.yes",
      "r.o.x",
      "p.some",
      "null",
      "true",
      "void 0",
      "r.q?.x",
      "undefined",
    ])
  }

  boolean(depth: number): string {
    const { prng } = this
    if (depth <= 0) return prng.pick(["r.yes", "p.on", "true", "!1", "(r.u === null)", ...this.names.boolean])
    const nullable = (): string =>
      prng.pick(["r.g", "r.j", "r.c", "r.u", "r.maybe", "r.q", "r.o.p", "r.o.x", "p.some", "p.at"])
    switch (prng.below(13)) {
      case 0:
      case 1:
        return `(${this.numberLike(depth - 1)} ${this.relation()} ${this.numberLike(depth - 1)})`
      case 2:
        return `(${this.any(depth - 1, true)} ${this.relation()} ${this.any(depth - 1, true)})`
      case 3:
        return `(${prng.pick(["r.s", "r.e", "r.u", "r.o.y", "r.q?.y"])} ${this.equality()} ${prng.pick([this.text(), "p.word", "r.s"])})`
      case 4:
        return `(${prng.pick(["r.g", "r.j", "r.i", "r.f"])} ${this.equality()} ${this.numberLike(depth - 1)})`
      case 5:
        return `(${nullable()} ${this.equality()} ${prng.pick(["null", "void 0", "undefined"])})`
      case 6:
        return `!${prng.chance(0.3) ? nullable() : `(${this.any(depth - 1, true)})`}`
      case 7:
        return `(${this.boolean(depth - 1)} ${prng.pick(["&&", "||"])} ${this.boolean(depth - 1)})`
      case 8:
        return `Number.${prng.pick(["isNaN", "isFinite", "isInteger", "isSafeInteger"])}(${this.any(depth - 1, true)})`
      case 9:
        return `${this.string(depth - 1)}.${prng.pick(["startsWith", "endsWith", "includes"])}(${this.string(depth - 1)})`
      case 10:
        return `(typeof ${prng.pick([nullable(), `(${this.any(depth - 1, true)})`])} === "${prng.pick(["number", "object", "string", "undefined"])}")`
      case 11:
        return `(${this.bigint(depth - 1)} ${this.relation()} ${this.bigint(depth - 1)})`
      default:
        return `(${this.boolean(depth - 1)} ? ${this.boolean(depth - 1)} : ${this.boolean(depth - 1)})`
    }
  }

  string(depth: number): string {
    const { prng } = this
    const leaves = ["r.s", "r.e", "p.word", "r.o.y", ...this.names.string]
    if (depth <= 0) return prng.chance(0.3) ? this.text() : prng.pick(leaves)
    switch (prng.below(9)) {
      case 0:
        return prng.pick(leaves)
      case 1:
        return this.text()
      case 2:
        return `(${this.string(depth - 1)} + ${this.any(depth - 1, true)})`
      case 3:
        return `\`<\${${this.any(depth - 1, true)}}\\n\${${this.string(depth - 1)}}\\u2028\``
      case 4:
        return `(${this.boolean(depth - 1)} ? ${this.string(depth - 1)} : ${this.string(depth - 1)})`
      case 5:
        return `${this.string(depth - 1)}.${prng.pick(["trim()", "toUpperCase()", "toLowerCase()", "slice(1)", "charAt(0)", "concat(r.s)", "substring(r.i)"])}`
      case 6:
        return `String(${this.any(depth - 1, true)})`
      case 7:
        return `(${prng.pick(["r.u", "r.q?.y", "r.o.p?.w", "p.at?.y"])} ?? ${this.string(depth - 1)})`
      default:
        return `(typeof ${this.any(depth - 1, true)})`
    }
  }

  bigint(depth: number): string {
    const { prng } = this
    const leaves = ["r.b", "p.big", "5n", "-3n", "0n", "9223372036854775807n", ...this.names.bigint]
    if (depth <= 0) return prng.pick(leaves)
    const b = (): string => this.bigint(depth - 1)
    switch (prng.below(8)) {
      case 0:
        return prng.pick(leaves)
      case 1:
      case 2:
        return `(${b()} ${prng.pick(["+", "-", "*", "&", "|", "^"])} ${b()})`
      case 3:
        return `(${b()} ${prng.pick(["/ 3n", "% -7n"])})`
      case 4:
        return `(${prng.pick(["-", "~"])} ${b()})`
      case 5:
        return `(r.c ?? ${b()})`
      case 6:
        return `(${prng.pick(["r.c === null", "!(r.c !== null)", "null == r.c", "!(r.c || r.c === 0n)"])} ? ${b()} : r.c + ${b()})`
      default:
        return `(${this.boolean(depth - 1)} ? ${b()} : ${b()})`
    }
  }

  /** A value of any kind. Without `isLoose` it may be what only truth is asked of. */
  any(depth: number, isLoose = false): string {
    const { prng } = this
    const a = (): string => this.any(depth - 1, isLoose)
    switch (prng.below(depth <= 0 ? 6 : 10)) {
      case 0:
        return this.number(depth)
      case 1:
        return this.string(depth)
      case 2:
        return this.boolean(depth)
      case 3:
        return isLoose && prng.chance(0.8) ? this.number(depth) : this.bigint(depth)
      case 4:
        return prng.pick(["r.g", "r.j", "r.u", "r.maybe", "r.o.x", "r.q?.x", "r.o.p?.w", "p.some", "p.at?.y"])
      case 5:
        return prng.pick(["null", "void 0", "NaN", "Infinity", "undefined", "r.q?.n"])
      case 6:
        return `(${a()} ${prng.pick(["&&", "||", "??"])} ${a()})`
      case 7:
        return `(${this.boolean(depth - 1)} ? ${a()} : ${a()})`
      case 8:
        return prng.pick([
          "(r.q && r.q.x)",
          "(r.q !== null && r.q.y)",
          "(!r.q || r.q.n > 0n)",
          "(r.o.p == null ? r.f : r.o.p.z + 1)",
          "(r.q && r.q.y && r.q.y.length)",
          "(p.at && p.at.x > 1)",
          "(r.u !== null && r.u.startsWith(p.word))",
        ])
      default:
        return `(${a()}, ${a()})`
    }
  }

  /** A test that is compiled without branches, or nearly so. */
  cheap(depth: number): string {
    const { prng } = this
    const number = (): string =>
      prng.pick([
        "r.f",
        "r.g",
        "r.i",
        "r.j",
        "r.at",
        "p.limit",
        "p.some",
        "r.yes",
        "(r.f + r.g)",
        "-r.i",
        "null",
        this.numberLiteral(),
      ])
    switch (prng.below(depth <= 0 ? 6 : 10)) {
      case 0:
        return `${number()} ${this.relation()} ${number()}`
      case 1:
        return `${prng.pick(["r.s", "r.u", "r.e", "r.o.y"])} ${this.equality()} ${prng.pick([this.text(), "p.word"])}`
      case 2:
        return `${prng.pick(["r.g", "r.u", "r.q", "r.o", "r.s", "r.maybe", "r.o.p"])} ${this.equality()} ${prng.pick(["null", "void 0"])}`
      case 3:
        return prng.pick(["r.yes", "r.maybe", "p.on", "true", "false", "null", "(r.maybe ?? r.yes)"])
      case 4:
        return prng.pick(["r.q !== null && r.q.x > 1", "r.o.p && r.o.p.z < 1", "r.u !== null && r.u.length > 1"])
      case 5:
        return prng.pick(["r.g !== null && r.g > 1", "r.q == null || r.q.x !== 3", "!r.o.p || r.o.p.z === 0"])
      case 6:
        return `!(${this.cheap(depth - 1)})`
      default:
        return `(${this.cheap(depth - 1)}) ${prng.pick(["&&", "||"])} (${this.cheap(depth - 1)})`
    }
  }

  /** A test that may or may not tell whether something is null. */
  nullTest(depth: number): string {
    const { prng } = this
    const place = prng.pick(["r.q", "r.u", "r.c", "v0", "v1"])
    const test = (): string => this.nullTest(depth - 1)
    switch (prng.below(depth <= 0 ? 4 : 9)) {
      case 0:
        return place
      case 1:
        return `(${place} ${this.equality()} ${prng.pick(["null", "undefined"])})`
      case 2:
        return `(${prng.pick(["null", "void 0"])} ${this.equality()} ${place})`
      case 3:
        return prng.pick(["r.yes", "r.maybe", "r.q?.y", "(r.q?.y !== null)", "(r.q?.y != null)", "true", "null", "0"])
      case 4:
        return `!${test()}`
      case 5:
      case 6:
        return `(${test()} ${prng.pick(["&&", "||", "??"])} ${test()})`
      case 7:
        return `(${test()} ? ${prng.pick([test(), "false", "null", "void 0", "true"])} : ${prng.pick([test(), "0", "null"])})`
      default:
        return `(${test()}, ${test()})`
    }
  }

  /** What throws where something is null. */
  private needy(): string {
    return this.prng.pick(["r.q.x", "r.q.y", "r.u.length", "r.c + 1n", "v0.length", "v1 * 2n", "r.q.n - r.c", "r.i"])
  }

  /** A lambda in which tests may or may not keep what throws from being evaluated. */
  guarded(): string {
    const { prng } = this
    const locals = "const v0 = r.q?.y, v1 = r.yes ? r.c : void 0"
    const guard = (): string => this.nullTest(2)
    const needy = (): string => this.needy()
    switch (prng.below(4)) {
      case 0:
        return `(r, p) => { ${locals}; return ${guard()} ? ${prng.pick([needy(), "1"])} : ${prng.pick([needy(), "1", "0"])} }`
      case 1:
        return `(r, p) => { ${locals}; return (${guard()} ${prng.pick(["&&", "||", "??"])} (${needy()})) }`
      case 2:
        return `(r, p) => { ${locals}; if (${guard()}) return ${prng.pick([needy(), "1"])}; return ${prng.pick([needy(), "1"])} }`
      default:
        return `(r, p) => { ${locals}; if (${guard()}) return 1; if (${guard()}) return ${prng.pick([needy(), "1"])}; const v2 = ${needy()}; return v2 || v2 }`
    }
  }

  /** The body of a function that gives what `result` writes: an object, or any value. */
  body(shape: "object" | "value", result: () => string): string {
    const { prng } = this
    this.names = noNames()
    if (prng.chance(0.5)) return `=> (${result()})`
    const statements: string[] = []
    for (let count = prng.below(4); count > 0; count--) {
      const kind = prng.pick(["number", "string", "bigint", "boolean"] as const)
      const name = `v${statements.length}`
      switch (prng.below(5)) {
        case 0:
          statements.push(`if (${this.any(2)}) return ${result()}`)
          break
        case 1:
          statements.push(
            `if (${this.boolean(2)}) { const w${name} = ${this.number(1)}; return ${result()} } else if (r.maybe) return ${result()}; else { return ${result()} }`,
          )
          return `=> { ${statements.join("; ")} }`
        default:
          statements.push(`${prng.pick(["const", "let", "var"])} ${name} = ${this[kind](2)}`)
          this.names[kind].push(name)
      }
    }
    if (shape === "value" && prng.chance(0.3)) {
      // As compilers write `??` for older engines.
      statements.unshift("var _a")
      statements.push(
        `return (_a = ${prng.pick(["r.g", "r.u", "r.q?.x", "r.c"])}) !== null && _a !== void 0 ? _a : ${result()}`,
      )
    } else statements.push(`return ${result()}`)
    return `=> { ${statements.join("; ")} }`
  }

  private numberLiteral(): string {
    const value = this.prng.pick(NUMBERS)
    return Object.is(value, -0) ? "-0" : value < 0 ? `(${value})` : String(value)
  }

  private text(): string {
    return JSON.stringify(this.prng.pick(LITERALS))
  }

  private relation(): string {
    return this.prng.pick(["<", ">", "<=", ">=", "===", "!==", "==", "!="])
  }

  private equality(): string {
    return this.prng.pick(["===", "!==", "==", "!="])
  }
}

function noNames(): Grammar["names"] {
  return { number: [], string: [], bigint: [], boolean: [] }
}

/** The lambda of a text, as a closure of its own. */
function lambdaOf(text: string): RowFunction {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the fuzzer's own text
  return new Function(`return (${text})`)() as RowFunction
}

const arena = new Arena({ maxBytes: 1 << 24 })

const ALL_GENUINE = { areGenuineGlobals: () => true }
const COMPILED = { mode: "auto", proof: ALL_GENUINE } as const
const CLOSURES = { mode: "off", proof: undefined } as const

/** Batches of random rows, some with a selection, some without bitmaps where nothing is null. */
function randomBatches(prng: Prng, count: number): { batch: Batch; params: Record<string, unknown> }[] {
  return Array.from({ length: count }, () => {
    const isFull = prng.chance(0.2)
    const rows = Array.from({ length: ROWS }, () => randomRow(prng)).map((row) =>
      isFull ? { ...row, g: 1.5, u: "x" } : row,
    )
    const { batch } = batchOfRows(arena, ROW, rows)
    if (isFull) for (const name of ["g", "u"]) batch.columns[ROW.indexOf(name)]!.validity = null
    for (const column of batch.columns) spoilNulls(column, ROWS, prng, () => false)
    const params = randomParams(prng)
    if (prng.chance(0.6)) return { batch, params }
    const kept = [...rows.keys()].filter(() => prng.chance(0.7))
    return { batch: batch.with({ selection: Int32Array.from(kept), count: kept.length }), params }
  })
}

/** Fills the slots of nulls with what earlier batches may have left there (N2). */
function spoilNulls(column: Column, rows: number, prng: Prng, isNullAbove: (row: number) => boolean): void {
  const isNull = (row: number): boolean => isNullAbove(row) || !isValid(column, row)
  if (column.storage === "struct") for (const child of column.children) spoilNulls(child, rows, prng, isNull)
  for (let row = 0; row < rows; row++) {
    if (!isNull(row)) continue
    if (isNullAbove(row) && column.validity !== null && prng.chance(0.5)) column.validity[row >> 3]! ^= 1 << (row & 7)
    if (column.storage === "bit" && prng.chance(0.5)) column.values[row >> 3]! |= 1 << (row & 7)
    if (column.storage === "int32" || column.storage === "float64") column.values[row] = prng.pick([1, 2, 1000])
    if (column.storage === "int64") column.values[row] = prng.pick([1n, 2n, 1000n])
  }
}

type Failure = readonly [number, string]

function note(failures: Failure[]): (row: number, error: unknown) => void {
  return (row, error) => failures.push([row, String(error)])
}

/** Expects both forms to select and report the same; gives whether the lambda is compiled. */
function selectAlike(text: string, batch: Batch, params: Record<string, unknown>, seed: number): boolean {
  const request = { lambda: lambdaOf(text), schema: ROW, params: PARAMS }
  const predicate = compilePredicate({ ...request, options: COMPILED })
  const twin = compilePredicate({ ...request, options: CLOSURES })
  const [left, right] = [predicate, twin].map((form) => {
    const selected = new Int32Array(ROWS)
    const failures: Failure[] = []
    const count = form.select(batch, params, selected, note(failures))
    return { rows: [...selected.subarray(0, count)], failures }
  })
  expect(left, `seed ${seed}: ${text}`).toEqual(right)
  return predicate.form.kind === "compiled"
}

describe("compiled lambdas and closures", () => {
  it("PR1 select the same rows", () => {
    const prng = new Prng(SEED)
    const grammar = new Grammar(prng)
    const batches = randomBatches(prng, 8)
    let compiled = 0
    for (let lambda = 0; lambda < LAMBDAS; lambda++) {
      const text = `(r, p) ${grammar.body("value", () => (prng.chance(0.4) ? grammar.cheap(3) : grammar.any(4)))}`
      const { batch, params } = prng.pick(batches)
      if (selectAlike(text, batch, params, SEED)) compiled++
    }
    expect(compiled / LAMBDAS).toBeGreaterThan(0.7)
  })

  it("W1 throw for the same rows, as null is told by tests", () => {
    const prng = new Prng(SEED + 2)
    const grammar = new Grammar(prng)
    const batches = randomBatches(prng, 8)
    let compiled = 0
    for (let lambda = 0; lambda < LAMBDAS; lambda++) {
      const text = grammar.guarded()
      const { batch, params } = prng.pick(batches)
      if (selectAlike(text, batch, params, SEED + 2)) compiled++
    }
    expect(compiled / LAMBDAS).toBeGreaterThan(0.2)
  })

  it("PJ1 write the same values and report the same failures", () => {
    const prng = new Prng(SEED + 1)
    const grammar = new Grammar(prng)
    const batches = randomBatches(prng, 8)
    let compiled = 0
    for (let lambda = 0; lambda < LAMBDAS; lambda++) {
      const fields = randomTargets(prng)
      const values = (): string => fields.map(({ name, write }) => `${name}: ${write(grammar)}`).join(", ")
      const text = `(r, p) ${grammar.body("object", () => `{ ${values()} }`)}`
      const targets = new Schema(fields.map(({ name, type }) => ({ name, type })))
      const { batch, params } = prng.pick(batches)
      const request = {
        lambda: lambdaOf(text),
        schema: ROW,
        params: PARAMS,
        targets: targets.fields,
        shape: "object" as const,
      }
      const projection = compileProjection({ ...request, options: COMPILED })
      if (projection.form.kind === "compiled") compiled++
      const [left, right] = [projection, compileProjection({ ...request, options: CLOSURES })].map((form) => {
        const { columns, release } = allocateColumns(arena, targets, ROWS)
        const failures: Failure[] = []
        form.project(batch, params, columns, note(failures))
        const values = valuesOf(batch, columns, failures)
        release()
        return { values, failures }
      })
      expect(left, `seed ${SEED + 1}: ${text}`).toEqual(right)
    }
    expect(compiled / LAMBDAS).toBeGreaterThan(0.5)
  })
})

/** Values of the rows that count and have not failed, so that `toEqual` tells -0 from 0. */
function valuesOf(batch: Batch, columns: readonly Column[], failures: readonly Failure[]): unknown[][] {
  const failed = new Set(failures.map(([row]) => row))
  const values: unknown[][] = []
  batch.forEachRow((row) => {
    if (!failed.has(row)) values.push([row, ...columns.map((column) => readValue(column, row))])
  })
  return values
}

function randomTargets(prng: Prng) {
  const kinds = [
    { type: t.float64, write: (grammar: Grammar) => grammar.number(3) },
    { type: t.float64.nullable(), write: (grammar: Grammar) => prng.pick([grammar.number(2), "r.g", "r.f", "null"]) },
    {
      type: t.float64.nullable(),
      write: (grammar: Grammar) => `(${grammar.boolean(2)} ? ${grammar.number(2)} : null)`,
    },
    { type: t.string, write: (grammar: Grammar) => prng.pick([grammar.string(3), "r.s", "r.e", "r.o.y"]) },
    {
      type: t.string.nullable(),
      write: (grammar: Grammar) => prng.pick([grammar.string(2), "r.u", "r.o.p?.w ?? null"]),
    },
    { type: t.bool.nullable(), write: (grammar: Grammar) => prng.pick([grammar.boolean(3), "r.maybe"]) },
    { type: t.int64, write: (grammar: Grammar) => grammar.bigint(3) },
    { type: t.int64.nullable(), write: (grammar: Grammar) => prng.pick([grammar.bigint(2), "r.c"]) },
    { type: t.int32, write: (grammar: Grammar) => prng.pick(["r.i", "r.i + 1", "-r.i", "r.f", grammar.number(2)]) },
    { type: t.int53, write: (grammar: Grammar) => prng.pick(["r.at - 1", "r.at", "-r.i", grammar.number(2)]) },
    { type: t.timestamp().nullable(), write: (grammar: Grammar) => prng.pick(["r.j", "r.at", grammar.any(2)]) },
    { type: t.enum("a", "red", "JFK"), write: (grammar: Grammar) => prng.pick(["r.e", '"red"', grammar.string(2)]) },
    { type: t.float64, write: (grammar: Grammar) => grammar.any(2) },
    { type: t.string, write: (grammar: Grammar) => grammar.any(2) },
  ]
  return Array.from({ length: 1 + prng.below(3) }, (_, index) => ({ name: `x${index}`, ...prng.pick(kinds) }))
}
