import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { propertyCases } from "../../test/seeds.ts"
import type { ExplainedLambda, ExplainedNode, ExplainedOutput, Explanation } from "./explanation.ts"
import { explanationMermaid } from "./explanation-mermaid.ts"

/** A flowchart as `readFlowchart` has understood it. */
interface Flowchart {
  readonly boxes: Readonly<Record<string, { readonly shape: string; readonly lines: readonly string[] }>>
  readonly edges: readonly { readonly from: string; readonly label: string | undefined; readonly to: string }[]
  readonly closures: readonly string[]
}

/** What may stand in a label as it is: nothing that Mermaid, Markdown or HTML reads as more than itself. */
const PLAIN = /^[\p{L}\p{N} .,:()/=+✓○→…\uFFFD-]*$/u

const BOX = /^ {2}((?:n|out)\d+)(\(\[|\[\(|\[\[|\{\{|\[)"([^"]*)"(\]\)|\)\]|\]\]|\}\}|\])$/
const CLOSES: Readonly<Record<string, string>> = { "([": "])", "[(": ")]", "[[": "]]", "{{": "}}", "[": "]" }
const EDGE = /^ {2}((?:n|out)\d+) -->(?:\|"([^"]*)"\|)? ((?:n|out)\d+)$/

function readLabel(label: string): string[] {
  return label.split("<br/>").map((line) => {
    expect(line.replaceAll(/#\d+;/g, "")).toMatch(PLAIN)
    return line.replaceAll(/#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
  })
}

/** Reads the part of the language that is written, and nothing else: a line that is not of it is a failure. */
function readFlowchart(text: string): Flowchart {
  const [comment, head, ...lines] = text.split("\n")
  expect(comment).toMatch(/^%% job [^%{}]*$/)
  expect(head).toBe("flowchart TD")
  const boxes: Record<string, { shape: string; lines: readonly string[] }> = {}
  const edges: { from: string; label: string | undefined; to: string }[] = []
  const closures: string[] = []
  for (const line of lines) {
    const [isBox, box = "", open = "", label = "", close] = BOX.exec(line) ?? []
    const [isEdge, from = "", port, to = ""] = EDGE.exec(line) ?? []
    const [isClosure, closure = ""] = /^ {2}class (n\d+) closure$/.exec(line) ?? []
    if (isBox !== undefined) {
      expect(close).toBe(CLOSES[open])
      expect(boxes).not.toHaveProperty(box)
      boxes[box] = { shape: `${open}${close}`, lines: readLabel(label) }
    } else if (isEdge !== undefined) {
      for (const end of [from, to]) expect(boxes).toHaveProperty(end)
      edges.push({ from, to, label: port === undefined ? undefined : readLabel(port).join("\n") })
    } else if (isClosure !== undefined) {
      expect(boxes).toHaveProperty(closure)
      closures.push(closure)
    } else expect(line).toBe("  classDef closure stroke-dasharray: 5 3")
  }
  return { boxes, edges, closures }
}

const NODE: ExplainedNode = {
  id: "trips",
  isIdGiven: true,
  kind: "source",
  isStateful: false,
  inputs: [],
  detail: undefined,
  columns: [],
  changesColumns: false,
  mayBeLate: false,
  runsOnValues: undefined,
  sharesWith: [],
  aggregates: [],
  lambdas: [],
}

const CLOSURE: ExplainedLambda = {
  role: "predicate",
  source: "(trip) => allowed.has(trip.zone)",
  form: "closure",
  backEnds: [],
  mayThrow: false,
  reason: "It reads allowed.",
  hint: undefined,
  ir: undefined,
}

const COMPILED: ExplainedLambda = { ...CLOSURE, role: "net", form: "compiled", backEnds: ["WebAssembly"] }

const OUTPUT: ExplainedOutput = {
  name: "hourly",
  from: { id: "trips", port: "main" },
  columns: [],
  sink: undefined,
  guarantee: undefined,
}

function explained(nodes: readonly ExplainedNode[], outputs: readonly ExplainedOutput[], job = "revenue"): Explanation {
  const policies = { onError: "stop", policies: undefined, oneThreadReason: undefined, warnings: [] } as const
  return { job, fingerprint: "0123456789abcdef", params: [], nodes, outputs, ...policies }
}

const main = (id: string) => ({ id, port: "main" }) as const

describe("a plan as a flowchart", () => {
  const nodes: ExplainedNode[] = [
    { ...NODE, detail: 'csv("trips/*.csv")' },
    { ...NODE, id: "end", kind: "filter", inputs: [main("trips")], lambdas: [CLOSURE] },
    {
      ...NODE,
      id: "hourly",
      kind: "windowAggregate",
      isStateful: true,
      inputs: [main("end")],
      detail: "tumbling 1h of pickup, by zone",
      aggregates: [{ name: "net", type: "float64", text: 'sum("fare")' }],
      lambdas: [COMPILED],
    },
    {
      ...NODE,
      id: "joined",
      kind: "process",
      isStateful: true,
      isIdGiven: false,
      inputs: [main("trips"), main("hourly")],
    },
  ]
  const outputs: ExplainedOutput[] = [
    { ...OUTPUT, from: main("joined"), sink: 'jsonl("out/[hourly]")', guarantee: "exactly-once" },
    { ...OUTPUT, name: "late", from: { id: "hourly", port: "late" } },
  ]
  const { boxes, edges, closures } = readFlowchart(explanationMermaid(explained(nodes, outputs)))

  test("MM2 each node and output is a box with what the text says of it", () => {
    expect(boxes).toEqual({
      n0: { shape: "([])", lines: ["input trips", 'csv("trips/*.csv")'] },
      n1: { shape: "[]", lines: ["filter [end]", "(trip) => allowed.has(trip.zone)", "○ runs as a closure"] },
      n2: {
        shape: "{{}}",
        lines: [
          "window [hourly] keeps state",
          "tumbling 1h of pickup, by zone",
          'net = sum("fare")',
          "✓ compiled to WebAssembly",
        ],
      },
      n3: { shape: "[[]]", lines: ["process [joined] keeps state under a derived id"] },
      out0: { shape: "[()]", lines: ["output hourly", 'jsonl("out/[hourly]")', "exactly once"] },
      out1: { shape: "[()]", lines: ["output late", "not bound"] },
    })
    expect(closures).toEqual(["n1"])
  })

  test("MM2 each edge is drawn once, and those of other rows say which", () => {
    expect(edges).toEqual([
      { from: "n0", to: "n1", label: undefined },
      { from: "n1", to: "n2", label: undefined },
      { from: "n0", to: "n3", label: undefined },
      { from: "n2", to: "n3", label: undefined },
      { from: "n3", to: "out0", label: undefined },
      { from: "n2", to: "out1", label: "late rows" },
    ])
  })
})

const HOSTILE = [
  'a"]; click n0 "javascript:alert(1)',
  "x\n  n0 --> n9\nend",
  "<script>alert(1)</script>",
  "%%{init: {}}%%",
  "`**bold**` _under_ ~strike~ #quot; &amp; $$x$$ \\n | {a} [b] (c) -- end",
  "tab\tnull\0bell\u0007\u009f",
  "日本 👩‍🚀 \ud800",
]

function drawnSink(sink: string): string[] {
  const { boxes, edges } = readFlowchart(explanationMermaid(explained([NODE], [{ ...OUTPUT, sink }])))
  expect(Object.keys(boxes)).toEqual(["n0", "out0"])
  expect(edges).toEqual([{ from: "n0", to: "out0", label: undefined }])
  return [...boxes["out0"]!.lines]
}

test.each(HOSTILE)("MM1 a label with %j is that text, and nothing else", (name) => {
  const shown = name
    .replaceAll(/\s+/g, " ")
    .trim()
    // eslint-disable-next-line no-control-regex -- what cannot be drawn is what this is about
    .replaceAll(/[\0-\x1f\x7f-\x9f]|[\ud800-\udfff]/gu, "\ufffd")
  expect(drawnSink(name)).toEqual(["output hourly", shown])
})

test("MM1 whatever a name is, the drawing is well-formed", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 120 }), fc.string({ unit: "grapheme-ascii" }), (sink, id) => {
      drawnSink(sink)
      drawnSink(id)
      const late = { ...OUTPUT, from: { id, port: `side ${sink}` } as ExplainedOutput["from"] }
      const { edges } = readFlowchart(explanationMermaid(explained([{ ...NODE, id, detail: sink }], [late], id)))
      expect(edges).toHaveLength(1)
    }),
    propertyCases(100),
  )
})

test("long lines are cut", () => {
  expect(drawnSink("x".repeat(200))[1]).toBe(`${"x".repeat(79)}…`)
})
