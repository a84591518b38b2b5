/**
 * Code that sifts the rows of a batch by what windows there are for them: those that count, and of these the ones that are
 * on time for all their windows and the ones that are late for some; those that are late for all; those between windows; those that no window can hold.
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
import type { LinearMemory } from "../../../base/linear-memory.ts"
import { compiledModule } from "../../../expr/compiled-module.ts"
import {
  block,
  branch,
  f64,
  i32,
  i64,
  i64x2,
  v128,
  when,
  whileLoop,
  type Code,
  type Local,
} from "../../../base/wasm-code.ts"
import { WasmModule } from "../../../base/wasm-module.ts"
import { increment, itemAddress, loadedFrom, loadedLongFrom } from "./code-places.ts"
import { DISORDER, NOWHERE } from "./disorder-control.ts"
import { slicing } from "./slicing-code.ts"
import { CONTROL } from "./window-control.ts"

/** The functions. */
export interface SiftFunctions {
  readonly sift: Sift
  /** Whether all of `count` times at an address, which are int64, are in [`least`, `most`]. */
  readonly areWithin: (times: number, count: number, least: number, most: number) => number
}

/**
 * Sifts `count` of `rows`, by the times and windows of `control`, into the lists of `disorder`, and gives how many count.
 * `watermarks` is the address of a column, or `NOWHERE`.
 */
type Sift = (control: number, disorder: number, rows: number, count: number, watermarks: number) => number

/** The functions, working on `memory`. */
export function siftFunctions(memory: LinearMemory): SiftFunctions {
  return compiledModule("sift", siftModule).instantiate<SiftFunctions>(memory)
}

/** A list that rows are appended to, and its length. */
interface RowList {
  readonly rows: Local<"i32">
  readonly length: Local<"i32">
}

function append({ rows, length }: RowList, row: Local<"i32">): Code<"none">[] {
  return [i32.store(itemAddress(rows.get, length.get, 2), row.get), increment(length)]
}

function siftModule(): WasmModule {
  const module = new WasmModule()
  writeAreWithin(module)
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
    const [kept, onTime, some] = [list(DISORDER.kept), list(DISORDER.onTime), list(DISORDER.some)]
    const [late, outside] = [list(DISORDER.late), list(DISORDER.outside)]
    const times = loadedFrom(control, CONTROL.times, scope, setup)
    const shift = loadedLongFrom(control, CONTROL.timeShift, scope, setup)
    const maxTime = loadedLongFrom(disorder, DISORDER.maxTime, scope, setup)
    const { firstEnd, lastEnd, find } = slicing({ control, disorder, time, scope, setup })
    const slideAndSize = [i64.load(control.get, CONTROL.slide), i64.load(control.get, CONTROL.size)] as const
    const [hasGaps, isBehind, isLate] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const outsideTime = i64.gtU(i64.add(time.get, maxTime.get), i64.shl(maxTime.get, i64.const(1n)))
    const isDue = (end: Local<"i64">) => f64.ge(watermark.get, f64.convertI64S(i64.sub(end.get, i64.const(1n))))
    const body = [
      row.set(i32.load(itemAddress(given.rows.get, at.get, 2))),
      time.set(i64.add(i64.load(itemAddress(times.get, row.get, 3)), shift.get)),
      increment(at),
      isLate.set(i32.const(0)),
      block((next) => [
        when(outsideTime, [...append(outside, row), branch(next)]),
        when(i32.ne(given.watermarks.get, i32.const(NOWHERE)), [
          watermark.set(f64.load(itemAddress(given.watermarks.get, row.get, 3))),
          isBehind.set(f64.ge(watermark.get, f64.convertI64S(time.get))),
        ]),
        when(i32.or(isBehind.get, hasGaps.get), [
          ...find,
          when(i64.geS(time.get, lastEnd.get), [increment(between), branch(next)]),
          when(isBehind.get, [
            when(isDue(lastEnd), [...append(late, row), branch(next)]),
            isLate.set(isDue(firstEnd)),
            when(isLate.get, append(some, row)),
          ]),
        ]),
        ...append(kept, row),
        ...append(onTime, row),
        onTime.length.set(i32.sub(onTime.length.get, isLate.get)),
      ]),
    ]
    return [
      ...setup,
      hasGaps.set(i64.gtS(...slideAndSize)),
      whileLoop(i32.ltU(at.get, given.count.get), body),
      i32.store(disorder.get, onTime.length.get, DISORDER.onTimeCount),
      i32.store(disorder.get, some.length.get, DISORDER.someCount),
      i32.store(disorder.get, late.length.get, DISORDER.lateCount),
      i32.store(disorder.get, outside.length.get, DISORDER.outsideCount),
      i32.store(disorder.get, between.get, DISORDER.betweenCount),
      kept.length.get,
    ]
  })
}

function writeAreWithin(module: WasmModule): void {
  const parameters = { times: "i32", count: "i32", least: "f64", most: "f64" } as const
  module.function("areWithin", { parameters, result: "i32" }, ({ times, count, least, most }, scope) => {
    const [end, highest, lowest, beyond] = [
      scope.local("i32"),
      scope.local("v128"),
      scope.local("v128"),
      scope.local("v128"),
    ]
    const isBeyond = (two: Code<"v128">) => v128.or(i64x2.gtS(two, highest.get), i64x2.gtS(lowest.get, two))
    const pairEnd = i32.sub(end.get, i32.const(8))
    return [
      highest.set(i64x2.splat(i64.truncSatF64S(most.get))),
      lowest.set(i64x2.splat(i64.truncSatF64S(least.get))),
      end.set(itemAddress(times.get, count.get, 3)),
      whileLoop(i32.ltU(times.get, pairEnd), [
        beyond.set(v128.or(beyond.get, isBeyond(v128.load(times.get)))),
        increment(times, 16),
      ]),
      when(i32.ltU(times.get, end.get), [beyond.set(v128.or(beyond.get, isBeyond(v128.load64Splat(times.get))))]),
      i32.eqz(v128.anyTrue(beyond.get)),
    ]
  })
}
