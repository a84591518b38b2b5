/** Random values of column types for fuzzing, those among them at which something has gone wrong elsewhere. */
import type { Prng } from "../base/prng.ts"
import type { ColumnType } from "../batch/type.ts"
import { t } from "../batch/types.ts"

const NUMBERS = [0, -0, 1, -1, 0.5, 0.1, 1e16, -1e16, 3.25, NaN, Infinity, -Infinity, 5e-324]
const TEXTS = ["", "a", "b", "\uFEFFx", "日本", "a\u0000b", "é"]

/** An object. */
export const POINT = t.object({ x: t.float64, name: t.string.nullable(), tags: t.list(t.int64.nullable()).nullable() })
/** Types whose values stand as text in their columns. */
export const PACKED = [t.list(t.object({ x: t.float64, tags: t.list(t.string) })), t.json, t.binary]

/** Draws a value that is not null. `extremes` asks for some at the ends of its range. */
export function randomValue(prng: Prng, type: ColumnType, extremes: boolean): unknown {
  const small = prng.below(7) - 3
  const isExtreme = extremes && prng.chance(0.5)
  switch (type.kind) {
    case "bool":
      return prng.chance(0.5)
    case "int32":
      return isExtreme ? prng.pick([2 ** 31 - 1, -(2 ** 31)]) : small
    case "int8":
    case "uint16":
    case "date":
    case "uint32": {
      const { least, greatest } = type.definition.range!
      return isExtreme ? prng.pick([least, greatest]) : Math.max(least, small)
    }
    case "uint64":
      return isExtreme ? prng.pick([2n ** 64n - 1n, 2n ** 63n, 0n]) : BigInt(small + 3)
    case "float32":
      return Math.fround(prng.chance(0.3) ? prng.pick(NUMBERS) : prng.float() * 10 - 5)
    case "int53":
    case "duration":
    case "timestamp":
      return isExtreme ? prng.pick([1, -1]) * (Number.MAX_SAFE_INTEGER - prng.below(2)) : small
    case "int64":
      return isExtreme ? prng.pick([2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n]) : BigInt(small)
    case "float64":
      return prng.chance(0.3) ? prng.pick(NUMBERS) : prng.float() * 10 - 5
    case "string":
      return prng.pick(TEXTS)
    case "enum":
      return prng.pick(["a", "b", "c"])
    case "list":
      return prng.pick([
        [],
        [
          { x: prng.pick(NUMBERS), tags: ["a"] },
          { x: small, tags: [] },
        ],
      ])
    case "json":
      return prng.pick([1, "a", [null, 2n ** 60n], { a: { b: -0 } }])
    case "binary":
      return prng.pick([Uint8Array.of(), Uint8Array.of(1, 2), Uint8Array.of(255)])
    default:
      return {
        x: prng.pick(NUMBERS),
        name: prng.chance(0.5) ? null : prng.pick(TEXTS),
        tags: prng.pick([null, [], [1n, null]]),
      }
  }
}
