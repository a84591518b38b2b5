/**
 * The slope of a series over time, and how well it is known: the median of the slopes between all pairs of points (Theil and Sen), and the
 * interval by Kendall's statistic (Sen, 1968), which holds for noise of any distribution, as long as the noise of one point says nothing of
 * that of the next. Samples of memory do: so they are gathered to blocks first, of which the median is a point.
 */

/**
 * The normal quantile of intervals of which, in a run that judges seven series, one misses its slope once in a hundred runs: each has seven times
 * less room to (Bonferroni). With an interval of 99 % for each, one run in thirty would tell of growth where there is none.
 */
const Z = 3.19

/** The fewest points that an interval is worth anything for. */
export const POINTS_MIN = 8

/** Medians of so many blocks of samples, one behind the other: `{ at, value }` each. */
export function blocksOf(samples, count) {
  return Array.from({ length: count }, (_, block) => {
    const from = Math.floor((samples.length * block) / count)
    const those = samples.slice(from, Math.floor((samples.length * (block + 1)) / count))
    return { at: median(those.map(({ at }) => at)), value: median(those.map(({ value }) => value)) }
  })
}

/**
 * The slope of points and its interval, in the unit of `value` for one of `at`. Points have different times.
 *
 * @param {readonly { at: number, value: number }[]} points
 */
export function slopeOf(points) {
  const slopes = []
  for (let one = 0; one < points.length; one++) {
    for (let other = one + 1; other < points.length; other++) {
      slopes.push((points[other].value - points[one].value) / (points[other].at - points[one].at))
    }
  }
  slopes.sort((one, other) => one - other)
  const width = Z * Math.sqrt(varianceOfKendall(points))
  const low = Math.max(0, Math.floor((slopes.length - width) / 2))
  const high = Math.min(slopes.length - 1, Math.ceil((slopes.length + width) / 2))
  return { slope: median(slopes), low: slopes[low], high: slopes[high] }
}

/** Of Kendall's statistic where there is no slope; equal values take away from it. */
function varianceOfKendall(points) {
  const count = points.length
  const ties = new Map()
  for (const { value } of points) ties.set(value, (ties.get(value) ?? 0) + 1)
  const of = (n) => n * (n - 1) * (2 * n + 5)
  return (of(count) - [...ties.values()].reduce((sum, n) => sum + of(n), 0)) / 18
}

function median(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
