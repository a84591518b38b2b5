/** Secrets among the parameters of a job: where each comes from, and how texts are kept from showing them. */
import type { Schema } from "./schema.ts"

/** A parameter that is a secret. */
export interface SecretParam {
  readonly name: string
  /** The variable of the environment that has it; with `_FILE` behind it, one that names a file that has it. */
  readonly variable: string
  readonly isNullable: boolean
}

/** What stands for a secret that is not known yet: a job that is bound, and does not run. */
export const UNKNOWN_SECRET = ""

/** The secrets of a schema of parameters. */
export function secretParams({ fields }: Pick<Schema, "fields">): SecretParam[] {
  return fields
    .filter(({ type }) => type.definition.isSecret === true)
    .map(({ name, type }) => ({ name, variable: type.sourceName ?? variableOf(name), isNullable: type.isNullable }))
}

/** `apiToken` is `API_TOKEN`. */
function variableOf(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "_").toUpperCase()
}
