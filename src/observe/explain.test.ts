/** Tests of `explain`: the whole text of a job, and the parts of its data. */
import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { SinkBinding } from "../connect/sink.ts"
import type { SourceBinding } from "../connect/source.ts"
import type { CompileOptions } from "../expr/compile.ts"
import type { CallPolicy } from "../flow/calls.ts"
import { planFingerprint } from "../flow/plan.ts"
import type { FilterNode, Plan, PlanNode, WindowAggregateNode, WindowSpec } from "../flow/plan.ts"
import { explain, formatExplain } from "./explain.ts"
import type { Explanation } from "./explanation.ts"

function netOf({ fare }: { readonly fare: number }) {
  return { net: fare * 0.9 }
}

const AUTO: CompileOptions = { mode: "auto", proof: undefined }

const Trip = schema({ pickup: t.timestamp(), zone: t.string.from("Zone"), fare: t.float64, tip: t.float64.nullable() })
const rows = schema({ pickup: t.timestamp(), zone: t.string, fare: t.float64, tip: t.float64.nullable() })
const withNet = schema({ ...rowsOf(rows), net: t.float64 })
const results = schema({
  zone: t.string,
  windowStart: t.timestamp(),
  windowEnd: t.timestamp(),
  revenue: t.float64.nullable(),
  trips: t.int53,
})

function rowsOf({ fields }: typeof rows) {
  return Object.fromEntries(fields.map(({ name, type }) => [name, type]))
}

const behind = (input: number, inputPort: "main" | "late" = "main") => ({ input, inputPort, isIdGiven: false })
const hour: WindowSpec = { kind: "tumbling", sizeMicros: 3_600_000_000, offsetMicros: 0 }

const nodes: readonly PlanNode[] = [
  { kind: "source", id: "trips", isIdGiven: true, schema: rows, inputName: "trips" },
  {
    ...behind(0),
    kind: "filter",
    id: "trips/filter",
    schema: rows,
    predicate: (r: { fare: number }, p: { maxFare: number }) => r.fare > 0 && r.fare < p.maxFare,
  },
  {
    ...behind(1),
    kind: "derive",
    id: "trips/derive",
    schema: withNet,
    columns: [{ name: "net", type: t.float64 }],
    lambda: (r: { fare: number }) => netOf(r),
  },
  {
    ...behind(2),
    kind: "eventTime",
    id: "trips/eventTime",
    schema: withNet,
    column: "pickup",
    outOfOrderMicros: 5_000_000,
  },
  {
    ...behind(3),
    kind: "windowAggregate",
    id: "hourly",
    isIdGiven: true,
    schema: results,
    keys: ["zone"],
    timeColumn: "pickup",
    window: hour,
    aggregates: [
      {
        name: "revenue",
        kind: "sum",
        input: { kind: "lambda", lambda: (r: { net: number }) => r.net, type: t.float64.nullable() },
        resultType: t.float64.nullable(),
      },
      { name: "trips", kind: "count", input: { kind: "none" }, resultType: t.int53 },
    ],
  },
  { ...behind(4), kind: "select", id: "hourly/select", schema: schema({ trips: t.int53 }), columns: ["trips"] },
]

const plan: Plan = {
  jobName: "revenue",
  nodes,
  outputs: [
    { name: "hourly", node: 4, port: "main" },
    { name: "late", node: 4, port: "late" },
    { name: "counts", node: 5, port: "main" },
  ],
}

const source: SourceBinding = {
  describe: () => 'csv("trips/*.csv")',
  openSource: () => Promise.reject(new Error("EX2: explain opens nothing")),
}

function sinkTo(place: string, guarantee: SinkBinding["guarantee"] = "exactly-once"): SinkBinding {
  const openSink = () => Promise.reject(new Error("EX2: explain opens nothing"))
  return { describe: () => place, guarantee, openSink }
}

const unbound = {
  plan,
  inputSchemas: { trips: Trip },
  paramsSchema: schema({ maxFare: t.float64 }),
  onError: "dead-letter",
} as const

const bound = {
  plan,
  paramsSchema: unbound.paramsSchema,
  params: { maxFare: 500 },
  inputs: { trips: { schema: Trip, source } },
  outputs: {
    hourly: sinkTo('jsonl("hourly")'),
    late: sinkTo("http", "at-least-once"),
    counts: sinkTo('csv("counts")'),
  },
  deadLetter: undefined,
  onError: "dead-letter",
  maxBadRecords: Infinity,
  epoch: { minMicros: 10_000, maxMicros: 1_000_000 },
} as const

test("the text is read from the inputs down to the outputs", () => {
  const explanation = explain(bound, { compile: AUTO })
  const why = explanation.nodes[2]!.lambdas[0]!
  expect(formatExplain(explanation)).toBe(
    `
job revenue  (plan ${planFingerprint(plan)})

param maxFare: float64 = 500

input trips
│  csv("trips/*.csv")
│  pickup: timestamp, zone: string from "Zone", fare: float64, tip: float64?
│
filter  [trips/filter]
│  (r, p) => r.fare > 0 && r.fare < p.maxFare
│  ✓ compiled to WebAssembly SIMD
│
derive  [trips/derive]
│  sets net: float64
│  (r) => netOf(r)
│  ○ runs as a closure. ${why.reason}
│    ${why.hint}
│
eventTime  [trips/eventTime]  keeps state under a derived id
│  pickup, up to 5s out of order
│
window  [hourly]  keeps state
│  tumbling 1h of pickup, by zone
│  zone: string, windowStart: timestamp, windowEnd: timestamp
│  revenue: float64? = sum((r) => r.net)
│    ✓ compiled to WebAssembly SIMD
│  trips: int53 = count()
│
├─ output hourly → jsonl("hourly"), exactly once
├─ late rows: output late → http, at least once
│     pickup: timestamp, zone: string, fare: float64, tip: float64?, net: float64
└─ select  [hourly/select]
   │  trips
   │  trips: int53
   │
   └─ output counts → csv("counts"), exactly once

errors        a row that fails goes to the dead letters, and the job goes on
dead letters  in the job's own directory: no output is bound for them
bad records   never stop the job, however many
epochs        10ms to 1s

threads       operators run on one: a lambda of trips/derive is not compiled: It calls netOf, which is not compiled.
lambdas       2 of 3 compiled

! The state of trips/eventTime is found by its place in the flow.
  Give the operator a name of its own, as in { id: "hourly" }, and the flow can be rearranged around it.
`.trim(),
  )
})

/** The text of the bound job with some parts of its explanation replaced. */
function textWith(change: (explanation: Explanation) => Partial<Explanation>): string {
  const explanation = explain(bound, { compile: AUTO })
  return formatExplain({ ...explanation, ...change(explanation) })
}

test("EX1 each lambda is told with its role, and why it runs as a closure", () => {
  const { nodes: explained } = explain(bound, { compile: AUTO })
  const [filter, derive, window] = [explained[1]!, explained[2]!, explained[4]!]
  expect(filter.lambdas).toMatchObject([{ role: "predicate", form: "compiled", reason: undefined, hint: undefined }])
  expect(filter.lambdas[0]!.ir).toMatch(/fare/)
  expect(derive.lambdas).toMatchObject([{ role: "columns", form: "closure", source: "(r) => netOf(r)", ir: undefined }])
  expect(derive.lambdas[0]!.reason).toMatch(/netOf.*\.$/)
  expect(window.lambdas).toMatchObject([{ role: "revenue", form: "compiled", backEnds: ["WebAssembly SIMD"] }])
})

test("EX1 a lambda that runs partly as WebAssembly and partly as JavaScript is told as both", () => {
  const { nodes: explained } = explain(bound, { compile: { ...AUTO, only: "JavaScript" } })
  expect(explained[1]!.lambdas).toMatchObject([{ form: "compiled", backEnds: ["JavaScript"] }])
  const text = textWith((explanation) => ({
    nodes: explanation.nodes.map((node) => ({
      ...node,
      lambdas: node.lambdas.map((lambda) => ({ ...lambda, backEnds: ["WebAssembly", "JavaScript"] as const })),
    })),
  }))
  expect(text).toContain("│  ✓ compiled to WebAssembly and JavaScript\n")
})

test("EX1 of a compiled lambda that may throw it is said that it runs again as a closure", () => {
  const proof = { areGenuineGlobals: () => true, capturedConstant: () => undefined }
  const explained = (predicate: FilterNode["predicate"]) => {
    const changed = nodes.map((node) => (node.kind === "filter" ? { ...node, predicate } : node))
    return explain({ ...bound, plan: { ...plan, nodes: changed } }, { compile: { mode: "auto", proof } })
  }
  type Row = { readonly tip: number | null }
  const throwing = explained((r: Row) => r.tip!.toFixed(1) === "0.5")
  expect(throwing.nodes[1]!.lambdas).toMatchObject([{ form: "compiled", mayThrow: true }])
  const line = "may throw: where it does, it runs again as a closure"
  expect(formatExplain(throwing)).toMatch(new RegExp(`✓ compiled to [\\w ]+\n.*  ${line}\n`))
  const tested = explained((r: Row) => r.tip !== null && r.tip.toFixed(1) === "0.5")
  expect(tested.nodes[1]!.lambdas).toMatchObject([{ form: "compiled", mayThrow: false }])
  expect(formatExplain(tested)).not.toContain("may throw")
})

test("EX1 with compiling switched off every lambda runs as its closure", () => {
  const { nodes: explained } = explain(bound, { compile: { mode: "off", proof: undefined } })
  const forms = explained.flatMap(({ lambdas }) => lambdas.map(({ form }) => form))
  expect(forms).toEqual(["closure", "closure", "closure"])
})

test("EX2 nothing is opened, and the explanation is plain data", () => {
  const explanation = explain(bound, { compile: AUTO })
  // A function would not survive the first, a bigint would throw in the second.
  expect(structuredClone(explanation)).toEqual(explanation)
  expect(JSON.parse(JSON.stringify(explanation))).toMatchObject({ job: "revenue", onError: "dead-letter" })
  expect(explanation.params).toEqual([{ name: "maxFare", type: "float64", value: "500" }])
  expect(explanation.nodes[4]).toMatchObject({
    id: "hourly",
    isIdGiven: true,
    isStateful: true,
    inputs: [{ id: "trips/eventTime", port: "main" }],
    mayBeLate: true,
    aggregates: [
      { name: "revenue", type: "float64?", text: "sum((r) => r.net)" },
      { name: "trips", type: "int53", text: "count()" },
    ],
  })
  expect(explanation.outputs[1]).toMatchObject({ name: "late", from: { id: "hourly", port: "late" }, sink: "http" })
})

test("a job that is not bound is explained without connectors", () => {
  const explanation = explain({ ...unbound, onError: "stop" }, { compile: AUTO })
  expect(explanation.policies).toBeUndefined()
  const text = formatExplain(explanation)
  expect(text).toContain("param maxFare: float64\n")
  expect(text).toContain('input trips\n│  pickup: timestamp, zone: string from "Zone"')
  expect(text).toContain("├─ output hourly → not bound\n")
  expect(text).toContain("errors        a row that fails stops the job")
  expect(text).not.toContain("epochs")
})

test("a window without keys is said to be of the whole stream", () => {
  const keyless: PlanNode = { ...(nodes[4] as WindowAggregateNode), keys: [] }
  const job = { ...bound, plan: { ...plan, nodes: [...nodes.slice(0, 4), keyless], outputs: [plan.outputs[0]!] } }
  expect(formatExplain(explain(job, { compile: AUTO }))).toContain("tumbling 1h of pickup, of the whole stream")
})

test("windows that share slices are said to, of which many are not all named", () => {
  const hourly = nodes[4] as WindowAggregateNode
  const others = Array.from({ length: 7 }, (_, index): PlanNode => ({ ...hourly, id: `other${index}` }))
  const textOf = (count: number) => {
    const job = { ...bound, plan: { ...plan, nodes: [...nodes.slice(0, 5), ...others.slice(0, count)], outputs: [] } }
    return formatExplain(explain(job, { compile: AUTO }))
  }
  expect(textOf(0)).not.toContain("shares slices")
  expect(textOf(1)).toContain("│     tumbling 1h of pickup, by zone\n│     shares slices with other0\n")
  expect(textOf(1)).toContain("shares slices with hourly\n")
  expect(textOf(6)).toContain("shares slices with other0, other1, other2, other3, other4, other5\n")
  expect(textOf(7)).toContain("shares slices with other0, other1, other2, other3, other4 and 2 more\n")
})

test("late rows that nobody takes are told, but not of windows whose rows are never late", () => {
  const daily: PlanNode = { ...(nodes[4] as WindowAggregateNode), ...behind(4), id: "daily", timeColumn: "windowEnd" }
  const job = { ...bound, plan: { ...plan, nodes: [...nodes.slice(0, 5), daily], outputs: [plan.outputs[0]!] } }
  const explanation = explain(job, { compile: AUTO })
  expect(explanation.nodes.map(({ mayBeLate }) => mayBeLate)).toEqual([false, false, false, false, true, false])
  const dropped = formatExplain(explanation).match(/late rows are counted and dropped/g)
  expect(dropped).toHaveLength(1)
})

test("what takes late rows is a branch of its own", () => {
  const late: PlanNode = {
    ...(nodes[1] as FilterNode),
    ...behind(4, "late"),
    id: "hourly.late/filter",
    schema: withNet,
  }
  const outputs = [{ name: "late", node: 6, port: "main" }] as const
  const text = formatExplain(
    explain({ ...bound, plan: { ...plan, nodes: [...nodes, late], outputs } }, { compile: AUTO }),
  )
  expect(text).toContain("├─ select  [hourly/select]\n│     trips\n")
  expect(text).toContain("└─ late rows: filter  [hourly.late/filter]\n   │  (r, p) =>")
  expect(text).toContain("   └─ output late → http, at least once\n")
})

test("late rows branch off even where nothing else goes on", () => {
  const late: PlanNode = {
    ...(nodes[1] as FilterNode),
    ...behind(4, "late"),
    id: "hourly.late/filter",
    schema: withNet,
  }
  const outputs = [{ name: "late", node: 5, port: "main" }] as const
  const job = { ...bound, plan: { ...plan, nodes: [...nodes.slice(0, 5), late], outputs } }
  expect(formatExplain(explain(job, { compile: AUTO }))).toContain("│\n└─ late rows: filter  [hourly.late/filter]\n")
})

test("several inputs stand one below the other", () => {
  const more: PlanNode = { kind: "source", id: "more", isIdGiven: true, schema: rows, inputName: "more" }
  const job = { ...unbound, plan: { ...plan, nodes: [...nodes, more] }, inputSchemas: { trips: Trip, more: Trip } }
  expect(formatExplain(explain(job, { compile: AUTO }))).toContain("\n\ninput more\n   pickup: timestamp")
})

test("policies are told", () => {
  const deadLetter = sinkTo('jsonl("bad")')
  const text = formatExplain(explain({ ...bound, deadLetter, maxBadRecords: 3 }, { compile: AUTO }))
  expect(text).toContain('dead letters  jsonl("bad"), exactly once\nbad records   more than 3 stop the job\n')
})

test("long sources are dedented and cut, long lists of columns are broken", () => {
  const body = Array.from({ length: 9 }, (_, index) => `\t\t  const x${index} = ${index}`)
  const text = textWith((explanation) => ({
    nodes: explanation.nodes.map((node) => {
      const columns = Array.from({ length: 20 }, (_, index) => ({ name: `column${index}`, type: "float64" }))
      const lambdas = node.lambdas.map((lambda) => ({ ...lambda, source: ["(r) => {", ...body, "\t\t}"].join("\n") }))
      return { ...node, columns: node.kind === "source" ? columns : node.columns, lambdas }
    }),
  }))
  expect(text).toContain("│  (r) => {\n│    const x0 = 0\n│    const x1 = 1\n")
  expect(text).toContain("│    const x5 = 5\n│  …\n│  ✓ compiled to WebAssembly SIMD\n")
  const columns = text.split("\n").filter((line) => line.includes("column") && !line.startsWith("threads"))
  expect(columns).toHaveLength(4)
  expect(Math.max(...columns.map((line) => line.length))).toBeLessThan(100)
})

test("calls are told to be called asynchronously, and count among no compiled lambdas", () => {
  const policy: CallPolicy = {
    inFlight: 50,
    order: "input",
    timeoutMicros: 2_000_000,
    attempts: 3,
    backOffMicros: 1,
    maxBackOffMicros: 1,
    onFailure: "stop",
  }
  const asking: PlanNode = {
    ...behind(3),
    kind: "asyncMap",
    id: "prices",
    isIdGiven: true,
    schema: schema({ ...rowsOf(rows), net: t.float64, price: t.float64 }),
    columns: [{ name: "price", type: t.float64 }],
    lambda: () => Promise.resolve({ price: 1 }),
    policy,
    timeColumn: "pickup",
  }
  const outputs = [{ name: "priced", node: 4, port: "main" }] as const
  const job = { ...bound, plan: { ...plan, nodes: [...nodes.slice(0, 4), asking], outputs } }
  const text = formatExplain(explain(job, { compile: AUTO }))
  expect(text).toContain("asyncMap  [prices]  keeps state\n")
  expect(text).toContain(
    "sets price: float64; 50 rows in flight, in order of input, 3 attempts of 2s, then it stops the job\n",
  )
  expect(text).toContain("○ called asynchronously, at least once for each row\n")
  expect(text).toContain("lambdas       1 of 2 compiled")
})

test("tells which windows run on plain values, and why", () => {
  const textOf = (window: WindowSpec) => {
    const changed = nodes.map((node) => (node.kind === "windowAggregate" ? { ...node, window } : node))
    const job = { plan: { jobName: "fares", nodes: changed, outputs: [] }, inputSchemas: { trips: Trip } }
    return formatExplain(
      explain({ ...job, paramsSchema: schema({ maxFare: t.float64 }), onError: "stop" }, { compile: AUTO }),
    )
  }
  expect(textOf(hour)).not.toContain("plain values")
  expect(textOf({ kind: "session", gapMicros: 60_000_000 })).toContain(
    "session gap 1m of pickup, by zone\n│  runs on plain values, and not in kernels: sessions grow and merge\n",
  )
  const berlin: WindowSpec = { kind: "calendar", unit: "day", count: 1, zone: "Europe/Berlin", offsetMicros: 0 }
  expect(textOf(berlin)).toContain("calendar day in Europe/Berlin of pickup, by zone\n│  runs on plain values")
})

test("what a source or a sink guarantees less than others is told", () => {
  const live: SourceBinding = { ...source, describe: () => "machine()", readGuarantee: "at-most-once" }
  const inputs = { trips: { schema: Trip, source: live } }
  const outputs = { ...bound.outputs, hourly: sinkTo("memory()", "exactly-once-in-process") }
  const text = formatExplain(explain({ ...bound, inputs, outputs }, { compile: AUTO }))
  expect(text).toContain("machine(), at most once over restarts")
  expect(text).toContain("output hourly → memory(), exactly once while the process lives")
  const replayable = { trips: { schema: Trip, source: { ...source, readGuarantee: "replayable" as const } } }
  expect(explain({ ...bound, inputs: replayable }, { compile: AUTO })).toEqual(explain(bound, { compile: AUTO }))
})

test("where a source keeps what is pushed is told, and why not further on", () => {
  const pushedInto: SourceBinding = {
    ...source,
    describe: () => "pushed()",
    readGuarantee: "durable-when-acknowledged",
    runsPrefix: true,
  }
  const inputs = { trips: { schema: Trip, source: pushedInto } }
  const textOf = (compile: typeof AUTO | { mode: "off"; proof: undefined }) =>
    formatExplain(explain({ ...bound, inputs }, { compile }))
  expect(textOf(AUTO)).toContain(
    "pushed(), durable when acknowledged, kept behind trips/filter: a lambda of trips/derive is not compiled",
  )
  expect(textOf({ mode: "off", proof: undefined })).toContain(
    "pushed(), durable when acknowledged, kept as they were pushed: a lambda of trips/filter is not compiled",
  )
})
