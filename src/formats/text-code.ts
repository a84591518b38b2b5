/**
 * WebAssembly that reads fields of texts: it looks for each in a table of texts that have come before, and writes the
 * code that JavaScript has found for it then. What is longer than `TABLE_TEXT_BYTES` or not in the table is listed.
 *
 * The table is open addressing over entries of 48 bytes, a power of two of them, and never full:
 *
 *      0  the text, with zeros behind it     32  its length and one; 0: the entry is free     36  its code
 *
 * All texts in it are valid UTF-8, and so is a field that equals one of them.
 */
import {
  branchIf,
  branch,
  i32,
  i64,
  i64x2,
  loop,
  returns,
  sequence,
  v128,
  when,
  type Code,
  type Local,
} from "../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../base/wasm-module.ts"
import { writeFieldReader, type FieldSpelling } from "./field-code.ts"

/** Longer texts are in no table. */
export const TABLE_TEXT_BYTES = 32
/** An entry's size, and the offsets of its words. */
export const ENTRY = { length: 32, code: 36, bytes: 48 } as const

/** What `masks` points to: so many bytes that are all ones, then as many zeros. */
export const MASK_BYTES = 16

const [FIRST, SECOND] = [0x9e37_79b9_7f4a_7c15n, 0xc2b2_ae3d_27d4_eb4fn] as const

const TABLE_PARAMETERS = { table: "i32", entries: "i32", masks: "i32" } as const

/** A text of which the length is known, in two vectors with zeros behind it, and the entry where it is looked for. */
function lookUp(
  scope: FunctionScope,
  { table, entries, masks }: { readonly [N in "table" | "entries" | "masks"]: Local<"i32"> },
  start: Code<"i32">,
  length: Local<"i32">,
) {
  const [first, second] = [scope.local("v128"), scope.local("v128")]
  const [slot, entry, behind] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
  const masked = (offset: number, count: Code<"i32">) =>
    v128.and(v128.load(start, offset), v128.load(i32.sub(i32.add(masks.get, i32.const(MASK_BYTES)), count)))
  const half = i32.const(MASK_BYTES)
  const folded = v128.xor(first.get, i64x2.shl(second.get, i32.const(1)))
  const mixed = i64.add(
    i64.mul(i64x2.extractLane(folded, 0), i64.const(FIRST)),
    i64.mul(i64.xor(i64x2.extractLane(folded, 1), i64.extendU(length.get)), i64.const(SECOND)),
  )
  // The highest bits, as many as the table's size has.
  const shift = i64.extendU(i32.sub(i32.const(64), i32.ctz(entries.get)))
  const differs = v128.anyTrue(
    v128.or(v128.xor(first.get, v128.load(entry.get)), v128.xor(second.get, v128.load(entry.get, MASK_BYTES))),
  )
  return {
    setup: [
      behind.set(i32.select(i32.gtU(length.get, half), i32.sub(length.get, half), i32.const(0))),
      first.set(masked(0, i32.sub(length.get, behind.get))),
      second.set(masked(MASK_BYTES, behind.get)),
      slot.set(i32.wrap(i64.shrU(mixed, shift))),
    ],
    toEntry: entry.set(i32.add(table.get, i32.mul(slot.get, i32.const(ENTRY.bytes)))),
    toNext: slot.set(i32.and(i32.add(slot.get, i32.const(1)), i32.sub(entries.get, i32.const(1)))),
    isFree: i32.eqz(i32.load(entry.get, ENTRY.length)),
    isIt: i32.and(i32.eq(i32.load(entry.get, ENTRY.length), i32.add(length.get, i32.const(1))), i32.eqz(differs)),
    code: i32.load(entry.get, ENTRY.code),
    fill: (code: Local<"i32">) =>
      sequence(
        v128.store(entry.get, first.get),
        v128.store(entry.get, second.get, MASK_BYTES),
        i32.store(entry.get, i32.add(length.get, i32.const(1)), ENTRY.length),
        i32.store(entry.get, code.get, ENTRY.code),
      ),
  }
}

/**
 * Adds `readText`, which is given the table, and `addText(table, entries, masks, start, length, code)`, which fills it and
 * gives whether the text was not yet there.
 */
export function writeTextReader(module: WasmModule, spelling: FieldSpelling): void {
  writeFieldReader(module, spelling, {
    name: "readText",
    sizeBits: 2,
    parameters: TABLE_PARAMETERS,
    read({ start, length, value, unknown, done }, given, scope) {
      const text = lookUp(scope, given, start.get, length)
      return [
        branchIf(unknown, i32.gtU(length.get, i32.const(TABLE_TEXT_BYTES))),
        ...text.setup,
        loop((again) => [
          text.toEntry,
          when(text.isIt, [i32.store(value, text.code), branch(done)]),
          branchIf(unknown, text.isFree),
          text.toNext,
          branch(again),
        ]),
      ]
    },
  })
  const parameters = { ...TABLE_PARAMETERS, start: "i32", length: "i32", code: "i32" } as const
  module.function("addText", { parameters, result: "i32" }, ({ start, length, code, ...given }, scope) => {
    const text = lookUp(scope, given, start.get, length)
    return [
      ...text.setup,
      loop((again) => [
        text.toEntry,
        when(text.isIt, [returns(i32.const(0))]),
        when(i32.eqz(text.isFree), [text.toNext, branch(again)]),
      ]),
      text.fill(code),
      i32.const(1),
    ]
  })
}
