/**
 * `--param name=value`: values of a job's parameters from the command line, which overrule those that the job file gives.
 *
 * A value is written as a field of a CSV file is, by the parameter's type in the job's `params` schema.
 */
import { nameHint } from "../base/did-you-mean.ts"
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import { secretParams } from "../batch/secret-params.ts"
import { Invalid, type ColumnType } from "../batch/type.ts"
import { BoundJob } from "../stream/bound-job.ts"
import { completeParams } from "../stream/params.ts"

/** How a value of each kind of type may look, for hints. */
const EXAMPLES: Readonly<Record<string, string>> = {
  bool: "true",
  ...Object.fromEntries(
    ["int8", "int16", "int32", "int53", "int64", "uint8", "uint16", "uint32", "uint64"].map((kind) => [kind, "7"]),
  ),
  float32: "2.5",
  float64: "2.5",
  date: "2024-05-01",
  string: "JFK",
  object: `'{"x":1}'`,
}

/**
 * The job with these parameters, each written `name=value`; of those that are given twice the last counts.
 *
 * @throws TidemarkError `invalid-params` where one is not written so, unknown, or not of its type.
 */
export function withParams(job: BoundJob, given: readonly string[]): BoundJob {
  if (given.length === 0) return job
  const where = `The job ${job.name}`
  const values = given.map((text) => parseParam(job, text))
  const params = completeParams(where, job.paramsSchema, { ...job.params, ...Object.fromEntries(values) }, "later")
  return new BoundJob({ ...job, params })
}

function parseParam({ name: job, paramsSchema }: BoundJob, given: string): [name: string, value: unknown] {
  const equals = given.indexOf("=")
  if (equals < 1) {
    throw new TidemarkError("invalid-params", `--param takes name=value, not ${shownValue(given)}.`, {
      hint: "Write --param maxFare=500, or --param=maxFare=500.",
    })
  }
  const name = given.slice(0, equals)
  const text = given.slice(equals + 1)
  const type = paramsSchema.field(name)?.type
  if (type === undefined) {
    const names = paramsSchema.fields.map((field) => field.name)
    throw new TidemarkError("invalid-params", `The job ${job} has no parameter ${JSON.stringify(name)}.`, {
      hint: nameHint(name, names, "parameters"),
    })
  }
  if (type.definition.isSecret === true) {
    const { variable } = secretParams(paramsSchema).find((each) => each.name === name)!
    throw new TidemarkError("invalid-params", `The parameter ${JSON.stringify(name)} of the job ${job} is a secret.`, {
      hint: `Whoever lists processes sees the command line. Set ${variable}, or ${variable}_FILE to the path of a file that has it.`,
    })
  }
  if (text === "null" && type.isNullable) return [name, null]
  const value = type.definition.fromText(text)
  if (!(value instanceof Invalid)) return [name, value]
  throw new TidemarkError("invalid-params", `--param ${name}: ${shownValue(text)} is ${value.reason}.`, {
    hint: `The type of ${name} is ${type.label}: write --param ${name}=${exampleOf(type)}${type.isNullable ? ", or null" : ""}.`,
  })
}

function exampleOf({ kind, definition }: ColumnType): string {
  if (kind === "timestamp") return definition.isQuotedInJson === true ? "2024-05-01T12:00:00Z" : "1714564800"
  if (kind === "duration") return definition.span?.unit === undefined ? "PT1H30M" : "90"
  return definition.symbols?.[0] ?? EXAMPLES[kind] ?? "..."
}
