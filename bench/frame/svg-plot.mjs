/** Plots as SVG, by hand: panels of lines over two logarithmic axes, with the lines' names beside the title. */

const [WIDTH, HEIGHT] = [420, 300]
const MARGIN = { left: 56, right: 24, top: 36, bottom: 44 }
const COLOURS = ["#1f6feb", "#d1570b", "#2da44e", "#8250df"]

/**
 * @param {readonly { title: string, axis: string, lines: readonly { name: string, points: readonly (readonly [number, number])[] }[] }[]} panels
 * @param {string} unit What all panels have upwards.
 */
export function plotPanels(panels, unit) {
  const columns = Math.min(2, panels.length)
  const rows = Math.ceil(panels.length / columns)
  const inside = panels.map((panel, index) => {
    const [x, y] = [(index % columns) * WIDTH, Math.floor(index / columns) * HEIGHT]
    return `<g transform="translate(${x} ${y})">${panelSvg(panel, unit)}</g>`
  })
  const size = `width="${columns * WIDTH}" height="${rows * HEIGHT}"`
  const style = `<style>text { font: 11px sans-serif; fill: #24292f } .title { font-weight: bold } .grid { stroke: #d0d7de }</style>`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${style}<rect ${size} fill="white"/>${inside.join("")}</svg>\n`
}

function panelSvg({ title, axis, lines }, unit) {
  const points = lines.flatMap((line) => line.points)
  // What is 0 has no logarithm: it stands half a decade left of the least that is not.
  const positive = points.map(([x]) => x).filter((x) => x > 0)
  const least = Math.min(...positive)
  const hasZero = points.some(([x]) => x === 0)
  const place = (x) => (x > 0 ? x : least / 10 ** 0.5)
  const across = scale(hasZero ? place(0) : least, Math.max(...positive), MARGIN.left, WIDTH - MARGIN.right)
  const up = scale(...decades(points.map(([, y]) => y)), HEIGHT - MARGIN.bottom, MARGIN.top)
  const xs = [...new Set(points.map(([x]) => x))].sort((one, other) => one - other)
  return [
    `<text class="title" x="${MARGIN.left}" y="18">${title}</text>`,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">${axis}</text>`,
    `<text x="8" y="${MARGIN.top - 6}">${unit}</text>`,
    ...up.ticks.map((y) => gridLine(up.at(y), shortNumber(y))),
    ...xs.map((x) => label(across.at(place(x)), HEIGHT - MARGIN.bottom + 14, shortNumber(x))),
    ...lines.map((line, index) => lineSvg(line, index, ([x, y]) => [across.at(place(x)), up.at(y)])),
  ].join("")
}

function decades(values) {
  return [10 ** Math.floor(Math.log10(Math.min(...values))), 10 ** Math.ceil(Math.log10(Math.max(...values)))]
}

function scale(from, to, start, end) {
  const span = Math.log10(to / from) || 1
  const ticks = []
  for (let tick = 10 ** Math.ceil(Math.log10(from) - 1e-9); tick <= to * 1.0001; tick *= 10) ticks.push(tick)
  return { at: (value) => start + (Math.log10(value / from) / span) * (end - start), ticks }
}

function gridLine(y, text) {
  const line = `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y}" y2="${y}"/>`
  return `${line}<text x="${MARGIN.left - 6}" y="${y + 4}" text-anchor="end">${text}</text>`
}

function label(x, y, text) {
  return `<text x="${x}" y="${y}" text-anchor="middle">${text}</text>`
}

function lineSvg({ name, points }, index, at) {
  const colour = COLOURS[index % COLOURS.length]
  const places = points.map((point) => at(point).map((number) => number.toFixed(1)))
  const dots = places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2.5" fill="${colour}"/>`)
  const path = `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${places.map((each) => each.join(",")).join(" ")}"/>`
  const nameX = WIDTH - MARGIN.right - 40 * index
  return `${path}${dots.join("")}<text x="${nameX}" y="18" text-anchor="end" style="fill: ${colour}">${name}</text>`
}

function shortNumber(number) {
  if (number >= 1e6) return `${number / 1e6}M`
  return number >= 1e3 ? `${number / 1e3}k` : String(number)
}
