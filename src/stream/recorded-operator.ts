/** What `operator(...)` is given, as the plan has it, checked. */
import { shownValue } from "../base/shown-value.ts"
import { Schema, type Field } from "../batch/schema.ts"
import { ColumnType } from "../batch/type.ts"
import type { OperatorSpec } from "../flow/process/operator-spec.ts"
import type { ProcessedStream } from "../flow/process/process-spec.ts"
import type { CallChecks } from "./call-checks.ts"
import { outTimeOf, sidesOf, type Recorded } from "./recorded-process.ts"

const SHAPE_HINT =
  "Write .operator({ emits: { n: t.int53 }, state: t.int53, open({ state }) { return { onRecord(row, context) { ... }, snapshot: () => ... } } })."
const PARTS = ["emits", "eventTime", "sides", "state", "open"]

/** The definition, checked against the rows that it reads. All streams have event time, or none has. */
export function recordOperator(
  checks: CallChecks,
  keys: readonly Field[],
  streams: readonly ProcessedStream[],
  given: unknown,
): Recorded<OperatorSpec> {
  if (typeof given !== "object" || given === null) throw checks.error("there is no definition", SHAPE_HINT)
  const parts = checks.options(given, PARTS)
  const schema = new Schema(checks.declaredColumns(parts["emits"]))
  const { state: type } = parts
  if (!(type instanceof ColumnType)) {
    throw checks.error(`state is ${shownValue(type)}, and no column type`, "Write state: t.object({ ... }).")
  }
  if (typeof parts["open"] !== "function") throw checks.error("there is no open", SHAPE_HINT)
  const spec: OperatorSpec = {
    keys: keys.map(({ name }) => name),
    inputs: streams,
    sides: sidesOf(checks, parts["sides"]),
    type: type as ColumnType,
    open: parts["open"] as OperatorSpec["open"],
  }
  return { spec, schema, timeColumn: outTimeOf(checks, schema, streams[0]?.timeColumn, parts["eventTime"]) }
}
