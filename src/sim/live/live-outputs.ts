/** The rows of a live job's outputs as their readers see them: in published files, in tables, and beside the tables those that were refused. */
import { BASE_DIRECTORY } from "../scenario-job.ts"
import type { DiskImage } from "../disk-image.ts"
import { liveDirectory, liveTable } from "./live-job.ts"
import type { LiveScenario } from "./live-scenario.ts"
import type { LiveRow, LiveRows } from "./live-truth.ts"
import type { TableServer } from "./table-server.ts"

/** What a job's outputs hold now. */
export function rowsOfOutputs(scenario: LiveScenario, image: DiskImage, server: TableServer, number: 1 | 2): LiveRows {
  const inFiles = (name: string): LiveRow[] =>
    publishedRows(image, `${BASE_DIRECTORY}/${liveDirectory(number)}/${name}`)
  const inTables = (name: string): LiveRow[] => {
    const rowsOf = (table: string): readonly LiveRow[] => server.tables.get(`"public"."${table}"`)?.rows ?? []
    const table = liveTable(name, number)
    const refused = rowsOf(`${table}_dead_letters`).map((row) => JSON.parse(String(row["row"])) as LiveRow)
    return [...rowsOf(table), ...refused]
  }
  const rowsOf = (name: keyof LiveScenario["places"]): LiveRow[] =>
    scenario.places[name] === "files" ? inFiles(name) : inTables(name)
  return { kept: rowsOf("kept"), runs: rowsOf("runs"), windows: rowsOf("windows"), late: inFiles("late") }
}

function publishedRows(image: DiskImage, directory: string): LiveRow[] {
  const node = image.find(directory)
  if (node?.kind !== "directory") return []
  const names = image
    .list(directory)
    .filter((name) => !name.startsWith("."))
    .sort()
  const texts = names.map((name) => new TextDecoder().decode(image.readFile(`${directory}/${name}`)))
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => line !== "")
  return lines.map((line) => JSON.parse(line) as LiveRow)
}
