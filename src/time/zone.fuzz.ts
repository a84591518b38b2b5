import { expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import type { Prng } from "../base/prng.ts"
import { TimeZone } from "./zone.ts"

const NAMES = [
  "America/New_York",
  "Europe/Berlin",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "America/Sao_Paulo",
  "Africa/Casablanca",
  "Pacific/Apia",
]
const SECOND = 1_000_000
const DAY = 86_400 * SECOND

/** The offset by way of the clock that `Intl` shows, which is another way than the zone's. */
function referenceOffsets(name: string): (utcMicros: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  })
  return (utcMicros) => {
    const second = Math.floor(utcMicros / SECOND)
    const parts = Object.fromEntries(
      format.formatToParts(second * 1000).map(({ type, value }) => [type, Number(value)]),
    )
    const { year, month, day, hour, minute, second: seconds } = parts
    return (Date.UTC(year!, month! - 1, day, hour, minute, seconds) / 1000 - second) * SECOND
  }
}

/** The definition of Z2: try every offset that is in force near by. */
function referenceUtc(local: number, offsetAt: (utcMicros: number) => number): number {
  const offsets = new Set([-2, -1, -0.5, 0, 0.5, 1, 2].map((days) => offsetAt(local + days * DAY)))
  const candidates = [...offsets].map((offset) => local - offset).filter((utc) => utc + offsetAt(utc) === local)
  if (candidates.length > 0) return Math.min(...candidates)
  return local - offsetAt(local - Math.max(...offsets))
}

/** Any moment of the last two centuries, or one near a change of offset in the years with rules. */
function randomMoment(prng: Prng, offsetAt: (utcMicros: number) => number): number {
  const start = Date.UTC(1840, 0, 1) * 1000
  const moment = start + Math.floor(prng.float() * 230 * 365.25) * DAY + prng.below(DAY)
  if (prng.chance(0.3)) return moment
  for (let near = moment, days = 0; days < 400; days += 10, near += 10 * DAY) {
    let [low, high] = [near, near + 10 * DAY]
    if (offsetAt(low) === offsetAt(high)) continue
    while (high - low > SECOND) {
      const middle = Math.floor((low + high) / 2 / SECOND) * SECOND
      if (offsetAt(middle) === offsetAt(high)) high = middle
      else low = middle
    }
    return high + prng.pick([-1, 0, 1, -SECOND, prng.below(4 * 3600 * SECOND) - 2 * 3600 * SECOND])
  }
  return moment
}

it.each(NAMES)("Z1 Z2 %s has the offsets that Intl shows, and reads local times as defined", (name) => {
  const offsetAt = referenceOffsets(name)
  const zone = TimeZone.of(name)
  forEachSeed(150, (prng) => {
    const utc = randomMoment(prng, offsetAt)
    expect(zone.offsetAt(utc)).toBe(offsetAt(utc))
    const local = utc + prng.pick([offsetAt(utc - DAY), offsetAt(utc + DAY)])
    expect(zone.utcOfLocal(local)).toBe(referenceUtc(local, offsetAt))
  })
})
