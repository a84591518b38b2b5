/**
 * Whose output a target directory holds: an empty hidden file in it, `.owner.<token>.<job>`, which the sink makes when it opens. The
 * token is the one of its in-progress files, and stands in its commit records.
 *
 * So a job whose output another has set aside, and whose directory that writes to by now, is told, and mixes nothing into it; and
 * a reset sets no other job's output aside. Who takes the marker away is trusted: the next sink that opens makes its own.
 *
 * Invariants:
 * - TO1 When `claimTarget` has returned, the marker survives a crash, before anything of its token can be committed.
 * - TO2 A crash anywhere leaves the marker of before, that of now, both or none: with its own among them a job goes on.
 */
import { TidemarkError } from "../../base/errors.ts"
import type { Disk } from "../../env/env.ts"
import type { FileSinkStep } from "./steps.ts"
import { listParts } from "./target-directory.ts"

/** A directory to write to, and who wants to. */
export interface ClaimedTarget {
  readonly disk: Disk
  readonly directory: string
  /** The name of the job. */
  readonly job: string
}

interface Owner {
  readonly fileName: string
  readonly token: number
  readonly job: string
}

const STEPS = {
  create: "sink.claim.create",
  remove: "sink.claim.remove",
  sync: "sink.claim.sync-directory",
} as const satisfies Record<string, FileSinkStep>

/**
 * Makes the directory that of a job, and gives the token to write with.
 *
 * @param committed the token that the job's commit records have; `undefined` where nothing is committed.
 * @throws TidemarkError `sink-occupied` where it is another's.
 */
export async function claimTarget(
  target: ClaimedTarget,
  committed: number | undefined,
  newToken: () => number,
): Promise<number> {
  const { disk, directory, job } = target
  const owners = await ownersOf(target)
  if (committed === undefined) await refuseOthers(target)
  else if (owners.length > 0 && !owners.some(({ token }) => token === committed)) throw takenBy(owners[0]!, target)
  const token = committed ?? newToken()
  const own = `.owner.${token.toString(16).padStart(8, "0")}.${job}`
  const isMarked = owners.some(({ fileName }) => fileName === own)
  const others = owners.filter(({ fileName }) => fileName !== own)
  if (isMarked && others.length === 0) return token
  if (!isMarked) await (await disk.open(`${directory}/${own}`, "create", STEPS.create))?.close()
  for (const { fileName } of others) await disk.remove(`${directory}/${fileName}`, STEPS.remove)
  await disk.syncDirectory(directory, STEPS.sync)
  return token
}

/**
 * Before output is set aside, or where nothing of a job's own is committed: what is there must not be another job's.
 *
 * @throws TidemarkError `sink-occupied`.
 */
export async function refuseOthers(target: ClaimedTarget): Promise<void> {
  const owners = await ownersOf(target)
  if (owners.some(({ job }) => job === target.job)) return
  const [other] = owners
  if (other === undefined || !(await hasParts(target.disk, target.directory))) return
  throw new TidemarkError("sink-occupied", `${target.directory} holds output of the job ${other.job}.`, {
    hint: `Give each output of each job a directory of its own. Where ${other.job} is not wanted any more, move ${target.directory} away.`,
  })
}

function takenBy({ job }: Owner, target: ClaimedTarget): TidemarkError {
  const who = job === target.job ? `another state of the job ${job}` : `the job ${job}`
  return new TidemarkError("sink-occupied", `${target.directory} is written to by ${who} since this one ran last.`, {
    hint: `What this job had published there was set aside (see ${target.directory}.superseded-1 and later). Give each output of each job a directory of its own; to go on here, move what is there away and run with --reset.`,
  })
}

/** The markers in a directory: one, unless somebody died while it changed hands. */
async function ownersOf({ disk, directory }: ClaimedTarget): Promise<Owner[]> {
  return (await disk.list(directory)).flatMap((fileName) => {
    const found = /^\.owner\.([0-9a-f]{8})\.(.+)$/.exec(fileName)
    return found === null ? [] : [{ fileName, token: Number.parseInt(found[1]!, 16), job: found[2]! }]
  })
}

/** Whether a directory, or one of a partition in it, has parts, published or not. */
async function hasParts(disk: Disk, directory: string): Promise<boolean> {
  if ((await listParts(disk, directory)).length > 0) return true
  for (const name of await disk.list(directory)) {
    if (name.includes("=") && (await hasParts(disk, `${directory}/${name}`))) return true
  }
  return false
}
