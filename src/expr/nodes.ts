/**
 * Makes nodes of the IR: here kinds are inferred and sizes counted.
 *
 * Invariant:
 * - D1 A node that could throw without a guard before it, or that is too large, is not made: `NotCompilable` is thrown
 *   instead.
 */
import { assert } from "../base/assert.ts"
import type { Field, Schema } from "../batch/schema.ts"
import { nounsOf } from "../batch/type.ts"
import { knownFunction, type KnownFunction } from "./globals.ts"
import { checkTemplateValue, inferBinary, inferUnary } from "./infer.ts"
import type {
  BinaryOperator,
  ColumnReference,
  Constant,
  DatePartName,
  Ir,
  Let,
  LogicalOperator,
  Reference,
  RegexCall,
  UnaryOperator,
} from "./ir.ts"
import { childrenOf } from "./ir.ts"
import { NotCompilable } from "./not-compilable.ts"
import {
  BIGINT,
  BOOLEAN,
  isWithin,
  kindsOfColumn,
  kindsText,
  NULL,
  NULLISH,
  NUMBER,
  NUMBER_LIKE,
  OBJECT,
  PRIMITIVE,
  STRING,
  UNDEFINED,
  type Kinds,
} from "./value-type.ts"

/** A larger tree comes from names that stand for large expressions and are used many times. */
const MAX_SIZE = 2000

type Unsized<N> = N extends Ir ? Omit<N, "size" | "isTotal"> : never

/** What holds of a node without children. */
const LEAF = { size: 1, isTotal: true } as const

function sized(node: Unsized<Ir>, children: readonly Ir[]): Ir {
  let size = 1
  for (const child of children) size += child.size
  if (size > MAX_SIZE) throw new NotCompilable("It is too large to be compiled.")
  return { ...node, size, isTotal: node.op !== "guard" && children.every(({ isTotal }) => isTotal) }
}

/** A value that stands in the source. */
export function makeConstant(value: Constant["value"]): Constant {
  return { op: "constant", value, kinds: kindsOfValue(value), ...LEAF }
}

function kindsOfValue(value: Constant["value"]): Kinds {
  if (value === null) return NULL
  switch (typeof value) {
    case "undefined":
      return UNDEFINED
    case "boolean":
      return BOOLEAN
    case "number":
      return NUMBER
    case "bigint":
      return BIGINT
    default:
      return STRING
  }
}

/** A column of the row. */
export function makeColumn(schema: Schema, name: string): ColumnReference {
  const index = schema.indexOf(name)
  if (index === -1) throw new NotCompilable(`It reads ${JSON.stringify(name)}, which is not a column of its rows.`)
  const field = schema.fields[index]!
  return { op: "column", path: [index], fields: [field], kinds: kindsOfReference(field), ...LEAF }
}

/** A parameter of the job. */
export function makeParam(params: Schema, name: string): Reference {
  const field = params.field(name)
  if (field === undefined) throw new NotCompilable(`The job has no parameter ${JSON.stringify(name)}.`)
  return { op: "param", fields: [field], kinds: kindsOfReference(field), ...LEAF }
}

/** The kinds of what a reference gives. What may be anything has no code that reads it. */
function kindsOfReference({ name, type }: Field): Kinds {
  if (type.definition.typeOf !== "any") return kindsOfColumn(type)
  const reason = `It reads ${JSON.stringify(name)}, which may hold any JSON.`
  throw new NotCompilable(reason, "Declare what lambdas read of it, as t.object({ ... }).")
}

/** A field of the struct that a reference means. The struct is known not to be null. */
export function makeField(struct: Reference, name: string): Reference {
  assert(struct.kinds === OBJECT, "fields are read of objects that are not null")
  const { type } = struct.fields.at(-1)!
  const { definition } = type
  if (definition.packing !== undefined) {
    throw new NotCompilable(`It reads ${JSON.stringify(name)} of ${nounsOf(type)!.one}, which is not compiled.`)
  }
  const fields: readonly Field[] = definition.fields ?? []
  const index = fields.findIndex((field) => field.name === name)
  if (index === -1) throw new NotCompilable(`It reads ${JSON.stringify(name)}, which is not a field of that object.`)
  const field = fields[index]!
  const parts = { fields: [...struct.fields, field], kinds: kindsOfReference(field), ...LEAF }
  return struct.op === "column" ? { op: "column", path: [...struct.path, index], ...parts } : { op: "param", ...parts }
}

/** The same value where it is known to be of none of the kinds `excluded`. */
export function withoutKinds<N extends Ir>(node: N, excluded: Kinds): N | Ir {
  const kinds = node.kinds & ~excluded
  if (kinds === node.kinds) return node
  if (node.op === "column" || node.op === "param") return { ...node, kinds }
  return sized({ op: "narrowed", value: node, kinds }, [node])
}

/** `operator operand`. */
export function makeUnary(operator: UnaryOperator, operand: Ir): Ir {
  return sized({ op: "unary", operator, operand, kinds: inferUnary(operator, operand) }, [operand])
}

/** `left operator right`. */
export function makeBinary(operator: BinaryOperator, left: Ir, right: Ir): Ir {
  return sized({ op: "binary", operator, left, right, kinds: inferBinary(operator, left, right) }, [left, right])
}

/** `left operator right`, where the right side was lowered under what the left side tells. */
export function makeLogical(operator: LogicalOperator, left: Ir, right: Ir): Ir {
  // What comes through from the left: falsy values, truthy ones, or those that are not null. Objects are truthy.
  const passing = { "&&": ~OBJECT, "||": ~NULLISH, "??": ~NULLISH }[operator]
  return sized({ op: "logical", operator, left, right, kinds: (left.kinds & passing) | right.kinds }, [left, right])
}

/** `test ? then : otherwise`. */
export function makeConditional(test: Ir, then: Ir, otherwise: Ir): Ir {
  const kinds = then.kinds | otherwise.kinds
  return sized({ op: "conditional", test, then, otherwise, kinds }, [test, then, otherwise])
}

/** A call of a known global function. */
export function makeCall(name: string, args: readonly Ir[]): Ir {
  const known = knownFunction(name)
  assert(known !== undefined, "calls are made of known functions")
  checkArguments(name, known, args)
  return sized({ op: "call", name, arguments: args, kinds: known.result }, args)
}

/** The length of a string. */
export function makeLength(text: Ir): Ir {
  assert(text.kinds === STRING, "only strings have a length here")
  return sized({ op: "stringMember", name: "length", text, arguments: undefined, kinds: NUMBER }, [text])
}

/** A call of a method of strings or numbers. */
export function makeMethodCall(name: string, object: Ir, args: readonly Ir[]): Ir {
  const isText = object.kinds === STRING
  assert(isText || object.kinds === NUMBER, "methods are called on strings and numbers only")
  const known = knownFunction(`${isText ? "String" : "Number"}.prototype.${name}`)
  assert(known !== undefined, "calls are made of known methods")
  checkArguments(name, known, args)
  const { result: kinds } = known
  if (isText) return sized({ op: "stringMember", name, text: object, arguments: args, kinds }, [object, ...args])
  return sized({ op: "numberMethod", name, value: object, arguments: args, kinds }, [object, ...args])
}

function checkArguments(name: string, { accepts, firstArgument }: KnownFunction, args: readonly Ir[]): void {
  const [first] = args
  if (firstArgument !== undefined && !(first?.op === "constant" && firstArgument.test(first.value))) {
    // Left out, it is undefined.
    if (first !== undefined || !firstArgument.test(undefined)) {
      throw new NotCompilable(`It calls ${name} with something other than ${firstArgument.label}.`)
    }
  }
  for (const { kinds } of args) {
    if (isWithin(kinds, accepts)) continue
    throw new NotCompilable(
      `It gives ${name} what may be ${kindsText(kinds & ~accepts)}, for which it is not compiled.`,
    )
  }
}

/** A template literal. */
export function makeTemplate(texts: readonly string[], values: readonly Ir[]): Ir {
  assert(texts.length === values.length + 1, "a template has a text on each side of each value")
  values.forEach(checkTemplateValue)
  return sized({ op: "template", texts, values, kinds: STRING }, values)
}

/** A call of a literal regular expression. */
export function makeRegexCall(
  call: Pick<RegexCall, "method" | "source" | "flags" | "text" | "replacement">,
  kinds: Kinds,
): Ir {
  assert(isWithin(call.text.kinds, PRIMITIVE), "a regular expression reads what has a text")
  const replacement = call.replacement === undefined ? [] : [call.replacement]
  return sized({ op: "regex", ...call, kinds }, [call.text, ...replacement])
}

/** A part of the `Date` of so many milliseconds. */
export function makeDatePart(part: DatePartName, millis: Ir): Ir {
  assert(isWithin(millis.kinds, NUMBER_LIKE), "the milliseconds are read as a number")
  return sized({ op: "datePart", part, millis, kinds: NUMBER }, [millis])
}

/** `value` where `test` is truthy; where it is not, the lambda throws. */
export function makeGuard(test: Ir, value: Ir): Ir {
  return sized({ op: "guard", test, value, kinds: value.kinds }, [test, value])
}

/** A value that is evaluated once a row; the tree below is counted where it stands. */
export function makeLet(index: number, value: Ir): Let {
  return { op: "let", index, value, kinds: value.kinds, ...LEAF }
}

/** The same node with other children, in the order of `childrenOf`, each of which gives what the one before gave. */
export function withChildren(node: Ir, children: readonly Ir[]): Ir {
  assert(children.length === childrenOf(node).length, "a node keeps the number of its children")
  const [first, second, third] = children
  switch (node.op) {
    case "constant":
    case "column":
    case "param":
    case "let":
      return node
    case "unary":
      return sized({ ...node, operand: first! }, children)
    case "binary":
    case "logical":
      return sized({ ...node, left: first!, right: second! }, children)
    case "conditional":
      return sized({ ...node, test: first!, then: second!, otherwise: third! }, children)
    case "call":
      return sized({ ...node, arguments: children }, children)
    case "stringMember":
      return sized({ ...node, text: first!, arguments: node.arguments && children.slice(1) }, children)
    case "numberMethod":
      return sized({ ...node, value: first!, arguments: children.slice(1) }, children)
    case "template":
      return sized({ ...node, values: children }, children)
    case "regex":
      return sized({ ...node, text: first!, replacement: second }, children)
    case "datePart":
      return sized({ ...node, millis: first! }, children)
    case "guard":
      return sized({ ...node, test: first!, value: second! }, children)
    case "narrowed":
      return sized({ ...node, value: first! }, children)
  }
}
