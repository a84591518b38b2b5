/** Tells of lambdas that read what there is not: nothing else would, as the compiler may not have been asked. */
import { planWarnings } from "../flow/plan-warnings.ts"
import type { JobEvent } from "../trace/events.ts"
import type { ExecutableJob } from "./executable-job.ts"

/** An event for each such lambda. */
export function warnOfUnknownNames(
  { plan, paramsSchema }: ExecutableJob,
  onEvent: ((event: JobEvent) => void) | undefined,
): void {
  for (const { kind, operator, message, hint } of planWarnings(plan, paramsSchema)) {
    if (kind === "unknown-name") onEvent?.({ kind: "warning", about: operator, message, hint })
  }
}
