/** How long a thread stood still, and how long rows waited, told apart by whether a snapshot was under way. */

const SAMPLE_MILLIS = 1
/** The least stop that counts. */
const STOP_MICROS = 500

/** Takes notes while a job runs; a snapshot is under way from the commit of the epoch that it shows until it is told as done. */
export class SnapshotStops {
  #stops = []
  #lags = []
  #commits = new Map()
  #underWay = []
  #timer
  #lastMicros

  begin() {
    this.#lastMicros = now()
    this.#sample()
  }

  /** Looks at the clock again and again: what comes late tells of a stop. */
  #sample() {
    this.#timer = setTimeout(() => {
      const micros = now()
      const stop = micros - this.#lastMicros - SAMPLE_MILLIS * 1000
      if (stop > STOP_MICROS) this.#stops.push({ micros, value: stop })
      this.#lastMicros = micros
      this.#sample()
    }, SAMPLE_MILLIS)
  }

  read(rows, lagMicros) {
    this.#lags.push({ micros: now(), value: lagMicros, weight: rows })
  }

  event({ kind, epoch }) {
    if (kind === "committed") this.#commits.set(epoch, now())
    if (kind === "snapshot" && this.#commits.has(epoch)) this.#underWay.push([this.#commits.get(epoch), now()])
  }

  get snapshots() {
    return this.#underWay.length
  }

  /** In milliseconds: while snapshots were under way, and else. */
  end() {
    clearTimeout(this.#timer)
    // A stop that ends behind a snapshot may have begun before it.
    const isUnderWay = ({ micros, value }) => this.#underWay.some(([from, to]) => micros > from && micros - value < to)
    const of = (wanted) => ({
      stops: summary(this.#stops.filter((each) => isUnderWay(each) === wanted)),
      lags: summary(this.#lags.filter((each) => isUnderWay(each) === wanted)),
    })
    const millis = this.#underWay.map(([from, to]) => (to - from) / 1000)
    return { snapshots: this.snapshots, snapshotMillis: millis, during: of(true), else: of(false) }
  }
}

function now() {
  return performance.now() * 1000
}

/** The weighted 99th percentile and the most, in milliseconds. */
function summary(list) {
  const sorted = [...list].sort((one, other) => one.value - other.value)
  const total = sorted.reduce((sum, { weight = 1 }) => sum + weight, 0)
  let seen = 0
  const p99 = sorted.find(({ weight = 1 }) => (seen += weight) >= total * 0.99)
  return { count: sorted.length, p99: (p99?.value ?? 0) / 1000, max: (sorted.at(-1)?.value ?? 0) / 1000 }
}
