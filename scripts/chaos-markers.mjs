/**
 * What holds of the directories of partitioned outputs of the scenario `operators`, looked at each time that its job lies dead.
 *
 * Invariants:
 * - CM1 A marker stands where all rows of its directory are published that are not late for it (K12).
 * - CM2 Once it stands it stays, and only rows come that are late for it: also where nobody looked in between, by the times that the file
 *   system keeps of when a part got its name and when a marker was made.
 * - CM3 When the job has finished, each directory that has rows has one, and no other has.
 * - CM4 Each row lies in the directory of its lane and hour.
 */
import { statSync } from "node:fs"
import { dirname, join } from "node:path"
import { PARTITIONED } from "./chaos-operators-data.mjs"
import { goodRows, partitionedOf, pathOf } from "./chaos-operators-reference.mjs"
import { markedPaths, publishedNames, rowsOf } from "./chaos-published.mjs"
import { microsOf, rowText } from "./chaos-times.mjs"

const COLUMNS = { hours: ["lane", "windowStart", "rows", "total"], dealt: ["id", "lane", "at"] }

const wrong = (output, row) => ({ output, kind: "wrong", count: 1, row })

/** Remembers what stood in directories when their markers were seen first. */
export class Markers {
  #directory
  #expected
  /** By output and path: the rows that were there. */
  #marked = new Map()

  constructor(directory, data) {
    this.#directory = directory
    this.#expected = partitionedOf(goodRows(data.clicks.rows))
  }

  /** The differences that show now. */
  async look() {
    const differences = []
    for (const output of Object.keys(PARTITIONED)) {
      const marked = new Set(markedPaths(this.#directory, output))
      const { rows, doubtful } = await this.#rowsByPath(output, marked)
      differences.push(...doubtful.map((row) => wrong(output, row)))
      for (const path of marked) differences.push(...this.#judge(output, path, rows.get(path) ?? new Set()))
      for (const key of this.#marked.keys()) {
        const [of, path] = key.split(" in ")
        if (of === output && !marked.has(path)) differences.push(wrong(output, `the marker of ${path} has vanished`))
      }
    }
    return differences
  }

  #judge(output, path, rows) {
    const inTime = this.#expected[output].filter((each) => each.path === path && !each.isLate).map(({ row }) => row)
    const missing = inTime.filter((row) => !rows.has(row))
    const key = `${output} in ${path}`
    const before = this.#marked.get(key) ?? rows
    const inTimeRows = new Set(inTime)
    const after = [...rows].filter((row) => !before.has(row) && inTimeRows.has(row))
    this.#marked.set(key, before)
    return [
      ...missing.map((row) => wrong(output, `${row} (${path} has its marker without it)`)),
      ...after.map((row) => wrong(output, `${row} (came to ${path} behind its marker)`)),
    ]
  }

  async #rowsByPath(output, marked) {
    const inTime = new Set(this.#expected[output].filter(({ isLate }) => !isLate).map(({ row }) => row))
    const rows = new Map()
    const doubtful = []
    for (const name of publishedNames(this.#directory, output)) {
      const path = dirname(name)
      if (!rows.has(path)) rows.set(path, new Set())
      const file = join(this.#directory, "out", output, name)
      const isBehind = marked.has(path) && namedAt(file) > madeAt(join(dirname(file), "_SUCCESS"))
      for (const row of await rowsOf(file)) {
        const text = rowText(row, COLUMNS[output])
        rows.get(path).add(text)
        if (pathOf(row.lane, microsOf(row[PARTITIONED[output].time])) !== path) doubtful.push(`${text} (in ${path})`)
        if (isBehind && inTime.has(text)) doubtful.push(`${text} (${name} is younger than its marker)`)
      }
    }
    return { rows, doubtful }
  }
}

const namedAt = (file) => statSync(file, { bigint: true }).ctimeNs
const madeAt = (file) => statSync(file, { bigint: true }).mtimeNs

/** When the job has finished: markers that lack, and such of directories that have no rows. */
export function markerDifferences(directory, data) {
  return Object.entries(partitionedOf(goodRows(data.clicks.rows))).flatMap(([output, rows]) => {
    const paths = new Set(rows.map(({ path }) => path))
    const marked = new Set(markedPaths(directory, output))
    const lost = [...paths].filter((path) => !marked.has(path))
    return [
      ...lost.map((path) => ({ output, kind: "lost", count: 1, row: `the marker of ${path}` })),
      ...[...marked].filter((path) => !paths.has(path)).map((path) => wrong(output, `the marker of ${path}`)),
    ]
  })
}
