/** The rows of files that the jobs of `chaos.mjs` have published, in whatever format. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { tableFromIPC } from "apache-arrow"
import { parquetReadObjects } from "hyparquet"
import { compressors } from "hyparquet-compressors"
import { fromDist } from "./dist.mjs"

/** What files of results of windows may be. */
export const RESULT_FORMATS = ["jsonl", "parquet", "arrow"]

const ENDINGS = { csv: "\n", jsonl: "\n", parquet: "PAR1", arrow: "ARROW1" }

/** The names of an output's published files, in the order of their numbers, with the directories of partitions in front. */
export function publishedNames(directory, output) {
  const parts = visibleNames(join(directory, "out", output)).filter((name) => basename(name).startsWith("part-"))
  return parts.sort((one, other) => (basename(one) < basename(other) ? -1 : 1))
}

/** The directories of an output that have a marker. */
export function markedPaths(directory, output) {
  const marker = "/_SUCCESS"
  const names = visibleNames(join(directory, "out", output))
  return names.filter((name) => name.endsWith(marker)).map((name) => name.slice(0, -marker.length))
}

/** The files below a directory, but for hidden ones. */
function visibleNames(path) {
  if (!existsSync(path)) return []
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".")) return []
    if (!entry.isDirectory()) return [entry.name]
    return visibleNames(join(path, entry.name)).map((name) => `${entry.name}/${name}`)
  })
}

/** A published file: its bytes as text, and whether it ends as a file of its format does. */
export function readPublished(path) {
  const content = readFileSync(path, "latin1")
  return { content, isWhole: content.endsWith(ENDINGS[extensionOf(path)]) }
}

/** The rows of all published files of an output, in order, as JSON lines have them. */
export async function rowsOfOutput(directory, output) {
  const rows = []
  for (const name of publishedNames(directory, output))
    rows.push(...(await rowsOf(join(directory, "out", output, name))))
  return rows
}

/** The rows of a published file. */
export async function rowsOf(path) {
  const bytes = readFileSync(path)
  switch (extensionOf(path)) {
    case "parquet":
      return await rowsAsText(
        await parquetReadObjects({ file: new Uint8Array(bytes).buffer, compressors, parsers: microsParsers }),
      )
    case "arrow":
      return await rowsAsText(arrowRows(tableFromIPC(bytes)))
    case "csv":
      return csvRows(bytes.toString("utf8"))
    default:
      return bytes
        .toString("utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
  }
}

/** A moment: libraries give dates, which end at milliseconds. */
class Moment {
  constructor(micros) {
    this.micros = Number(micros)
  }
}

const microsParsers = { timestampFromMicroseconds: (micros) => new Moment(micros) }

/** The rows of an Arrow table. */
function arrowRows(table) {
  return table.toArray().map((row) =>
    Object.fromEntries(
      table.schema.fields.map(({ name, type }) => {
        const value = row[name]
        const isTime = String(type).startsWith("Timestamp")
        return [name, isTime && value !== null ? new Moment(Math.round(Number(value) * 1000)) : value]
      }),
    ),
  )
}

/** With times as text, and whole numbers of 64 bits as numbers. */
async function rowsAsText(rows) {
  const { formatTimestamp } = await fromDist("index")
  const plain = (value) => {
    if (value instanceof Moment) return formatTimestamp(value.micros)
    return typeof value === "bigint" ? Number(value) : value
  }
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])))
}

/** The rows of a CSV file whose fields need no quotes, as texts; what is empty is null. */
function csvRows(text) {
  const [head, ...lines] = text.trimEnd().split("\n")
  const names = head.split(",")
  return lines.map((line) => {
    const fields = line.split(",")
    return Object.fromEntries(names.map((name, index) => [name, fields[index] === "" ? null : fields[index]]))
  })
}

function extensionOf(path) {
  return path.slice(path.lastIndexOf(".") + 1)
}
