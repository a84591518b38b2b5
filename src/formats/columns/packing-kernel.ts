/**
 * The kernel that packs numbers of a lane, as `packBits` does.
 *
 * Numbers of up to 16 bits are taken eight a step, which are `width` whole bytes: two neighbours become one of twice the bits, and two of these
 * one, so that four are at most 64 bits. Those are stored where they begin, which is at a byte or four bits behind one; what a store writes too
 * much is 0, and overwritten by the next. Numbers of more bits, and the last ones, are put one behind the other.
 *
 * Invariant:
 * - LK2 It writes no more than `PACKED_SLACK_BYTES` behind the last word.
 */
import { i32, i32x4, i64, i64x2, v128, when, whileLoop, type Code, type Local } from "../../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../base/wasm-module.ts"

/** See LK2. */
export const PACKED_SLACK_BYTES = 16

const WORD_BYTES = 4
/** Up to so many bits are packed eight numbers a step. */
const VECTOR_WIDTH_MAX = 16

const PACK_PARAMETERS = { from: "i32", to: "i32", count: "i32", base: "i32", width: "i32" } as const

/** `pack`: packs numbers of 1 to 31 bits. */
export function addPack(module: WasmModule): void {
  module.function("pack", { parameters: PACK_PARAMETERS, result: "none" }, (parameters, scope) => {
    const { from, to, count, base, width } = parameters
    const gathered = scope.local("i64")
    const bits = scope.local("i32")
    return [
      when(i32.leU(width.get, i32.const(VECTOR_WIDTH_MAX)), byEights(parameters, scope)),
      whileLoop(i32.gtS(count.get, i32.const(0)), [
        gathered.set(
          i64.or(gathered.get, i64.shl(i64.extendU(i32.sub(i32.load(from.get), base.get)), i64.extendU(bits.get))),
        ),
        bits.set(i32.add(bits.get, width.get)),
        when(i32.geU(bits.get, i32.const(32)), [
          i64.store(to.get, gathered.get),
          gathered.set(i64.shrU(gathered.get, i64.const(32n))),
          bits.set(i32.sub(bits.get, i32.const(32))),
          to.set(i32.add(to.get, i32.const(WORD_BYTES))),
        ]),
        from.set(i32.add(from.get, i32.const(WORD_BYTES))),
        count.set(i32.sub(count.get, i32.const(1))),
      ]),
      // Behind the last number its word ends with 0.
      i64.store(to.get, gathered.get),
    ]
  })
}

/** Packs numbers of up to 16 bits, as long as there are eight. */
function byEights(
  { from, to, count, base, width }: { readonly [N in keyof typeof PACK_PARAMETERS]: Local<"i32"> },
  scope: FunctionScope,
): Code<"none">[] {
  const bases = scope.local("v128")
  const words = scope.local("v128")
  const wide = scope.local("i64")
  const fours = [0, 16].map((at) => ({ at, bits: scope.local("i64") }))
  /** Whole bytes of four numbers, and the bits of them that lie beyond. */
  const bytes = scope.local("i32")
  const beyond = scope.local("i64")
  const eight = i32.const(8)
  const low = i64x2.splat(i64.const(0xffff_ffffn))
  // The higher of two neighbours goes down next to the lower one: that one has no bits where it would lose some.
  const pairs = v128.or(v128.and(words.get, low), i64x2.shrU(words.get, i32.sub(i32.const(32), width.get)))
  const [first, second] = fours.map(({ bits }) => bits) as [Local<"i64">, Local<"i64">]
  const four = i64.mul(wide.get, i64.const(4n))
  return [
    bases.set(i32x4.splat(base.get)),
    wide.set(i64.extendU(width.get)),
    bytes.set(i32.shrU(width.get, i32.const(1))),
    beyond.set(i64.and(four, i64.const(7n))),
    whileLoop(i32.geS(count.get, eight), [
      ...fours.flatMap(({ at, bits }) => [
        words.set(i32x4.sub(v128.load(from.get, at), bases.get)),
        words.set(pairs),
        bits.set(
          i64.or(
            i64x2.extractLane(words.get, 0),
            i64.shl(i64x2.extractLane(words.get, 1), i64.mul(wide.get, i64.const(2n))),
          ),
        ),
      ]),
      i64.store(to.get, first.get),
      i64.store(
        i32.add(to.get, bytes.get),
        i64.or(
          i64.shl(second.get, beyond.get),
          // Where four numbers are whole bytes nothing is left of the first ones, whatever 64 bits are shifted by.
          i64.select(i64.eqz(beyond.get), i64.const(0n), i64.shrU(first.get, i64.sub(four, beyond.get))),
        ),
      ),
      from.set(i32.add(from.get, i32.const(8 * WORD_BYTES))),
      to.set(i32.add(to.get, width.get)),
      count.set(i32.sub(count.get, eight)),
    ]),
  ]
}
