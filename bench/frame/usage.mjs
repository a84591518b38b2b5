/** What this process uses of the machine. */

/** Seconds of processor time, of all threads, in and for this process. */
export function cpuSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** The most memory that was ever resident. */
export function peakMiB() {
  return process.resourceUsage().maxRSS / 1024
}

/** How long a piece of work takes, by the clock and of processors. Work that gives a promise is waited for. */
export function timed(work) {
  const [start, startCpu] = [performance.now(), cpuSeconds()]
  const measure = () => ({
    seconds: (performance.now() - start) / 1000,
    cpuSeconds: cpuSeconds() - startCpu,
    peakMiB: peakMiB(),
  })
  const outcome = work()
  return outcome instanceof Promise ? outcome.then(measure) : measure()
}
