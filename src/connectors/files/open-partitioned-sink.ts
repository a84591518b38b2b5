/** Opens a partitioned sink in its target directory, which is there and held by `lock`, as the commit records have left it. */
import type { Schema } from "../../batch/schema.ts"
import type { Sink, SinkContext, SinkRecovery } from "../../connect/sink.ts"
import type { DirectoryLock } from "../../env/env.ts"
import type { RecordEncoder } from "../../formats/decoder.ts"
import { trailerOf, type RollingPolicy } from "./file-sink.ts"
import { bindLevel, PartitionPaths, type Partitioning } from "./partition-path.ts"
import { recoverPartitions, setPartitionsAside } from "./partition-recovery.ts"
import { PartitionedSink } from "./partitioned-sink.ts"
import { makeDirectories } from "./target-directory.ts"

/** What is opened. */
export interface PartitionedSinkTarget {
  readonly directory: string
  readonly extension: string
  readonly createEncoder: () => RecordEncoder
  readonly policy: RollingPolicy
  readonly partitioning: Partitioning
  readonly lock: DirectoryLock
}

/** @throws TidemarkError `invalid-options` where the schema of the output does not have what the directories are named by. */
export function checkPartitioning({ levels }: Partitioning, schema: Schema, output: string): void {
  for (const level of levels) bindLevel(level, schema, output)
}

/** See the head of this file. */
export async function openPartitionedSink(
  { env, schema, output, baseDirectory, job }: SinkContext,
  recovery: SinkRecovery,
  { directory, extension, createEncoder, policy, partitioning, lock }: PartitionedSinkTarget,
): Promise<Sink> {
  const { disk, clock } = env
  const { levels, successAfterMicros } = partitioning
  const paths = new PartitionPaths(levels, schema, output)
  const placeOf = (path: string, token: number) => {
    const own = `${directory}/${path}`
    return { disk, directory: own, token, extension, prepare: () => makeDirectories(disk, own, baseDirectory) }
  }
  const depth = levels.length
  if (recovery.reset) await setPartitionsAside({ disk, directory, depth })
  const newToken = () => env.randomUint32()
  const trailer = trailerOf(createEncoder())
  const recovered = await recoverPartitions({ disk, directory, job, depth, trailer, newToken, placeOf }, recovery)
  return new PartitionedSink({
    recovered,
    paths,
    successAfterMicros,
    policy,
    disk,
    clock,
    lock,
    createEncoder,
    placeOf,
  })
}
