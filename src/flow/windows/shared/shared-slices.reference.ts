/**
 * The slow twin of slices that windows share: where in the grid a record lies, and in which order what lies in one slice of a
 * window is added up (rule W21 of docs/spec/windows.md).
 */
import type { SlicedWindowSpec } from "../../plan.ts"

/** The grid of windows that share slices. */
export interface Grid {
  readonly stepMicros: number
  readonly offsetMicros: number
  /** Records nearer than this to the ends of time fail. */
  readonly reachMicros: number
}

/** Where a record of a window lies. */
export interface GridPlace {
  /** The number of its slice of the grid. */
  readonly slice: number
  /** The number of the first slice of the grid whose start had not passed when the record came, which is behind its own. */
  readonly countsFrom: number
  /** The window's own slice: the numbers of the first slice of the grid in it and behind it. */
  readonly from: number
  readonly until: number
}

function floorTo(time: number, step: number, offset: number): number {
  const [t, s, o] = [BigInt(time), BigInt(step), BigInt(offset)]
  const rest = (((t - o) % s) + s) % s
  return Number(t - rest)
}

/** The place of a record of a window; `watermark` is that of its partition before it. */
export function gridPlaceOf(grid: Grid, window: SlicedWindowSpec, time: number, watermark: number): GridPlace {
  const { stepMicros, offsetMicros } = grid
  const numberOf = (moment: number) => {
    return Number((BigInt(floorTo(moment, stepMicros, offsetMicros)) - BigInt(offsetMicros)) / BigInt(stepMicros))
  }
  const slide = window.kind === "tumbling" ? window.sizeMicros : window.slideMicros
  // Where windows start, and where they end.
  const edges = [window.offsetMicros, window.offsetMicros + window.sizeMicros]
  const starts = edges.map((edge) => floorTo(time, slide, edge))
  const slice = numberOf(time)
  const passed = watermark === -Infinity ? -Infinity : numberOf(watermark + 1)
  return {
    slice,
    countsFrom: Math.max(slice + 1, passed + 1),
    from: numberOf(Math.max(...starts)),
    until: numberOf(Math.min(...starts.map((start) => start + slide))),
  }
}

/** The slices of the grid that are in a window of few slices of its own (W24), or undefined where it has more than six. */
export function gridSpanOf(grid: Grid, window: SlicedWindowSpec, end: number): GridSpan | undefined {
  const slide = window.kind === "tumbling" ? window.sizeMicros : window.slideMicros
  const ownSlices = (window.sizeMicros / slide) * (window.sizeMicros % slide === 0 ? 1 : 2)
  if (ownSlices > 6) return undefined
  const from = (end - window.sizeMicros - grid.offsetMicros) / grid.stepMicros
  const until = (end - grid.offsetMicros) / grid.stepMicros
  let middle = from
  for (let each = from; each < until; each++) if (twosIn(each) > twosIn(middle)) middle = each
  return { from, middle, until }
}

/** How often two divides a number. */
function twosIn(number: number): number {
  if (number === 0) return Infinity
  return number % 2 === 0 ? 1 + twosIn(number / 2) : 0
}

/** The slices of a window by number: of its earlier half up to before its middle, and of its later half. */
export interface GridSpan {
  readonly from: number
  readonly middle: number
  readonly until: number
}

/** What a window's records are parted into (W24): the runs of its halves in order of time, and what was late behind them. */
export interface GridHalves<T> {
  readonly older: readonly (readonly T[])[]
  readonly newer: readonly (readonly T[])[]
  readonly late: readonly (readonly T[])[]
}

/** Parts the records of a window, which are in order of arrival. */
export function gridHalves<T extends { readonly grid: GridPlace | undefined }>(
  records: readonly T[],
  { from, middle, until }: GridSpan,
): GridHalves<T> {
  const onTime = inGridOrder(records).filter(({ grid }) => isOnTime(grid!))
  const others = inGridOrder(records).filter(({ grid }) => !isOnTime(grid!))
  const runsBetween = (first: number, end: number) => {
    const runs = runsOf(first, end).map((run) => {
      const inRun = onTime.filter(({ grid }) => grid!.slice >= run.from && grid!.slice < run.until)
      return inRun.map((record) => ({ ...record, grid: { ...record.grid!, ...run } }))
    })
    return runs.filter(({ length }) => length > 0)
  }
  const placeOf = ({ grid }: T) => `${grid!.slice} ${grid!.countsFrom}`
  const places = [...new Set(others.map(placeOf))]
  return {
    older: runsBetween(from, middle),
    newer: runsBetween(middle, until),
    late: places.map((place) => others.filter((record) => placeOf(record) === place)),
  }
}

/** The longest runs in a stretch of slices, from its start on. */
function runsOf(from: number, until: number): { readonly from: number; readonly until: number }[] {
  const runs: { from: number; until: number }[] = []
  for (let first = from; first < until;) {
    let length = 1
    while (length < 4 ** 15 && first % (length * 4) === 0 && first + length * 4 <= until) length *= 4
    runs.push({ from: first, until: first + length })
    first += length
  }
  return runs
}

function isOnTime({ slice, countsFrom }: GridPlace): boolean {
  return countsFrom === slice + 1
}

/** What is in one slice of a window: records that were on time in the grid, then the others, by slice and when they came. */
export function inGridOrder<T extends { readonly grid: GridPlace | undefined }>(records: readonly T[]): T[] {
  const rank = ({ grid }: T) => [isOnTime(grid!) ? 0 : 1, grid!.slice, grid!.countsFrom]
  return [...records].sort((one, other) => {
    const [left, right] = [rank(one), rank(other)]
    return left[0]! - right[0]! || left[1]! - right[1]! || left[2]! - right[2]!
  })
}

/** The sum of floats in one slice of a window, which there are some of. */
export function gridSum(values: readonly { readonly value: number; readonly grid: GridPlace }[]): number {
  const sum = (numbers: readonly number[]) => (numbers.length === 0 ? [] : [numbers.reduce((all, each) => all + each)])
  const onTime = values.filter(({ grid }) => isOnTime(grid))
  const ofRun = (first: number, length: number): number[] => {
    if (length === 1) return sum(onTime.filter(({ grid }) => grid.slice === first).map(({ value }) => value))
    return sum([0, 1, 2, 3].flatMap((part) => ofRun(first + (part * length) / 4, length / 4)))
  }
  const { from, until } = values[0]!.grid
  const parts = runsOf(from, until).flatMap((run) => ofRun(run.from, run.until - run.from))
  const late = values.filter(({ grid }) => !isOnTime(grid))
  const places = [...new Set(late.map(({ grid }) => `${grid.slice} ${grid.countsFrom}`))]
  for (const place of places) {
    const same = late.filter(({ grid }) => `${grid.slice} ${grid.countsFrom}` === place)
    parts.push(...sum(same.map(({ value }) => value)))
  }
  return sum(parts)[0]!
}
