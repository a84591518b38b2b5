/**
 * What the watermark is before a row of a batch, for operators to which it matters that this is exact: it is that of all
 * records before it, wherever batches are cut and whenever watermarks are passed on.
 */
import { AsyncMap } from "./operators/async-map.ts"
import { EventTime } from "./operators/event-time.ts"
import type { TimedOperator } from "./operator.ts"

/** What feeds an operator: it follows their watermarks. */
export type Upstream = EventTime | TimedOperator

/** An operator that must know the watermark before each row. */
export interface FollowingOperator {
  /** Takes note of what feeds it. */
  follow(upstreams: readonly Upstream[]): void
}

/** Whether an operator must know the watermark before each row. */
export function isFollowing(operator: object | undefined): operator is FollowingOperator {
  return operator !== undefined && "follow" in operator
}

/** The least watermark of all that feeds an operator, but for one partition. */
export function leastOfOthers(upstreams: readonly Upstream[], partition: number): number {
  let least = Infinity
  for (const each of upstreams) {
    if (each instanceof EventTime) least = Math.min(least, each.watermarkWithout(partition))
    // Its rows come from partitions, whose watermarks may be ahead of those of others.
    else if (each instanceof AsyncMap) least = Math.min(least, each.watermark)
  }
  return least
}
