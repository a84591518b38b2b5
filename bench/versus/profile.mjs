/** Where the time of a run goes: V8's profiles of its threads, function by function. */
import { readdirSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"

const SHOWN = 14

/** The functions that took most time by themselves, over all threads: `[{ name, millis }]`; and all time that was not idle. */
export function profileOf(directory) {
  const byName = new Map()
  for (const file of readdirSync(directory)) {
    const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(directory, file), "utf8"))
    const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
    samples.forEach((id, at) => {
      const name = names.get(id)
      if (name !== "(idle)") byName.set(name, (byName.get(name) ?? 0) + timeDeltas[at] / 1000)
    })
  }
  const sorted = [...byName].sort(([, one], [, other]) => other - one)
  const functions = sorted.slice(0, SHOWN).map(([name, millis]) => ({ name, millis }))
  return { functions, millis: sorted.reduce((sum, [, millis]) => sum + millis, 0) }
}

function nameOf({ functionName, url, lineNumber }) {
  const name = functionName === "" ? "(anonymous)" : functionName
  return url === "" || url.startsWith("wasm:") ? name : `${name} ${basename(url)}:${lineNumber + 1}`
}
