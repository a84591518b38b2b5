/** Wrong programs do not compile, and the compiler's message ends in a sentence that says what to do. */
import { expect, test } from "vitest"
import { compileSnippets } from "./snippet-compiler.ts"

const HEAD = `
import { count, first, hopping, job, max, mean, min, schema, sum, t, tumbling, type UpdateStream } from "tidemark"
import { aggregate, approxCountDistinct, countDistinct, collect, maxBy, median, minBy, percentiles, topK, variance } from "tidemark"
import { connect, countWindow, cumulate, globalWindow, onClock, onCount, onPunctuation } from "tidemark"
import { csv, jsonl } from "tidemark/files"

const Trip = schema({
  pickup: t.timestamp(),
  dropoff: t.timestamp().nullable(),
  zone: t.string,
  fare: t.float64,
  tip: t.float64.nullable(),
  meters: t.int64,
  isShared: t.bool,
  place: t.object({ x: t.float64 }),
})
`

/** A job whose flow makes this stream. */
function flow(stream: string): string {
  return `${HEAD}
job({
  name: "trips",
  params: schema({ maxFare: t.float64 }),
  inputs: { trips: Trip },
  flow: ({ trips }) => {
    const hourly = () => trips.eventTime("pickup", { outOfOrder: "5s" }).keyBy("zone").window(tumbling("1h"))
    void hourly
    void (${stream})
    return { trips }
  },
})`
}

/** A binding of a good job. */
function binding(options: string): string {
  return `${HEAD}
const trips = job({
  name: "trips",
  params: schema({ maxFare: t.float64, least: t.float64.default(0), zone: t.string.nullable() }),
  inputs: { trips: Trip, more: Trip },
  flow: ({ trips, more }) => ({ trips, more }),
})
const inputs = { trips: csv("a"), more: csv("b") }
const outputs = { trips: jsonl("a"), more: jsonl("b") }
const params = { maxFare: 1 }
trips.with(${options})`
}

const WRONG: Readonly<Record<string, { readonly code: string; readonly says: readonly string[] }>> = {
  "a window before a key": {
    code: flow(`trips.eventTime("pickup", { outOfOrder: "5s" }).window(tumbling("1h"))`),
    says: ["Call .keyBy(...) before .window(...), or .keyBy() for the whole stream."],
  },
  "an operator behind updates": {
    code: flow(
      `trips.eventTime("pickup", { outOfOrder: "5s" }).keyBy("zone").window(tumbling("1h"), { allowedLateness: "1h" }).aggregate({ n: count() }).filter((r) => r.n > 1)`,
    ),
    says: ["A stream of updates is an output: return it, or call .changes() to go on with its rows."],
  },
  "early firings of a window of records": {
    code: flow(`trips.keyBy("zone").window(countWindow(10), { early: onCount(5) }).aggregate({ n: count() })`),
    says: ["countWindow(...) and cumulate(...) fire by themselves: leave the options away."],
  },
  "early firings of steps": {
    code: flow(
      `trips.eventTime("pickup", { outOfOrder: "5s" }).keyBy("zone").window(cumulate({ size: "1d", step: "1h" }), { purging: true })`,
    ),
    says: ["countWindow(...) and cumulate(...) fire by themselves: leave the options away."],
  },
  "lateness of a window without an end": {
    code: flow(`trips.keyBy("zone").window(globalWindow(), { allowedLateness: "1h" })`),
    says: ["Nothing is late for globalWindow(), which has no end: leave allowedLateness away."],
  },
  "a punctuation of a column that is not there": {
    code: flow(`trips.keyBy("zone").window(globalWindow(), { early: onPunctuation((row) => row.last) })`),
    says: ["Property 'last' does not exist"],
  },
  "updates of windows into a sink that appends": {
    code: `${HEAD}
job({
  name: "totals",
  inputs: { trips: Trip },
  flow: ({ trips }) => ({ totals: trips.keyBy("zone").window(globalWindow()).aggregate({ n: count() }) }),
}).with({ inputs: { trips: csv("a") }, outputs: { totals: jsonl("b") } })`,
    says: ["The output 'totals' is an updating stream, and this sink takes only streams that append."],
  },
  "a window before an event time": {
    code: flow(`trips.keyBy("zone").window(tumbling("1h"))`),
    says: ["Call .eventTime(...) before .keyBy(...): windows are cut in event time."],
  },
  "an event time behind the key": {
    code: flow(`trips.keyBy("zone").eventTime("pickup", { outOfOrder: "5s" })`),
    says: ["Call .eventTime(...) before .keyBy(...)."],
  },
  "aggregates before a key": {
    code: flow(`trips.aggregate({ trips: count() })`),
    says: ["Call .keyBy(...) and .window(...) before .aggregate(...)."],
  },
  "aggregates before a window": {
    code: flow(`trips.eventTime("pickup", { outOfOrder: "5s" }).keyBy("zone").aggregate({ trips: count() })`),
    says: ["Call .window(...) before .aggregate(...)."],
  },
  "a window whose event time was mapped away": {
    code: flow(
      `trips.eventTime("pickup", { outOfOrder: "5s" }).map({ zone: t.string }, (r) => ({ zone: r.zone })).keyBy("zone").window(tumbling("1h"))`,
    ),
    says: ["Call .eventTime(...) before .keyBy(...)"],
  },
  "a window whose event time was not selected": {
    code: flow(
      `trips.eventTime("pickup", { outOfOrder: "5s" }).select("zone", "fare").keyBy("zone").window(tumbling("1h"))`,
    ),
    says: ["Call .eventTime(...) before .keyBy(...)"],
  },
  "a stream that is grouped as an output": {
    code: `${HEAD}job({ name: "trips", inputs: { trips: Trip }, flow: ({ trips }) => ({ groups: trips.keyBy("zone") }) })`,
    says: ["Call .window(...) and .aggregate(...) behind .keyBy(...): groups are not an output."],
  },
  "an unknown key": {
    code: flow(`trips.keyBy("zon")`),
    says: [`'"zon"' is not assignable`, `"pickup" | "dropoff"`],
  },
  "an unknown column to select": {
    code: flow(`trips.select("zone", "fares")`),
    says: [`'"fares"' is not assignable`, `"fare" | "tip"`],
  },
  "an unknown column that must not be null": {
    code: flow(`trips.notNull("tipp")`),
    says: [`'"tipp"' is not assignable`, `"fare" | "tip"`],
  },
  "an unknown event time": {
    code: flow(`trips.eventTime("pickUp", { outOfOrder: "5s" })`),
    says: [`'"pickUp"' is not assignable`, `"pickup"`],
  },
  "an unknown field in a lambda": {
    code: flow(`trips.filter((r) => r.fares > 0)`),
    says: ["Property 'fares' does not exist on type", "Did you mean 'fare'?"],
  },
  "an unknown parameter in a lambda": {
    code: flow(`trips.filter((r, p) => r.fare < p.maxFair)`),
    says: ["Property 'maxFair' does not exist on type", "Did you mean 'maxFare'?"],
  },
  "a column that was not selected": {
    code: flow(`trips.select("zone").filter((r) => r.fare > 0)`),
    says: ["Property 'fare' does not exist on type"],
  },
  "an event time that is text": {
    code: flow(`trips.eventTime("zone", { outOfOrder: "5s" })`),
    says: ["The column 'zone' is not a timestamp, so it cannot be the event time."],
  },
  "an event time that is a plain number": {
    code: flow(`trips.eventTime("fare", { outOfOrder: "5s" })`),
    says: ["The column 'fare' is not a timestamp, so it cannot be the event time."],
  },
  "an event time that may be null": {
    code: flow(`trips.eventTime("dropoff", { outOfOrder: "5s" })`),
    says: ["Event time is never null: call .notNull('dropoff') before .eventTime('dropoff', ...)."],
  },
  "a second event time": {
    code: flow(`trips.eventTime("pickup", { outOfOrder: "5s" }).eventTime("pickup", { outOfOrder: "9s" })`),
    says: ["This stream has an event time already: 'pickup'."],
  },
  "a window whose event time was derived anew": {
    code: flow(
      `trips.eventTime("pickup", { outOfOrder: "5s" }).derive({ pickup: t.timestamp() }, (r) => ({ pickup: r.pickup })).keyBy("zone").window(tumbling("1h"))`,
    ),
    says: ["Call .eventTime(...) before .keyBy(...)"],
  },
  "connected streams keyed by other columns": {
    code: flow(`connect({ one: trips.keyBy("zone"), other: trips.keyBy("isShared") })`),
    says: ["Streams that are connected are keyed by the same columns: derive one of that name."],
  },
  "connected streams with keys of other types": {
    code: flow(
      `connect({ one: trips.keyBy("zone"), other: trips.derive({ zone: t.int53 }, () => ({ zone: 1 })).keyBy("zone") })`,
    ),
    says: ["Streams that are connected have keys of the same types: derive one of the type of the others."],
  },
  "connected streams of which one has no event time": {
    code: flow(
      `connect({ one: trips.eventTime("pickup", { outOfOrder: "5s" }).keyBy("zone"), other: trips.keyBy("zone") })`,
    ),
    says: ["Call .eventTime(...) before .keyBy(...) on all streams that are connected, or on none."],
  },
  "a connected stream without a handler": {
    code: flow(
      `connect({ one: trips.keyBy("zone"), other: trips.keyBy("zone") }).process({ emits: { n: t.int53 }, onRecord: { one() {} } })`,
    ),
    says: ["Property 'other' is missing"],
  },
  "a column that rows of a connected stream do not have": {
    code: flow(
      `connect({ one: trips.select("zone").keyBy("zone"), other: trips.keyBy("zone") }).process({ emits: { n: t.float64 }, onRecord: { one(row, { emit }) { emit({ n: row.fare }) }, other() {} } })`,
    ),
    says: ["Property 'fare' does not exist on type"],
  },
  "a partition that is idle after no duration": {
    code: flow(`trips.eventTime("pickup", { outOfOrder: "5s", idleAfter: "soon" })`),
    says: ['"soon"'],
  },
  "an event time without out-of-orderness": {
    code: flow(`trips.eventTime("pickup", {})`),
    says: ["Property 'outOfOrder' is missing"],
  },
  "out-of-orderness that is no duration": {
    code: flow(`trips.eventTime("pickup", { outOfOrder: "5 seconds" })`),
    says: ["'5 seconds' is not a duration: write a number and a unit (us, ms, s, m, h, d)"],
  },
  "a window that is no duration": {
    code: flow(`trips.eventTime("pickup", { outOfOrder: "5s" }).keyBy("zone").window(tumbling("1hour"))`),
    says: ["'1hour' is not a duration: write a number and a unit (us, ms, s, m, h, d)"],
  },
  "a hop that is no duration": {
    code: flow(
      `trips.eventTime("pickup", { outOfOrder: "5s" }).keyBy("zone").window(hopping("1h", { every: "ten minutes" }))`,
    ),
    says: ["'ten minutes' is not a duration"],
  },
  "a hop that is missing": {
    code: flow(`trips.eventTime("pickup", { outOfOrder: "5s" }).keyBy("zone").window(hopping("1h"))`),
    says: ["Expected 2 arguments, but got 1."],
  },
  "an offset that is no duration": {
    code: flow(
      `trips.eventTime("pickup", { outOfOrder: "5s" }).keyBy("zone").window(tumbling("1h", { offset: "noon" }))`,
    ),
    says: [`Type '"noon"' is not assignable to type 'Duration`],
  },
  "a number compared with a string": {
    code: flow(`trips.filter((r) => r.fare > "0")`),
    says: ["Operator '>' cannot be applied to types 'number' and 'string'."],
  },
  "arithmetic on what may be null": {
    code: flow(`trips.filter((r) => r.tip > 0)`),
    says: ["'r.tip' is possibly 'null'."],
  },
  "a derived column of the wrong type": {
    code: flow(`trips.derive({ net: t.float64 }, (r) => ({ net: r.zone }))`),
    says: ["Type 'string' is not assignable to type 'number'."],
  },
  "a derived column that is missing": {
    code: flow(`trips.derive({ net: t.float64, tax: t.float64 }, (r) => ({ net: r.fare }))`),
    says: ["Property 'tax' is missing"],
  },
  "a sum over a string column": {
    code: flow(`hourly().aggregate({ zones: sum("zone") })`),
    says: ["sum(...) takes numbers, and the column 'zone' is a string."],
  },
  "a mean over a boolean column": {
    code: flow(`hourly().aggregate({ shared: mean("isShared") })`),
    says: ["mean(...) takes numbers, and the column 'isShared' is a boolean."],
  },
  "a sum over timestamps": {
    code: flow(`hourly().aggregate({ times: sum("pickup") })`),
    says: ["sum(...) takes numbers, and the column 'pickup' is a timestamp."],
  },
  "a minimum over objects": {
    code: flow(`hourly().aggregate({ first: min("place") })`),
    says: ["min(...) takes numbers, and the column 'place' is an object."],
  },
  "a sum over an unknown column": {
    code: flow(`hourly().aggregate({ fares: sum("fair") })`),
    says: ["There is no column 'fair' to aggregate."],
  },
  "a sum over a lambda that gives a string": {
    code: flow(`hourly().aggregate({ zones: sum((r) => r.zone) })`),
    says: ["sum(...) takes a lambda that gives a number, and this one gives a string"],
  },
  "a sum over a lambda that gives a bigint": {
    code: flow(`hourly().aggregate({ meters: sum((r) => r.meters) })`),
    says: ["this one gives a bigint: declare its type, as in sum(t.int64, (row) => ...)."],
  },
  "a maximum over a declared string": {
    code: flow(`hourly().aggregate({ zone: max(t.string, (r) => r.zone), n: count() })`),
    says: ["'zone' is a key already: give the aggregate another name."],
  },
  "a sum over a declared string": {
    code: flow(`hourly().aggregate({ zones: sum(t.string, (r) => r.zone) })`),
    says: ["sum(...) takes numbers, and its declared type is a string."],
  },
  "an unknown field in an aggregate's lambda": {
    code: flow(`hourly().aggregate({ fares: sum((r) => r.fares) })`),
    says: ["Property 'fares' does not exist on type", "Did you mean 'fare'?"],
  },
  "an aggregate that is named like a bound of the window": {
    code: flow(`hourly().aggregate({ windowEnd: count() })`),
    says: ["Results have 'windowEnd' already: give the aggregate another name."],
  },
  "a variance over a string column": {
    code: flow(`hourly().aggregate({ zones: variance("zone") })`),
    says: ["variance(...) takes numbers, and the column 'zone' is a string."],
  },
  "a median over timestamps": {
    code: flow(`hourly().aggregate({ times: median("pickup") })`),
    says: ["quantile(...) takes numbers, and the column 'pickup' is a timestamp."],
  },
  "percentiles over a declared string": {
    code: flow(`hourly().aggregate({ zones: percentiles([50], t.string, (r) => r.zone) })`),
    says: ["percentiles(...) takes numbers, and its declared type is a string."],
  },
  "distinct values of a lambda that gives strings": {
    code: flow(`hourly().aggregate({ zones: countDistinct((r) => r.zone) })`),
    says: ["declare its type, as in countDistinct(t.string, (row) => ...)."],
  },
  "a row that is picked by a string": {
    code: flow(`hourly().aggregate({ fare: maxBy("zone", "fare") })`),
    says: ["minBy(...), maxBy(...) and topK(...) compare numbers, and the column 'zone' is a string."],
  },
  "rows that are ranked by a string": {
    code: flow(`hourly().aggregate({ fares: topK(3, "zone", "fare") })`),
    says: ["minBy(...), maxBy(...) and topK(...) compare numbers, and the column 'zone' is a string."],
  },
  "values of a lambda that gives strings": {
    code: flow(`hourly().aggregate({ zones: collect((r) => r.zone) })`),
    says: ["declare its type, as in collect(t.string, (row) => ...)."],
  },
  "a row that is picked by an unknown column": {
    code: flow(`hourly().aggregate({ fare: maxBy("fair", "fare") })`),
    says: ["There is no column 'fair' to compare."],
  },
  "unknown columns of a row that is picked": {
    code: flow(`hourly().aggregate({ fare: minBy("fare", ["zone", "tipp"]) })`),
    says: ["There is no column 'tipp' to take from the row."],
  },
  "a state of another type than is declared": {
    code: flow(
      `hourly().aggregate({ x: aggregate({ state: t.int53, type: t.int53, init: () => 0, add: (n, r) => r.zone, merge: (a, b) => a + b, result: (n) => n }) })`,
    ),
    says: ["Type 'string' is not assignable to type 'number'."],
  },
  "an aggregate of one's own that cannot merge": {
    code: flow(
      `hourly().aggregate({ x: aggregate({ state: t.int53, type: t.int53, init: () => 0, add: (n) => n + 1, result: (n) => n }) })`,
    ),
    says: ["Property 'merge' is missing"],
  },
  "a row without one of its columns from reduce": {
    code: flow(`hourly().reduce((one, other) => ({ zone: one.zone }))`),
    says: ["is missing the following properties"],
  },
  "reduce before a window": {
    code: flow(`trips.keyBy("zone").reduce((one) => one)`),
    says: ["Call .window(...) before .reduce(...)."],
  },
  "what is no aggregate": {
    code: flow(`hourly().aggregate({ fares: "fare" })`),
    says: ["Type 'string' is not assignable to type 'AnyAggregate<"],
  },
  "an input that is not bound": {
    code: binding(`{ inputs: { trips: csv("a") }, outputs, params }`),
    says: ["The input 'more' is not bound: give it a source."],
  },
  "an input that is not there": {
    code: binding(`{ inputs: { ...inputs, less: csv("c") }, outputs, params }`),
    says: ["The job has no input 'less'."],
  },
  "an output that is not bound": {
    code: binding(`{ inputs, outputs: { more: jsonl("a") }, params }`),
    says: ["The output 'trips' is not bound: give it a sink."],
  },
  "an output that is not there": {
    code: binding(`{ inputs, outputs: { ...outputs, less: jsonl("c") }, params }`),
    says: ["The job has no output 'less'."],
  },
  "an input bound to something else": {
    code: binding(`{ inputs: { trips: csv("a"), more: "b.csv" }, outputs, params }`),
    says: ["Type 'string' is not assignable to type 'SourceBinding"],
  },
  "parameters that are missing": {
    code: binding(`{ inputs, outputs }`),
    says: ["Property 'params' is missing"],
  },
  "a parameter that is missing": {
    code: binding(`{ inputs, outputs, params: { least: 1 } }`),
    says: ["Property 'maxFare' is missing"],
  },
  "a parameter of the wrong type": {
    code: binding(`{ inputs, outputs, params: { maxFare: "1" } }`),
    says: ["Type 'string' is not assignable to type 'number'."],
  },
  "an epoch that is no duration": {
    code: binding(`{ inputs, outputs, params, epoch: { min: "fast" } }`),
    says: [`Type '"fast"' is not assignable to type 'Duration`],
  },
  "an error policy that is not there": {
    code: binding(`{ inputs, outputs, params, onError: "ignore" }`),
    says: [`Type '"ignore"' is not assignable to type '"dead-letter" | "stop"'.`],
  },
  "an updating stream into a sink that appends": {
    code: `${HEAD}
declare const totals: UpdateStream<{ zone: string; total: number }>
job({ name: "totals", inputs: { trips: Trip }, flow: () => ({ totals }) }).with({
  inputs: { trips: csv("a") },
  outputs: { totals: jsonl("b") },
})`,
    says: ["The output 'totals' is an updating stream, and this sink takes only streams that append."],
  },
}

/** The program that the design promises, as it stands there. */
const DESIGN = `
import { job, schema, t, tumbling, sum, count } from "tidemark"
import { csv, jsonl } from "tidemark/files"

const Trip = schema({
  pickup: t.timestamp({ zone: "America/New_York" }),
  zone: t.string.from("PULocationID"),
  fare: t.float64,
  tip: t.float64.nullable(),
})

export const revenue = job({
  name: "revenue-by-zone",
  params: schema({ maxFare: t.float64.default(500) }),
  inputs: { trips: Trip },                                   // typed ports: no path, no broker in the program
  flow: ({ trips }) => {
    const hourly = trips
      .filter((r, p) => r.fare > 0 && r.fare < p.maxFare)
      .derive({ net: t.float64 }, r => ({ net: r.fare - (r.tip ?? 0) }))
      .eventTime("pickup", { outOfOrder: "5s" })
      .keyBy("zone")
      .window(tumbling("1h"))
      .aggregate({ revenue: sum(r => r.net), trips: count() })
    return { hourly, late: hourly.late }                     // { zone, windowStart, windowEnd, revenue, trips }
  },
})

export default revenue.with({
  inputs: { trips: csv("trips/*.csv") },
  outputs: { hourly: jsonl("out/hourly"), late: jsonl("out/late") },
  deadLetter: jsonl("out/bad"),
})
import { runOnRows } from "tidemark/testing"
const { hourly } = await runOnRows(revenue, { inputs: { trips: [] } })
const revenues: readonly number[] = hourly.map((row) => row.revenue)
void revenues
`

const RIGHT: Readonly<Record<string, string>> = {
  "the program of the design": DESIGN,
  "the order of calls": flow(`hourly().aggregate({ trips: count(), fares: sum("fare"), at: min("pickup") })`),
  "aggregates of every form": flow(
    `hourly().aggregate({ a: sum((r, p) => r.fare / p.maxFare), b: sum(t.int64, (r) => r.meters), c: first("place"), d: mean("tip"), e: max("meters") })`,
  ),
  "aggregates without kernels": flow(
    `hourly().aggregate({ a: variance((r, p) => r.fare / p.maxFare), b: approxCountDistinct(t.string, (r) => r.zone, { error: 0.01 }), c: countDistinct("place"), d: maxBy("tip", ["zone", "fare"]), e: median("meters") })`,
  ),
  "an aggregate of one's own": flow(
    `hourly().aggregate({ x: aggregate({ state: t.object({ n: t.int53, zones: t.string }), type: t.string, init: (p) => ({ n: p.maxFare, zones: "" }), add: (s, r, p) => ({ n: s.n + r.fare * p.maxFare, zones: s.zones + r.zone }), merge: (a, b) => ({ n: a.n + b.n, zones: a.zones + b.zones }), result: (s) => s.zones, inverse: (a, b) => ({ ...a, n: a.n - b.n }) }) })`,
  ),
  "a reduction": flow(
    `hourly().reduce((one, other, p) => (one.fare > p.maxFare ? one : { ...other, tip: null }), { id: "r" })`,
  ),
  "windows of windows": flow(
    `hourly().aggregate({ n: count() }).filter((r) => r.n > 1).keyBy("zone").window(hopping("1d", { every: "1h", offset: "30m" })).aggregate({ n: sum("n") })`,
  ),
  "late rows, windowed again": flow(
    `hourly().aggregate({ n: count() }).late.keyBy("zone").window(tumbling("1d")).aggregate({ n: count() })`,
  ),
  "an event time behind notNull": flow(`trips.notNull("dropoff").eventTime("dropoff", { outOfOrder: "1m 30s" })`),
  "a bound job": binding(
    `{ inputs, outputs, params: { maxFare: 1, zone: null }, epoch: { max: "5s" }, maxBadRecords: 3 }`,
  ),
  "windows that fire more than once": `${HEAD}
job({
  name: "totals",
  inputs: { trips: Trip },
  flow: ({ trips }) => {
    const timed = trips.eventTime("pickup", { outOfOrder: "5s" }).keyBy("zone")
    const hourly = timed
      .window(tumbling("1h"), { early: [onClock({ every: "1s" }), onPunctuation((row, params) => row.isShared)], allowedLateness: "1h" })
      .aggregate({ fares: sum("fare") })
    const parts = timed.window(tumbling("1h"), { early: onCount(10), purging: true }).aggregate({ fares: sum("fare") })
    const daily = parts.keyBy("zone").window(tumbling("1d")).aggregate({ fares: sum("fares") })
    const latest = trips.keyBy("zone").window(globalWindow()).reduce((one, other) => (one.pickup > other.pickup ? one : other))
    return { hourly, late: hourly.late, seen: hourly.changes().select("op", "fares"), daily, latest }
  },
}).with({
  inputs: { trips: csv("a") },
  outputs: { hourly: jsonl("b", { changelog: true }), late: csv("c"), seen: csv("d"), daily: csv("e"), latest: jsonl("f", { changelog: true, rollAfter: "1m" }) },
})`,
  "an updating stream into a sink that takes updates": `${HEAD}
import type { StreamKind } from "tidemark"
declare const totals: UpdateStream<{ zone: string; total: number }>
const upserts = { ...jsonl("b"), describe: () => "upserts()", accepts: { append: true, update: true } } as const
const kinds: readonly StreamKind[] = ["append", "update"]
void kinds
job({ name: "totals", inputs: { trips: Trip }, flow: ({ trips }) => ({ totals, trips }) }).with({
  inputs: { trips: csv("a") },
  outputs: { totals: upserts, trips: upserts },
})`,
}

const said = compileSnippets({
  ...Object.fromEntries(Object.entries(WRONG).map(([name, { code }]) => [`wrong: ${name}`, code])),
  ...Object.fromEntries(Object.entries(RIGHT).map(([name, code]) => [`right: ${name}`, code])),
})

test.each(Object.entries(WRONG))("%s is refused in words", (name, { says }) => {
  const message = said.get(`wrong: ${name}`)
  for (const sentence of says) expect(message).toContain(sentence)
})

test.each(Object.keys(RIGHT))("%s compiles", (name) => {
  expect(said.get(`right: ${name}`)).toBe("")
})
