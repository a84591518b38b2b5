/**
 * Which windows of a plan share slices (rule W20 of docs/spec/windows.md): those over the same rows, by the same keys, of the
 * same event time, as far as the edges of all of them lie on a common grid that is not too fine.
 *
 * Invariants:
 * - SW1 What shares follows from the plan, and not from the order of its nodes.
 * - SW2 A window is in at most one group; a group has two windows or more, and no window with gaps.
 */
import { assert } from "../base/assert.ts"
import type { RowFunction } from "../expr/lambda.ts"
import type { KernelAggregateSpec, Plan, SlicedWindowSpec, WindowAggregateNode } from "./plan.ts"
import { runsInKernels, type SlicedWindowNode } from "./window-engine.ts"

/** The grid may cut time into so many times as many slices as the windows' own edges do. */
const SLICES_MAX = 8

/** Windows that share slices. */
export interface WindowGroup {
  /** In order of their ids. */
  readonly members: readonly SlicedWindowNode[]
  /** The slices that they share are those of this window: as long as the longest, every step of the grid. */
  readonly grid: Extract<SlicedWindowSpec, { kind: "hopping" }>
  /** The distinct pairs of an aggregate and what it reads. */
  readonly aggregates: readonly KernelAggregateSpec[]
}

/** How far a window starts behind the one before it. */
export function slideOf(window: SlicedWindowSpec): number {
  return window.kind === "tumbling" ? window.sizeMicros : window.slideMicros
}

const known = new WeakMap<Plan, readonly WindowGroup[]>()

/** The groups of a plan. */
export function windowGroups(plan: Plan): readonly WindowGroup[] {
  let groups = known.get(plan)
  if (groups === undefined) known.set(plan, (groups = findGroups(plan)))
  return groups
}

function findGroups(plan: Plan): WindowGroup[] {
  const lambdas = new Map<RowFunction, number>()
  const byRows = new Map<string, SlicedWindowNode[]>()
  const windows = plan.nodes.filter((node) => node.kind === "windowAggregate").filter(runsInKernels)
  for (const node of windows) for (const { input } of node.aggregates) numberLambda(lambdas, input)
  for (const node of windows.sort((one, other) => (one.id < other.id ? -1 : 1))) {
    if (slideOf(node.window) <= node.window.sizeMicros) listAt(byRows, rowsOf(node, lambdas)).push(node)
  }
  return [...byRows.values()].flatMap(parted).map((members) => ({
    members,
    grid: gridOf(members),
    aggregates: distinctAggregates(members),
  }))
}

/** Takes windows away until the grid of the others is not too fine, and goes on with those that were taken away. */
function parted(windows: readonly SlicedWindowNode[]): SlicedWindowNode[][] {
  const members = [...windows]
  const left: SlicedWindowNode[] = []
  while (members.length > 1 && fineness(members) > SLICES_MAX) {
    const without = members.map((_, index) => fineness(members.toSpliced(index, 1)))
    left.push(...members.splice(without.lastIndexOf(Math.min(...without)), 1))
  }
  const rest = left.length > 1 ? parted(left.sort((one, other) => (one.id < other.id ? -1 : 1))) : []
  return members.length > 1 ? [members, ...rest] : rest
}

/** The group that a window is in, if it is in one. */
export function windowGroupOf(plan: Plan, node: WindowAggregateNode): WindowGroup | undefined {
  return windowGroups(plan).find(({ members }) => members.some((member) => member === node))
}

/** Which of the group's aggregates is the same as one of a member. */
export function sharedIndex({ aggregates }: Pick<WindowGroup, "aggregates">, aggregate: KernelAggregateSpec): number {
  const index = aggregates.findIndex((shared) => isSameAggregate(shared, aggregate))
  assert(index !== -1, "a group has the aggregates of its members")
  return index
}

function numberLambda(lambdas: Map<RowFunction, number>, input: KernelAggregateSpec["input"]): void {
  if (input.kind === "lambda" && !lambdas.has(input.lambda)) lambdas.set(input.lambda, lambdas.size)
}

function listAt<T>(lists: Map<string, T[]>, key: string): T[] {
  let list = lists.get(key)
  if (list === undefined) lists.set(key, (list = []))
  return list
}

/** Tells apart windows over other rows, by other keys, or that other records can fail. */
function rowsOf(node: WindowAggregateNode, lambdas: ReadonlyMap<RowFunction, number>): string {
  const read = node.aggregates.flatMap(({ input }) =>
    input.kind === "lambda" ? `${lambdas.get(input.lambda)!} ${input.type.label}` : [],
  )
  return JSON.stringify([node.input, node.inputPort, node.keys, node.timeColumn, [...new Set(read)].sort()])
}

/** How many slices of the grid there are for each that the windows' own edges cut. */
function fineness(members: readonly SlicedWindowNode[]): number {
  const edges = new Map<string, number>()
  for (const { window } of members) {
    const [size, slide] = [window.sizeMicros, slideOf(window)]
    edges.set(`${size} ${slide} ${remainder(window.offsetMicros, slide)}`, (size % slide === 0 ? 1 : 2) / slide)
  }
  const cuts = [...edges.values()].reduce((all, each) => all + each, 0)
  return 1 / (cuts * stepOf(members))
}

/** The greatest length that divides all sizes, all slides and all differences of offsets. */
function stepOf(members: readonly SlicedWindowNode[]): number {
  const first = members[0]!.window.offsetMicros
  return members
    .flatMap(({ window }) => [window.sizeMicros, slideOf(window), window.offsetMicros - first])
    .reduce(greatestDivisor, 0)
}

function gridOf(members: readonly SlicedWindowNode[]): WindowGroup["grid"] {
  const step = stepOf(members)
  return {
    kind: "hopping",
    sizeMicros: Math.max(...members.map(({ window }) => window.sizeMicros)),
    slideMicros: step,
    offsetMicros: remainder(members[0]!.window.offsetMicros, step),
  }
}

function greatestDivisor(one: number, other: number): number {
  let [greater, less] = [Math.abs(one), Math.abs(other)]
  while (less > 0) [greater, less] = [less, greater % less]
  return greater
}

function remainder(value: number, by: number): number {
  return ((value % by) + by) % by
}

function distinctAggregates(members: readonly SlicedWindowNode[]): KernelAggregateSpec[] {
  const distinct: KernelAggregateSpec[] = []
  for (const { aggregates } of members) {
    for (const aggregate of aggregates) {
      if (!distinct.some((each) => isSameAggregate(each, aggregate))) distinct.push(aggregate)
    }
  }
  return distinct
}

function isSameAggregate(one: KernelAggregateSpec, other: KernelAggregateSpec): boolean {
  return one.kind === other.kind && isSameInput(one.input, other.input)
}

function isSameInput(one: KernelAggregateSpec["input"], other: KernelAggregateSpec["input"]): boolean {
  if (one.kind === "column" && other.kind === "column") return one.name === other.name
  if (one.kind === "lambda" && other.kind === "lambda") {
    return one.lambda === other.lambda && one.type.label === other.type.label
  }
  return one.kind === other.kind
}
