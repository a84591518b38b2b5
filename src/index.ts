/**
 * The door `tidemark`: schemas and types, jobs and streams, windows and aggregates, times and errors.
 */
export { schema } from "./batch/schema.ts"
export type { RowOf, Schema } from "./batch/schema.ts"
export type { ColumnType } from "./batch/type.ts"
export { t } from "./batch/types.ts"
export type { JsonValue } from "./batch/types/json.ts"

export { job } from "./stream/job.ts"
export type { InputRows, Job, JobDefinition, OutputRows } from "./stream/job.ts"
export type { Bindings, BoundJob } from "./stream/bound-job.ts"
export type { ParamsOf } from "./stream/params.ts"

export type {
  AppendStream,
  KeyedStream,
  OperatorOptions,
  OverResult,
  OverStream,
  ProcessResult,
  RowOfStream,
  Stream,
  UpdateStream,
  UpdatedResult,
  UpdatedWindows,
  WindowedStream,
  WindowResult,
} from "./stream/stream.ts"
export type { EventTimeOptions, PartitionOptions, WatermarkOptions } from "./stream/window-types.ts"
export type { AsyncCall, AsyncMapOptions, RetryOptions } from "./stream/async-map-options.ts"
export type { CallOrder } from "./flow/calls.ts"
export type { StreamKind } from "./connect/sink.ts"
export type { TypedSource } from "./connect/source.ts"
export type { StandardResult, StandardValidator, Validated } from "./stream/standard-schema.ts"
export type { Problem } from "./stream/problem.ts"

export { connect } from "./stream/connect.ts"
export type { ConnectableStreams, ConnectedDefinition, ConnectedOperator, ConnectedStreams } from "./stream/connect.ts"
export type {
  Instance,
  InstanceContext,
  InstanceOpening,
  OperatorDefinition,
  OperatorParts,
  RecordContext,
} from "./stream/operator-types.ts"
export { calendar, countWindow, cumulate, globalWindow, hopping, session, tumbling } from "./stream/windows.ts"
export { onClock, onCount, onEventTime, onPunctuation } from "./stream/triggers.ts"
export type { FiringOptions, Trigger } from "./stream/triggers.ts"
export { count, first, last, max, mean, min, sum } from "./stream/aggregates.ts"
export type { ValueAggregate } from "./stream/aggregates.ts"
export { aggregate } from "./stream/custom-aggregate.ts"
export type { AggregateFunctions } from "./stream/custom-aggregate.ts"
export { collect, frequent } from "./stream/list-aggregates.ts"
export type { Collect, CollectOptions, Frequent, FrequentOptions } from "./stream/list-aggregates.ts"
export type { FrequentValue } from "./stream/aggregate-types.ts"
export { approxCountDistinct, countDistinct } from "./stream/distinct-aggregates.ts"
export type { ApproxCountDistinct, ApproxCountDistinctOptions } from "./stream/distinct-aggregates.ts"
export { maxBy, minBy, topK } from "./stream/extreme-by.ts"
export type { ExtremeBy } from "./stream/extreme-by.ts"
export { median, percentiles, quantile } from "./stream/quantile-aggregates.ts"
export type { Median, Percentiles, Quantile, QuantileOptions } from "./stream/quantile-aggregates.ts"
export { populationStddev, populationVariance, stddev, variance } from "./stream/spread-aggregates.ts"

export {
  eventTimer,
  listState,
  mapState,
  processingTimer,
  reducingState,
  valueState,
} from "./stream/process-declarations.ts"
export type { StateOptions } from "./stream/process-declarations.ts"
export { migration } from "./stream/state-migrations.ts"
export type { Migration } from "./stream/state-migrations.ts"
export type {
  ListState,
  MapState,
  ProcessContext,
  ProcessDefinition,
  ProcessParts,
  ReducingState,
  SideColumns,
  StateDeclaration,
  StateDeclarations,
  TimerDeclaration,
  TimerDeclarations,
  Timers,
  ValueState,
} from "./stream/process-types.ts"

export { generate } from "./connectors/generate/generate.ts"
export type { GenerateOptions } from "./connectors/generate/generate.ts"
export type { Random } from "./connectors/generate/random.ts"
export { memory } from "./connectors/memory/memory.ts"
export type { MemoryRows } from "./connectors/memory/memory.ts"
export { pushed } from "./connectors/pushed/pushed.ts"
export type { PushedColumns, PushedInput, PushedOptions } from "./connectors/pushed/pushed.ts"
export { stdout } from "./connectors/stdout/stdout.ts"
export type { StdoutOptions } from "./connectors/stdout/stdout.ts"

export { run } from "./embedded/run.ts"
export type { RunOptions } from "./embedded/run-options.ts"
export type { ErrorPolicy, ExecutableJob } from "./runtime/executable-job.ts"
export type { JobHandle } from "./runtime/run-job.ts"
export type { DrainPolicy } from "./runtime/run-options.ts"
export type {
  EventTimeStatus,
  HoldingBack,
  IdlePartition,
  JobResult,
  JobStatus,
  PausedPartition,
  WaitingOutput,
} from "./runtime/status.ts"
export type { Occupation, TimeShare } from "./runtime/time-use.ts"
export type { ServerAddress } from "./server/status-server.ts"
export type { JobEvent } from "./trace/events.ts"

export { dateFromIso, formatDate } from "./time/calendar-date.ts"
export type { CalendarDate } from "./time/calendar-date.ts"
export { timeSpan } from "./time/time-span.ts"
export type { TimeSpan } from "./time/time-span.ts"
export { formatTimestamp, fromIso } from "./time/iso.ts"
export { fromDate, toDate } from "./time/timestamp.ts"
export type { Timestamp } from "./time/timestamp.ts"
export type { Duration } from "./base/duration.ts"

export { TidemarkError } from "./base/errors.ts"
export type { ErrorCode } from "./base/errors.ts"
