/** The rows of a live job's outputs as their readers see them: in published files, in tables, at a receiver, and beside these those that were refused. */
import { BASE_DIRECTORY } from "../scenario-job.ts"
import type { DiskImage } from "../disk-image.ts"
import type { HookReceiver } from "./hook-receiver.ts"
import { hookUrl, rowsSetAside } from "./live-hooks.ts"
import { liveDirectory, liveTable } from "./live-job.ts"
import type { LiveScenario, PlacedOutput } from "./live-scenario.ts"
import type { LiveRow, LiveRows } from "./live-truth.ts"
import type { TableServer } from "./table-server.ts"

/** Where they are. */
export interface LivePlaces {
  readonly image: DiskImage
  readonly server: TableServer
  readonly receiver: HookReceiver
  /** The directory of the job's state. */
  readonly stateDirectory: string
}

/** What a job's outputs hold now. */
export function rowsOfOutputs(scenario: LiveScenario, places: LivePlaces, number: 1 | 2): LiveRows {
  const { image, server, receiver, stateDirectory } = places
  const inFiles = (name: string): LiveRow[] =>
    publishedRows(image, `${BASE_DIRECTORY}/${liveDirectory(number)}/${name}`)
  const inTables = (name: string): LiveRow[] => {
    const rowsOf = (table: string): readonly LiveRow[] => server.tables.get(`"public"."${table}"`)?.rows ?? []
    const table = liveTable(name, number)
    const refused = rowsOf(`${table}_dead_letters`).map((row) => JSON.parse(String(row["row"])) as LiveRow)
    return [...rowsOf(table), ...refused]
  }
  const rowsOf = (name: PlacedOutput): LiveRow[] => {
    const place = scenario.places[name]
    if (place === "files") return inFiles(name)
    if (place !== "webhook") return inTables(name)
    return [...receiver.rowsOf(hookUrl(name, number)), ...rowsSetAside(image, stateDirectory, name)]
  }
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
