/** All steps of the commit protocol, so that what a run never came to can be told. */
import { FILE_SINK_STEPS, FILE_SOURCE_STEPS } from "../connectors/files/steps.ts"
import type { StepName } from "../env/env.ts"
import { LOG_STEPS } from "../log/steps.ts"
import { STATE_DIRECTORY_STEPS } from "../runtime/steps.ts"

/** The closed list. Other calls (`disk.stat`, `file.close`, `env.lock`, those of the cache: `spill.write`) belong to no protocol. */
export const PROTOCOL_STEPS: readonly StepName[] = [
  ...Object.values(STATE_DIRECTORY_STEPS),
  ...LOG_STEPS,
  ...FILE_SINK_STEPS,
  ...FILE_SOURCE_STEPS,
]
