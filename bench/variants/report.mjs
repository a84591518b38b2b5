/** Measures what a variant does, and prints it as one line of JSON. */
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { cpuSeconds, peakMiB } from "../frame/usage.mjs"

/**
 * Runs the work so often, one after the other in this process, each with a directory of its own for results. It gives what
 * it has counted. Time starts when modules are loaded and what is in memory is there.
 */
export async function report(directory, runs, work) {
  const measured = []
  for (let run = 0; run < runs; run++) {
    const own = join(directory, `run-${run}`)
    await mkdir(own, { recursive: true })
    const [startMillis, startCpu] = [performance.now(), cpuSeconds()]
    const counts = await work(own)
    const seconds = (performance.now() - startMillis) / 1000
    measured.push({ ...counts, seconds, cpuSeconds: cpuSeconds() - startCpu })
  }
  console.log(JSON.stringify({ runs: measured, peakMiB: peakMiB() }))
}
