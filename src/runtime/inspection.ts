/**
 * What an operator of a running job keeps. It is looked at between two pieces of work, and nothing of the job changes.
 *
 * What windows hold lies in many forms, and much of it is shared. So a copy of the dataflow is made as recovery makes one,
 * from all states as bytes, and in it the windows that are asked for fire: that serves every kind of windows, and what is
 * seen is what a restart would have.
 */
import { ByteReader, ByteWriter } from "../base/bytes.ts"
import type { Arena } from "../batch/arena.ts"
import type { Schema } from "../batch/schema.ts"
import { Dataflow } from "../flow/dataflow.ts"
import type { OperatorContents } from "../flow/operator-contents.ts"
import type { Plan } from "../flow/plan.ts"

/** What a copy of the dataflow is made of. */
export interface InspectedJob {
  readonly plan: Plan
  readonly params: Readonly<Record<string, unknown>>
  readonly paramsSchema: Schema
  readonly arena: Arena
}

/** What the operator of that id keeps; `undefined` where there is none that could tell. */
export function inspectOperator(id: string, dataflow: Dataflow, job: InspectedJob): OperatorContents | undefined {
  const at = job.plan.nodes.findIndex((node) => node.id === id)
  const node = job.plan.nodes[at]
  if (node === undefined) return undefined
  if (node.kind !== "windowAggregate") return dataflow.contentsOf(id)
  return openWindows(at, dataflow, job)
}

function openWindows(node: number, dataflow: Dataflow, job: InspectedJob): OperatorContents | undefined {
  const { plan, params, paramsSchema, arena } = job
  // With an output of its own a window gives whole rows, whoever else takes them.
  const outputs = [...plan.outputs, { name: "inspected", node, port: "main" as const }]
  const copy = new Dataflow(
    { ...plan, outputs },
    {
      arena,
      params,
      paramsSchema,
      compile: { mode: "off", proof: undefined },
      calls: { start: () => undefined },
      onFailedRow: () => undefined,
      emit: () => undefined,
    },
  )
  try {
    dataflow.states.forEach((state, index) => {
      const bytes = new ByteWriter()
      state.writeAll(bytes)
      if (bytes.length > 0) copy.states[index]!.applyChanges(new ByteReader(bytes.view()))
    })
    const rows: Readonly<Record<string, unknown>>[] = []
    const mayFire = copy.fireAlone(plan.nodes[node]!.id, (batch) => rows.push(...batch.toRows()))
    return mayFire ? { kind: "windows", rows } : undefined
  } finally {
    copy.release()
  }
}
