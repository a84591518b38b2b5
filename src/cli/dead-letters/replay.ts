/**
 * Replaying dead letters: their records become a new file, which a job then reads as it reads any other. So the job itself sees
 * to it that they count exactly once; here it is only held that no letter goes into two files.
 *
 * A letter is known by its place: input, partition and offset. Those of one record, such as of two branches that it failed in,
 * are one. What was replayed stands in markers, `.replayed-<n>.json`, beside the letters:
 *
 * | step | what | after a crash |
 * |---|---|---|
 * | 1 | the records are written to a hidden draft beside the file, and synced | nothing has happened; the draft is overwritten |
 * | 2 | the marker gets its name, which is one that nobody has had | this decides: they are replayed |
 * | 3 | the draft gets the file's name | done by the next replay, which looks for drafts of its markers first |
 *
 * Invariants:
 * - RP1 A letter is in at most one file that replays have made, whatever died when, and whoever else replayed.
 * - RP2 When `replay` has returned, the file has the records of all letters that were chosen and not replayed before.
 * - RP3 A file that is there is not replaced.
 */
import { randomUUID } from "node:crypto"
import { existsSync } from "node:fs"
import { link, mkdir, open, readdir, readFile, unlink } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { counted } from "../../base/counted.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { DeadLetter } from "../../runtime/dead-letters.ts"
import { originalOf } from "./original-record.ts"

/** What a replay does in order, for tests that stop it there. */
export type ReplayStep = "draft" | "marker" | "publish"

/** A replay. */
export interface ReplayOptions {
  /** Where the letters lie. */
  readonly directory: string
  /** The letters that are meant. */
  readonly letters: readonly DeadLetter[]
  /** The file to make: an absolute path. */
  readonly into: string
  /** What stands before the records. */
  readonly header: Buffer | undefined
  /** What paths of partitions are relative to. */
  readonly base: string
  readonly isDryRun: boolean
  /** Called before each step. */
  readonly onStep?: (step: ReplayStep) => void
}

/** What became of the letters. */
export interface ReplayResult {
  /** Records in the file; with a dry run, that would be. */
  readonly replayed: readonly DeadLetter[]
  /** Letters that an earlier replay has taken, or that are of a record that another letter is of. */
  readonly before: number
  readonly impossible: readonly { readonly letter: DeadLetter; readonly problem: string }[]
}

/** What a marker says. */
interface Marker {
  readonly version: 1
  readonly into: string
  readonly draft: string
  /** By input and partition: where the records start that were replayed. */
  readonly offsets: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
}

const MARKER = /^\.replayed-(\d+)\.json$/

/** See the head of this file. */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { directory, into, isDryRun } = options
  const markers = await readMarkers(directory)
  if (!isDryRun) for (const { marker } of markers) await publish(marker)
  if (existsSync(into)) {
    throw new TidemarkError("invalid-options", `There is a file ${into} already.`, {
      hint: "Give --into another name: a job that has read the file would not take it for the same.",
    })
  }
  const { chosen, before } = choose(options.letters, markers)
  const { records, replayed, impossible } = await recordsOf(chosen, options)
  if (isDryRun || replayed.length === 0) return { replayed, before, impossible }
  const number = (markers.at(-1)?.number ?? 0) + 1
  const draft = join(dirname(into), `.${basename(into)}.replay-${number}.draft`)
  options.onStep?.("draft")
  await mkdir(dirname(into), { recursive: true })
  await writeDurably(draft, Buffer.concat(records))
  const marker: Marker = { version: 1, into, draft, offsets: offsetsOf(replayed) }
  options.onStep?.("marker")
  await writeMarker(directory, number, marker)
  options.onStep?.("publish")
  await publish(marker)
  return { replayed, before, impossible }
}

async function readMarkers(directory: string): Promise<{ readonly number: number; readonly marker: Marker }[]> {
  const names = (await readdir(directory)).filter((name) => MARKER.test(name))
  const markers = await Promise.all(
    names.map(async (name) => {
      const marker = JSON.parse(await readFile(join(directory, name), "utf8")) as Marker
      return { number: Number(MARKER.exec(name)![1]), marker }
    }),
  )
  return markers.sort((one, other) => one.number - other.number)
}

function keyOf({ input, partition, offset }: DeadLetter): string {
  return JSON.stringify([input, partition, offset])
}

/** The letters that no marker names, each record once. */
function choose(letters: readonly DeadLetter[], markers: readonly { readonly marker: Marker }[]) {
  const taken = new Set<string>()
  for (const { marker } of markers) {
    for (const [input, partitions] of Object.entries(marker.offsets)) {
      for (const [partition, offsets] of Object.entries(partitions)) {
        for (const offset of offsets) taken.add(JSON.stringify([input, partition, offset]))
      }
    }
  }
  const chosen: DeadLetter[] = []
  for (const letter of letters) {
    const hasPlace = letter.partition !== null
    if (hasPlace && taken.has(keyOf(letter))) continue
    if (hasPlace) taken.add(keyOf(letter))
    chosen.push(letter)
  }
  return { chosen, before: letters.length - chosen.length }
}

async function recordsOf(letters: readonly DeadLetter[], { header, base }: ReplayOptions) {
  const lineEnd = Buffer.from("\n")
  const records: Buffer[] = header === undefined ? [] : [header, lineEnd]
  const replayed: DeadLetter[] = []
  const impossible: { letter: DeadLetter; problem: string }[] = []
  for (const letter of letters) {
    const original = await originalOf(letter, base)
    if ("problem" in original) impossible.push({ letter, problem: original.problem })
    else {
      records.push(original.record, lineEnd)
      replayed.push(letter)
    }
  }
  return { records, replayed, impossible }
}

function offsetsOf(letters: readonly DeadLetter[]): Marker["offsets"] {
  // Maps first: an input or a file may be called what every object has, such as "constructor".
  const inputs = new Map<string, Map<string, number[]>>()
  for (const { input, partition, offset } of letters) {
    const partitions = inputs.get(input!) ?? new Map<string, number[]>()
    inputs.set(input!, partitions)
    const offsets = partitions.get(partition!) ?? []
    partitions.set(partition!, offsets)
    offsets.push(offset!)
  }
  return Object.fromEntries([...inputs].map(([input, partitions]) => [input, Object.fromEntries(partitions)]))
}

/** Gives a marker its name (step 2), which must be new: somebody else may be at it (RP1). */
async function writeMarker(directory: string, number: number, marker: Marker): Promise<void> {
  const path = join(directory, `.replayed-${number}.json`)
  const draft = `${path}.${randomUUID()}`
  await writeDurably(draft, Buffer.from(`${JSON.stringify(marker)}\n`))
  try {
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    throw new TidemarkError("invalid-options", `Another replay of ${directory} has come first.`, {
      hint: "Nothing was replayed by this one. Run it again: it takes what the other has left.",
    })
  } finally {
    await unlink(draft)
  }
  await syncDirectory(directory)
}

/** Gives the file of a marker its name, unless it has had it (step 3). */
async function publish({ into, draft }: Marker): Promise<void> {
  if (!existsSync(draft)) return
  try {
    await link(draft, into)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    if (!(await readFile(into)).equals(await readFile(draft))) {
      throw new TidemarkError("invalid-options", `There is another file ${into}, where a replay would go.`, {
        hint: `What was replayed lies in ${draft}. Move one of the two to another name.`,
      })
    }
  }
  await syncDirectory(dirname(into))
  await unlink(draft)
}

async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, "w")
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r")
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** What a replay has done, in words. */
export function replayText({ replayed, before, impossible }: ReplayResult, into: string, isDryRun: boolean): string[] {
  const done = isDryRun ? "would be written to" : "written to"
  const lines =
    replayed.length === 0 ? ["nothing to replay"] : [`${counted(replayed.length, "record")} ${done} ${into}`]
  if (before > 0) lines.push(`${counted(before, "letter")} left out: replayed before, or of the same record as another`)
  for (const { letter, problem } of impossible.slice(0, 3)) {
    const place =
      letter.partition === null ? `a row of ${letter.operator}` : `${letter.partition}, record ${letter.record}`
    lines.push(`not replayed: ${place}: ${problem}`)
  }
  if (impossible.length > 3) lines.push(`not replayed: ${counted(impossible.length - 3, "more letter")}`)
  return lines
}
