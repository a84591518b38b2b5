/**
 * Puts the cheap tests of a chain first: `/x/.test(row.zone) && row.fare > 0` looks at the text of few rows then.
 *
 * Only the truth of a chain may be asked, as its value is that of its last test.
 *
 * Invariants:
 * - OR1 A chain has the same truth. Its tests are total, so that it does not matter which are evaluated.
 * - OR2 A test that relies on others before it (G1) stays behind all that stood before it; one that is not total moves
 *   neither way, and nothing moves past it.
 */
import { costOf } from "./cost.ts"
import { childrenOf, type Ir, type Logical, typeOfReference, walk } from "./ir.ts"
import { makeLogical, withChildren } from "./nodes.ts"
import { mayBe, NULL } from "./value-type.ts"

/** The node with its chains in order. */
export function orderTests(node: Ir): Ir {
  const children = childrenOf(node)
  const isTested = (index: number): boolean => {
    if (node.op === "conditional" || node.op === "guard") return index === 0
    return node.op === "unary" && node.operator === "!"
  }
  return rebuilt(
    node,
    children.map((child, index) => (isTested(index) ? orderTest(child) : orderTests(child))),
  )
}

/** The same for a node of which only the truth is asked. */
export function orderTest(node: Ir): Ir {
  switch (node.op) {
    case "logical": {
      if (node.operator === "??") return orderTests(node)
      const { operator } = node
      return inOrder(chainOf(node, operator).map(orderTest)).reduce((left, right) => makeLogical(operator, left, right))
    }
    case "conditional":
      return rebuilt(node, childrenOf(node).map(orderTest))
    case "guard":
      return rebuilt(node, childrenOf(node).map(orderTest))
    default:
      return orderTests(node)
  }
}

function rebuilt(node: Ir, children: readonly Ir[]): Ir {
  return childrenOf(node).every((child, index) => child === children[index]) ? node : withChildren(node, children)
}

function chainOf(node: Ir, operator: Logical["operator"]): Ir[] {
  if (node.op !== "logical" || node.operator !== operator) return [node]
  return [...chainOf(node.left, operator), ...chainOf(node.right, operator)]
}

function inOrder(tests: readonly Ir[]): Ir[] {
  const ordered: Ir[] = []
  let segment: Ir[] = []
  for (const test of tests) {
    if (test.isTotal) segment.push(test)
    else {
      ordered.push(...cheapFirst(segment), test)
      segment = []
    }
  }
  return [...ordered, ...cheapFirst(segment)]
}

/** Always takes the cheapest of the tests that may come next; of equals the first. */
function cheapFirst(tests: readonly Ir[]): Ir[] {
  const costs = tests.map(costOf)
  const isFree = tests.map((test) => !reliesOnTests(test))
  const left = new Set(tests.keys())
  const ordered: Ir[] = []
  while (left.size > 0) {
    const first = Math.min(...left)
    let best = first
    for (const index of left) if (costs[index]! < costs[best]! && (isFree[index]! || index === first)) best = index
    left.delete(best)
    ordered.push(tests[best]!)
  }
  return ordered
}

/** Whether something in the tree may rely on a test before it, be it one within the tree. */
function reliesOnTests(node: Ir): boolean {
  let relies = false
  walk(node, (each) => {
    if (each.op === "narrowed") relies = true
    if (each.op !== "column" && each.op !== "param") return
    const outer = each.fields.slice(0, -1)
    if (outer.some(({ type }) => type.isNullable)) relies = true
    if (typeOfReference(each).isNullable && !mayBe(each.kinds, NULL)) relies = true
  })
  return relies
}
