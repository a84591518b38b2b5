/** WebAssembly that reads fields of booleans, `true` or `false`. Any other spelling is listed. */
import { branchIf, i32 } from "../base/wasm-code.ts"
import type { WasmModule } from "../base/wasm-module.ts"
import { storeBit, writeFieldReader, type FieldSpelling } from "./field-code.ts"

/** `true` and `fals` as words of memory, and `e`. */
const [TRUE_WORD, FALS_WORD, LOWER_E] = [0x65757274, 0x736c6166, 101] as const

/** Adds `readBool`. */
export function writeBoolReader(module: WasmModule, spelling: FieldSpelling): void {
  writeFieldReader(module, spelling, {
    name: "readBool",
    sizeBits: 0,
    parameters: {},
    read({ start, length, row, values, unknown }, _, scope) {
      const [word, isTrue] = [scope.local("i32"), scope.local("i32")]
      const isFals = i32.and(i32.eq(word.get, i32.const(FALS_WORD)), i32.eq(length.get, i32.const(5)))
      const isFalse = i32.and(isFals, i32.eq(i32.load8U(start.get, 4), i32.const(LOWER_E)))
      return [
        word.set(i32.load(start.get)),
        isTrue.set(i32.and(i32.eq(word.get, i32.const(TRUE_WORD)), i32.eq(length.get, i32.const(4)))),
        branchIf(unknown, i32.eqz(i32.or(isTrue.get, isFalse))),
        storeBit(values, row, isTrue.get),
      ]
    },
  })
}
