/**
 * Which parts of the subset random lambdas have reached, so that the fuzzer fails where its grammar leaves one out.
 *
 * What is counted is what back ends are given: rewritten IR. WebAssembly answers some of it by instructions, and by tables
 * what depends on one text only; each way is counted by itself.
 */
import { UTC_PARTS } from "../time/utc-part.ts"
import { TextNodes } from "./codegen-wasm-texts.ts"
import { NATIVE_FUNCTIONS } from "./codegen-wasm-calls.ts"
import { knownFunctionNames } from "./globals.ts"
import { childrenOf, typeOfReference, type BinaryOperator, type Ir, type LogicalOperator } from "./ir.ts"
import type { Constant, LambdaIr, Reference, RegexMethod, UnaryOperator } from "./ir.ts"
import { BIGINT, isWithin, NULLISH, NUMBER_LIKE, STRING, type Kinds } from "./value-type.ts"

/** What operands are, as far as back ends tell them apart. */
type Operands = "numbers" | "bigints" | "texts" | "several kinds"

const ARITHMETIC: readonly Operands[] = ["numbers", "bigints"]
const MIXED: readonly Operands[] = [...ARITHMETIC, "several kinds"]
const COMPARISON: readonly Operands[] = ["numbers", "bigints", "texts", "several kinds"]

const BINARY: Readonly<Record<BinaryOperator, readonly Operands[]>> = {
  ...{ "+": [...ARITHMETIC, "texts", "several kinds"], "-": MIXED, "*": MIXED, "/": MIXED },
  ...{ "%": ARITHMETIC, "**": ARITHMETIC, "&": ARITHMETIC, "|": ARITHMETIC, "^": ARITHMETIC },
  ...{ "<<": ARITHMETIC, ">>": ARITHMETIC, ">>>": ["numbers"] },
  ...{ "<": COMPARISON, ">": COMPARISON, "<=": COMPARISON, ">=": COMPARISON },
  ...{ "===": COMPARISON, "!==": COMPARISON, "==": COMPARISON, "!=": COMPARISON },
}
const UNARY: Readonly<Record<UnaryOperator, readonly Operands[]>> = {
  ...{ "!": COMPARISON, "-": ARITHMETIC, "+": ["numbers", "texts"], "~": ARITHMETIC },
  typeof: COMPARISON,
}
const LOGICAL: Readonly<Record<LogicalOperator, true>> = { "&&": true, "||": true, "??": true }
const REGEX: Readonly<Record<RegexMethod, true>> = { test: true, search: true, replace: true, replaceAll: true }

const pairs = (of: Readonly<Record<string, readonly Operands[]>>): string[] =>
  Object.entries(of).flatMap(([operator, kinds]) => kinds.map((kind) => `${operator} of ${kind}`))
const members = (prefix: string, of: object): string[] => Object.keys(of).map((name) => prefix + name)
const references = (prefix: string, types: readonly string[]): string[] => types.map((type) => `${prefix} ${type}`)

/** The parts that each kind of node has. */
const PARTS: Readonly<Record<Ir["op"], readonly string[]>> = {
  constant: ["null", "undefined", "boolean", "number", "bigint", "string"].map((kind) => `constant ${kind}`),
  column: references("column", [
    ...["float64", "float64?", "int32", "int53?", "timestamp", "int64", "int64?", "string", "string?", "enum", "bool"],
    ...["uint8", "int16?", "uint32", "uint64", "float32"],
    ...["bool?", "object?", ".float64", ".float64?", ".string", ".string?", ".int32", ".int64", ".object?"],
  ]),
  param: references("param", ["float64", "float64?", "string", "int64", "bool", "object?", ".float64", ".string?"]),
  unary: pairs(UNARY),
  binary: pairs(BINARY),
  logical: Object.keys(LOGICAL),
  conditional: ["? :"],
  call: knownFunctionNames().filter((name) => !name.includes(".prototype.")),
  stringMember: ["String.length", ...knownFunctionNames().filter((name) => name.startsWith("String.prototype."))],
  numberMethod: knownFunctionNames().filter((name) => name.startsWith("Number.prototype.")),
  template: ["template"],
  regex: members("regex ", REGEX),
  datePart: members("Date ", UTC_PARTS),
  guard: ["guard"],
  narrowed: ["narrowed"],
  let: ["let"],
}

/** Which part of the subset a node is. */
function partOf(node: Ir): string {
  switch (node.op) {
    case "constant":
      return `constant ${kindOf(node.value)}`
    case "column":
    case "param":
      return referencePart(node)
    case "unary":
      return `${node.operator} of ${operandsOf([node.operand])}`
    case "binary":
      return `${node.operator} of ${operandsOf([node.left, node.right])}`
    case "logical":
      return node.operator
    case "conditional":
      return "? :"
    case "call":
      return node.name
    case "stringMember":
      return node.arguments === undefined ? "String.length" : `String.prototype.${node.name}`
    case "numberMethod":
      return `Number.prototype.${node.name}`
    case "regex":
      return `regex ${node.method}`
    case "datePart":
      return `Date ${node.part}`
    case "template":
    case "guard":
    case "narrowed":
    case "let":
      return node.op
  }
}

function kindOf(value: Constant["value"]): string {
  return value === null ? "null" : typeof value
}

function referencePart(reference: Reference): string {
  const { kind, isNullable } = typeOfReference(reference)
  return `${reference.op} ${reference.fields.length > 1 ? "." : ""}${kind}${isNullable ? "?" : ""}`
}

function operandsOf(operands: readonly Ir[]): Operands {
  const are = (kinds: Kinds): boolean => operands.every((each) => isWithin(each.kinds, kinds | NULLISH))
  if (are(NUMBER_LIKE)) return "numbers"
  if (are(BIGINT)) return "bigints"
  return are(STRING) ? "texts" : "several kinds"
}

/** How often each part was reached. */
export type Reached = Map<string, number>

/** What stands behind a part that WebAssembly answers by a table. */
const BY_TABLE = ", by table"

/** Counts the parts of a lambda. */
export function countParts({ result, lets }: LambdaIr, reached: Reached): void {
  for (const root of rootsOf({ result, lets })) countBelow(root, "", reached)
}

/** The same, and which of them a kernel of WebAssembly answers by tables. */
export function countWasmParts({ result, lets }: Pick<LambdaIr, "result" | "lets">, reached: Reached): void {
  const texts = new TextNodes()
  const visit = (node: Ir): void => {
    if (texts.mappedColumn(node) !== undefined) return countBelow(node, BY_TABLE, reached)
    add(partOf(node), reached)
    childrenOf(node).forEach(visit)
  }
  for (const root of rootsOf({ result, lets })) {
    // A text that is stored has a table of codes, whatever it is made by.
    if (root.kinds === STRING && texts.textColumn(root) !== undefined) countBelow(root, BY_TABLE, reached)
    else visit(root)
  }
}

function countBelow(node: Ir, suffix: string, reached: Reached): void {
  add(partOf(node) + suffix, reached)
  for (const child of childrenOf(node)) countBelow(child, suffix, reached)
}

function rootsOf({ result, lets }: Pick<LambdaIr, "result" | "lets">): readonly Ir[] {
  return [...(result.op === "object" ? result.entries.values() : [result]), ...lets.map(({ value }) => value)]
}

function add(part: string, reached: Reached): void {
  reached.set(part, (reached.get(part) ?? 0) + 1)
}

/** All parts of the subset that a back end answers. */
export function partsOf(backEnd: "JavaScript" | "WebAssembly"): readonly string[] {
  const all = Object.values(PARTS).flat()
  if (backEnd === "JavaScript") return all
  return [...all.filter(isByInstructions), ...all.filter(isByTable).map((part) => part + BY_TABLE)]
}

const EQUALITIES: ReadonlySet<string> = new Set(["===", "!==", "==", "!="])
const NO_INSTRUCTIONS: ReadonlySet<string> = new Set([
  ...["** of numbers", "** of bigints", "<< of bigints", ">> of bigints", "+ of texts", "template"],
])

/** Whether WebAssembly has instructions for a part. */
function isByInstructions(part: string): boolean {
  if (NO_INSTRUCTIONS.has(part) || part.startsWith("typeof") || part.startsWith("column .string")) return false
  if (part.startsWith("String") || part.startsWith("Number.prototype") || part.startsWith("regex")) return false
  const [operator] = part.split(" of ")
  if (part.endsWith("of texts")) return operator === "!" || EQUALITIES.has(operator!)
  // A bigint is compared with a number: which is larger, and not whether they are equal.
  if (part.endsWith("of several kinds")) return /^[<>]/.test(part)
  return PARTS.call.includes(part) ? NATIVE_FUNCTIONS.has(part) : true
}

/** Whether it stands in expressions of one text: those have no bigints. */
function isByTable(part: string): boolean {
  if (part.startsWith("column")) return ["column string", "column string?", "column enum"].includes(part)
  const isOfBigints = part.endsWith("bigints") || part.endsWith("bigint") || part.endsWith("int64")
  return !isOfBigints && !["guard", "narrowed", "param object?", "param .float64", "param .string?"].includes(part)
}
