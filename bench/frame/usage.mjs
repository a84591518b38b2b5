/** What this process has used of the machine. */

/** Seconds of processor time, of all threads, in and for this process. */
export function cpuSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** The most memory that was ever resident. */
export function peakMiB() {
  return process.resourceUsage().maxRSS / 1024
}
