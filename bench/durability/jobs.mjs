/** The jobs of `npm run bench:durability` and what is pushed into them: rows with all columns that such streams have, of which the jobs read some. */
import { count, hopping, job, max, schema, sum, t, tumbling } from "../../dist/modules/index.js"
import { generator } from "../frame/random.mjs"

const START = 1_700_000_000_000_000
const MICROS_A_ROW = 10

const hex = (random, digits) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("")

/** The Yahoo! streaming benchmark: advertisements, of which the views count, by campaign. */
const Advertisement = schema({
  user: t.string,
  page: t.string,
  ad: t.int32,
  adType: t.enum("banner", "modal", "sponsored-search", "mail", "mobile"),
  eventType: t.enum("view", "click", "purchase"),
  at: t.timestamp({ format: "us" }),
  ip: t.string,
})

function advertisements(count_) {
  const random = generator(1)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const users = Array.from({ length: 1000 }, () => `${hex(random, 8)}-${hex(random, 4)}-${hex(random, 12)}`)
  const pages = Array.from({ length: 1000 }, () => `${hex(random, 8)}-${hex(random, 4)}-${hex(random, 12)}`)
  const ips = Array.from({ length: 256 }, (_, n) => `10.0.${n}.${Math.floor(random() * 256)}`)
  return Array.from({ length: count_ }, (_, row) => ({
    user: pick(users),
    page: pick(pages),
    ad: Math.floor(random() * 1000),
    adType: pick(["banner", "modal", "sponsored-search", "mail", "mobile"]),
    eventType: pick(["view", "click", "purchase"]),
    at: START + row * MICROS_A_ROW,
    ip: pick(ips),
  }))
}

/** Events of a compute cluster (Google's trace), as LightSaber's CM1 reads them: processor time by category. */
const TaskEvent = schema({
  at: t.timestamp({ format: "us" }),
  jobId: t.int53,
  taskId: t.int53,
  machineId: t.int53,
  eventType: t.int32,
  userId: t.int32,
  category: t.int32,
  priority: t.int32,
  cpu: t.float64,
  ram: t.float64,
  disk: t.float64,
  constraints: t.int32,
})

function taskEvents(count_) {
  const random = generator(2)
  return Array.from({ length: count_ }, (_, row) => ({
    at: START + row * MICROS_A_ROW,
    jobId: 6_251_637_538 + Math.floor(random() ** 4 * 240) * 291,
    taskId: Math.floor(random() * 1000),
    machineId: Math.floor(random() * 12_000) * 7_919,
    eventType: Math.floor(random() * 6),
    userId: Math.floor(random() * 500),
    category: Math.floor(random() ** 3 * 4),
    priority: Math.floor(random() * 12),
    cpu: Math.round(random() ** 3 * 400) / 1000,
    ram: Math.round(random() * 10_000) / 10_000,
    disk: Math.round(random() * 10_000) / 100_000,
    constraints: Math.floor(random() * 2),
  }))
}

/** By name: the schema of the input, its rows, and the job over it. */
export const JOBS = {
  YSB: {
    schema: Advertisement,
    rows: advertisements,
    job: job({
      name: "ysb",
      inputs: { events: Advertisement },
      flow: ({ events }) => ({
        results: events
          .filter((row) => row.eventType === "view")
          .select("ad", "at")
          .derive({ campaign: t.int32 }, (row) => ({ campaign: Math.floor(row.ad / 10) }))
          .eventTime("at", { outOfOrder: "0s" })
          .keyBy("campaign")
          .window(tumbling("1s"))
          .aggregate({ views: count(), latest: max("at") }, { id: "window" }),
      }),
    }),
  },
  CM1: {
    schema: TaskEvent,
    rows: taskEvents,
    job: job({
      name: "cm1",
      inputs: { events: TaskEvent },
      flow: ({ events }) => ({
        results: events
          .select("at", "category", "cpu")
          .eventTime("at", { outOfOrder: "0s" })
          .keyBy("category")
          .window(hopping("6s", { every: "100ms" }))
          .aggregate({ total: sum("cpu") }, { id: "window" }),
      }),
    }),
  },
}

/** Rows as columns: numbers in the arrays that columns of their types lie in. */
export function columnsOf({ fields }, rows) {
  return Object.fromEntries(
    fields.map(({ name, type: { storage } }) => {
      const values = rows.map((row) => row[name])
      if (storage === "float64") return [name, Float64Array.from(values)]
      if (storage === "int32") return [name, Int32Array.from(values)]
      return [name, storage === "int64" ? BigInt64Array.from(values, BigInt) : values]
    }),
  )
}
