/** Prints what a variant measured, as one line of JSON. */
export function report(startMillis, result) {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  const seconds = (performance.now() - startMillis) / 1000
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6
  console.log(JSON.stringify({ ...result, seconds, cpuSeconds, peakMiB: maxRSS / 1024 }))
}
