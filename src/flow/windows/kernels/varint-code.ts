/** Code that writes varints: whole numbers as unsigned LEB128. */
import { i32, whileLoop, type Code, type Local } from "../../../base/wasm-code.ts"
import { increment } from "./code-places.ts"

/** The most bytes of a number of 32 bits. */
export const VARINT_BYTES_MAX = 5

/** Code that writes a number, which is used up, as `ByteWriter.varint` does, and moves `out` on. */
export function writeVarint(rest: Local<"i32">, out: Local<"i32">): Code<"none">[] {
  return [
    whileLoop(i32.geU(rest.get, i32.const(0x80)), [
      i32.store8(out.get, i32.or(rest.get, i32.const(0x80))),
      rest.set(i32.shrU(rest.get, i32.const(7))),
      increment(out),
    ]),
    i32.store8(out.get, rest.get),
    increment(out),
  ]
}
