import { expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import type { Prng } from "../base/prng.ts"
import { ISO_BYTES_MAX, parseIsoBytes, writeIsoBytes } from "./iso-bytes.ts"
import { formatIso, parseIso } from "./iso.ts"
import type { Timestamp } from "./timestamp.ts"
import { TimeZone } from "./zone.ts"

const ZONES = [undefined, TimeZone.of("UTC"), TimeZone.of("+05:30"), TimeZone.of("America/New_York")]
/** What `Date.parse` reads as we do, by the letter of ECMAScript. */
const AS_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/
const encoder = new TextEncoder()
const micros = new Float64Array(2)

const two = (value: number) => String(value).padStart(2, "0")

/** Text that is ISO 8601 or nearly so: fields a little out of range now and then, and sometimes broken characters. */
function randomText(prng: Prng): string {
  const separator = prng.pick(["-", "-", "/"])
  const date = [
    two(prng.pick([16, 18, 19, 20, 22])) + two(prng.below(100)),
    two(prng.below(14)),
    two(prng.below(33)),
  ].join(separator)
  const fraction = prng.chance(0.5) ? "" : `.${String(prng.below(10 ** 9)).slice(0, prng.below(10))}`
  const seconds = prng.chance(0.2) ? "" : `:${two(prng.below(62))}${fraction}`
  const time = prng.chance(0.1) ? "" : `${prng.pick(["T", " "])}${two(prng.below(25))}:${two(prng.below(61))}${seconds}`
  const [hours, minutes] = [two(prng.below(25)), two(prng.pick([0, 0, 30, 45, 60]))]
  const sign = prng.pick(["+", "-"])
  const offset = prng.pick(["", "Z", `${sign}${hours}:${minutes}`, `${sign}${hours}${minutes}`, `${sign}${hours}`])
  const text = date + time + offset
  if (prng.chance(0.7)) return text
  const at = prng.below(text.length + 1)
  const change = prng.pick(["", "0", "9", ":", ".", "-", "+", "T", "Z", " ", "z", "\u00e9"])
  return text.slice(0, at) + change + text.slice(at + prng.below(2))
}

it("IB1 reads from bytes what is read from text, and nothing else", () => {
  let valid = 0
  let asDate = 0
  forEachSeed(20, (prng) => {
    for (let index = 0; index < 1000; index++) {
      const whole = randomText(prng)
      const text = prng.chance(0.8) ? whole : whole.slice(0, prng.below(whole.length + 1))
      const zone = prng.pick(ZONES)
      const expected = parseIso(text, zone)
      // What stands around the text must not matter, even where the text could go on there.
      const [before, after] = [
        prng.pick(["", "7", "2024"]),
        whole.slice(text.length) + prng.pick(["", "7", "Z", "00:00"]),
      ]
      const bytes = encoder.encode(before + text + after)
      const end = bytes.length - encoder.encode(after).length
      const isRead = parseIsoBytes(bytes, before.length, end, zone, micros, 1)
      expect(isRead ? micros[1] : "refused", text).toBe(typeof expected === "string" ? "refused" : expected)
      if (typeof expected === "string") continue
      valid++
      if (!AS_DATE.test(text)) continue
      expect(expected, text).toBe(Date.parse(text) * 1000)
      asDate++
    }
  })
  expect(valid).toBeGreaterThan(2000)
  expect(asDate).toBeGreaterThan(200)
})

it("IB2 writes to bytes what is written as text, and both read it back", () => {
  const bytes = new Uint8Array(ISO_BYTES_MAX + 3)
  const decoder = new TextDecoder()
  forEachSeed(10, (prng) => {
    for (let index = 0; index < 1000; index++) {
      const scale = prng.pick([1, 1000, 1_000_000])
      const magnitude = prng.below(Math.floor(Number.MAX_SAFE_INTEGER / scale)) * scale
      const timestamp = (prng.chance(0.5) ? magnitude : 0 - magnitude) as Timestamp
      const text = formatIso(timestamp)
      micros[1] = timestamp
      const end = writeIsoBytes(micros, 1, bytes, 3)
      expect(decoder.decode(bytes.subarray(3, end))).toBe(text)
      expect(parseIso(text, undefined)).toBe(timestamp)
      micros[1] = NaN
      expect(parseIsoBytes(bytes, 3, end, undefined, micros, 1)).toBe(true)
      expect(micros[1]).toBe(timestamp)
      if (timestamp % 1000 === 0) expect(Date.parse(text)).toBe(timestamp / 1000)
    }
  })
})
