/** The door `tidemark/testing`: what tests of jobs need. */
export { runOnRows, type RowsOfJob } from "./testing/run-on-rows.ts"
export type { FailedTestRow, PlainRow } from "./testing/run-plan.ts"
