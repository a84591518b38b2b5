/**
 * Code that fires windows where there is no key: `advance`, `reset`, `repair`, `emit` and `fireDue` of `window-code.ts`. Each window
 * has one row.
 */
import { block, branch, branchIf, i32, i64, loop, when, type Code, type Local } from "../../../base/wasm-code.ts"
import type { WasmModule } from "../../../base/wasm-module.ts"
import type { Word } from "../../aggregates/aggregate.ts"
import { NO_START } from "./advance-code.ts"
import { increment, itemAddress, loadedFrom, loadedLongFrom } from "./code-places.ts"
import { resultAccess } from "./emit-code.ts"
import { beginTurning, endTurning, pieceAt, setAll, turnTo, type TurningAlone } from "./turn-alone-code.ts"
import { CONTROL, PIECE } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** Stores the row of the window that ends at `end`. */
function storeRow(turning: TurningAlone, row: Local<"i32">, end: Local<"i64">): Code<"none">[] {
  const { shape, scope, control, setup, size, kernels } = turning
  const load = (offset: number) => loadedFrom(control, offset, scope, setup)
  return [
    i64.store(itemAddress(load(CONTROL.windowStarts).get, row.get, 3), i64.sub(end.get, size.get)),
    i64.store(itemAddress(load(CONTROL.windowEnds).get, row.get, 3), end.get),
    ...kernels.flatMap((each, aggregate) => {
      const { placed } = each
      const { kernel } = placed
      const result = resultAccess({ shape, scope, control, setup, row }, placed, aggregate)
      if (kernel.remove !== undefined) return kernel.finish(each.old, result)
      const together = kernel.window.map(({ word }) => scope.local<Word>(word))
      return [...setAll(turning, together, kernel.combine(each.old, each.new)), ...kernel.finish(together, result)]
    }),
  ]
}

/** Writes the functions. */
export function writeFireAlone(module: WasmModule, shape: WindowShape): void {
  writeReset(module)
  writeRepair(module)
  writeAdvance(module, shape)
  writeEmit(module, shape)
  writeFireDue(module, shape)
}

function writeReset(module: WasmModule): void {
  module.function("reset", { parameters: { control: "i32" }, result: "none" }, ({ control }) => [
    i32.store(control.get, i32.load(control.get, CONTROL.head), CONTROL.sealed),
    i32.store(control.get, i32.load(control.get, CONTROL.head), CONTROL.edge),
    i64.store(control.get, i64.const(NO_START), CONTROL.newStart),
  ])
}

/** To find one key anew is to find all anew: it always gives up. */
function writeRepair(module: WasmModule): void {
  module.function("repair", { parameters: { control: "i32", piece: "i32" }, result: "i32" }, () => [i32.const(0)])
}

function writeAdvance(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", windowEnd: "f64" } as const
  module.function("advance", { parameters, result: "none" }, ({ control, windowEnd }, scope) => {
    const turning = beginTurning(shape, control, scope)
    const end = scope.local("i64")
    const body = [end.set(i64.truncSatF64S(windowEnd.get)), ...turnTo(turning, end), ...endTurning(turning)]
    // The window has one row, however its pieces are spread over the blocks.
    const oneRow = i32.store(control.get, i32.const(1), CONTROL.oldLength)
    return [...turning.setup, ...body, oneRow, i32.store(control.get, i32.const(0), CONTROL.newLength)]
  })
}

function writeEmit(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", to: "i32", room: "i32", windowEnd: "f64" } as const
  module.function("emit", { parameters, result: "i32" }, ({ control, to, windowEnd }, scope) => {
    const turning = beginTurning(shape, control, scope)
    const end = scope.local("i64")
    const body = [end.set(i64.truncSatF64S(windowEnd.get)), ...storeRow(turning, to, end)]
    return [...turning.setup, ...body, i32.store(control.get, i32.const(1), CONTROL.position), i32.const(1)]
  })
}

/** As in `fire-code.ts`, in one loop. */
function writeFireDue(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", lastDueEnd: "f64", to: "i32", capacity: "i32" } as const
  module.function("fireDue", { parameters, result: "i32" }, ({ control, lastDueEnd, to, capacity }, scope) => {
    const turning = beginTurning(shape, control, scope)
    const { setup, head, sealed, tail } = turning
    const floorEnd = loadedLongFrom(control, CONTROL.floorEnd, scope, setup)
    const slide = loadedLongFrom(control, CONTROL.slide, scope, setup)
    const countsFrom = scope.local("i64")
    const end = scope.local("i64")
    const due = scope.local("i64")
    const row = scope.local("i32")
    const lastIn = pieceAt(turning, i32.sub(sealed.get, i32.const(1)))
    const isGoingOn = i32.and(
      i32.gtU(sealed.get, head.get),
      i64.geS(i64.load(lastIn, PIECE.lastWindowEnd), floorEnd.get),
    )
    setup.push(due.set(i64.truncSatF64S(lastDueEnd.get)), row.set(to.get))
    const body = block((exit) => [
      loop((again) => [
        branchIf(exit, i32.geU(row.get, capacity.get)),
        end.set(floorEnd.get),
        block((found) => [
          branchIf(found, isGoingOn),
          branchIf(exit, i32.geU(sealed.get, tail.get)),
          countsFrom.set(i64.load(pieceAt(turning, sealed.get), PIECE.countsFrom)),
          when(i64.gtS(countsFrom.get, end.get), [end.set(countsFrom.get)]),
        ]),
        branchIf(exit, i64.gtS(end.get, due.get)),
        ...turnTo(turning, end),
        ...storeRow(turning, row, end),
        increment(row),
        floorEnd.set(i64.add(end.get, slide.get)),
        branch(again),
      ]),
    ])
    const store = [...endTurning(turning), i64.store(control.get, floorEnd.get, CONTROL.floorEnd)]
    return [...setup, body, ...store, i32.sub(row.get, to.get)]
  })
}
