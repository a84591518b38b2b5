/**
 * The data of a chaos round, and what its job must make of it: plain loops over the rows, file by file, that know the
 * semantics of `docs/spec` and share no code with the engine.
 */

const START = Date.UTC(2024, 0, 1) * 1000
const SECOND = 1_000_000
const MINUTE = 60 * SECOND
const FILES = 5
const KEYS = 500
const OUT_OF_ORDER = 5 * SECOND

/** Draws a round's window and files: mostly in order, some too late, some broken. */
export function generateRound(prng) {
  const slide = prng.chance(0.5) ? undefined : MINUTE
  const files = []
  let id = 0
  for (let index = 0; index < FILES; index++) {
    const lines = []
    let clock = START + prng.below(5) * MINUTE
    const count = 6000 + prng.below(6000)
    for (let line = 0; line < count; line++) {
      clock += prng.below(SECOND / 2)
      id++
      if (prng.chance(0.002)) {
        lines.push({ text: `{"id":${id},"key":"k1","value":"none"}`, row: undefined })
        continue
      }
      const behind = prng.chance(0.01) ? prng.below(20 * MINUTE) : prng.below(7 * SECOND)
      const at = clock - behind - ((clock - behind) % 100_000) + (id % 100_000)
      const row = { id, key: `k${prng.below(KEYS)}`, value: prng.below(2001) - 1000, at }
      lines.push({ text: JSON.stringify(row), row })
    }
    files.push({ name: `${prng.pick(["a", "m", "z"])}-${index}.jsonl`, lines })
  }
  return {
    window: { sizeMinutes: slide === undefined ? 1 : 2, slideMinutes: slide === undefined ? undefined : 1 },
    files,
  }
}

/** What the job must publish: the rows of each output as texts. */
export function referenceOf({ window, files }) {
  const size = window.sizeMinutes * MINUTE
  const slide = (window.slideMinutes ?? window.sizeMinutes) * MINUTE
  const windows = new Map()
  const late = []
  const bad = []
  for (const { name, lines } of files) {
    let watermark = -Infinity
    lines.forEach(({ row }, index) => {
      if (row === undefined) {
        bad.push(`${name}|${index + 1}`)
        return
      }
      if (row.value === 0) return
      let isLate = true
      for (let start = Math.floor(row.at / slide) * slide; start > row.at - size; start -= slide) {
        if (watermark >= start + size - 1) continue
        isLate = false
        const place = `${row.key}|${iso(start)}|${iso(start + size)}`
        const rows = windows.get(place)
        if (rows === undefined) windows.set(place, [row])
        else rows.push(row)
      }
      if (isLate) late.push(String(row.id))
      watermark = Math.max(watermark, row.at - OUT_OF_ORDER - 1)
    })
  }
  const results = [...windows].map(([place, rows]) => {
    const total = rows.reduce((sum, { value }) => sum + value, 0)
    const least = rows.reduce((smallest, { value }) => Math.min(smallest, value), Infinity)
    const newest = rows.reduce((last, row) => (row.at > last.at ? row : last))
    return [place, rows.length, total, least, newest.id].join("|")
  })
  return { results, late, bad }
}

function iso(micros) {
  return new Date(micros / 1000).toISOString().replace(".000Z", "Z")
}
