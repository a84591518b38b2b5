/** What is allowed in a plan, and probably not meant. */
import { isStateful, type Plan } from "./plan.ts"

/** A warning about one operator or input. */
export interface PlanWarning {
  /** What is odd: state without a name of its own, or rows that nobody takes. */
  readonly kind: "derived-id" | "unused"
  /** The id of the operator or input. */
  readonly operator: string
  /** As a sentence. */
  readonly message: string
  /** What to do about it, as a sentence. */
  readonly hint: string
}

/** The warnings about a plan, in its order. */
export function planWarnings(plan: Plan): readonly PlanWarning[] {
  const used = new Set(plan.outputs.map(({ node }) => node))
  for (const node of plan.nodes) if (node.kind !== "source") used.add(node.input)
  return plan.nodes.flatMap((node, index): PlanWarning[] => {
    const { id } = node
    const warnings: PlanWarning[] = []
    if (isStateful(node) && !node.isIdGiven) {
      warnings.push({
        kind: "derived-id",
        operator: id,
        message: `The state of ${id} is found by its place in the flow.`,
        hint: 'Give the operator a name of its own, as in { id: "hourly" }, and the flow can be rearranged around it.',
      })
    }
    if (!used.has(index)) {
      warnings.push({
        kind: "unused",
        operator: id,
        message: `Nothing takes the rows of ${id}.`,
        hint:
          node.kind === "source"
            ? "Use the input, or take it away."
            : "Return the stream from the flow, or take it away.",
      })
    }
    return warnings
  })
}
