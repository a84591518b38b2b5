/**
 * Refuses to go on where a part was begun with other columns whose end only the old ones can write: what stands at the end of Parquet and Arrow
 * files says what their columns are. Nothing is changed by it.
 */
import { counted } from "../../base/counted.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { ShapeChange, SinkRecovery } from "../../connect/sink.ts"
import type { Disk } from "../../env/env.ts"
import { committedFiles } from "./sink-recovery.ts"
import { committedPartitionFiles } from "./partition-recovery.ts"

/** Where an output writes to. */
export interface BegunTarget {
  readonly disk: Disk
  readonly directory: string
  readonly extension: string
  readonly output: string
  readonly isPartitioned: boolean
}

/**
 * See the head of this file.
 *
 * @throws TidemarkError `state-foreign` where the commit records name a part that is not published yet.
 */
export async function refuseBegun(target: BegunTarget, recovery: SinkRecovery, change: ShapeChange): Promise<void> {
  const { disk, directory, extension, output, isPartitioned } = target
  const files = isPartitioned ? committedPartitionFiles(recovery, extension) : committedFiles(recovery, extension)
  const begun: string[] = []
  for (const file of files) if ((await disk.stat(`${directory}/${file}`)) !== undefined) begun.push(file)
  const [first] = begun
  if (first === undefined) return
  const others = begun.length === 1 ? "" : ` and ${counted(begun.length - 1, "other part")}`
  throw new TidemarkError(
    "state-foreign",
    `The output ${output} has other columns than when the job ran last, and ${directory}/${first}${others} cannot be completed with them. They were ${change.before}, and are ${change.now}.`,
    {
      hint: "Start the earlier program once more and stop it (Ctrl-C or SIGTERM), which publishes what was begun; then start this one. Or run with --reset (in code: reset: true) to start anew (what was published is moved aside, not deleted).",
    },
  )
}
