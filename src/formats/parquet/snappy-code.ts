/**
 * WebAssembly that unpacks Snappy (`snappy.ts` says the format, and is what this must give): the elements behind the
 * preamble. It may read `SNAPPY_SLACK_BYTES` behind its input and write as many behind its output, which it says nothing by.
 */
import { i32, i64, loop, returns, sequence, v128, when, branch, type Code, type Local } from "../../base/wasm-code.ts"
import { WasmModule } from "../../base/wasm-module.ts"

/** Copies go by 16 bytes, so that the last may go on for 15 too many. */
export const SNAPPY_SLACK_BYTES = 16

/** The functions of the module. */
export interface SnappyFunctions {
  /** Unpacks [from, end) to [to, toEnd); gives how many bytes came out, or -1 where it is not what Snappy makes. */
  unpackSnappy(from: number, end: number, to: number, toEnd: number): number
}

const PARAMETERS = { from: "i32", end: "i32", to: "i32", toEnd: "i32" } as const

/** Code that copies `count` bytes from `source` to `to`, so many at a time and maybe some more, and moves `to` behind them. */
function copiesOf({ source, to, count, last }: { readonly [N in "source" | "to" | "count" | "last"]: Local<"i32"> }) {
  const copy = (bytes: number, move: Code<"none">) =>
    sequence(
      last.set(i32.add(to.get, count.get)),
      loop((again) => [
        move,
        source.set(i32.add(source.get, i32.const(bytes))),
        to.set(i32.add(to.get, i32.const(bytes))),
        when(i32.ltU(to.get, last.get), [branch(again)]),
      ]),
      to.set(last.get),
    )
  return {
    vectors: copy(16, v128.store(to.get, v128.load(source.get))),
    longs: copy(8, i64.store(to.get, i64.load(source.get))),
    bytes: copy(1, i32.store8(to.get, i32.load8U(source.get))),
  }
}

/** The module. */
export function writeSnappy(): WasmModule {
  const module = new WasmModule()
  module.function("unpackSnappy", { parameters: PARAMETERS, result: "i32" }, ({ from, end, to, toEnd }, scope) => {
    const word = () => scope.local("i32")
    const [start, tag, count, offset, size, source, last] = [word(), word(), word(), word(), word(), word(), word()]
    const malformed = returns(i32.const(-1))
    const step = (by: Code<"i32">) => from.set(i32.add(from.get, by))
    /** Refuses an element of more bytes than there is room for; one that is too great for 32 bits came out as 0. */
    const demandRoom = when(i32.geU(i32.sub(count.get, i32.const(1)), i32.sub(toEnd.get, to.get)), [malformed])
    const copies = copiesOf({ source, to, count, last })
    const literal = [
      when(i32.gtU(count.get, i32.const(60)), [
        size.set(i32.sub(count.get, i32.const(60))),
        when(i32.gtU(size.get, i32.sub(end.get, from.get)), [malformed]),
        // The bytes of the word that are none of the length are cut off.
        offset.set(i32.sub(i32.const(32), i32.shl(size.get, i32.const(3)))),
        count.set(i32.add(i32.shrU(i32.shl(i32.load(from.get), offset.get), offset.get), i32.const(1))),
        step(size.get),
      ]),
      when(i32.geU(i32.sub(count.get, i32.const(1)), i32.sub(end.get, from.get)), [malformed]),
      demandRoom,
      source.set(from.get),
      copies.vectors,
      step(count.get),
    ]
    const copied = [
      when(i32.eq(i32.and(tag.get, i32.const(3)), i32.const(1)), [
        count.set(i32.add(i32.and(i32.shrU(tag.get, i32.const(2)), i32.const(7)), i32.const(4))),
        offset.set(i32.or(i32.shl(i32.shrU(tag.get, i32.const(5)), i32.const(8)), i32.load8U(from.get))),
        step(i32.const(1)),
      ]),
      when(i32.eq(i32.and(tag.get, i32.const(3)), i32.const(2)), [
        offset.set(i32.load16U(from.get)),
        step(i32.const(2)),
      ]),
      when(i32.eq(i32.and(tag.get, i32.const(3)), i32.const(3)), [offset.set(i32.load(from.get)), step(i32.const(4))]),
      when(i32.gtU(from.get, end.get), [malformed]),
      when(i32.geU(i32.sub(offset.get, i32.const(1)), i32.sub(to.get, start.get)), [malformed]),
      demandRoom,
      source.set(i32.sub(to.get, offset.get)),
      // What overlaps is copied in pieces that do not.
      when(
        i32.geU(offset.get, i32.const(16)),
        [copies.vectors],
        [when(i32.geU(offset.get, i32.const(8)), [copies.longs], [copies.bytes])],
      ),
    ]
    return [
      start.set(to.get),
      loop((again) => [
        when(i32.ltU(from.get, end.get), [
          tag.set(i32.load8U(from.get)),
          step(i32.const(1)),
          count.set(i32.add(i32.shrU(tag.get, i32.const(2)), i32.const(1))),
          when(i32.eqz(i32.and(tag.get, i32.const(3))), literal, copied),
          branch(again),
        ]),
      ]),
      i32.sub(to.get, start.get),
    ]
  })
  return module
}
