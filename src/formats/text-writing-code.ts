/**
 * WebAssembly that writes texts from their UTF-8 bytes, sixteen at a time: as JSON strings, and as fields of CSV. Bytes that
 * the format spells otherwise are looked for in each sixteen and written one by one.
 */
import {
  block,
  branchIf,
  call,
  i32,
  i8x16,
  loop,
  returns,
  sequence,
  v128,
  when,
  whileLoop,
  type Code,
  type Local,
} from "../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../base/wasm-module.ts"
import { bytesOf } from "./field-code.ts"

const [QUOTE, BACKSLASH, LF, CR, U, ZERO] = [34, 92, 10, 13, 117, 48] as const
/** From 10 to the letters of digits in base sixteen. */
const TO_LETTER = 39
const BYTE_ORDER_MARK = 0xbf_bb_ef

/** A text that is being written. `end` is behind its last byte. */
interface TextAtHand {
  readonly out: Local<"i32">
  readonly at: Local<"i32">
  readonly end: Local<"i32">
}

/**
 * Copies bytes up to the end or the next special one, for which it goes to `special`; at the end it goes on. Up to fifteen
 * bytes behind what it has copied are overwritten.
 */
function copyPlain(
  { out, at, end }: TextAtHand,
  isSpecial: (bytes: Local<"v128">) => Code<"v128">,
  special: (go: () => Code<"none">) => readonly Code<"none">[],
  scope: FunctionScope,
): Code<"none"> {
  const bytes = scope.local("v128")
  const [found, count] = [scope.local("i32"), scope.local("i32")]
  const left = i32.sub(end.get, at.get)
  return block((done) => [
    loop((again) => [
      bytes.set(v128.load(at.get)),
      v128.store(out.get, bytes.get),
      // What is behind the sixteenth byte is for the next round.
      found.set(i32.ctz(i32.or(i8x16.bitmask(isSpecial(bytes)), i32.const(1 << 16)))),
      count.set(i32.select(i32.ltS(left, found.get), left, found.get)),
      out.set(i32.add(out.get, count.get)),
      at.set(i32.add(at.get, count.get)),
      branchIf(done, i32.geU(at.get, end.get)),
      branchIf(again, i32.eq(found.get, i32.const(16))),
      ...special(() => branchIf(again, i32.ltU(at.get, end.get))),
    ]),
  ])
}

function put(out: Local<"i32">, byte: Code<"i32">): Code<"none"> {
  return sequence(i32.store8(out.get, byte), out.set(i32.add(out.get, i32.const(1))))
}

/** Adds `writeText(out, at, length, shortEscapes)`: as `JSON.stringify` does. It takes at most six bytes for each, and two. */
export function writeJsonTextWriter(module: WasmModule): void {
  const parameters = { out: "i32", at: "i32", length: "i32", shortEscapes: "i32" } as const
  module.function("writeText", { parameters, result: "i32" }, ({ out, at, length, shortEscapes }, scope) => {
    const [end, byte, letter] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const isSpecial = ({ get }: Local<"v128">) =>
      v128.or(i8x16.gtU(bytesOf(0x20), get), v128.or(i8x16.eq(get, bytesOf(QUOTE)), i8x16.eq(get, bytesOf(BACKSLASH))))
    const digit = i32.and(byte.get, i32.const(15))
    return [
      end.set(i32.add(at.get, length.get)),
      put(out, i32.const(QUOTE)),
      when(length.get, [
        copyPlain(
          { out, at, end },
          isSpecial,
          (goOn) => [
            byte.set(i32.load8U(at.get)),
            at.set(i32.add(at.get, i32.const(1))),
            letter.set(i32.load8U(i32.add(shortEscapes.get, byte.get))),
            put(out, i32.const(BACKSLASH)),
            when(
              letter.get,
              [put(out, letter.get)],
              [
                i32.store(out.get, i32.const(U | (ZERO << 8) | (ZERO << 16))),
                i32.store8(out.get, i32.add(i32.shrU(byte.get, i32.const(4)), i32.const(ZERO)), 3),
                i32.store8(
                  out.get,
                  i32.add(
                    i32.add(digit, i32.const(ZERO)),
                    i32.select(i32.gtU(digit, i32.const(9)), i32.const(TO_LETTER), i32.const(0)),
                  ),
                  4,
                ),
                out.set(i32.add(out.get, i32.const(5))),
              ],
            ),
            goOn(),
          ],
          scope,
        ),
      ]),
      i32.store8(out.get, i32.const(QUOTE)),
      i32.add(out.get, i32.const(1)),
    ]
  })
}

/**
 * Adds `writeText(out, at, length, syntax)`: a field of CSV, quoted where it must be. It takes at most two bytes for each, and
 * two. `syntax` has four words: delimiter, quote, and whether the empty text is quoted, which is for the column to say.
 */
export function writeCsvTextWriter(module: WasmModule): void {
  const parameters = {
    out: "i32",
    at: "i32",
    length: "i32",
    delimiter: "i32",
    quote: "i32",
    quotesEmpty: "i32",
  } as const
  const result = "i32"
  module.function("writeQuoted", { parameters, result }, ({ out, at, length, quote }, scope) => {
    const end = scope.local("i32")
    const isQuote = ({ get }: Local<"v128">) => i8x16.eq(get, i8x16.splat(quote.get))
    return [
      end.set(i32.add(at.get, length.get)),
      put(out, quote.get),
      when(length.get, [
        copyPlain(
          { out, at, end },
          isQuote,
          (goOn) => [put(out, quote.get), put(out, quote.get), at.set(i32.add(at.get, i32.const(1))), goOn()],
          scope,
        ),
      ]),
      i32.store8(out.get, quote.get),
      i32.add(out.get, i32.const(1)),
    ]
  })
  module.function("writeText", { parameters, result }, (given, scope) => {
    const { out, at, length, delimiter, quote, quotesEmpty } = given
    const [start, from, end] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const isSpecial = ({ get }: Local<"v128">) =>
      v128.or(
        v128.or(i8x16.eq(get, i8x16.splat(delimiter.get)), i8x16.eq(get, i8x16.splat(quote.get))),
        v128.or(i8x16.eq(get, bytesOf(LF)), i8x16.eq(get, bytesOf(CR))),
      )
    const quoted = returns(
      call("i32", "writeQuoted", start.get, from.get, length.get, delimiter.get, quote.get, quotesEmpty.get),
    )
    return [
      start.set(out.get),
      from.set(at.get),
      end.set(i32.add(at.get, length.get)),
      when(i32.eqz(length.get), [when(quotesEmpty.get, [quoted]), returns(out.get)]),
      when(
        i32.and(
          i32.eq(i32.and(i32.load(at.get), i32.const(0xff_ff_ff)), i32.const(BYTE_ORDER_MARK)),
          i32.geU(length.get, i32.const(3)),
        ),
        [quoted],
      ),
      copyPlain({ out, at, end }, isSpecial, () => [quoted], scope),
      out.get,
    ]
  })
}

/** Adds `copyBytes(out, at, length)`: bytes as they are. */
export function writeByteCopier(module: WasmModule): void {
  const parameters = { out: "i32", at: "i32", length: "i32" } as const
  module.function("copyBytes", { parameters, result: "i32" }, ({ out, at, length }, scope) => {
    const end = scope.local("i32")
    return [
      end.set(i32.add(out.get, length.get)),
      whileLoop(i32.ltU(out.get, end.get), [
        v128.store(out.get, v128.load(at.get)),
        out.set(i32.add(out.get, i32.const(16))),
        at.set(i32.add(at.get, i32.const(16))),
      ]),
      end.get,
    ]
  })
}
