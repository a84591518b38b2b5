/** The rows of files that the jobs of `chaos.mjs` have published, in the format that their round has drawn. */
import { readFileSync } from "node:fs"
import { tableFromIPC } from "apache-arrow"
import { parquetReadObjects } from "hyparquet"
import { compressors } from "hyparquet-compressors"
import { fromDist } from "./dist.mjs"

/** What files of results may be. */
export const RESULT_FORMATS = ["jsonl", "parquet", "arrow"]

const ENDINGS = { jsonl: "\n", parquet: "PAR1", arrow: "ARROW1" }

/** A published file: its bytes as text, and whether it ends as a file of its format does. */
export function readPublished(path) {
  const content = readFileSync(path, "latin1")
  return { content, isWhole: content.endsWith(ENDINGS[extensionOf(path)]) }
}

/** The rows of a published file, as JSON lines have them. */
export async function rowsOf(path) {
  const bytes = readFileSync(path)
  switch (extensionOf(path)) {
    case "parquet":
      return await rowsAsText(await parquetReadObjects({ file: new Uint8Array(bytes).buffer, compressors }))
    case "arrow":
      return await rowsAsText(tableFromIPC(bytes).toArray())
    default:
      return bytes
        .toString("utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
  }
}

/** With times as text: libraries give dates or milliseconds. */
async function rowsAsText(rows) {
  const { formatTimestamp, fromDate } = await fromDist("index")
  const timeText = (time) => formatTimestamp(fromDate(new Date(Number(time))))
  return rows.map((row) => {
    const { windowStart, windowEnd, ...others } = Object.fromEntries(Object.entries(row))
    return { ...others, windowStart: timeText(windowStart), windowEnd: timeText(windowEnd) }
  })
}

function extensionOf(path) {
  return path.slice(path.lastIndexOf(".") + 1)
}
