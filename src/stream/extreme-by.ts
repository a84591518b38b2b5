/** `minBy` and `maxBy`: what other columns hold in the row in which one of them is least or greatest. */
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import type { ExtremeByAggregate } from "./aggregate-types.ts"

/**
 * An aggregate such as `maxBy`.
 *
 * @example
 * ```ts
 * import { maxBy } from "tidemark"
 *
 * const aggregates = { bidder: maxBy("price", "bidder"), winner: maxBy("price", ["bidder", "price"]) }
 * ```
 */
export interface ExtremeBy {
  /** @param by the column that is compared. @param of the column that is given, or several, which are given as an object. */
  <N extends string, const M extends string | readonly string[]>(by: N, of: M): ExtremeByAggregate<N, M>
}

/**
 * What a column, or several, hold in the row in which another is least: as `min` compares them. Of several such rows it is the
 * one with the earliest event time, and of those the one that arrived first. Rows in which the compared column is null
 * do not count.
 *
 * @example
 * ```ts
 * import { minBy } from "tidemark"
 *
 * const aggregates = { cheapest: minBy("fare", ["driver", "fare"]) }
 * ```
 */
export const minBy: ExtremeBy = extremeBy("minBy")

/**
 * What a column, or several, hold in the row in which another is greatest: as `max` compares them. Of several such rows it is the
 * one with the earliest event time, and of those the one that arrived first. Rows in which the compared column is null
 * do not count.
 *
 * @example
 * ```ts
 * import { maxBy } from "tidemark"
 *
 * const aggregates = { bidder: maxBy("price", "bidder") }
 * ```
 */
export const maxBy: ExtremeBy = extremeBy("maxBy")

function extremeBy(kind: "minBy" | "maxBy"): ExtremeBy {
  const hint = `Write ${kind}("price", "bidder") or ${kind}("price", ["bidder", "price"]).`
  const make = (...given: readonly unknown[]) => {
    const [by, of, ...others] = given
    const isList = Array.isArray(of) && of.length > 0 && of.every((name) => typeof name === "string")
    if (typeof by !== "string" || (typeof of !== "string" && !isList)) {
      const problem = `${kind}(...) takes the column that is compared and what to give, not ${shownValue(typeof by === "string" ? of : by)}.`
      throw new TidemarkError("invalid-plan", problem, { hint })
    }
    if (others.length > 0) {
      const problem = `${kind}(...) takes no more than two arguments: not ${shownValue(others[0])}.`
      throw new TidemarkError("invalid-options", problem, { hint })
    }
    return Object.freeze({ kind, by, of: typeof of === "string" ? of : Object.freeze([...(of as string[])]) })
  }
  return make as unknown as ExtremeBy
}
