/**
 * Latencies of windows over scheduled arrivals: from an arrival to the commit after which the window's result was durable
 * and applied.
 *
 * `result`: from the arrival of the last record of the window, as Karimov et al. define event-time latency (ICDE 2018);
 * one a window. `record`: from the arrival of each record, so the wait for its window's end is in it; records of a window
 * arrive evenly, of which a few stand for all.
 */
const RECORDS_OF_WINDOW = 16

/** Gathers latencies of the windows that commits make durable. */
export class WindowLatencies {
  #schedule
  #windowMicros
  #firstMicros
  #done
  #result = []
  #record = []

  /** @param {number} firstMicros where the first window that counts starts, in event time. */
  constructor(schedule, windowMicros, firstMicros) {
    this.#schedule = schedule
    this.#windowMicros = windowMicros
    this.#firstMicros = firstMicros
    this.#done = firstMicros
  }

  /** All windows that end at the watermark or before are durable now. */
  committed(watermarkMicros, nowMicros) {
    for (; this.#done + this.#windowMicros - 1 <= watermarkMicros; this.#done += this.#windowMicros) {
      const first = this.#schedule.firstAt(this.#done)
      const last = this.#schedule.firstAt(this.#done + this.#windowMicros) - 1
      this.#result.push(nowMicros - this.#schedule.arrivalMicros(last))
      for (let part = 0; part < RECORDS_OF_WINDOW; part++) {
        const id = first + ((last - first) * (part + 0.5)) / RECORDS_OF_WINDOW
        this.#record.push(nowMicros - this.#schedule.arrivalMicros(id))
      }
    }
  }

  /** In milliseconds. */
  summary() {
    return {
      windows: (this.#done - this.#firstMicros) / this.#windowMicros,
      result: percentiles(this.#result),
      record: percentiles(this.#record),
    }
  }
}

/** Of latencies in microseconds; in milliseconds. */
export function percentiles(micros) {
  const sorted = Float64Array.from(micros).sort()
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] / 1000
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) }
}
