/** What the log says of the job that runs: by that the next run knows whether the state is its own. */
import { followedWatermarks } from "../flow/followed-watermarks.ts"
import { isStateful, planFingerprint, type Plan, type StatefulNode } from "../flow/plan.ts"
import { stateSignature } from "../flow/state-signature.ts"
import type { RunOperator, RunOutput, RunRecord } from "../state/commit-record.ts"
import type { ChangedShape } from "./compatibility.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { outputSpecs, type OutputSpec } from "./output-specs.ts"
import { VERSION } from "./version.ts"

/**
 * The record of a run of the job.
 *
 * @param begunFrom the savepoint that its state began from.
 */
export function describeRun(job: ExecutableJob, begunFrom?: string): RunRecord {
  const { plan, paramsSchema } = job
  const params = paramsSchema.fields.map(({ name, type }) => [name, type.toJson(job.params[name])])
  return {
    job: job.name,
    fingerprint: planFingerprint(plan),
    params: Object.fromEntries(params) as Record<string, string>,
    operators: plan.nodes.filter(isStateful).map((node) => describeOperator(plan, node)),
    outputs: outputSpecs(job).map(describeOutput),
    version: VERSION,
    ...(begunFrom === undefined ? {} : { begunFrom }),
  }
}

/** The record of a run until what outputs have begun is published: that has the shape of before. */
export function shapedAsBefore(run: RunRecord, changes: readonly ChangedShape[]): RunRecord {
  const outputs = run.outputs.map((output) => {
    const change = changes.find(({ name }) => name === output.name)
    return change === undefined ? output : { ...output, shape: change.before }
  })
  return { ...run, outputs }
}

function describeOutput({ name, binding, schema }: OutputSpec): RunOutput {
  const described = binding.describe()
  const target = binding.describeTarget?.() ?? described
  const shape = binding.describeShape?.(schema)
  return {
    name,
    sink: target,
    ...(target === described ? {} : { described }),
    ...(shape === undefined ? {} : { shape }),
  }
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
