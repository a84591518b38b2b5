/** The IR as text, for `explain` and tests: infix, every operation in parentheses, each place with its type. */
import type { Ir, LambdaIr, Let, Reference } from "./ir.ts"
import { typeOfReference } from "./ir.ts"

/** A lowered lambda as text: a line for each let, then the result. */
export function irText({ result, lets }: LambdaIr): string {
  const lines = lets.map((each) => `${letText(each)} = ${nodeText(each.value)}`)
  if (result.op !== "object") return [...lines, nodeText(result)].join("\n")
  const entries = [...result.entries].map(([name, ir]) => `${JSON.stringify(name)}: ${nodeText(ir)}`)
  return [...lines, `{ ${entries.join(", ")} }`].join("\n")
}

function nodeText(node: Ir): string {
  switch (node.op) {
    case "constant":
      return constantText(node.value)
    case "column":
    case "param":
      return referenceText(node)
    case "narrowed":
      return nodeText(node.value)
    case "let":
      return letText(node)
    case "unary":
      return `(${node.operator} ${nodeText(node.operand)})`
    case "binary":
    case "logical":
      return `(${nodeText(node.left)} ${node.operator} ${nodeText(node.right)})`
    case "conditional":
      return `(${nodeText(node.test)} ? ${nodeText(node.then)} : ${nodeText(node.otherwise)})`
    case "call":
      return `${node.name}(${node.arguments.map(nodeText).join(", ")})`
    case "stringMember": {
      const member = `${nodeText(node.text)}.${node.name}`
      return node.arguments === undefined ? member : `${member}(${node.arguments.map(nodeText).join(", ")})`
    }
    case "numberMethod":
      return `${nodeText(node.value)}.${node.name}(${node.arguments.map(nodeText).join(", ")})`
    case "regex": {
      const regex = `/${node.source}/${node.flags}`
      const text = nodeText(node.text)
      if (node.method === "test") return `${regex}.test(${text})`
      const replacement = node.replacement === undefined ? "" : `, ${nodeText(node.replacement)}`
      return `${text}.${node.method}(${regex}${replacement})`
    }
    case "datePart":
      return `${node.part}(${nodeText(node.millis)})`
    case "guard":
      return `guard(${nodeText(node.test)}, ${nodeText(node.value)})`
    case "template":
      return `concat(${node.texts.flatMap((text, index) => (index === 0 ? [JSON.stringify(text)] : [nodeText(node.values[index - 1]!), JSON.stringify(text)])).join(", ")})`
  }
}

function constantText(value: null | undefined | boolean | number | bigint | string): string {
  if (typeof value === "string") return JSON.stringify(value)
  if (typeof value === "bigint") return `${value}n`
  return Object.is(value, -0) ? "-0" : String(value)
}

function referenceText(reference: Reference): string {
  const root = reference.op === "column" ? "row" : "params"
  const names = reference.fields.map(({ name }) =>
    /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`,
  )
  const { kind, isNullable } = typeOfReference(reference)
  return `${root}${names.join("")}:${kind}${isNullable ? "?" : ""}`
}

function letText({ index }: Let): string {
  return `t${index}`
}
