/** Which streams may be united or connected: those with a common order; and united, with the same columns and event time. */
import type { CallChecks } from "./call-checks.ts"
import type { Place, Recorder } from "./recorder.ts"

/** Refuses a stream whose rows cannot stand among those of `own`. `name` is what errors call it. */
export function checkUnitable(checks: CallChecks, own: Place, other: Place, name: string): void {
  for (const { name: column, type } of own.schema.fields) {
    const given = other.schema.field(column)?.type
    if (given?.definition.label === type.definition.label && (type.isNullable || !given.isNullable)) continue
    const found = given === undefined ? "is missing" : `is of the type ${given.label}`
    const hint = "Streams of a union have the same columns: derive, select or map what differs."
    throw checks.error(`the column ${JSON.stringify(column)} of the type ${type.label} ${found} in ${name}`, hint)
  }
  const more = other.schema.fields.find((field) => own.schema.field(field.name) === undefined)
  if (more !== undefined) {
    const hint = "Call .select(...) on it first, or add the column to this stream."
    throw checks.error(`${name} has a column ${JSON.stringify(more.name)} more`, hint)
  }
  if (own.timeColumn === other.timeColumn) return
  const told = (place: Place, none: string) =>
    place.timeColumn === undefined ? none : `has the event time ${JSON.stringify(place.timeColumn)}`
  const problem = `${name} ${told(other, "has no event time")}, and this stream ${told(own, "has none")}`
  throw checks.error(problem, "Call .eventTime(...) behind .union(...), or on all of them before it.")
}

/** T9, P11: the order of their rows must follow from the order of reading, however rows are cut into batches. */
export function checkUnitedOrder(checks: CallChecks, recorder: Recorder, places: readonly Place[]): void {
  const seen = new Set<string>()
  for (const place of places) {
    const inputs = recorder.directInputs(place)
    if (inputs === undefined) {
      const hint =
        "Bring streams together before they are windowed, processed or asked about, and go on with what comes of it."
      const problem = "some of its rows have waited in an operator or for calls, so they have no order among the others"
      throw checks.error(problem, hint)
    }
    const twice = inputs.find((input) => seen.has(input))
    for (const input of inputs) seen.add(input)
    if (twice === undefined) continue
    const hint =
      "Tell the cases apart in one .derive(...) or .map(...), and do not split what is brought together again."
    throw checks.error(`the rows of the input ${twice} come to it in two ways`, hint)
  }
}
