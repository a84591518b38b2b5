/** Whose watermarks a node follows, as the plan says. */
import { inputsOf, isMade, type Plan, type PlanNode, type PortRef } from "./plan.ts"

/** The nearest event times below a node, and the windows whose results it takes. */
export function followedWatermarks(plan: Plan, node: PlanNode): PlanNode[] {
  const found = new Set<PlanNode>()
  const visit = ({ input, inputPort }: PortRef): void => {
    const below = plan.nodes[input]!
    const hasOwn = ["eventTime", "processingTime", "asyncMap"].includes(below.kind)
    if (hasOwn || isMade(below, inputPort)) found.add(below)
    else inputsOf(below).forEach(visit)
  }
  inputsOf(node).forEach(visit)
  return [...found]
}
