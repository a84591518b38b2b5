/**
 * Generated WebAssembly that writes entries of a piece as bytes of state, in the form that `window-state.ts` names: what
 * `EntryBytes` does in JavaScript. Bytes go to a block of linear memory, from which they are copied on; where it is full, a
 * function stops, and is called again with the place that it came to.
 *
 * Fields are copied as they are, so there is none for shapes with fields that hold codes of texts, and none that writes
 * keys for those with texts.
 *
 * Invariant:
 * - SC1 The bytes are those that JavaScript writes.
 */
import type { LinearMemory } from "../../../base/linear-memory.ts"
import { compiledModule } from "../../../expr/compiled-module.ts"
import {
  branch,
  branchIf,
  block,
  i32,
  i64,
  i8x16,
  loop,
  v128,
  when,
  whileLoop,
  type Code,
  type Local,
} from "../../../base/wasm-code.ts"
import { WasmModule, type FunctionScope } from "../../../base/wasm-module.ts"
import { increment, itemAddress, loadedFrom } from "./code-places.ts"
import type { KeyPartLayout } from "../keys/key-layout.ts"
import { CONTROL } from "./window-control.ts"
import { VARINT_BYTES_MAX, writeVarint } from "./varint-code.ts"
import { writeCountPieces, writeWritePieces } from "./state-pieces-code.ts"
import type { WindowShape } from "./window-shape.ts"

/** Flags that are looked at at once. */
const FLAGS = 16

/** The functions. `control` is the address of the operator's control block, `out` and `outEnd` are a block's. */
export interface StateFunctions {
  /** How many of the entries `from` … `end − 1` have changed. */
  readonly countChanged: (control: number, from: number, end: number) => number
  /**
   * Writes those of the entries `at` … `end − 1` that have changed, by their places behind `from`, and takes note that they
   * were written. Gives the entry that it came to; behind the last byte is what `CONTROL.stateEnd` says.
   */
  readonly writeChanged: (control: number, from: number, at: number, end: number, out: number, outEnd: number) => number
  /** Writes entries `at` … `end − 1` with their keys, in the same way. Not there for keys with texts. */
  readonly writeKeyed?: (control: number, at: number, end: number, out: number, outEnd: number) => number
  /** How many of the pieces before `tail` are to be written: see `state-pieces-code.ts`. */
  readonly countPieces: (control: number, floorEnd: number) => number
  /** Writes those of them from `at` on for which there is room, in the same way. Not there for keys with texts. */
  readonly writePieces?: (control: number, at: number, floorEnd: number, out: number, outEnd: number) => number
}

/** The most bytes of an entry that has changed: its place, and fields. */
export function changedBytesMax({ entryFields }: WindowShape): number {
  return VARINT_BYTES_MAX + 8 * entryFields.length
}

/** The most bytes of an entry and its key. */
export function keyedBytesMax({ keys, entryFields }: WindowShape): number {
  return (keys.hasNulls ? 4 : 0) + 8 * keys.parts.length + 8 * entryFields.length
}

/** A block must be so large that a function gets on. */
export function stateBytesMin(shape: WindowShape): number {
  return Math.max(FLAGS * changedBytesMax(shape), keyedBytesMax(shape))
}

/** The functions, working on `memory`; `undefined` where an aggregate keeps texts. */
export function stateFunctions(shape: WindowShape, memory: LinearMemory): StateFunctions | undefined {
  if (shape.entryFields.some((_, field) => shape.textInputOf(field) !== undefined)) return undefined
  return compiledModule(`state ${shape.key}`, () => stateModule(shape)).instantiate<StateFunctions>(memory)
}

function stateModule(shape: WindowShape): WasmModule {
  const module = new WasmModule()
  writeCountChanged(module)
  writeWriteChanged(module, shape)
  writeCountPieces(module)
  if (shape.keys.parts.some(({ storage }) => storage === "dictionary")) return module
  writeWriteKeyed(module, shape)
  writeWritePieces(module, {
    changed: changedBytesMax(shape),
    keyed: keyedBytesMax(shape),
    // Functions stop while there is still room for as many.
    least: FLAGS * changedBytesMax(shape) + keyedBytesMax(shape),
  })
  return module
}

/** A bit for each of the flags at an address that is not 0. */
function changedAt(address: Code<"i32">): Code<"i32"> {
  return i8x16.bitmask(i8x16.ne(v128.load(address), v128.const(new Array<number>(FLAGS).fill(0))))
}

function writeCountChanged(module: WasmModule): void {
  const parameters = { control: "i32", from: "i32", end: "i32" } as const
  module.function("countChanged", { parameters, result: "i32" }, ({ control, from, end }, scope) => {
    const [count, flags] = [scope.local("i32"), scope.local("i32")]
    const flag = i32.add(flags.get, from.get)
    return [
      flags.set(i32.load(control.get, CONTROL.entryDirty)),
      whileLoop(i32.leU(i32.add(from.get, i32.const(FLAGS)), end.get), [
        count.set(i32.add(count.get, i32.popcnt(changedAt(flag)))),
        increment(from, FLAGS),
      ]),
      // What lies behind the last entry is another piece's, or nobody's.
      whileLoop(i32.ltU(from.get, end.get), [
        count.set(i32.add(count.get, i32.ne(i32.load8U(flag), i32.const(0)))),
        increment(from),
      ]),
      count.get,
    ]
  })
}

function writeWriteChanged(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", from: "i32", at: "i32", end: "i32", out: "i32", outEnd: "i32" } as const
  module.function("writeChanged", { parameters, result: "i32" }, ({ control, from, at, end, out, outEnd }, scope) => {
    const setup: Code<"none">[] = []
    const flags = loadedFrom(control, CONTROL.entryDirty, scope, setup)
    const [bits, entry, rest] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const flag = i32.add(flags.get, at.get)
    const write = [
      rest.set(i32.sub(entry.get, from.get)),
      ...writeVarint(rest, out),
      ...writeFields({ shape, control, scope, setup, entry, out }),
    ]
    return [
      ...setup,
      outEnd.set(i32.sub(outEnd.get, i32.const(FLAGS * changedBytesMax(shape)))),
      block((done) => [
        loop((again) => [
          branchIf(done, i32.geU(at.get, end.get)),
          branchIf(done, i32.gtU(out.get, outEnd.get)),
          when(
            i32.leU(i32.add(at.get, i32.const(FLAGS)), end.get),
            [
              bits.set(changedAt(flag)),
              entry.set(at.get),
              when(bits.get, [
                v128.store(flag, v128.const(new Array<number>(FLAGS).fill(0))),
                loop((next) => [
                  entry.set(i32.add(at.get, i32.ctz(bits.get))),
                  ...write,
                  bits.set(i32.and(bits.get, i32.sub(bits.get, i32.const(1)))),
                  when(bits.get, [branch(next)]),
                ]),
              ]),
              increment(at, FLAGS),
            ],
            [when(i32.load8U(flag), [i32.store8(flag, i32.const(0)), entry.set(at.get), ...write]), increment(at)],
          ),
          branch(again),
        ]),
      ]),
      i32.store(control.get, out.get, CONTROL.stateEnd),
      at.get,
    ]
  })
}

interface Writing {
  readonly shape: WindowShape
  readonly control: Local<"i32">
  readonly scope: FunctionScope
  readonly setup: Code<"none">[]
  readonly entry: Local<"i32">
  readonly out: Local<"i32">
}

/** Code that writes the fields of an entry and moves `out` on. */
function writeFields({ shape, control, scope, setup, entry, out }: Writing): Code<"none">[] {
  const stores = shape.entryFields.map((_, index) => {
    const field = loadedFrom(control, shape.control.entryField(index), scope, setup)
    return i64.store(out.get, i64.load(itemAddress(field.get, entry.get, 3)), 8 * index)
  })
  return [...stores, increment(out, 8 * stores.length)]
}

function writeWriteKeyed(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", at: "i32", end: "i32", out: "i32", outEnd: "i32" } as const
  module.function("writeKeyed", { parameters, result: "i32" }, ({ control, at, end, out, outEnd }, scope) => {
    const setup: Code<"none">[] = []
    const write = [
      ...writeKey({ shape, control, scope, setup, entry: at, out }),
      ...writeFields({ shape, control, scope, setup, entry: at, out }),
    ]
    return [
      ...setup,
      outEnd.set(i32.sub(outEnd.get, i32.const(keyedBytesMax(shape)))),
      whileLoop(i32.and(i32.ltU(at.get, end.get), i32.leU(out.get, outEnd.get)), [...write, increment(at)]),
      i32.store(control.get, out.get, CONTROL.stateEnd),
      at.get,
    ]
  })
}

/** Code that writes the key of an entry as `KeyTable.writeState` does, and moves `out` on. */
function writeKey({ shape, control, scope, setup, entry, out }: Writing): Code<"none">[] {
  const { parts, hasNulls, stride } = shape.keys
  if (parts.length === 0) return []
  const ids = loadedFrom(control, CONTROL.entryIds, scope, setup)
  const words = loadedFrom(control, CONTROL.keyWords, scope, setup)
  const key = scope.local("i32")
  const id = i32.load(itemAddress(ids.get, entry.get, 2))
  const codes = [key.set(i32.add(words.get, i32.mul(id, i32.const(4 * stride))))]
  if (hasNulls) codes.push(i32.store(out.get, i32.load(key.get)), increment(out, 4))
  for (const part of parts) {
    const write = writePart(part, key, out)
    if (part.nullBit === 0) codes.push(...write)
    else codes.push(when(i32.eqz(i32.and(i32.load(key.get), i32.const(part.nullBit))), write))
  }
  return codes
}

function writePart({ storage, at }: KeyPartLayout, key: Local<"i32">, out: Local<"i32">): Code<"none">[] {
  if (storage === "bit") return [i32.store8(out.get, i32.load(key.get, 4 * at)), increment(out)]
  const value = storage === "int32" ? i64.load32S(key.get, 4 * at) : i64.load(key.get, 4 * at)
  return [i64.store(out.get, value), increment(out, 8)]
}
