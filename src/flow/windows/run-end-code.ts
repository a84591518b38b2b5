/**
 * Code that finds where rows leave a slice, in rows in order of time, reading few of their times.
 *
 * Neighbouring slices often have about as many rows: so the first look is where the run would end if it were as long as
 * the last one. From there, steps of doubling length lead to a row on the other side of the slice's end, and halving them
 * to the end itself. Where the guess was right, two times are read; where it was off by n rows, about 2 · log₂ n.
 */
import { block, branchIf, i32, loop, branch, when, whileLoop, type Code, type Local } from "../../expr/wasm-code.ts"
import type { FunctionScope } from "../../expr/wasm-module.ts"

/** How long the first run is taken to be. */
const FIRST_LENGTH = 16

/** What is known of the rows. */
export interface RunSearch {
  readonly scope: FunctionScope
  /** Code that comes once, before everything. */
  readonly setup: Code<"none">[]
  /** The first row's place, which is in the slice, and the first place behind all rows. */
  readonly at: Local<"i32">
  readonly end: Local<"i32">
  /** Gets the first place behind `at` whose row is not in the slice, or `end`. */
  readonly runEnd: Local<"i32">
  /** Whether the row at a place is in the slice. */
  readonly isInSlice: (place: Local<"i32">) => Code<"i32">
}

/** Sets `runEnd`. */
export function findRunEnd({ scope, setup, at, end, runEnd, isInSlice }: RunSearch): Code<"none">[] {
  const length = scope.local("i32")
  const low = scope.local("i32")
  const step = scope.local("i32")
  const probe = scope.local("i32")
  setup.push(length.set(i32.const(FIRST_LENGTH)))
  const longer = step.set(i32.shl(step.get, i32.const(1)))
  // The row at `low` is in the slice; the one at `runEnd` is not, or there is none.
  const goOn = (found: Parameters<typeof branchIf>[0]) =>
    loop((again) => [
      low.set(probe.get),
      probe.set(i32.add(low.get, step.get)),
      branchIf(found, i32.geS(probe.get, end.get)),
      longer,
      branchIf(again, isInSlice(probe)),
      runEnd.set(probe.get),
    ])
  const goBack = (found: Parameters<typeof branchIf>[0]) =>
    loop((again) => [
      runEnd.set(probe.get),
      probe.set(i32.sub(runEnd.get, step.get)),
      branchIf(found, i32.leS(probe.get, at.get)),
      longer,
      branchIf(again, i32.eqz(isInSlice(probe))),
      low.set(probe.get),
    ])
  return [
    low.set(at.get),
    runEnd.set(end.get),
    step.set(i32.const(1)),
    probe.set(i32.add(at.get, length.get)),
    block((found) => [
      when(i32.ltS(probe.get, end.get), [when(isInSlice(probe), [goOn(found), branch(found)])], [probe.set(end.get)]),
      goBack(found),
    ]),
    whileLoop(i32.gtS(i32.sub(runEnd.get, low.get), i32.const(1)), [
      probe.set(i32.shrU(i32.add(low.get, runEnd.get), i32.const(1))),
      when(isInSlice(probe), [low.set(probe.get)], [runEnd.set(probe.get)]),
    ]),
    length.set(i32.sub(runEnd.get, at.get)),
  ]
}
