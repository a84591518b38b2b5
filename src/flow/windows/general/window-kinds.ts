/** The windows of plain values by kind: what makes each of them. */
import { unreachable } from "../../../base/assert.ts"
import {
  inputsOf,
  type EventTimeNode,
  type Plan,
  type PlanNode,
  type TimeWindowSpec,
  type WindowSpec,
} from "../../plan.ts"
import { hasEventTime } from "../../process/process-spec.ts"
import type { GeneralWindowsOptions } from "./general-windows.ts"
import { SessionWindows } from "./session-windows.ts"
import { TimeWindows } from "./time-windows.ts"
import { GlobalPanes, SessionPanes, TimePanes } from "../triggered/pane-windows.ts"
import type { TriggeredWindowsOptions } from "../triggered/triggered-windows.ts"
import { calendarCutter, evenCutter } from "./window-cutter.ts"

/** What makes the windows of a kind. */
export function windowingOf(window: TimeWindowSpec): GeneralWindowsOptions["makeWindowing"] {
  switch (window.kind) {
    case "tumbling":
    case "hopping":
      return (cells, partials) => new TimeWindows(cells, partials, evenCutter(window), undefined)
    case "cumulate":
      return (cells, partials) => new TimeWindows(cells, partials, evenCutter(window), window.stepMicros)
    case "calendar":
      return (cells, partials) => new TimeWindows(cells, partials, calendarCutter(window), undefined)
    case "session":
      return (cells, partials) => new SessionWindows(cells, partials, window.gapMicros)
    default:
      return unreachable(window, "a kind of windows")
  }
}

/** What makes the windows of a kind that fire more than once; `undefined` where windows of that kind do not. */
export function paneWindowsOf(
  window: WindowSpec,
  latenessMicros: number,
): TriggeredWindowsOptions["makeWindows"] | undefined {
  const lateness = latenessMicros
  switch (window.kind) {
    case "tumbling":
    case "hopping":
      return (panes, partials) => new TimePanes({ panes, partials, lateness }, evenCutter(window))
    case "calendar":
      return (panes, partials) => new TimePanes({ panes, partials, lateness }, calendarCutter(window))
    case "session":
      return (panes, partials) => new SessionPanes({ panes, partials, lateness }, window.gapMicros)
    case "global":
      return (panes, partials) => new GlobalPanes({ panes, partials, lateness })
    case "cumulate":
    case "count":
      return undefined
    default:
      return unreachable(window, "a kind of windows")
  }
}

/**
 * Whether operators behind an event time must be told each row's watermark: windows that are closed to a record by where its
 * watermark is exactly, and not only by whether the record is late; and those that fire timers before it.
 */
export function needsExactWatermarks(plan: Plan, eventTime: EventTimeNode): boolean {
  return plan.nodes.some((node) => {
    const isExact =
      (node.kind === "windowAggregate" && node.window.kind === "session") ||
      (node.kind === "windowAggregate" && node.firing !== undefined && node.timeColumn !== undefined) ||
      (node.kind === "process" && hasEventTime(node.spec))
    return isExact && eventTimesOf(plan, node).includes(eventTime)
  })
}

/** The nearest event times below a node. */
function eventTimesOf(plan: Plan, node: PlanNode): PlanNode[] {
  return inputsOf(node).flatMap(({ input }) => {
    const below = plan.nodes[input]!
    return below.kind === "eventTime" ? [below] : eventTimesOf(plan, below)
  })
}
