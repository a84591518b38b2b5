/**
 * Time zones: offsets from UTC by the IANA database that the JavaScript engine carries, or fixed ones.
 *
 * `Intl` tells one offset in about one microsecond, so what it tells is kept: time is cut into spans of about a year,
 * and on the first question about a span its changes of offset are searched. After that an answer costs a few
 * comparisons. Only the zone's name and the engine's database decide; the process's own zone never matters.
 *
 * The rule for local times that a change skips or repeats is Temporal's "compatible": a skipped time is read with the
 * offset before the change, which moves it forward by the gap; of a repeated time the earlier one is meant.
 *
 * Invariants:
 * - Z1 `offsetAt(u)` is the offset that `Intl` shows for `u`, which is not asked about UTC.
 * - Z2 For a local time `l` that exists, `u = utcOfLocal(l)` is the earliest with `u + offsetAt(u) = l`. For one that a
 *   change skips, `u` is `l` minus the offset before the change.
 */
import { assert } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"

/** 2²⁵ seconds, a little more than a year: 537 spans hold all timestamps. */
const SPAN_MICROS = 2 ** 25 * 1_000_000
/** Index of the span that starts in 1970, so that spans of earlier years have indexes too. */
const SPAN_OF_EPOCH = 269
const SPAN_COUNT = 2 * SPAN_OF_EPOCH
/**
 * How far apart offsets are asked for when a span is searched: two changes in between would go unnoticed. The shortest
 * time between two changes in the whole database is just under four days (Africa/Freetown, 1939).
 */
const PROBE_SECONDS = 2 * 86_400
/** More than the greatest offset from UTC that ever was. */
const MARGIN_MICROS = 2 * 86_400_000_000

/** Offsets that hold from one moment to the next. */
interface Steps {
  /** Ascending; the first is −∞. */
  readonly starts: readonly number[]
  /** In microseconds east of UTC. */
  readonly offsets: readonly number[]
}

/** A time zone. */
export class TimeZone {
  /** As it was asked for. */
  readonly name: string
  readonly #offsetSecondsAt: (utcSeconds: number) => number
  /** By span of UTC. */
  readonly #utcSteps: (Steps | undefined)[] = new Array<Steps | undefined>(SPAN_COUNT).fill(undefined)
  /** By span of local time. */
  readonly #localSteps: (Steps | undefined)[] = new Array<Steps | undefined>(SPAN_COUNT).fill(undefined)

  private constructor(name: string, offsetSecondsAt: (utcSeconds: number) => number) {
    this.name = name
    this.#offsetSecondsAt = offsetSecondsAt
  }

  /**
   * The zone of an IANA name (`"Europe/Berlin"`), of `"UTC"`, or of an offset (`"+05:30"`).
   *
   * @throws TidemarkError `invalid-schema` where the engine knows no such zone.
   */
  static of(name: string): TimeZone {
    // What every job needs: `Intl` takes 10 ms and 8 MiB when it is first used.
    if (name === "UTC") return new TimeZone(name, () => 0)
    const fixed = /^([+-])([01]\d|2[0-3]):([0-5]\d)$/.exec(name)
    if (fixed !== null) {
      const seconds = (fixed[1] === "-" ? -60 : 60) * (Number(fixed[2]) * 60 + Number(fixed[3]))
      return new TimeZone(name, () => seconds)
    }
    try {
      return new TimeZone(name, intlOffsets(name))
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      throw new TidemarkError("invalid-schema", `${JSON.stringify(name)} is not a time zone that this system knows.`, {
        hint: 'Write an IANA name such as "America/New_York", "UTC", or an offset such as "+05:30".',
        cause,
      })
    }
  }

  /** Microseconds east of UTC at a timestamp. */
  offsetAt(utcMicros: number): number {
    const span = Math.floor(utcMicros / SPAN_MICROS) + SPAN_OF_EPOCH
    assert(span >= 0 && span < SPAN_COUNT, "zones are asked about timestamps")
    const steps = (this.#utcSteps[span] ??= this.#search(span, 0))
    return offsetOf(steps, utcMicros)
  }

  /** The timestamp of a local time, given as microseconds since 1970-01-01T00:00:00 on the zone's clocks. */
  utcOfLocal(localMicros: number): number {
    const times = Float64Array.of(localMicros)
    this.localToUtc(times, 0)
    return times[0]!
  }

  /** Makes of the local time `times[index]` its timestamp; in place, so that nothing is allocated. */
  localToUtc(times: Float64Array, index: number): void {
    const local = times[index]!
    const span = Math.floor(local / SPAN_MICROS) + SPAN_OF_EPOCH
    // Far outside the range of timestamps, whatever the offset.
    if (!(span >= 0 && span < SPAN_COUNT)) return
    const { starts, offsets } = (this.#localSteps[span] ??= localOf(this.#search(span, MARGIN_MICROS)))
    let step = starts.length - 1
    while (local < starts[step]!) step--
    times[index] = local - offsets[step]!
  }

  /** The steps of a span of UTC and `margin` around it. */
  #search(span: number, margin: number): Steps {
    const from = ((span - SPAN_OF_EPOCH) * SPAN_MICROS - margin) / 1_000_000
    const to = ((span - SPAN_OF_EPOCH + 1) * SPAN_MICROS + margin) / 1_000_000
    const starts = [-Infinity]
    const offsets = [this.#offsetSecondsAt(from) * 1_000_000]
    let offset = this.#offsetSecondsAt(from)
    for (let at = from; at < to; at += PROBE_SECONDS) {
      const end = Math.min(at + PROBE_SECONDS, to)
      const endOffset = this.#offsetSecondsAt(end)
      if (endOffset === offset) continue
      starts.push(this.#firstSecondOf(endOffset, at, end) * 1_000_000)
      offsets.push(endOffset * 1_000_000)
      offset = endOffset
    }
    return { starts, offsets }
  }

  /** The first second in (before, after] that has `offset`, which `after` has and `before` has not. */
  #firstSecondOf(offset: number, before: number, after: number): number {
    let [low, high] = [before, after]
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (this.#offsetSecondsAt(middle) === offset) high = middle
      else low = middle
    }
    return high
  }
}

function offsetOf({ starts, offsets }: Steps, micros: number): number {
  let step = starts.length - 1
  while (micros < starts[step]!) step--
  return offsets[step]!
}

/**
 * Steps of UTC as steps of local time. Where clocks go forward, the times they skip still count by the old offset;
 * where they go back, so do the times that they repeat: either way the new offset begins at the later of the two
 * readings of the clock.
 */
function localOf({ starts, offsets }: Steps): Steps {
  return {
    starts: starts.map((start, step) =>
      step === 0 ? -Infinity : start + Math.max(offsets[step - 1]!, offsets[step]!),
    ),
    offsets,
  }
}

/** The offset that `Intl` shows, in seconds east of UTC. */
function intlOffsets(name: string): (utcSeconds: number) => number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset", year: "numeric" })
  return (utcSeconds) => {
    // "2024 GMT-05:00"; ancient offsets have seconds ("GMT-04:56:02"), and UTC's own is empty.
    const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(format.format(utcSeconds * 1000))
    assert(match !== null, `the engine shows the offset of ${name}`)
    const seconds = Number(match[2] ?? 0) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0)
    return match[1] === "-" ? -seconds : seconds
  }
}
