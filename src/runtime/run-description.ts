/** What the log says of the job that runs: by that the next run knows whether the state is its own. */
import type { SinkBinding } from "../connect/sink.ts"
import { followedWatermarks } from "../flow/followed-watermarks.ts"
import { isStateful, planFingerprint, type Plan, type StatefulNode } from "../flow/plan.ts"
import { stateSignature } from "../flow/state-signature.ts"
import { DEAD_LETTER_OUTPUT, type RunOperator, type RunOutput, type RunRecord } from "../state/commit-record.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { VERSION } from "./version.ts"

/** The record of a run of the job. */
export function describeRun(job: ExecutableJob): RunRecord {
  const { plan, paramsSchema, outputs, deadLetter } = job
  const params = paramsSchema.fields.map(({ name, type }) => [name, type.toJson(job.params[name])])
  const sinks = Object.entries(outputs)
  if (deadLetter !== undefined) sinks.push([DEAD_LETTER_OUTPUT, deadLetter])
  return {
    job: job.name,
    fingerprint: planFingerprint(plan),
    params: Object.fromEntries(params) as Record<string, string>,
    operators: plan.nodes.filter(isStateful).map((node) => describeOperator(plan, node)),
    outputs: sinks.map(([name, sink]) => describeOutput(name, sink)),
    version: VERSION,
  }
}

function describeOutput(name: string, sink: SinkBinding): RunOutput {
  const described = sink.describe()
  const target = sink.describeTarget?.() ?? described
  return { name, sink: target, ...(target === described ? {} : { described }) }
}

function describeOperator(plan: Plan, node: StatefulNode): RunOperator {
  const about = { id: node.id, signature: stateSignature(plan, node) }
  if (node.kind === "eventTime") {
    const { watermark, outOfOrderMicros, maxDriftMicros } = node
    return {
      ...about,
      ...(watermark === undefined ? { outOfOrderMicros } : {}),
      ...(maxDriftMicros === undefined ? {} : { maxDriftMicros }),
    }
  }
  return { ...about, follows: followedWatermarks(plan, node).map(({ id }) => id) }
}
