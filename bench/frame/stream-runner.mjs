/** Pushes an endless stream through a dataflow, batch by batch, for a while at a time; what lies between does not count. */
import { cpuSeconds, peakMiB } from "./usage.mjs"

/** A ring's batches on their way through a dataflow. It goes on where it stopped. */
export class StreamRunner {
  #ring
  #run
  #batches
  #next = 0

  constructor(ring, run, batchRows) {
    this.#ring = ring
    this.#run = run
    this.#batches = ring.batches(batchRows)
  }

  /**
   * Pushes whole batches until both have been reached. The clock stands while the ring moves on. Where a run has threads, it
   * says when it wants another batch, and all that was pushed is computed before the clock stops.
   */
  async runUntil(leastTuples, leastSeconds) {
    let [tuples, seconds, cpu] = [0, 0, 0]
    while (tuples < leastTuples || seconds < leastSeconds) {
      const [start, startCpu] = [performance.now(), cpuSeconds()]
      const deadline = start + (leastSeconds - seconds) * 1000
      while (this.#next < this.#batches.length && (tuples < leastTuples || performance.now() < deadline)) {
        const batch = this.#batches[this.#next++]
        const wait = this.#run.push(batch)
        if (wait !== undefined) await wait
        tuples += batch.length
      }
      await this.#run.settle?.()
      seconds += (performance.now() - start) / 1000
      cpu += cpuSeconds() - startCpu
      if (this.#next < this.#batches.length) continue
      this.#ring.advance()
      this.#next = 0
    }
    return { tuples, seconds, cpuSeconds: cpu, peakMiB: peakMiB() }
  }

  /** Goes on with batches of another size, at the next that starts where one of the old ones ended, or behind it. */
  resize(batchRows) {
    let done = this.#batches.slice(0, this.#next).reduce((total, batch) => total + batch.length, 0)
    this.#batches = this.#ring.batches(batchRows)
    for (this.#next = 0; done > 0; this.#next++) done -= this.#batches[this.#next].length
  }
}
