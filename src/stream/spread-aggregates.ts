/**
 * `variance`, `stddev`, `populationVariance`, `populationStddev`: how far values are spread around their mean.
 *
 * Those of a sample divide by n − 1, and are null where there are fewer than two values; those of a population divide by n.
 */
import { valueAggregate, type ValueAggregate } from "./aggregates.ts"

/**
 * The variance of a sample: the sum of squared deviations from the mean, divided by n − 1. Null of fewer than two values.
 *
 * Of integers it is exact, rounded once to a double. Of n floats its relative error is at most about 4 n κ 2⁻⁵³, where κ is the
 * condition number √(Σx² / Σ(x − mean)²): B. P. Welford's formula (1962), merged as by T. F. Chan, G. H. Golub and
 * R. J. LeVeque (1983). NaN or an infinity among the values gives NaN.
 *
 * @example
 * ```ts
 * import { variance } from "tidemark"
 *
 * const aggregates = { spread: variance("fare") }
 * ```
 */
export const variance: ValueAggregate<"variance"> = valueAggregate("variance")

/**
 * The standard deviation of a sample: the root of `variance`.
 *
 * @example
 * ```ts
 * import { stddev } from "tidemark"
 *
 * const aggregates = { deviation: stddev((r: { fare: number; tip: number }) => r.fare - r.tip) }
 * ```
 */
export const stddev: ValueAggregate<"stddev"> = valueAggregate("stddev")

/**
 * The variance of a population: as `variance`, divided by n. 0 of one value.
 *
 * @example
 * ```ts
 * import { populationVariance } from "tidemark"
 *
 * const aggregates = { spread: populationVariance("fare") }
 * ```
 */
export const populationVariance: ValueAggregate<"populationVariance"> = valueAggregate("populationVariance")

/**
 * The standard deviation of a population: the root of `populationVariance`.
 *
 * @example
 * ```ts
 * import { populationStddev } from "tidemark"
 *
 * const aggregates = { deviation: populationStddev("fare") }
 * ```
 */
export const populationStddev: ValueAggregate<"populationStddev"> = valueAggregate("populationStddev")
