/**
 * Evaluates once a row what stands several times in a lambda: it becomes a `let`.
 *
 * Invariants:
 * - SH1 Only what is evaluated for every row anyway is shared: no row pays, or throws, for what it does not need.
 * - SH2 Nodes are the same where their operations are and they read the same places; what tests have told of kinds does not
 *   count, as it is no part of the value.
 */
import { assert } from "../base/assert.ts"
import { costOf } from "./cost.ts"
import { childrenOf, placeOf, type Ir, type LambdaIr, type Let, type ObjectResult } from "./ir.ts"
import { makeLet, withChildren, withoutKinds } from "./nodes.ts"

/** What costs less is computed again, as engines do. */
const MIN_COST = 10

/** What is known of a value that stands in a lambda. */
interface Shared {
  count: number
  /** Where it stands so that every row evaluates it. */
  certain: Ir | undefined
  let: Let | undefined
}

/** The lambda, with lets for what repeats. */
export function shareRepeated({ result, lets, globals }: LambdaIr): LambdaIr {
  const sharing = new Sharing()
  for (const each of lets) sharing.count(each.value, true)
  const roots = result.op === "object" ? [...result.entries.values()] : [result]
  for (const root of roots) sharing.count(root, true)
  for (const each of lets) sharing.replaceLet(each)
  if (result.op !== "object") return { result: sharing.replace(result), lets: sharing.lets, globals }
  const entries = new Map([...result.entries].map(([name, ir]) => [name, sharing.replace(ir)]))
  return { result: { op: "object", entries } satisfies ObjectResult, lets: sharing.lets, globals }
}

class Sharing {
  readonly lets: Let[] = []
  /** What lets of the lambda have become, by their indexes there. */
  readonly #replaced = new Map<number, Let>()
  readonly #ids = new Map<string, number>()
  readonly #idOf = new Map<Ir, number>()
  readonly #shared: Shared[] = []

  /** Counts a node where it stands; what stands within one that was seen before is counted there. */
  count(node: Ir, isCertain: boolean): void {
    if (node.op === "narrowed") return this.count(node.value, isCertain)
    const shared = this.#of(node)
    shared.count++
    const isNews = isCertain && shared.certain === undefined
    if (isNews) shared.certain = node
    if (shared.count > 1 && !isNews) return
    childrenOf(node).forEach((child, index) => {
      const isCertainHere = isCertain && (index === 0 || !isConditional(node))
      if (shared.count === 1) this.count(child, isCertainHere)
      else if (isCertainHere) this.#makeCertain(child)
    })
  }

  /** The node with lets in place of what is shared. */
  replace(node: Ir): Ir {
    if (node.op === "let") return this.#replaced.get(node.index)!
    const shared = this.#of(node)
    if (shared.count < 2 || shared.certain === undefined || costOf(node) < MIN_COST) {
      return this.#withReplacedChildren(node)
    }
    if (shared.let === undefined) {
      const value = this.#withReplacedChildren(shared.certain)
      shared.let = this.#add(value)
    }
    return withoutKinds(shared.let, shared.let.kinds & ~node.kinds)
  }

  replaceLet(each: Let): void {
    const value = this.replace(each.value)
    this.#replaced.set(each.index, value.op === "let" ? value : this.#add(value))
  }

  #add(value: Ir): Let {
    const added = makeLet(this.lets.length, value)
    this.lets.push(added)
    return added
  }

  #withReplacedChildren(node: Ir): Ir {
    const children = childrenOf(node)
    const replaced = children.map((child) => this.replace(child))
    return replaced.every((child, index) => child === children[index]) ? node : withChildren(node, replaced)
  }

  #makeCertain(node: Ir): void {
    if (node.op === "narrowed") return this.#makeCertain(node.value)
    const shared = this.#of(node)
    if (shared.certain !== undefined) return
    shared.certain = node
    childrenOf(node).forEach((child, index) => {
      if (index === 0 || !isConditional(node)) this.#makeCertain(child)
    })
  }

  #of(node: Ir): Shared {
    const id = this.#id(node)
    return (this.#shared[id] ??= { count: 0, certain: undefined, let: undefined })
  }

  /** The same number for the same value (SH2). */
  #id(node: Ir): number {
    if (node.op === "narrowed") return this.#id(node.value)
    let id = this.#idOf.get(node)
    if (id === undefined) {
      const key = JSON.stringify([node.op, ...attributesOf(node), ...childrenOf(node).map((child) => this.#id(child))])
      id = this.#ids.get(key) ?? this.#ids.size
      this.#ids.set(key, id)
      this.#idOf.set(node, id)
    }
    return id
  }
}

/** Whether only the first child is evaluated for certain. */
function isConditional({ op }: Ir): boolean {
  return op === "logical" || op === "conditional" || op === "guard"
}

/** What a node says beside its children. */
function attributesOf(node: Ir): readonly (string | number | readonly string[])[] {
  switch (node.op) {
    case "constant":
      return [typeof node.value, Object.is(node.value, -0) ? "-0" : String(node.value)]
    case "column":
    case "param":
      return [placeOf(node)]
    case "let":
      return [node.index]
    case "unary":
    case "binary":
    case "logical":
      return [node.operator]
    case "call":
    case "numberMethod":
      return [node.name]
    case "stringMember":
      return [node.name, node.arguments === undefined ? "property" : "method"]
    case "template":
      return [node.texts]
    case "regex":
      return [node.method, node.source, node.flags]
    case "datePart":
      return [node.part]
    case "conditional":
    case "guard":
      return []
    case "narrowed":
      assert(false, "a narrowed node is the value that it narrows")
  }
}
