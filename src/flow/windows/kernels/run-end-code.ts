/**
 * Code that finds where rows leave a slice, in rows in order of time.
 *
 * A short run is gone through by blocks: the last row of a block speaks for all of it, and in the block in which the run
 * ends the rows that are in the slice are counted without a branch, as nobody foresees how many those are.
 *
 * In long runs few times are read. Neighbouring slices often have about as many rows: so the first look is where the run
 * would end if it were as long as the last one. From there, steps of doubling length lead to a row on the other side of
 * the slice's end, and halving them to the end itself. Where the guess was right, two times are read; where it was off by
 * n rows, about 2 · log₂ n.
 */
import {
  block,
  branch,
  branchIf,
  i32,
  loop,
  when,
  whileLoop,
  type Code,
  type Label,
  type Local,
} from "../../../base/wasm-code.ts"
import type { FunctionScope } from "../../../base/wasm-module.ts"
import { increment } from "./code-places.ts"

/** How long the first run is taken to be. */
const FIRST_LENGTH = 16
const BLOCK = 8
/** Runs are gone through by blocks where the last one was no longer than this, and not beyond so many rows. */
const SHORT = 96

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
  readonly isInSlice: (place: Code<"i32">) => Code<"i32">
}

/** The search, and its variables. */
interface Search extends RunSearch {
  /** How long the last run was. */
  readonly length: Local<"i32">
  /** The row at `low` is in the slice; the one at `runEnd` is not, or there is none. */
  readonly low: Local<"i32">
  readonly step: Local<"i32">
  readonly probe: Local<"i32">
}

/** Sets `runEnd`. */
export function findRunEnd(run: RunSearch): Code<"none">[] {
  const { scope, setup, at, runEnd } = run
  const [length, low, step, probe] = [scope.local("i32"), scope.local("i32"), scope.local("i32"), scope.local("i32")]
  const search: Search = { ...run, length, low, step, probe }
  setup.push(length.set(i32.const(FIRST_LENGTH)))
  return [
    low.set(at.get),
    block((found) => [when(i32.leU(length.get, i32.const(SHORT)), goByBlocks(search, found)), ...goByGuess(search)]),
    length.set(i32.sub(runEnd.get, at.get)),
  ]
}

/** Goes to `found` where the run ends soon, else sets `low`. */
function goByBlocks({ at, end, runEnd, low, probe, isInSlice }: Search, found: Label): Code<"none">[] {
  const isEach = Array.from({ length: BLOCK - 1 }, (_, row) => isInSlice(i32.add(probe.get, i32.const(row))))
  const countInSlice = isEach.reduce((one, other) => i32.add(one, other))
  return [
    probe.set(at.get),
    block((isLong) => [
      loop((again) => [
        branchIf(isLong, i32.gtS(i32.sub(probe.get, at.get), i32.const(SHORT))),
        when(i32.leS(i32.add(probe.get, i32.const(BLOCK)), end.get), [
          when(i32.eqz(isInSlice(i32.add(probe.get, i32.const(BLOCK - 1)))), [
            runEnd.set(i32.add(probe.get, countInSlice)),
            branch(found),
          ]),
          increment(probe, BLOCK),
          branch(again),
        ]),
      ]),
      runEnd.set(probe.get),
      loop((again) => [
        branchIf(found, i32.geS(runEnd.get, end.get)),
        branchIf(found, i32.eqz(isInSlice(runEnd.get))),
        increment(runEnd),
        branch(again),
      ]),
    ]),
    low.set(i32.sub(probe.get, i32.const(1))),
  ]
}

function goByGuess({ at, end, runEnd, length, low, step, probe, isInSlice }: Search): Code<"none">[] {
  const longer = step.set(i32.shl(step.get, i32.const(1)))
  const goOn = (found: Label) =>
    loop((again) => [
      low.set(probe.get),
      probe.set(i32.add(low.get, step.get)),
      branchIf(found, i32.geS(probe.get, end.get)),
      longer,
      branchIf(again, isInSlice(probe.get)),
      runEnd.set(probe.get),
    ])
  const goBack = (found: Label) =>
    loop((again) => [
      runEnd.set(probe.get),
      probe.set(i32.sub(runEnd.get, step.get)),
      branchIf(found, i32.leS(probe.get, low.get)),
      longer,
      branchIf(again, i32.eqz(isInSlice(probe.get))),
      low.set(probe.get),
    ])
  return [
    runEnd.set(end.get),
    step.set(i32.const(1)),
    probe.set(i32.add(at.get, length.get)),
    block((found) => [
      when(
        i32.ltS(probe.get, end.get),
        [when(isInSlice(probe.get), [goOn(found), branch(found)])],
        [probe.set(end.get)],
      ),
      goBack(found),
    ]),
    whileLoop(i32.gtS(i32.sub(runEnd.get, low.get), i32.const(1)), [
      probe.set(i32.shrU(i32.add(low.get, runEnd.get), i32.const(1))),
      when(isInSlice(probe.get), [low.set(probe.get)], [runEnd.set(probe.get)]),
    ]),
  ]
}
