/** Code that finds the slice of a time and the windows that hold it, by division, without rounding. See `Slices.of`. */
import { i64, when, type Code, type Local } from "../../../base/wasm-code.ts"
import type { FunctionScope } from "../../../base/wasm-module.ts"
import { loadedLongFrom } from "./code-places.ts"
import { DISORDER } from "./disorder-control.ts"
import { CONTROL } from "./window-control.ts"

/** Variables of a slice, set by `find`. */
export interface Slicing {
  readonly start: Local<"i64">
  readonly end: Local<"i64">
  /** The ends of the first window that holds it and of the last; of a slice that no window holds they mean nothing. */
  readonly firstEnd: Local<"i64">
  readonly lastEnd: Local<"i64">
  readonly find: readonly Code<"none">[]
}

/** Finds the slice that holds `time`. */
export function slicing(parts: {
  readonly control: Local<"i32">
  readonly disorder: Local<"i32">
  readonly time: Local<"i64">
  readonly scope: FunctionScope
  readonly setup: Code<"none">[]
}): Slicing {
  const { control, disorder, time, scope, setup } = parts
  const long = (offset: number) => loadedLongFrom(control, offset, scope, setup)
  const [slide, size, offset] = [long(CONTROL.slide), long(CONTROL.size), long(CONTROL.offset)]
  const endEdge = loadedLongFrom(disorder, DISORDER.endEdge, scope, setup)
  const [start, end] = [scope.local("i64"), scope.local("i64")]
  const [firstEnd, lastEnd] = [scope.local("i64"), scope.local("i64")]
  const [into, edge] = [scope.local("i64"), scope.local("i64")]
  const between = i64.sub(lastEnd.get, end.get)
  const find = [
    into.set(i64.remS(i64.sub(time.get, offset.get), slide.get)),
    when(i64.ltS(into.get, i64.const(0n)), [into.set(i64.add(into.get, slide.get))]),
    start.set(i64.sub(time.get, into.get)),
    lastEnd.set(i64.add(start.get, size.get)),
    end.set(i64.add(start.get, slide.get)),
    // Where there is one edge a slide, it is its start, and no time of the slide is before it.
    edge.set(i64.add(start.get, endEdge.get)),
    when(i64.ltS(time.get, edge.get), [end.set(edge.get)], [start.set(edge.get)]),
    firstEnd.set(i64.sub(lastEnd.get, i64.mul(i64.divS(between, slide.get), slide.get))),
  ]
  return { start, end, firstEnd, lastEnd, find }
}
