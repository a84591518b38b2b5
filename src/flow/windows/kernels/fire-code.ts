/**
 * Code that fires windows one after the other, as long as they are due and their rows fit. See `window-code.ts`.
 *
 * The next window is the one that follows the last, while pieces of that are in it, else the first in which the next piece
 * counts. Pieces that wait apart are for JavaScript, which then fires window by window.
 */
import { block, branchIf, call, f64, i32, i64, loop, branch, type Code } from "../../../base/wasm-code.ts"
import type { WasmModule } from "../../../base/wasm-module.ts"
import { itemAddress } from "./code-places.ts"
import { CONTROL, PIECE } from "./window-control.ts"

/** `fireDue(control, lastDueEnd, to, capacity) → rows`: from row `to` on; `floorEnd` moves on behind what has fired. */
export function writeFireDue(module: WasmModule): void {
  const parameters = { control: "i32", lastDueEnd: "f64", to: "i32", capacity: "i32" } as const
  module.function("fireDue", { parameters, result: "i32" }, ({ control, lastDueEnd, to, capacity }, scope) => {
    const floorEnd = scope.local("i64")
    const end = scope.local("f64")
    const due = scope.local("i64")
    const row = scope.local("i32")
    const sealed = scope.local("i32")
    const field = (offset: number) => i32.load(control.get, offset)
    const piece = (index: Code<"i32">) => itemAddress(field(CONTROL.pieces), index, 6)
    const isGoingOn = i32.and(
      i32.gtU(sealed.get, field(CONTROL.head)),
      i64.geS(i64.load(piece(i32.sub(sealed.get, i32.const(1))), PIECE.lastWindowEnd), floorEnd.get),
    )
    const body = block((exit) => [
      loop((again) => [
        sealed.set(field(CONTROL.sealed)),
        block((found) => [
          branchIf(found, isGoingOn),
          branchIf(exit, i32.geU(sealed.get, field(CONTROL.tail))),
          floorEnd.set(laterOf(i64.load(piece(sealed.get), PIECE.countsFrom), floorEnd.get)),
        ]),
        branchIf(exit, i64.gtS(floorEnd.get, due.get)),
        i64.store(control.get, floorEnd.get, CONTROL.floorEnd),
        end.set(f64.convertI64S(floorEnd.get)),
        call("none", "advance", control.get, end.get),
        branchIf(
          exit,
          i32.gtU(i32.add(field(CONTROL.oldLength), field(CONTROL.newLength)), i32.sub(capacity.get, row.get)),
        ),
        i32.store(control.get, i32.const(0), CONTROL.position),
        row.set(i32.add(row.get, call("i32", "emit", control.get, row.get, i32.sub(capacity.get, row.get), end.get))),
        floorEnd.set(i64.add(floorEnd.get, i64.load(control.get, CONTROL.slide))),
        i64.store(control.get, floorEnd.get, CONTROL.floorEnd),
        branch(again),
      ]),
    ])
    return [
      floorEnd.set(i64.load(control.get, CONTROL.floorEnd)),
      due.set(i64.truncSatF64S(lastDueEnd.get)),
      row.set(to.get),
      body,
      i32.sub(row.get, to.get),
    ]
  })
}

function laterOf(one: Code<"i64">, other: Code<"i64">): Code<"i64"> {
  return i64.select(i64.gtS(one, other), one, other)
}
