/** `minBy`, `maxBy` and `topK`: what other columns hold in the row in which one of them is least or greatest, or in several. */
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import { checkWhole } from "./aggregate-input.ts"
import type { ExtremeByAggregate, TopKAggregate } from "./aggregate-types.ts"

/** The most rows of a result of `topK`. */
const TOP_MOST = 100_000

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

/**
 * The rows in which a column is greatest, best first: of each what a column holds, or several. They are in the order of `maxBy`, so
 * rows with equal values come in order of event time, and then of arrival. Rows in which the compared column is null do not count.
 *
 * @example
 * ```ts
 * import { topK } from "tidemark"
 *
 * const aggregates = { podium: topK(3, "price", ["bidder", "price"]), bidders: topK(10, "price", "bidder") }
 * ```
 *
 * @param limit how many rows are given at most: 1 to 100,000.
 * @param by the column that is compared.
 * @param of the column that is given, or several, which are given as objects.
 * @throws TidemarkError `invalid-options`, `invalid-plan`.
 */
export function topK<N extends string, const M extends string | readonly string[]>(
  limit: number,
  by: N,
  of: M,
): TopKAggregate<N, M>
export function topK(...given: readonly unknown[]): unknown {
  const [limit, ...rest] = given
  const hint = 'Write topK(3, "price", "bidder") or topK(3, "price", ["bidder", "price"]).'
  const most = checkWhole("topK", "the number of rows", limit, { least: 1, greatest: TOP_MOST }, hint)
  return Object.freeze({ kind: "topK", limit: most, ...givenColumns("topK", rest, hint) })
}

function extremeBy(kind: "minBy" | "maxBy"): ExtremeBy {
  const hint = `Write ${kind}("price", "bidder") or ${kind}("price", ["bidder", "price"]).`
  const make = (...given: readonly unknown[]) => Object.freeze({ kind, ...givenColumns(kind, given, hint) })
  return make as unknown as ExtremeBy
}

/** The column that is compared, and what is given. */
function givenColumns(call: string, given: readonly unknown[], hint: string) {
  const [by, of, ...others] = given
  const isList = Array.isArray(of) && of.length > 0 && of.every((name) => typeof name === "string")
  if (typeof by !== "string" || (typeof of !== "string" && !isList)) {
    const problem = `${call}(...) takes the column that is compared and what to give, not ${shownValue(typeof by === "string" ? of : by)}.`
    throw new TidemarkError("invalid-plan", problem, { hint })
  }
  if (others.length > 0) {
    const problem = `${call}(...) takes no more than what it compares and gives: not ${shownValue(others[0])}.`
    throw new TidemarkError("invalid-options", problem, { hint })
  }
  return { by, of: typeof of === "string" ? of : Object.freeze([...(of as string[])]) }
}
