/**
 * The queries as jobs, as a user would write them. Event time comes first, so that watermarks follow all tuples and not
 * only those that pass a filter. YSB's join of an ad with its campaign is arithmetic: campaigns have ten ads each.
 */
import { count, hopping, job, max, mean, schema, sum, t, tumbling } from "../../dist/modules/index.js"
import { queryNamed } from "./queries.mjs"

const TYPES = { timestamp: t.timestamp(), int32: t.int32, int53: t.int53, float64: t.float64 }

const IN_ORDER = { outOfOrder: "0s" }
const STATE = { id: "window" }

const FLOWS = {
  CM1: (events) =>
    events
      .keyBy("category")
      .window(hopping("60s", { every: "1s" }))
      .aggregate({ total: sum("cpu") }, STATE),

  CM2: (events) =>
    events
      .filter((r) => r.eventType === 3)
      .keyBy("jobId")
      .window(hopping("60s", { every: "1s" }))
      .aggregate({ total: sum("cpu") }, STATE),

  SG1: (events) =>
    events
      .keyBy()
      .window(hopping("3600s", { every: "1s" }))
      .aggregate({ mean: mean("value") }, STATE),

  SG2: (events) =>
    events
      .keyBy("plug", "household", "house")
      .window(hopping("128s", { every: "1s" }))
      .aggregate({ mean: mean("value") }, STATE),

  LRB1: (events) =>
    events
      .derive({ segment: t.int32 }, (r) => ({ segment: Math.floor(r.position / 5280) }))
      .keyBy("highway", "direction", "segment")
      .window(hopping("300s", { every: "1s" }))
      .aggregate({ mean: mean("speed") }, STATE)
      .filter((r) => r.mean < 40),

  LRB2: (events) =>
    events
      .derive({ segment: t.int32 }, (r) => ({ segment: Math.floor(r.position / 5280) }))
      .keyBy("vehicle", "highway", "direction", "segment")
      .window(hopping("30s", { every: "1s" }))
      .aggregate({ reports: count() }, STATE),

  YSB: (events) =>
    events
      .filter((r) => r.eventType === 0)
      .derive({ campaign: t.int32 }, (r) => ({ campaign: Math.floor(r.ad / 10) }))
      .keyBy("campaign")
      .window(tumbling("100s"))
      .aggregate({ views: count(), latest: max("at") }, STATE),

  NBQ5: (events) =>
    events
      .keyBy("auction")
      .window(hopping("60s", { every: "1s" }))
      .aggregate({ bids: count() }, STATE)
      .keyBy()
      .window(tumbling("1s"))
      .aggregate({ most: max("bids") }, { id: "highest" }),

  ME1: (events) =>
    events
      .keyBy()
      .window(hopping("60s", { every: "1s" }))
      .aggregate({ mean1: mean("phase1"), mean2: mean("phase2"), mean3: mean("phase3") }, STATE),
}

/** The schema of what a query reads. */
export function inputSchema(query) {
  return schema(Object.fromEntries(query.columns.map(([name, type]) => [name, TYPES[type]])))
}

/** The job of the query of a name. */
export function jobOf(name) {
  return job({
    name,
    inputs: { events: inputSchema(queryNamed(name)) },
    flow: ({ events }) => ({ results: FLOWS[name](events.eventTime("at", IN_ORDER)) }),
  })
}
