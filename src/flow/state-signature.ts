/** What the state of an operator means, as text. */
import { formatDuration } from "../base/duration.ts"
import { groupsText, portSchema, processLabel, windowLabel, windowText, type Plan, type StatefulNode } from "./plan.ts"
import { runsInKernels } from "./window-engine.ts"
import { sharedIndex, windowGroupOf } from "./shared-windows.ts"

/**
 * What the state of a node means and the format of its bytes, as text: state is taken over where id and signature are
 * the same, and refused otherwise. Lambdas are not part of it: a changed predicate changes what comes, not what the
 * state is.
 *
 * Of windows that share slices, the one that has their state names all others; these name it.
 */
export function stateSignature(plan: Plan, node: StatefulNode): string {
  if (node.kind === "process") {
    return `${"open" in node.spec ? "operator" : "process"}/1 ${processLabel(plan, node)}`
  }
  if (node.kind === "processingTime") return `processingTime/1 ${JSON.stringify(node.column)}`
  if (node.kind === "eventTime") return `eventTime/1 ${JSON.stringify(node.column)}`
  if (node.kind === "over") {
    const rows = portSchema(plan, node.input, node.inputPort).label
    return `over/1 ${formatDuration(node.rangeMicros)} ${groupsText(plan, node)}, of ${rows}`
  }
  if (node.kind === "asyncMap") return `asyncMap/1 of ${portSchema(plan, node.input, node.inputPort).label}`
  if (node.firing !== undefined) return `windowAggregate/5 ${windowText(plan, node)}`
  if (node.window.kind === "count") return `windowAggregate/4 ${windowText(plan, node)}`
  if (!runsInKernels(node)) return `windowAggregate/3 ${windowText(plan, node)}`
  const text = `windowAggregate/2 ${windowText(plan, node)}`
  const group = windowGroupOf(plan, node)
  if (group === undefined) return text
  const [owner] = group.members
  if (node !== owner) return `${text}, in slices of ${JSON.stringify(owner!.id)}`
  const members = group.members.map(({ id, window, aggregates }) => {
    const fields = aggregates.map((aggregate) => `${aggregate.kind} #${sharedIndex(group, aggregate)}`)
    return `${JSON.stringify(id)}: ${windowLabel(window)} of (${fields.join(", ")})`
  })
  return `${text}, in slices of (${members.join(", ")})`
}
