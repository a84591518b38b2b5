/** Values of parameters, for kernels of either back end. */
import { assert } from "../base/assert.ts"
import type { Schema } from "../batch/schema.ts"
import type { Params } from "./closure.ts"
import type { ParamReference } from "./ir.ts"

/** The values at some places of the parameters, or `undefined` where one of the parameters is not of its type (JK1). */
export function paramValues(
  references: readonly ParamReference[],
  schema: Schema,
  params: Params,
): unknown[] | undefined {
  const values: unknown[] = []
  for (const { fields } of references) {
    const { name } = fields[0]!
    const type = schema.field(name)?.type
    assert(type !== undefined, "compiled code reads declared parameters only")
    if (type.check(params[name]) !== undefined) return undefined
    let value: unknown = params
    for (const field of fields) {
      // Below null nothing is read: the code tests for it before.
      value = value === null ? null : (value as Params)[field.name]
    }
    values.push(value)
  }
  return values
}
