/** Prints what a variant measured, as one line of JSON. */
import { cpuSeconds, peakMiB } from "../frame/usage.mjs"

export function report(startMillis, result) {
  const seconds = (performance.now() - startMillis) / 1000
  console.log(JSON.stringify({ ...result, seconds, cpuSeconds: cpuSeconds(), peakMiB: peakMiB() }))
}
