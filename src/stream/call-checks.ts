/**
 * What a call on a stream is given, checked: for programs that the compiler has not seen. Each gives the value back, or
 * throws `invalid-plan` (for options `invalid-options`, for durations `invalid-duration`) with the job, the call and its
 * place in the flow.
 */
import { grouped } from "../base/counted.ts"
import { nameHint } from "../base/did-you-mean.ts"
import { checkDuration } from "../base/duration.ts"
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import type { Field, Schema } from "../batch/schema.ts"
import { ColumnType } from "../batch/type.ts"
import type { RowFunction } from "../expr/lambda.ts"
import type { CallFunction } from "../flow/calls.ts"
import type { Place, Recorder } from "./recorder.ts"

/** Checks what one call was given. */
export class CallChecks {
  readonly #recorder: Recorder
  readonly #from: Place
  readonly #call: string

  constructor(recorder: Recorder, from: Place, call: string) {
    this.#recorder = recorder
    this.#from = from
    this.#call = call
  }

  /** The error of this call. */
  error(problem: string, hint: string): TidemarkError {
    return this.#recorder.invalid(this.#from, this.#call, problem, hint)
  }

  /** A column of the stream. */
  column(name: unknown): Field {
    const { schema } = this.#from
    const field = typeof name === "string" ? schema.field(name) : undefined
    if (field !== undefined) return field
    const hint = nameHint(typeof name === "string" ? name : "", namesOf(schema), "columns")
    throw this.error(`there is no column ${shownValue(name)}`, hint)
  }

  /** Distinct columns of the stream, at least one. */
  columns(names: readonly unknown[]): Field[] {
    const fields = names.map((name) => this.column(name))
    if (fields.length === 0) throw this.error("no column is named", `Write .${this.#call}("column").`)
    const twice = fields.find((field, index) => fields.indexOf(field) !== index)
    if (twice === undefined) return fields
    throw this.error(`the column ${JSON.stringify(twice.name)} is named twice`, "Name each column once.")
  }

  /** The columns that a lambda's object fills. */
  declaredColumns(columns: unknown): Field[] {
    const shape = `Write .${this.#call}({ net: t.float64 }, (row) => ({ net: ... })).`
    if (
      typeof columns !== "object" ||
      columns === null ||
      Array.isArray(columns) ||
      Object.keys(columns).length === 0
    ) {
      throw this.error("no columns are declared", shape)
    }
    return Object.entries(columns).map(([name, type]) => {
      if (!(type instanceof ColumnType)) {
        throw this.error(`the column ${JSON.stringify(name)} has no column type`, shape)
      }
      if (type.sourceName === undefined && !type.hasDefault) return { name, type }
      const option = type.hasDefault ? ".default(...)" : ".from(...)"
      const hint = "Both concern how an input is read; the lambda gives this column its value and its name is its own."
      throw this.error(`the type of the column ${JSON.stringify(name)} has ${option}`, hint)
    })
  }

  /** A function of a row and the parameters. */
  lambda(lambda: unknown): RowFunction {
    const kind = this.#kindOf(lambda, "(row, params) => ...")
    if (kind === "ordinary") return lambda as RowFunction
    const hint =
      kind === "asynchronous"
        ? "A lambda gives its value at once. For one that waits for something there is .asyncMap(...)."
        : "A lambda gives its value at once: it is an ordinary function of the row."
    throw this.error(`the lambda is ${kind}`, hint)
  }

  /** A function of a row, the parameters and a call, which may give a promise. */
  callFunction(lambda: unknown): CallFunction {
    const kind = this.#kindOf(lambda, "async (row, params, call) => ...")
    if (kind !== "a generator") return lambda as CallFunction
    throw this.error("the lambda is a generator", "A call gives one answer: write an async function.")
  }

  #kindOf(lambda: unknown, shape: string): "ordinary" | "asynchronous" | "a generator" {
    if (typeof lambda !== "function") throw this.error("there is no lambda", `Write .${this.#call}(..., ${shape}).`)
    const tag = Object.prototype.toString.call(lambda)
    if (tag === "[object Function]") return "ordinary"
    return tag.includes("Generator") ? "a generator" : "asynchronous"
  }

  /** An operator's options: an object with these keys at most. */
  options(options: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
    if (options === undefined) return {}
    return checkOptions(this.#recorder.describe(this.#from, this.#call), options, known)
  }

  /** A whole number from 1. */
  count(option: string, value: unknown, max: number): number {
    if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max) return value as number
    const where = this.#recorder.describe(this.#from, this.#call)
    throw new TidemarkError("invalid-options", `${where}: ${option} is ${shownValue(value)}.`, {
      hint: `Give a whole number from 1 to ${grouped(max)}.`,
    })
  }

  /** Microseconds. */
  duration(option: string, text: unknown): number {
    return checkDuration(`${this.#recorder.describe(this.#from, this.#call)}: ${option}`, text)
  }
}

function namesOf(schema: Schema): string[] {
  return schema.fields.map(({ name }) => name)
}
