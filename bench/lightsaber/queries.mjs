/**
 * The nine queries as data: what they read and give, and their meaning in words of plain JavaScript, for the twin. The
 * jobs that the engine runs stand in `jobs.mjs`, the kernels by hand in `kernels.c` and `hand.mjs`.
 *
 * `published` are Mtuples a second as measured for LightSaber with one worker and its dispatcher on two cores of a server,
 * over a buffer that fits the cache; `publishedLarge`, where known, with a ring of 1 GiB. LightSaber reads whole rows of
 * 64 bytes (YSB and NBQ5: 128), and we only the columns that the query names.
 */

/**
 * @typedef {object} Query
 * @property {string} name
 * @property {string} data Which data set of `data.mjs`.
 * @property {string} title What it computes, in a line.
 * @property {number} published
 * @property {string} [publishedLarge]
 * @property {readonly (readonly [name: string, type: "timestamp" | "int32" | "int53" | "float64"])[]} columns
 *   What it reads, in this order, event time first.
 * @property {readonly string[]} [sparse] Columns of which only the rows that pass the filter are read, and few do.
 * @property {readonly (readonly [name: string, type: "timestamp" | "int32" | "int53" | "float64"])[]} results
 *   What it gives: keys, window, aggregates.
 * @property {number} size The window, in seconds.
 * @property {number} slide
 * @property {(columns: any, row: number) => boolean} [where]
 * @property {(columns: any, row: number) => number[]} key
 * @property {(columns: any, rows: number[], times: number[]) => number[]} aggregate
 *   The aggregates of rows of one key and window.
 * @property {(aggregates: number[]) => boolean} [having]
 * @property {(rows: number[][]) => number[][]} [behind] What becomes of the result rows of one window.
 * @property {number} checkedSlides How many slides behind the first full window are checked.
 */

const sum = (values, rows) => rows.reduce((total, row) => total + values[row], 0)
const mean = (values, rows) => sum(values, rows) / rows.length
const segment = (position) => Math.floor(position / 5280)

const WINDOW = /** @type {const} */ ([
  ["windowStart", "timestamp"],
  ["windowEnd", "timestamp"],
])

/** @type {readonly Query[]} */
export const QUERIES = [
  {
    name: "CM1",
    data: "cluster",
    title: "cluster: sum(cpu) by category, 60 s every 1 s",
    published: 135,
    publishedLarge: "71–86",
    columns: [
      ["at", "timestamp"],
      ["category", "int32"],
      ["cpu", "float64"],
    ],
    results: [["category", "int32"], ...WINDOW, ["total", "float64"]],
    size: 60,
    slide: 1,
    key: (c, row) => [c.category[row]],
    aggregate: (c, rows) => [sum(c.cpu, rows)],
    checkedSlides: 600,
  },
  {
    name: "CM2",
    data: "cluster",
    title: "cluster: eventType = 3; sum(cpu) by job, 60 s every 1 s",
    published: 174,
    columns: [
      ["at", "timestamp"],
      ["eventType", "int32"],
      ["jobId", "int53"],
      ["cpu", "float64"],
    ],
    sparse: ["jobId", "cpu"],
    results: [["jobId", "int53"], ...WINDOW, ["total", "float64"]],
    size: 60,
    slide: 1,
    where: (c, row) => c.eventType[row] === 3,
    key: (c, row) => [c.jobId[row]],
    aggregate: (c, rows) => [sum(c.cpu, rows)],
    checkedSlides: 600,
  },
  {
    name: "SG1",
    data: "plugs",
    title: "smart grid: avg(value), 3,600 s every 1 s",
    published: 235,
    publishedLarge: "62–98",
    columns: [
      ["at", "timestamp"],
      ["value", "float64"],
    ],
    results: [...WINDOW, ["mean", "float64"]],
    size: 3600,
    slide: 1,
    key: () => [],
    aggregate: (c, rows) => [mean(c.value, rows)],
    checkedSlides: 3,
  },
  {
    name: "SG2",
    data: "plugs",
    title: "smart grid: avg(value) by plug, household, house, 128 s every 1 s",
    published: 15,
    columns: [
      ["at", "timestamp"],
      ["plug", "int32"],
      ["household", "int32"],
      ["house", "int32"],
      ["value", "float64"],
    ],
    results: [["plug", "int32"], ["household", "int32"], ["house", "int32"], ...WINDOW, ["mean", "float64"]],
    size: 128,
    slide: 1,
    key: (c, row) => [c.plug[row], c.household[row], c.house[row]],
    aggregate: (c, rows) => [mean(c.value, rows)],
    checkedSlides: 5,
  },
  {
    name: "LRB1",
    data: "cars",
    title: "linear road: avg(speed) < 40 by highway, direction, segment, 300 s every 1 s",
    published: 6.5,
    columns: [
      ["at", "timestamp"],
      ["highway", "int32"],
      ["direction", "int32"],
      ["position", "int32"],
      ["speed", "float64"],
    ],
    results: [["highway", "int32"], ["direction", "int32"], ["segment", "int32"], ...WINDOW, ["mean", "float64"]],
    size: 300,
    slide: 1,
    key: (c, row) => [c.highway[row], c.direction[row], segment(c.position[row])],
    aggregate: (c, rows) => [mean(c.speed, rows)],
    having: ([average]) => average < 40,
    checkedSlides: 20,
  },
  {
    name: "LRB2",
    data: "cars",
    title: "linear road: count by vehicle, highway, direction, segment, 30 s every 1 s",
    published: 2.3,
    columns: [
      ["at", "timestamp"],
      ["vehicle", "int32"],
      ["highway", "int32"],
      ["direction", "int32"],
      ["position", "int32"],
    ],
    results: [
      ["vehicle", "int32"],
      ["highway", "int32"],
      ["direction", "int32"],
      ["segment", "int32"],
      ...WINDOW,
      ["reports", "int53"],
    ],
    size: 30,
    slide: 1,
    key: (c, row) => [c.vehicle[row], c.highway[row], c.direction[row], segment(c.position[row])],
    aggregate: (_, rows) => [rows.length],
    checkedSlides: 60,
  },
  {
    name: "YSB",
    data: "ads",
    title: "ads: views; count and latest by campaign, 100 s",
    published: 112,
    publishedLarge: "35–44",
    columns: [
      ["at", "timestamp"],
      ["eventType", "int32"],
      ["ad", "int32"],
    ],
    results: [["campaign", "int32"], ...WINDOW, ["views", "int53"], ["latest", "timestamp"]],
    size: 100,
    slide: 100,
    where: (c, row) => c.eventType[row] === 0,
    key: (c, row) => [Math.floor(c.ad[row] / 10)],
    aggregate: (_, rows, times) => [rows.length, Math.max(...times)],
    checkedSlides: 2,
  },
  {
    name: "NBQ5",
    data: "auctions",
    title: "auctions: count by auction, 60 s every 1 s; the highest count of each window",
    published: 32,
    columns: [
      ["at", "timestamp"],
      ["auction", "int32"],
    ],
    results: [...WINDOW, ["most", "int53"]],
    size: 60,
    slide: 1,
    key: (c, row) => [c.auction[row]],
    aggregate: (_, rows) => [rows.length],
    behind: (rows) => [[rows[0][2] - 1_000_000, rows[0][2], Math.max(...rows.map((row) => row[3]))]],
    checkedSlides: 10,
  },
  {
    name: "ME1",
    data: "machines",
    title: "manufacturing: avg of three columns, 60 s every 1 s",
    published: 195,
    columns: [
      ["at", "timestamp"],
      ["phase1", "int32"],
      ["phase2", "int32"],
      ["phase3", "int32"],
    ],
    results: [...WINDOW, ["mean1", "float64"], ["mean2", "float64"], ["mean3", "float64"]],
    size: 60,
    slide: 1,
    key: () => [],
    aggregate: (c, rows) => [mean(c.phase1, rows), mean(c.phase2, rows), mean(c.phase3, rows)],
    checkedSlides: 100,
  },
]

/** Bytes of a value by its type. */
export const WIDTHS = { timestamp: 8, int53: 8, float64: 8, int32: 4 }

/**
 * Bytes of a row in the ring.
 *
 * @param {Pick<Query, "columns">} query
 */
export function rowBytes({ columns }) {
  return columns.reduce((bytes, [, type]) => bytes + WIDTHS[type], 0)
}

/**
 * Bytes of a row in the columns that are read whole: what the ring's size counts.
 *
 * @param {Pick<Query, "columns" | "sparse">} query
 */
export function scannedBytes({ columns, sparse = [] }) {
  return rowBytes({ columns: columns.filter(([name]) => !sparse.includes(name)) })
}

/** The query of a name. */
export function queryNamed(name) {
  const query = QUERIES.find((each) => each.name === name)
  if (query === undefined)
    throw new Error(`There is no query ${name}; there are ${QUERIES.map((each) => each.name).join(", ")}.`)
  return query
}
