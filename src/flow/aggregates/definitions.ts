/** The aggregates there are, by name. A new one is a file beside this one and a line here. */
import type { AggregateKind } from "../plan.ts"
import type { AggregateDefinition } from "./aggregate.ts"
import { count } from "./count.ts"
import { first } from "./first.ts"
import { last } from "./last.ts"
import { max } from "./max.ts"
import { mean } from "./mean.ts"
import { min } from "./min.ts"
import { sum } from "./sum.ts"

/** Every aggregate's definition. */
export const AGGREGATES: Readonly<Record<AggregateKind, AggregateDefinition>> = {
  count,
  sum,
  min,
  max,
  mean,
  first,
  last,
}
