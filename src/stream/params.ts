/** Parameters of a job: their types as a program gives them, and their values as lambdas see them. */
import { nameHint } from "../base/did-you-mean.ts"
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import type { ColumnTypes, Schema } from "../batch/schema.ts"
import { secretParams, UNKNOWN_SECRET } from "../batch/secret-params.ts"
import { Invalid } from "../batch/type.ts"
import type { GivenRow } from "../batch/given-row.ts"

/**
 * The parameters as `.with({ params })` takes them.
 *
 * @example
 * ```ts
 * import { schema, t, type ParamsOf } from "tidemark"
 *
 * const Params = schema({ maxFare: t.float64.default(500), zone: t.string })
 * const params: ParamsOf<typeof Params> = { zone: "JFK" }
 * ```
 */
export type ParamsOf<S> = S extends Schema<infer C> ? ParamsOfColumns<C> : never

/** See `ParamsOf`. */
export type ParamsOfColumns<C extends ColumnTypes> = GivenRow<C>

/**
 * The values of all parameters: those given, defaults, and null for what may be null. They are checked, copied and frozen.
 *
 * @param where begins the messages: `"The job revenue"`.
 * @param secrets whether those that are not given are known `"later"`, when the job runs; `UNKNOWN_SECRET` stands for them.
 * @throws TidemarkError `invalid-params` where one is missing, unknown or not of its type.
 */
export function completeParams(
  where: string,
  schema: Schema,
  given: Readonly<Record<string, unknown>> = {},
  secrets: "given" | "later" = "given",
): Readonly<Record<string, unknown>> {
  const names = schema.fields.map(({ name }) => name)
  const refuse = (problem: string, hint: string): never => {
    throw new TidemarkError("invalid-params", `${where} ${problem}.`, { hint })
  }
  if (typeof given !== "object" || given === null || Array.isArray(given))
    refuse(`has params that are not an object: ${shownValue(given)}`, "Write params: { name: value }.")
  const unknown = Object.keys(given).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    refuse(`has no parameter ${JSON.stringify(unknown)}`, nameHint(unknown, names, "parameters"))
  }
  const entries = schema.fields.map(({ name, type }): [string, unknown] => {
    const isGiven = Object.hasOwn(given, name) && given[name] !== undefined
    if (type.definition.isSecret === true && secrets === "later" && (!isGiven || given[name] === UNKNOWN_SECRET))
      return [name, UNKNOWN_SECRET]
    const value = isGiven ? given[name] : type.fromMissing()
    const quoted = JSON.stringify(name)
    if (value instanceof Invalid) {
      refuse(
        `is not given the parameter ${quoted}`,
        `Give it a ${type.label} in .with({ params: { ${name}: ... } }), or a default.`,
      )
    }
    const problem = type.check(value)
    if (problem !== undefined) refuse(`is given a parameter ${quoted} that is ${problem}`, `Its type is ${type.label}.`)
    return [name, frozenCopy(value)]
  })
  return Object.freeze(Object.fromEntries(entries))
}

/**
 * Refuses secrets that cannot be had.
 *
 * @throws TidemarkError `invalid-options`.
 */
export function checkSecretParams(where: string, schema: Schema): void {
  const refuse = (problem: string, hint: string): never => {
    throw new TidemarkError("invalid-options", `${where} ${problem}.`, { hint })
  }
  for (const { name, variable } of secretParams(schema)) {
    const quoted = JSON.stringify(name)
    if (schema.field(name)!.type.hasDefault)
      refuse(
        `has a secret ${quoted} with a default`,
        "What stands in a program is no secret: leave the default out, or make it .nullable().",
      )
    if (!/^[A-Za-z_]\w*$/.test(variable))
      refuse(`has a secret ${quoted} that no variable can have`, `Name one: ${name}: t.secret.from("API_TOKEN").`)
  }
}

/** Values of parameters are JSON-like: objects are the only ones that somebody could change later. */
function frozenCopy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([name, part]) => [name, frozenCopy(part)])))
}
