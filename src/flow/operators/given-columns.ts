/** The columns of an object that a user's function gave, taken from it once and checked. */
import { AssertionError } from "../../base/assert.ts"
import type { Field } from "../../batch/schema.ts"
import { columnInvalid, columnMissing, lambdaThrew, resultNotAnObject } from "../../expr/row-failure.ts"
import { copyRow } from "../row-bytes.ts"

/** A value for each of the fields, by name; or what is wrong with the object. */
export function columnsGiven(value: unknown, fields: readonly Field[]): ReadonlyMap<string, unknown> | Error {
  if (typeof value !== "object" || value === null) return resultNotAnObject(value)
  try {
    const given: Record<string, unknown> = {}
    for (const field of fields) {
      const part = (value as Record<string, unknown>)[field.name]
      if (part === undefined) return columnMissing(field)
      const reason = field.type.check(part)
      if (reason !== undefined) return columnInvalid(field, part, reason)
      given[field.name] = part
    }
    return new Map(Object.entries(copyRow(fields, given)))
  } catch (thrown) {
    // The object may have getters.
    if (thrown instanceof AssertionError) throw thrown
    return lambdaThrew(thrown)
  }
}
