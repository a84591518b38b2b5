/**
 * The watermarks of the rows of a batch, by a kernel that goes through their times once: which row is the first at or below
 * its watermark, so that a window may be closed for it, and, where there is one, the watermark of each row.
 *
 * Times and thresholds are int64. A watermark before the first row is −∞, which the conversion takes for the least int64.
 *
 * Invariant:
 * - T1 The watermark before a row is the greatest of the one before the batch and of the earlier rows' times less the delay.
 */
import type { LinearMemory } from "../../base/linear-memory.ts"
import { compiledModule } from "../../expr/compiled-module.ts"
import { f64, i32, i64, returns, whileLoop, when, type Code, type Local } from "../../base/wasm-code.ts"
import { WasmModule, type FunctionScope } from "../../base/wasm-module.ts"

/** The functions, over a column of times and a list of `count` rows. */
export interface WatermarkFunctions {
  /** The greatest time, or +∞ where the time of some row is at or below its watermark. */
  readonly latestAhead: (times: number, rows: number, count: number, before: number, delay: number) => number
  /** Writes the watermark before each row, by row, to `watermarks`, and gives the greatest time. */
  readonly carry: (
    times: number,
    rows: number,
    count: number,
    before: number,
    delay: number,
    watermarks: number,
  ) => number
}

/** The functions, working on `memory`. */
export function watermarkFunctions(memory: LinearMemory): WatermarkFunctions {
  return compiledModule("watermarks", watermarkModule).instantiate<WatermarkFunctions>(memory)
}

/** Stands for −∞. */
const LEAST = -(2n ** 63n)

const PARAMETERS = { times: "i32", rows: "i32", count: "i32", before: "f64", delay: "f64" } as const
type Parameters = { readonly [N in keyof typeof PARAMETERS]: Local<(typeof PARAMETERS)[N]> }

/** The variables of a walk over rows. */
interface Walk {
  readonly at: Local<"i32">
  readonly row: Local<"i32">
  readonly time: Local<"i64">
  /** The watermark before the row. */
  readonly watermark: Local<"i64">
  readonly setup: readonly Code<"none">[]
  /** Loads the row at `at` and its time. */
  readonly load: readonly Code<"none">[]
  /** Goes on to the next. */
  readonly step: readonly Code<"none">[]
  /** The greatest time so far. */
  readonly latest: Code<"f64">
}

function beginWalk({ times, rows, before, delay }: Parameters, scope: FunctionScope): Walk {
  const [at, row] = [scope.local("i32"), scope.local("i32")]
  const [time, watermark] = [scope.local("i64"), scope.local("i64")]
  const [greatest, behind, delayed] = [scope.local("i64"), scope.local("i64"), scope.local("i64")]
  const max = (one: Local<"i64">, other: Local<"i64">) => i64.select(i64.gtS(one.get, other.get), one.get, other.get)
  const eight = (index: Code<"i32">) => i32.shl(index, i32.const(3))
  return {
    at,
    row,
    time,
    watermark,
    setup: [
      watermark.set(i64.truncSatF64S(before.get)),
      behind.set(i64.truncSatF64S(delay.get)),
      greatest.set(i64.const(LEAST)),
    ],
    load: [
      row.set(i32.load(i32.add(rows.get, i32.shl(at.get, i32.const(2))))),
      time.set(i64.load(i32.add(times.get, eight(row.get)))),
    ],
    step: [
      delayed.set(i64.sub(time.get, behind.get)),
      watermark.set(max(delayed, watermark)),
      greatest.set(max(time, greatest)),
      at.set(i32.add(at.get, i32.const(1))),
    ],
    latest: f64.convertI64S(greatest.get),
  }
}

function watermarkModule(): WasmModule {
  const module = new WasmModule()
  module.function("latestAhead", { parameters: PARAMETERS, result: "f64" }, (parameters, scope) => {
    const { at, time, watermark, setup, load, step, latest } = beginWalk(parameters, scope)
    const isBehind = i64.leS(time.get, watermark.get)
    const rows = [...load, when(isBehind, [returns(f64.const(Infinity))]), ...step]
    return [...setup, whileLoop(i32.ltU(at.get, parameters.count.get), rows), latest]
  })
  const parameters = { ...PARAMETERS, watermarks: "i32" } as const
  return module.function("carry", { parameters, result: "f64" }, ({ watermarks, ...given }, scope) => {
    const { at, row, watermark, setup, load, step, latest } = beginWalk(given, scope)
    const isSome = i64.ne(watermark.get, i64.const(LEAST))
    const carried = f64.select(isSome, f64.convertI64S(watermark.get), f64.const(-Infinity))
    const store = f64.store(i32.add(watermarks.get, i32.shl(row.get, i32.const(3))), carried)
    return [...setup, whileLoop(i32.ltU(at.get, given.count.get), [...load, store, ...step]), latest]
  })
}
