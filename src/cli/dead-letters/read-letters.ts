/**
 * Reading dead letters back: all published parts of a directory, by the very connectors that wrote them.
 *
 * What is being written lies in a hidden file until it is published (when the job stops, or the part is old or large enough),
 * and is not read here.
 */
import { existsSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { join, resolve } from "node:path"
import { Arena } from "../../batch/arena.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { SourceBinding } from "../../connect/source.ts"
import { csv, jsonl } from "../../connectors/files/file-connector.ts"
import { nodeDisk } from "../../env/node/node-disk.ts"
import { nodeEnv } from "../../env/node/node-env.ts"
import { readStoredStatus } from "../../observe/stored-status.ts"
import { DEAD_LETTER_DIRECTORY, DEAD_LETTER_SCHEMA, type DeadLetter } from "../../runtime/dead-letters.ts"
import { pathStats } from "../path-stats.ts"

/** Which letters are meant. */
export interface LetterFilter {
  readonly input?: string
  readonly partition?: string
  readonly operator?: string
  /** A part of the reason. */
  readonly reason?: string
}

const ARENA_BYTES = 256 << 20
const ROWS_A_READ = 4096

/**
 * The directory in which dead letters lie: `path` itself, or what belongs to a job whose state lies there.
 *
 * @throws TidemarkError `state-missing`.
 */
export async function lettersDirectory(path: string): Promise<string> {
  const directory = resolve(path)
  if (await hasParts(directory)) return directory
  const own = join(directory, DEAD_LETTER_DIRECTORY)
  if (await hasParts(own)) return own
  const isJob = existsSync(join(directory, "log"))
  const status = isJob ? await readStoredStatus(nodeDisk, directory) : undefined
  if (status !== undefined && status.badRecords > 0 && status.deadLetters !== undefined && !existsSync(own)) {
    throw new TidemarkError("state-missing", `The dead letters of the job ${status.job} are not in its directory.`, {
      hint: `They go to ${status.deadLetters}, which may be relative to where the job was started: give that path.`,
    })
  }
  if (isJob || pathStats(directory)?.isDirectory() === true) return isJob ? own : directory
  throw new TidemarkError("state-missing", `There is no directory ${path}.`, {
    hint: "Give the directory of a job's state, .tidemark/<job>, or the one that its dead letters go to.",
  })
}

async function hasParts(directory: string): Promise<boolean> {
  return (await partsOf(directory)).length > 0
}

/** Published parts, in their order. */
async function partsOf(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => [])
  return names.filter((name) => /^part-\d+\.(jsonl|csv)$/.test(name)).sort()
}

/** All letters of a directory that are meant, in the order in which they were written. */
export async function readLetters(directory: string, filter: LetterFilter = {}): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = []
  for (const part of await partsOf(directory)) {
    const binding = part.endsWith(".csv") ? csv(part) : jsonl(part)
    await readPart(binding, directory, (letter) => {
      if (isMeant(letter, filter)) letters.push(letter)
    })
  }
  return letters
}

async function readPart(binding: SourceBinding, directory: string, take: (letter: DeadLetter) => void): Promise<void> {
  const arena = new Arena({ maxBytes: ARENA_BYTES })
  const context = { env: nodeEnv(), arena, schema: DEAD_LETTER_SCHEMA, input: "dead letters", baseDirectory: directory }
  const source = await binding.openSource(context)
  try {
    for (const partition of await source.partitions()) {
      const reader = await source.open(partition, 0, { offset: 0, ordinal: 0 })
      try {
        for (let hasEnded = false; !hasEnded;) {
          const taken = await reader.read({ rows: ROWS_A_READ, untilOffset: Infinity })
          for (const row of taken.batch?.toRows() ?? []) take(row as unknown as DeadLetter)
          hasEnded = taken.end
          taken.release()
          const [bad] = taken.bad
          if (bad === undefined) continue
          throw new TidemarkError(
            "source-unreadable",
            `${join(directory, partition.id)} holds no dead letters: ${bad.reason}.`,
          )
        }
      } finally {
        await reader.close()
      }
    }
  } finally {
    await source.close()
  }
}

function isMeant(letter: DeadLetter, filter: LetterFilter): boolean {
  return (
    (filter.input === undefined || letter.input === filter.input) &&
    (filter.partition === undefined || letter.partition === filter.partition) &&
    (filter.operator === undefined || letter.operator === filter.operator) &&
    (filter.reason === undefined || letter.reason.includes(filter.reason))
  )
}
