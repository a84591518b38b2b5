/** The outputs of a job with what they are bound to: those of its plan, in order, and the dead letters. */
import { assert } from "../base/assert.ts"
import type { Schema } from "../batch/schema.ts"
import type { SinkBinding } from "../connect/sink.ts"
import { portSchema } from "../flow/plan.ts"
import { DEAD_LETTER_OUTPUT } from "../state/commit-record.ts"
import { DEAD_LETTER_SCHEMA } from "./dead-letters.ts"
import type { ExecutableJob } from "./executable-job.ts"

/** An output to open. */
export interface OutputSpec {
  readonly name: string
  readonly schema: Schema
  readonly binding: SinkBinding
}

/** See the head of this file. */
export function outputSpecs({ plan, outputs, deadLetter }: ExecutableJob): OutputSpec[] {
  const specs: OutputSpec[] = plan.outputs.map(({ name, node, port }) => {
    const binding = outputs[name]
    assert(binding !== undefined, "every output of a bound job has a sink")
    return { name, binding, schema: portSchema(plan, node, port) }
  })
  if (deadLetter !== undefined) {
    specs.push({ name: DEAD_LETTER_OUTPUT, binding: deadLetter, schema: DEAD_LETTER_SCHEMA })
  }
  return specs
}
