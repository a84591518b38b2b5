/**
 * An explanation as a Mermaid flowchart: the plan as a drawing that documents and pull requests show.
 *
 * Invariants:
 * - MM1 Names and sources stand in quoted labels only, in which every character that Mermaid, Markdown or HTML reads as more
 *   than itself is written as its number. Nodes are numbered: no name of a job can be a word of the language.
 * - MM2 Each node, output and edge of the plan is drawn once.
 */
import type { ExplainedAggregate, ExplainedLambda, ExplainedNode, ExplainedOutput, Explanation } from "./explanation.ts"
import { engineLines, GUARANTEES, headOf, portText } from "./explanation-text.ts"

/** Lines of a label are cut at about this many characters. */
const WIDTH = 80

type Shape = readonly [open: string, close: string]

const INPUT: Shape = ["([", "])"]
const OPERATOR: Shape = ["[", "]"]
const WINDOW: Shape = ["{{", "}}"]
const KEEPS_STATE: Shape = ["[[", "]]"]
const OUTPUT: Shape = ["[(", ")]"]

/** The flowchart. */
export function explanationMermaid({ job, fingerprint, nodes, outputs }: Explanation): string {
  const numbers = new Map(nodes.map(({ id }, index) => [id, `n${index}`]))
  const edge = (from: ExplainedOutput["from"], to: string) => {
    const label = portText(from.port).replace(/: $/, "")
    return `  ${numbers.get(from.id)} -->${label === "" ? "" : `|${quoted([label])}|`} ${to}`
  }
  const closures = nodes.filter(({ lambdas }) => lambdas.some(({ form }) => form === "closure"))
  const lines = [
    "flowchart TD",
    ...nodes.map((node) => `  ${numbers.get(node.id)}${drawn(shapeOf(node), labelOf(node))}`),
    ...outputs.map((output, index) => `  out${index}${drawn(OUTPUT, outputLabel(output))}`),
    ...nodes.flatMap(({ id, inputs }) => inputs.map((input) => edge(input, numbers.get(id)!))),
    ...outputs.map(({ from }, index) => edge(from, `out${index}`)),
    ...(closures.length === 0 ? [] : ["  classDef closure stroke-dasharray: 5 3"]),
    ...closures.map(({ id }) => `  class ${numbers.get(id)} closure`),
  ]
  return [`%% job ${escaped(job)}, plan ${escaped(fingerprint)}`, ...lines].join("\n")
}

function shapeOf({ kind, isStateful }: ExplainedNode): Shape {
  if (kind === "source") return INPUT
  if (kind === "windowAggregate" || kind === "over") return WINDOW
  return isStateful ? KEEPS_STATE : OPERATOR
}

function labelOf(node: ExplainedNode): string[] {
  const { aggregates, detail, lambdas } = node
  const others = lambdas.filter(({ role }) => !aggregates.some(({ name }) => name === role))
  return [
    headOf(node),
    ...(detail === undefined ? [] : [detail]),
    ...engineLines(node),
    ...aggregates.flatMap((aggregate) => aggregateLines(aggregate, lambdas)),
    ...others.flatMap((lambda) => [lambda.source, formLine(lambda)]),
  ]
}

function aggregateLines({ name, text }: ExplainedAggregate, lambdas: readonly ExplainedLambda[]): string[] {
  const lambda = lambdas.find(({ role }) => role === name)
  return [`${name} = ${text}`, ...(lambda === undefined ? [] : [formLine(lambda)])]
}

/** The first line of what the text says of it: reasons and hints are long. */
function formLine({ form, backEnds }: ExplainedLambda): string {
  if (form === "called") return "○ called asynchronously"
  return form === "compiled" ? `✓ compiled to ${backEnds.join(" and ")}` : "○ runs as a closure"
}

function outputLabel({ name, sink, guarantee }: ExplainedOutput): string[] {
  return [`output ${name}`, sink ?? "not bound", ...(guarantee === undefined ? [] : [GUARANTEES[guarantee]])]
}

function drawn([open, close]: Shape, lines: readonly string[]): string {
  return `${open}${quoted(lines)}${close}`
}

function quoted(lines: readonly string[]): string {
  return `"${lines.map((line) => escaped(cut(line.replaceAll(/\s+/g, " ").trim()))).join("<br/>")}"`
}

function cut(line: string): string {
  const characters = [...line]
  return characters.length <= WIDTH ? line : `${characters.slice(0, WIDTH - 1).join("")}…`
}

/** Text in which only letters, digits and marks that mean nothing stand for themselves (MM1). */
function escaped(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} .,:()/=+\u2713\u25cb\u2192\u2026-]/gu, (character) => {
    const code = character.codePointAt(0)!
    // A control character, or half of a pair, is nothing that can be drawn.
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000) ? "�" : `#${code};`
  })
}
