/** What is allowed in a plan, and probably not meant. */
import type { Schema } from "../batch/schema.ts"
import type { RowFunction } from "../expr/lambda.ts"
import { unknownReads } from "../expr/unknown-reads.ts"
import { inputsOf, isStateful, portSchema, type Plan, type PlanNode, type SourceNode } from "./plan.ts"

/** A warning about one operator or input. */
export interface PlanWarning {
  /** What is odd: state without a name of its own, rows that nobody takes, or a lambda that reads what there is not. */
  readonly kind: "derived-id" | "unused" | "unknown-name"
  /** The id of the operator or input. */
  readonly operator: string
  /** As a sentence. */
  readonly message: string
  /** What to do about it, as a sentence. */
  readonly hint: string
}

/** The warnings about a plan, in its order. `params` are the job's parameters. */
export function planWarnings(plan: Plan, params: Schema): readonly PlanWarning[] {
  const used = new Set(plan.outputs.map(({ node }) => node))
  for (const node of plan.nodes) for (const { input } of inputsOf(node)) used.add(input)
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
    if (node.kind !== "source") warnings.push(...unknownNames(plan, node, params))
    return warnings
  })
}

const OWNERS = {
  column: "column of its rows",
  parameter: "parameter of the job",
  field: "field of that object",
} as const

function unknownNames(plan: Plan, node: Exclude<PlanNode, SourceNode>, params: Schema): PlanWarning[] {
  const rows = portSchema(plan, node.input, node.inputPort)
  return lambdasOf(node).flatMap((lambda) =>
    unknownReads(lambda, rows, params).map(({ text, what, hint }) => {
      const message = `${node.id} reads ${text}, which is no ${OWNERS[what]}: it is always undefined.`
      return { kind: "unknown-name", operator: node.id, message, hint }
    }),
  )
}

function lambdasOf(node: PlanNode): readonly RowFunction[] {
  switch (node.kind) {
    case "filter":
      return [node.predicate]
    case "derive":
    case "map":
    case "flatMap":
      return [node.lambda]
    case "asyncMap":
      return [node.lambda as RowFunction]
    case "eventTime":
      return node.watermark === undefined ? [] : [node.watermark]
    case "over":
      return node.aggregates.flatMap(({ input }) => (input.kind === "lambda" ? [input.lambda] : []))
    case "windowAggregate":
      return [
        ...node.aggregates.flatMap(({ input }) => (input.kind === "lambda" ? [input.lambda] : [])),
        ...(node.firing?.early ?? []).flatMap((each) => (each.kind === "punctuation" ? [each.lambda] : [])),
      ]
    default:
      return []
  }
}
