/**
 * An explanation as text: the plan as a tree that is read from the inputs down to the outputs, then what holds for all of
 * it. A chain of operators runs straight down; where rows go several ways the tree branches.
 */
import { formatDuration } from "../base/duration.ts"
import type { SinkGuarantee } from "../connect/sink.ts"
import type { Port } from "../flow/plan.ts"
import type { ExplainedColumn, ExplainedLambda, ExplainedNode, ExplainedOutput, Explanation } from "./explanation.ts"

/** Lists of columns are broken into lines of about this many characters. */
const WIDTH = 96

/** Of a lambda's source at most so many lines are shown. */
const SOURCE_LINES_MAX = 8

const LABELS: Readonly<Record<ExplainedNode["kind"], string>> = {
  source: "input",
  filter: "filter",
  derive: "derive",
  map: "map",
  flatMap: "flatMap",
  validate: "validate",
  select: "select",
  notNull: "notNull",
  union: "union",
  eventTime: "eventTime",
  processingTime: "processingTime",
  windowAggregate: "window",
  over: "over",
  asyncMap: "asyncMap",
  process: "process",
}

/** What readers of an output may rely on, in words. */
export const GUARANTEES: Readonly<Record<SinkGuarantee, string>> = {
  "exactly-once": "exactly once",
  "exactly-once-in-process": "exactly once while the process lives",
  "at-least-once": "at least once",
  "at-least-once-with-keys": "at least once, with Idempotency-Key",
}

/** The text. */
export function explanationText(explanation: Explanation): string {
  const tree = new TreeText(explanation)
  const sections = [
    [`job ${explanation.job}  (plan ${explanation.fingerprint})`],
    paramLines(explanation),
    ...explanation.nodes.filter(({ kind }) => kind === "source").map((source) => tree.linesOf(source)),
    policyLines(explanation),
    [...threadLines(explanation), ...lambdaLines(explanation)],
    warningLines(explanation),
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")
}

function paramLines({ params }: Explanation): string[] {
  return params.map(({ name, type, value }) => `param ${name}: ${type}${value === undefined ? "" : ` = ${value}`}`)
}

/** Where the rows of a node go. */
type Consumer =
  | { readonly kind: "output"; readonly output: ExplainedOutput }
  | { readonly kind: "node"; readonly node: ExplainedNode; readonly port: Port }

class TreeText {
  readonly #explanation: Explanation
  /** What several feed is shown once, where the first of them is. */
  readonly #shown = new Set<string>()

  constructor(explanation: Explanation) {
    this.#explanation = explanation
  }

  /** A node and all that follows from it. */
  linesOf(node: ExplainedNode): string[] {
    if (this.#shown.has(node.id)) return [`${LABELS[node.kind]}  [${node.id}], shown above`]
    if (node.inputs.length > 1) this.#shown.add(node.id)
    const consumers = this.#consumersOf(node)
    const body = [...bodyOf(node), ...lateLines(node, consumers)]
    const [next] = consumers
    if (next === undefined) return [headOf(node), ...indented(body, "   ")]
    const lines = [headOf(node), ...indented(body, "│  "), "│"]
    const isStraight = consumers.length === 1 && next.kind === "node" && next.port === "main"
    if (isStraight) return [...lines, ...this.linesOf(next.node)]
    consumers.forEach((consumer, index) => {
      const isLast = index === consumers.length - 1
      const [first, ...rest] = this.#branchOf(node, consumer)
      lines.push(`${isLast ? "└─ " : "├─ "}${first}`, ...indented(rest, isLast ? "   " : "│  "))
    })
    return lines
  }

  #branchOf(node: ExplainedNode, consumer: Consumer): string[] {
    if (consumer.kind === "output") return outputLines(node, consumer.output)
    const [head, ...body] = this.linesOf(consumer.node)
    return [`${portText(consumer.port)}${head}`, ...body]
  }

  #consumersOf({ id }: ExplainedNode): Consumer[] {
    const outputs = this.#explanation.outputs.filter(({ from }) => from.id === id)
    const takers = this.#explanation.nodes.flatMap((node) =>
      node.inputs.flatMap((input): Consumer[] => (input.id === id ? [{ kind: "node", node, port: input.port }] : [])),
    )
    return [...outputs.map((output): Consumer => ({ kind: "output", output })), ...takers]
  }
}

/** What an operator or input is, in a line. */
export function headOf({ kind, id, isIdGiven, isStateful }: ExplainedNode): string {
  if (kind === "source") return `input ${id}`
  const state = isStateful ? `  keeps state${isIdGiven ? "" : " under a derived id"}` : ""
  return `${LABELS[kind]}  [${id}]${state}`
}

function bodyOf(node: ExplainedNode): string[] {
  const detail = node.detail === undefined ? [] : [node.detail]
  if (node.kind !== "windowAggregate" && node.kind !== "over") {
    const lambdas = node.lambdas.flatMap((lambda) => [...sourceLines(lambda.source), ...formLines(lambda)])
    return [...detail, ...(showsColumns(node) ? columnLines(node.columns) : []), ...lambdas]
  }
  const fixed = node.kind === "over" ? [] : node.columns.slice(0, node.columns.length - node.aggregates.length)
  const aggregates = node.aggregates.flatMap(({ name, type, text }) => {
    const lambda = node.lambdas.find(({ role }) => role === name)
    return [`${name}: ${type} = ${text}`, ...(lambda === undefined ? [] : indented(formLines(lambda), "  "))]
  })
  return [...detail, ...engineLines(node), ...sharingLines(node), ...columnLines(fixed), ...aggregates]
}

/** Why a window runs on plain values, where it does. */
export function engineLines({ runsOnValues }: ExplainedNode): string[] {
  return runsOnValues === undefined ? [] : [`runs on plain values, and not in kernels: ${runsOnValues}`]
}

/** Of many windows that share slices only so many are named. */
const SHARING_MAX = 5

function sharingLines({ sharesWith }: ExplainedNode): string[] {
  if (sharesWith.length === 0) return []
  const more = sharesWith.length - SHARING_MAX
  const named = sharesWith.slice(0, more > 1 ? SHARING_MAX : sharesWith.length).join(", ")
  return [`shares slices with ${named}${more > 1 ? ` and ${more} more` : ""}`]
}

/** Whether the text of a node spells all columns of what it gives. */
function showsColumns(node: ExplainedNode): boolean {
  return node.changesColumns && node.kind !== "derive" && node.kind !== "notNull" && node.kind !== "asyncMap"
}

/** What becomes of late rows that nobody takes. */
function lateLines({ mayBeLate }: ExplainedNode, consumers: readonly Consumer[]): string[] {
  if (!mayBeLate || consumers.some((consumer) => portOf(consumer) === "late")) return []
  return ["late rows are counted and dropped: return .late from the flow to keep them"]
}

function portOf(consumer: Consumer): Port {
  return consumer.kind === "output" ? consumer.output.from.port : consumer.port
}

/** What stands before what takes the rows of a port. */
export function portText(port: Port): string {
  if (port === "main") return ""
  return port === "late" ? "late rows: " : `${port.slice("side ".length)}: `
}

function formLines({ form, backEnds, mayThrow, reason, hint }: ExplainedLambda): string[] {
  if (form === "called") return ["○ called asynchronously, at least once for each row"]
  if (form === "compiled") {
    const throwing = mayThrow ? ["  may throw: where it does, it runs again as a closure"] : []
    return [`✓ compiled to ${backEnds.join(" and ")}`, ...throwing]
  }
  return [`○ runs as a closure. ${reason}`, ...(hint === undefined ? [] : [`  ${hint}`])]
}

function sourceLines(source: string): string[] {
  const lines = source.replaceAll("\t", "  ").split("\n")
  const margins = lines
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => line.length - line.trimStart().length)
  const margin = margins.length === 0 ? 0 : Math.min(...margins)
  const dedented = lines.map((line, index) => (index === 0 ? line : line.slice(margin)))
  if (dedented.length <= SOURCE_LINES_MAX) return dedented
  return [...dedented.slice(0, SOURCE_LINES_MAX - 1), "…"]
}

function outputLines(node: ExplainedNode, { name, sink, guarantee, from, columns }: ExplainedOutput): string[] {
  const target = sink === undefined ? "not bound" : sink
  const promise = guarantee === undefined ? "" : `, ${GUARANTEES[guarantee]}`
  const isSpelled = from.port === "main" && showsColumns(node)
  const head = `${portText(from.port)}output ${name} → ${target}${promise}`
  return [head, ...(isSpelled ? [] : indented(columnLines(columns), "   "))]
}

function columnLines(columns: readonly ExplainedColumn[]): string[] {
  const lines: string[] = []
  let line = ""
  columns.forEach(({ name, type }, index) => {
    const text = `${name}: ${type}${index === columns.length - 1 ? "" : ","}`
    if (line !== "" && line.length + text.length >= WIDTH) {
      lines.push(line)
      line = text
    } else line = line === "" ? text : `${line} ${text}`
  })
  return line === "" ? lines : [...lines, line]
}

function policyLines({ onError, policies }: Explanation): string[] {
  const failed =
    onError === "stop"
      ? "a row that fails stops the job"
      : "a row that fails goes to the dead letters, and the job goes on"
  if (policies === undefined) return [`errors        ${failed}`]
  const { deadLetter, maxBadRecords, epoch } = policies
  const letters =
    deadLetter === undefined
      ? "in the job's own directory: no output is bound for them"
      : `${deadLetter.sink}, ${GUARANTEES[deadLetter.guarantee]}`
  const bad =
    maxBadRecords === undefined ? "never stop the job, however many" : `more than ${maxBadRecords} stop the job`
  return [
    `errors        ${failed}`,
    `dead letters  ${letters}`,
    `bad records   ${bad}`,
    `epochs        ${formatDuration(epoch.minMicros)} to ${formatDuration(epoch.maxMicros)}`,
  ]
}

function threadLines({ nodes, oneThreadReason: reason }: Explanation): string[] {
  if (!nodes.some(({ kind }) => kind === "windowAggregate")) return []
  return [
    `threads       operators run on ${reason === undefined ? "several, part by part, where that is worth it" : `one: ${reason}`}`,
  ]
}

function lambdaLines({ nodes }: Explanation): string[] {
  const lambdas = nodes.flatMap((node) => node.lambdas).filter(({ form }) => form !== "called")
  if (lambdas.length === 0) return []
  const compiled = lambdas.filter(({ form }) => form === "compiled").length
  return [`lambdas       ${compiled} of ${lambdas.length} compiled`]
}

function warningLines({ warnings }: Explanation): string[] {
  return warnings.flatMap(({ message, hint }) => [`! ${message}`, `  ${hint}`])
}

function indented(lines: readonly string[], indent: string): string[] {
  return lines.map((line) => `${indent}${line}`)
}
