/**
 * Generated WebAssembly that writes pieces as bytes of state, in the form that `window-state.ts` names: what `WindowState`
 * does in JavaScript, for the pieces that lie in order of time. With `state-code.ts`, whose functions write the entries.
 *
 * Where windows of many queries share slices, these are many and have few entries each.
 *
 * Invariant:
 * - SC1 The bytes are those that JavaScript writes, and the same counts as written afterwards.
 */
import {
  block,
  branch,
  branchIf,
  call,
  f64,
  i32,
  i64,
  loop,
  memoryFill,
  when,
  type Code,
  type Local,
} from "../../../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../../base/wasm-module.ts"
import { increment, itemAddress } from "./code-places.ts"
import { VARINT_BYTES_MAX, writeVarint } from "./varint-code.ts"
import { CONTROL, PIECE } from "./window-control.ts"

/** The most bytes of a piece without its entries: two moments, and three numbers. */
const PIECE_HEAD_BYTES_MAX = 16 + 3 * VARINT_BYTES_MAX

/** How many bytes entries may take. */
export interface EntryBytesMax {
  /** Each that has changed, and each that is new. */
  readonly changed: number
  readonly keyed: number
  /** For so many there is room behind them, too. */
  readonly least: number
}

/** What is read of a piece. */
function pieceAt(control: Local<"i32">, at: Local<"i32">, floorEnd: Local<"f64">, scope: FunctionScope) {
  const piece = scope.local("i32")
  const lastWindowEnd = f64.convertI64S(i64.load(piece.get, PIECE.lastWindowEnd))
  return {
    piece,
    find: piece.set(itemAddress(i32.load(control.get, CONTROL.pieces), at.get, 6)),
    /** Whether it has changed, and has windows to come. */
    isWanted: i32.and(i32.ne(i32.load(piece.get, PIECE.dirty), i32.const(0)), f64.ge(lastWindowEnd, floorEnd.get)),
  }
}

/** `countPieces(control, floorEnd)`. */
export function writeCountPieces(module: WasmModule): void {
  const parameters = { control: "i32", floorEnd: "f64" } as const
  module.function("countPieces", { parameters, result: "i32" }, ({ control, floorEnd }, scope) => {
    const [at, count] = [scope.local("i32"), scope.local("i32")]
    const { find, isWanted } = pieceAt(control, at, floorEnd, scope)
    return [
      at.set(i32.load(control.get, CONTROL.head)),
      block((done) => [
        loop((again) => [
          branchIf(done, i32.geU(at.get, i32.load(control.get, CONTROL.tail))),
          find,
          count.set(i32.add(count.get, isWanted)),
          increment(at),
          branch(again),
        ]),
      ]),
      count.get,
    ]
  })
}

/** `writePieces(control, at, floorEnd, out, outEnd) → at`. */
export function writeWritePieces(module: WasmModule, most: EntryBytesMax): void {
  const parameters = { control: "i32", at: "i32", floorEnd: "f64", out: "i32", outEnd: "i32" } as const
  module.function("writePieces", { parameters, result: "i32" }, ({ control, at, floorEnd, out, outEnd }, scope) => {
    const { piece, find, isWanted } = pieceAt(control, at, floorEnd, scope)
    const [from, size, written] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const [rest, hasChanged] = [scope.local("i32"), scope.local("i32")]
    /** Behind the last entry: there is room for all. */
    const reached = scope.local("i32")
    const [firstNew, end] = [i32.add(from.get, written.get), i32.add(from.get, size.get)]
    const bytes = (count: Code<"i32">, each: number) => i64.mul(i64.extendU(count), i64.const(BigInt(each)))
    const needed = i64.add(
      i64.add(bytes(written.get, most.changed), bytes(i32.sub(size.get, written.get), most.keyed)),
      i64.const(BigInt(PIECE_HEAD_BYTES_MAX + most.least)),
    )
    const writeNumber = (value: Code<"i32">) => [rest.set(value), ...writeVarint(rest, out)]
    const writeMoment = (field: number) => [
      f64.store(out.get, f64.convertI64S(i64.load(piece.get, field))),
      increment(out, 8),
    ]
    const writeEntries = (name: "writeChanged" | "writeKeyed", ...places: readonly Code<"i32">[]) => [
      reached.set(call("i32", name, control.get, ...places, out.get, outEnd.get)),
      out.set(i32.load(control.get, CONTROL.stateEnd)),
    ]
    return [
      block((done) => [
        loop((again) => [
          branchIf(done, i32.geU(at.get, i32.load(control.get, CONTROL.tail))),
          find,
          when(isWanted, [
            from.set(i32.load(piece.get, PIECE.from)),
            size.set(i32.load(piece.get, PIECE.size)),
            written.set(i32.load(piece.get, PIECE.written)),
            branchIf(done, i64.gtU(needed, i64.extendU(i32.sub(outEnd.get, out.get)))),
            ...writeMoment(PIECE.start),
            ...writeMoment(PIECE.countsFrom),
            ...writeNumber(written.get),
            rest.set(call("i32", "countChanged", control.get, from.get, firstNew)),
            hasChanged.set(rest.get),
            ...writeVarint(rest, out),
            when(hasChanged.get, writeEntries("writeChanged", from.get, from.get, firstNew)),
            ...writeNumber(i32.sub(size.get, written.get)),
            ...writeEntries("writeKeyed", firstNew, end),
            memoryFill(
              i32.add(i32.load(control.get, CONTROL.entryDirty), firstNew),
              i32.const(0),
              i32.sub(size.get, written.get),
            ),
            i32.store(piece.get, size.get, PIECE.written),
            i32.store(piece.get, i32.const(0), PIECE.dirty),
          ]),
          increment(at),
          branch(again),
        ]),
      ]),
      i32.store(control.get, out.get, CONTROL.stateEnd),
      at.get,
    ]
  })
}
