/**
 * Which operator runs a window: kernels over slices, where they can, else the one of plain values
 * (`windows/general/general-windows.ts`).
 *
 * Invariant:
 * - WE1 What runs a window follows from its node alone.
 */
import type { SlicedWindowSpec, WindowAggregateNode, WindowSpec } from "./plan.ts"

/** A window that kernels run. */
export type SlicedWindowNode = WindowAggregateNode & { readonly window: SlicedWindowSpec }

/** Whether kernels run a window. */
export function runsInKernels(node: WindowAggregateNode): node is SlicedWindowNode {
  return reasonForValues(node) === undefined
}

const KINDS: Readonly<Record<Exclude<WindowSpec["kind"], SlicedWindowSpec["kind"]>, string>> = {
  session: "sessions grow and merge",
  cumulate: "results are given at every step",
  calendar: "days of a time zone differ in length",
}

/** Why a window runs on plain values, as a clause; `undefined` where kernels run it. */
export function reasonForValues({ window }: WindowAggregateNode): string | undefined {
  return window.kind === "tumbling" || window.kind === "hopping" ? undefined : KINDS[window.kind]
}
