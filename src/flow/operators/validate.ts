/**
 * `validate`: holds rows against a validator of any library that speaks Standard Schema (https://standardschema.dev). It is
 * given the row as a plain object; what it gives replaces the columns that it names, and must be of their types.
 *
 * A row that it refuses is reported with its issues, each with the path of what is at fault, and dropped.
 */
import type { Batch } from "../../batch/batch.ts"
import { rowReader } from "../../batch/row-reader.ts"
import type { Schema } from "../../batch/schema.ts"
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import { MadeRows } from "../made-rows.ts"
import type { Emitter, Operator, OperatorContext } from "../operator.ts"
import { RowFailures } from "../row-failures.ts"
import type { Validator } from "../validator.ts"

/** So many issues of a row are told. */
const ISSUES_MAX = 5

type Row = Readonly<Record<string, unknown>>

interface Issue {
  readonly message?: unknown
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[]
}

/** See the head of this file. */
export class Validate implements Operator {
  readonly #id: string
  readonly #validator: Validator
  readonly #rows: ReturnType<typeof rowReader>
  readonly #made: MadeRows
  readonly #context: OperatorContext
  readonly #failures = new RowFailures()

  constructor(id: string, validator: Validator, schema: Schema, context: OperatorContext) {
    this.#id = id
    this.#validator = validator
    this.#rows = rowReader(schema)
    this.#made = new MadeRows(schema, "main", context.arena)
    this.#context = context
  }

  onBatch(batch: Batch, out: Emitter): void {
    const readRow = this.#rows(batch)
    batch.forEachRow((index) => {
      try {
        this.#made.addOf([this.#made.checked(validatedRow(this.#validator, readRow(index)))], index)
      } catch (thrown) {
        if (!(thrown instanceof TidemarkError) || thrown.code !== "lambda-failed") throw thrown
        this.#failures.add(index, thrown)
      }
    })
    this.#failures.report(this.#id, batch, this.#context)
    this.#made.flush(out, batch.origin)
  }
}

/**
 * The row as the validator has it.
 *
 * @throws TidemarkError `lambda-failed` where it refuses the row; `invalid-plan` where its answer is a promise, or none.
 */
export function validatedRow({ vendor, validate }: Validator, row: Row): unknown {
  const result = resultOf(validate, row)
  if (isAwaited(result)) {
    // Nobody waits for it, so that its failure must not be one of the process.
    result.then(undefined, () => undefined)
    throw new TidemarkError("invalid-plan", `The validator (${vendor}) answers with a promise, and rows do not wait.`, {
      hint: "Take asynchronous checks out of it, and call them by .asyncMap(...).",
    })
  }
  if (typeof result !== "object" || result === null) {
    throw new TidemarkError("invalid-plan", `The validator (${vendor}) gives no result as Standard Schema has it.`)
  }
  const { issues, value } = result as { issues?: readonly Issue[]; value?: unknown }
  if (issues !== undefined) throw new TidemarkError("lambda-failed", `the validator refuses it: ${issuesText(issues)}`)
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  return { ...row, ...value }
}

/** What is to be awaited, such as a promise. */
interface Awaited {
  then(onValue: undefined, onError: () => void): unknown
}

function isAwaited(value: unknown): value is Awaited {
  return typeof (value as Partial<Awaited> | null | undefined)?.then === "function"
}

function resultOf(validate: Validator["validate"], row: Row): unknown {
  try {
    return validate(row)
  } catch (thrown) {
    throw new TidemarkError("lambda-failed", `the validator threw ${shownError(thrown)}`, { cause: thrown })
  }
}

function shownError(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : shownValue(thrown)
}

/** Issues in one line: `items[0].price: Too small; shop: Required`. */
function issuesText(issues: readonly Issue[]): string {
  const texts = issues.slice(0, ISSUES_MAX).map(({ message, path = [] }) => {
    const place = pathText(path.map((part) => (typeof part === "object" ? part.key : part)))
    return place === "" ? String(message) : `${place}: ${String(message)}`
  })
  const more = issues.length - texts.length
  return texts.join("; ") + (more > 0 ? `; and ${more} more` : "")
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "string" && /^[A-Za-z_$][\w$]*$/.test(key)) return text === "" ? key : `${text}.${key}`
    return `${text}[${typeof key === "string" ? JSON.stringify(key) : String(key)}]`
  }, "")
}
