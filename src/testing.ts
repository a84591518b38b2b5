/** The door `tidemark/testing`: what tests of jobs need. */
export { runOnRows, type RowsOfJob } from "./testing/run-on-rows.ts"
export type { KeptKey, KeptTimer } from "./flow/operator-contents.ts"
export type { FailedTestRow, PlainRow } from "./testing/run-plan.ts"
export type { DeadLetterRow, TestDriverOptions, TestRestartOptions, TestRunOptions } from "./testing/driver-options.ts"
export { testDriver, type TestDriver } from "./testing/test-driver.ts"
export { simulate } from "./testing/simulate.ts"
export type { SimulatedFault, SimulateOptions, SimulationReport } from "./testing/simulate-options.ts"
export { SimulationFailed } from "./testing/simulation-failed.ts"
