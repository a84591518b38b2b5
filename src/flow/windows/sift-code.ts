/**
 * Code that sifts the rows of a batch by what windows there are for them: those that count, and of these the ones that are
 * late for some of their windows; those that are late for all; those between windows; those that no window can hold.
 *
 * Only a row at or below its watermark can be late: no window that holds it ends earlier than behind it. So slices are
 * found, by division, for such rows alone (and where there is time between windows).
 *
 * Invariants (rules of docs/spec/windows.md):
 * - W5 A record is late for a window when its partition's watermark before it is at least the window's end − 1.
 * - W6 A record that is late for all its windows goes to the late output; late for some, it counts in the others.
 * - W7 A record between windows (the slide is longer than the size) counts nowhere and is not late.
 * - W18 A record too close to the ends of time fails.
 */
import type { LinearMemory } from "../../batch/arena.ts"
import { compiledModule } from "../../expr/compiled-module.ts"
import { block, branch, f64, i32, i64, when, whileLoop, type Code, type Local } from "../../expr/wasm-code.ts"
import { WasmModule, type FunctionScope } from "../../expr/wasm-module.ts"
import { increment, itemAddress, loadedFrom, loadedLongFrom } from "./code-places.ts"
import { DISORDER, NO_WATERMARKS } from "./disorder-control.ts"
import { CONTROL } from "./window-control.ts"

/**
 * Sifts `count` of `rows`, by the times and windows of `control`, into the lists of `disorder`, and gives how many count.
 * `watermarks` is the address of a column, or `NO_WATERMARKS`.
 */
export type Sift = (control: number, disorder: number, rows: number, count: number, watermarks: number) => number

/** The kernel, working on `memory`. */
export function siftFunction(memory: LinearMemory): Sift {
  return compiledModule("sift", siftModule).instantiate<{ sift: Sift }>(memory).sift
}

/** A list that rows are appended to, and its length. */
interface RowList {
  readonly rows: Local<"i32">
  readonly length: Local<"i32">
}

function append({ rows, length }: RowList, row: Local<"i32">): Code<"none">[] {
  return [i32.store(itemAddress(rows.get, length.get, 2), row.get), increment(length)]
}

/** Variables and code to find the slice of a time. */
interface Slicing {
  readonly time: Local<"i64">
  readonly slide: Local<"i64">
  readonly size: Local<"i64">
  /** The start of the slide that holds the time, and the end of the last window that does. */
  readonly period: Local<"i64">
  readonly lastEnd: Local<"i64">
  readonly find: readonly Code<"none">[]
}

function slicing(control: Local<"i32">, time: Local<"i64">, scope: FunctionScope, setup: Code<"none">[]): Slicing {
  const long = (offset: number) => loadedLongFrom(control, offset, scope, setup)
  const [slide, size, offset] = [long(CONTROL.slide), long(CONTROL.size), long(CONTROL.offset)]
  const [period, lastEnd, into] = [scope.local("i64"), scope.local("i64"), scope.local("i64")]
  const find = [
    into.set(i64.remS(i64.sub(time.get, offset.get), slide.get)),
    when(i64.ltS(into.get, i64.const(0n)), [into.set(i64.add(into.get, slide.get))]),
    period.set(i64.sub(time.get, into.get)),
    lastEnd.set(i64.add(period.get, size.get)),
  ]
  return { time, slide, size, period, lastEnd, find }
}

/** The end of the first window that holds the slice of the time. See `Slices.of`. */
function firstEnd({ time, slide, period, lastEnd }: Slicing, endEdge: Local<"i64">): Code<"i64"> {
  const edge = i64.add(period.get, endEdge.get)
  const isBeforeEdge = i64.ltS(time.get, edge)
  // Where there is one edge, `edge` is the period's start, and no time of the slice is before it.
  const sliceEnd = i64.select(isBeforeEdge, edge, i64.add(period.get, slide.get))
  const between = i64.sub(lastEnd.get, sliceEnd)
  return i64.sub(lastEnd.get, i64.mul(i64.divU(between, slide.get), slide.get))
}

function siftModule(): WasmModule {
  const module = new WasmModule()
  const parameters = { control: "i32", disorder: "i32", rows: "i32", count: "i32", watermarks: "i32" } as const
  return module.function("sift", { parameters, result: "i32" }, ({ control, disorder, ...given }, scope) => {
    const setup: Code<"none">[] = []
    const [at, row, between] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const time = scope.local("i64")
    const watermark = scope.local("f64")
    const list = (offset: number): RowList => ({
      rows: loadedFrom(disorder, offset, scope, setup),
      length: scope.local("i32"),
    })
    const [kept, some] = [list(DISORDER.kept), list(DISORDER.some)]
    const [late, outside] = [list(DISORDER.late), list(DISORDER.outside)]
    const times = loadedFrom(control, CONTROL.times, scope, setup)
    const shift = loadedLongFrom(control, CONTROL.timeShift, scope, setup)
    const maxTime = loadedLongFrom(disorder, DISORDER.maxTime, scope, setup)
    const endEdge = loadedLongFrom(disorder, DISORDER.endEdge, scope, setup)
    const slices = slicing(control, time, scope, setup)
    const { slide, size, lastEnd, find } = slices
    const [hasGaps, isBehind] = [scope.local("i32"), scope.local("i32")]
    const outsideTime = i64.gtU(i64.add(time.get, maxTime.get), i64.shl(maxTime.get, i64.const(1n)))
    const isDue = (end: Code<"i64">) => f64.ge(watermark.get, f64.convertI64S(i64.sub(end, i64.const(1n))))
    const body = [
      row.set(i32.load(itemAddress(given.rows.get, at.get, 2))),
      time.set(i64.add(i64.load(itemAddress(times.get, row.get, 3)), shift.get)),
      increment(at),
      block((next) => [
        when(outsideTime, [...append(outside, row), branch(next)]),
        when(i32.ne(given.watermarks.get, i32.const(NO_WATERMARKS)), [
          watermark.set(f64.load(itemAddress(given.watermarks.get, row.get, 3))),
          isBehind.set(f64.ge(watermark.get, f64.convertI64S(time.get))),
        ]),
        when(i32.or(isBehind.get, hasGaps.get), [
          ...find,
          when(i64.geS(time.get, lastEnd.get), [increment(between), branch(next)]),
          when(isBehind.get, [
            when(isDue(lastEnd.get), [...append(late, row), branch(next)]),
            when(isDue(firstEnd(slices, endEdge)), append(some, row)),
          ]),
        ]),
        ...append(kept, row),
      ]),
    ]
    return [
      ...setup,
      hasGaps.set(i64.gtS(slide.get, size.get)),
      whileLoop(i32.ltU(at.get, given.count.get), body),
      i32.store(disorder.get, some.length.get, DISORDER.someCount),
      i32.store(disorder.get, late.length.get, DISORDER.lateCount),
      i32.store(disorder.get, outside.length.get, DISORDER.outsideCount),
      i32.store(disorder.get, between.get, DISORDER.betweenCount),
      kept.length.get,
    ]
  })
}
