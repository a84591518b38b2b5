/** The webhooks of a live job: their options, which each process may have otherwise, and what they set aside. */
import { Prng } from "../../base/prng.ts"
import type { WebhookOptions } from "../../connectors/http/webhook/webhook-options.ts"
import type { DiskImage } from "../disk-image.ts"
import { liveTable } from "./live-job.ts"
import type { LiveScenario, PlacedOutput } from "./live-scenario.ts"
import { groupedBy, type LiveRow } from "./live-truth.ts"

/** The columns by which rows may be put in order: `runs` has no key. */
const ORDER_BY: Readonly<Record<PlacedOutput, string | undefined>> = { kept: "key", runs: undefined, windows: "key" }

/** Where an output of a job is sent. */
export function hookUrl(name: string, number: 1 | 2): string {
  return `http://receiver/${liveTable(name, number)}`
}

/** The options of an output, as a process has them. */
export function hookOptions(
  { seed, hooks }: LiveScenario,
  name: PlacedOutput,
  { number, process }: { readonly number: 1 | 2; readonly process: number },
): WebhookOptions {
  const prng = new Prng(seed * 64 + process)
  const by = ORDER_BY[name]
  const isByKey = prng.chance(0.5)
  const order = !hooks.isOrdered ? "none" : isByKey && by !== undefined ? { by } : "output"
  return {
    url: hookUrl(name, number),
    order,
    ...(order !== "output" && { concurrency: 1 + prng.below(5) }),
    ...(prng.chance(0.4) && {
      batch: { rows: 1 + prng.below(6), bytes: 200, format: prng.pick(["json", "json-lines"]) },
    }),
    onRejected: "dead-letter",
    timeout: "3s",
    retry: { initial: "50ms", max: "2s" },
    maxUnsent: { rows: prng.pick([0, 5, 10_000]) },
  }
}

interface Letter {
  readonly at: string
  readonly key: string
  readonly row: LiveRow
}

/** A line as a letter; none where it is torn, as it may be between a crash and the next process (DF2). */
function letterOf(line: string): Letter[] {
  try {
    return [JSON.parse(line) as Letter]
  } catch {
    return []
  }
}

/** The rows that were set aside, those of each request once (WH7), though it was rejected again behind a crash; a request may have equal rows. */
export function rowsSetAside(image: DiskImage, stateDirectory: string, output: string): LiveRow[] {
  const bytes = image.readFile(`${stateDirectory}/outputs/${output}/dead-letters.jsonl`)
  if (bytes === undefined) return []
  const text = new TextDecoder().decode(bytes)
  // What stands behind the last line's end is being written.
  const lines = text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
  const letters = lines.flatMap(letterOf)
  const rejections = groupedBy(letters, ({ key, at }) => `${key} ${at}`)
  /** By request and row: as often as in that of its rejections which has it most often, as a crash may have left less of another. */
  const most = new Map<string, readonly Letter[]>()
  for (const [, rejection] of rejections) {
    for (const [name, equal] of groupedBy(rejection, ({ key, row }) => `${key} ${JSON.stringify(row)}`)) {
      if (equal.length > (most.get(name)?.length ?? 0)) most.set(name, equal)
    }
  }
  return [...most.values()].flatMap((equal) => equal.map(({ row }) => row))
}
