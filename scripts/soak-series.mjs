/**
 * What `soak.mjs` follows, and which of it is judged. All memory that a program holds is in series that are judged: what is used of V8's heap, and what
 * is resident beside the heap's pages. The room that V8 keeps in its pages is in neither, and so in no verdict: the resident set and the pages
 * are told, as they are what the machine sees.
 */
import { blocksOf, POINTS_MIN, slopeOf } from "./soak-slope.mjs"

const MEBIBYTE = 2 ** 20
/** The part of the time that counts as start. */
const START_SHARE = 0.25
const BLOCKS = 24

export const SERIES = [
  { name: "rss", what: "resident set", unit: MEBIBYTE, judged: false },
  { name: "v8Pages", what: "· pages of V8's heap", unit: MEBIBYTE, judged: false },
  { name: "native", what: "· all beside them", unit: MEBIBYTE, judged: true },
  { name: "heapUsed", what: "heap in use", unit: MEBIBYTE, judged: true },
  { name: "external", what: "external", unit: MEBIBYTE, judged: true },
  { name: "arrayBuffers", what: "array buffers", unit: MEBIBYTE, judged: true },
  { name: "arena", what: "arena in use", unit: MEBIBYTE, judged: true },
  { name: "stateBytes", what: "state on disk", unit: MEBIBYTE, judged: true },
  { name: "files", what: "files not published", unit: 1, judged: true },
]

/**
 * The slope of each series behind the start, an hour; none where there are too few samples.
 *
 * @param {readonly any[]} samples
 * @param {number} seconds
 */
export function slopesOf(samples, seconds) {
  const counted = samples.filter(({ at }) => at >= seconds * START_SHARE)
  if (counted.length < POINTS_MIN) return undefined
  return SERIES.map(({ name, what, unit, judged }) => {
    const points = blocksOf(
      counted.map((sample) => ({ at: sample.at / 3600, value: sample[name] / unit })),
      Math.min(BLOCKS, counted.length),
    )
    const { slope, low, high } = slopeOf(points)
    const mean = points.reduce((sum, { value }) => sum + value, 0) / points.length
    const grows = judged && low > 0
    return { name, what, unit: unit === 1 ? "an hour" : "MiB an hour", judged, mean, slope, low, high, grows }
  })
}
