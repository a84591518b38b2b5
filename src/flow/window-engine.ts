/**
 * Which operator runs a window: kernels over slices, where they can, else the one of plain values
 * (`windows/general/general-windows.ts`).
 *
 * Invariant:
 * - WE1 What runs a window follows from its node alone.
 */
import type { KernelAggregateSpec, SlicedWindowSpec, WindowAggregateNode, WindowSpec } from "./plan.ts"

/** A window that kernels run. */
export interface SlicedWindowNode extends WindowAggregateNode {
  readonly window: SlicedWindowSpec
  readonly timeColumn: string
  readonly aggregates: readonly KernelAggregateSpec[]
}

/** Whether kernels run a window. */
export function runsInKernels(node: WindowAggregateNode): node is SlicedWindowNode {
  return reasonForValues(node) === undefined
}

const KINDS: Readonly<Record<Exclude<WindowSpec["kind"], SlicedWindowSpec["kind"]>, string>> = {
  session: "sessions grow and merge",
  cumulate: "results are given at every step",
  calendar: "days of a time zone differ in length",
  count: "records are counted one by one",
  global: "it has no end",
}

/** Why a window runs on plain values, as a clause; `undefined` where kernels run it. */
export function reasonForValues({ window, aggregates, firing }: WindowAggregateNode): string | undefined {
  if (firing !== undefined) return "windows fire more than once"
  if (window.kind !== "tumbling" && window.kind !== "hopping") return KINDS[window.kind]
  const accumulated = aggregates.find(({ kind }) => kind === "accumulated")
  return accumulated?.kind === "accumulated" ? `${accumulated.call}(...) has no kernel` : undefined
}
