/**
 * WebAssembly that finds where the values of JSON lines stand that are all written alike: the same names in the same
 * order, with the same white space. What stands before each value is compared with what stood there in the line that
 * was learnt (`json-template.ts`), and what is behind it is looked for: a quote or a comma, sixteen bytes at a time.
 *
 * A step is what stands before a value, 112 bytes; behind the last one stands the line's end as another:
 *
 *      0  its length     4  whether the column's values are strings     16  its bytes     64  ones for its bytes, then zeros
 *
 * The index has two words for each value, where it starts and where it ends, within its quotes where it is a string. Where
 * it is null, its length is `NULL_LENGTH`. Where it is a string with escapes or control characters, or a string where the
 * column has none, or none where it has strings, its length is `ODD_LENGTH`. In both cases it starts at its first byte.
 *
 * Only lines of strings and bare words are indexed: an object or array as a value ends the index, and so does a line
 * that is written in another way.
 *
 * Invariant:
 * - JI1 Of each line of the index, all that stands between values is JSON as in the line that was learnt, each string ends
 *   where `skipString` ends it if it is one at all, and each bare word ends before a comma or brace.
 */
import {
  block,
  branch,
  branchIf,
  i32,
  i8x16,
  loop,
  v128,
  when,
  type Code,
  type Label,
  type Local,
} from "../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../base/wasm-module.ts"
import { bytesOf, NULL_LENGTH, ODD_LENGTH } from "./field-code.ts"
import { REPORT } from "./index-report.ts"

const [QUOTE, BACKSLASH, COMMA, OPEN_BRACKET, OPEN_BRACE, CLOSE_BRACE, SPACE, LOWER_N] = [
  34, 92, 44, 91, 123, 125, 32, 110,
] as const
const VECTOR_BYTES = 16
/** `null` as a word of memory. */
const NULL_WORD = 0x6c6c756e
/** Longer bare words are in no index. */
const WORD_BYTES_MAX = 64

/** Longer texts between values are in no template. */
export const STEP_TEXT_BYTES = 48
/** Offsets within a step, and its size. */
export const STEP = { length: 0, isQuoted: 4, text: 16, mask: 64, bytes: 112 } as const

/** `indexLines(from, to, …)` gives how many lines are in the index; `lineStarts` has one more, what is behind them. */
export type IndexLines = (
  from: number,
  to: number,
  index: number,
  lineStarts: number,
  steps: number,
  columns: number,
  linesMax: number,
  report: number,
) => number

const PARAMETERS = {
  from: "i32",
  to: "i32",
  index: "i32",
  lineStarts: "i32",
  steps: "i32",
  columns: "i32",
  linesMax: "i32",
  report: "i32",
} as const

type W = Local<"i32">

/** The variables of a walk over lines. */
interface Walk {
  readonly to: W
  readonly at: W
  readonly step: W
  /** Where the value's words go. */
  readonly out: W
  /** Where a value ends, as far as it is known. */
  readonly end: W
  readonly bits: W
  readonly byte: W
  readonly isOdd: W
  readonly vector: Local<"v128">
  /** All bytes of strings so far, or-ed. */
  readonly high: Local<"v128">
}

/** Adds `indexLines`. */
export function writeJsonIndex(module: WasmModule): void {
  module.function("indexLines", { parameters: PARAMETERS, result: "i32" }, (given, scope) => {
    const { from, to, index, lineStarts, steps, columns, linesMax, report } = given
    const walk = walkOf(to, scope)
    const { at, step, out, end, high } = walk
    const [lines, lastStep] = [scope.local("i32"), scope.local("i32")]
    const c = i32.const
    const startOfLine = i32.add(lineStarts.get, i32.shl(lines.get, c(2)))
    return [
      at.set(from.get),
      out.set(index.get),
      lastStep.set(i32.add(steps.get, i32.mul(columns.get, c(STEP.bytes)))),
      i32.store(lineStarts.get, at.get),
      block((stop) => [
        branchIf(stop, i32.geU(lines.get, linesMax.get)),
        loop((nextLine) => [
          branchIf(stop, i32.geU(at.get, to.get)),
          step.set(steps.get),
          loop((nextValue) => [
            ...compareStep(walk, stop),
            ...readValue(walk, stop),
            out.set(i32.add(out.get, c(8))),
            step.set(i32.add(step.get, c(STEP.bytes))),
            branchIf(nextValue, i32.ltU(step.get, lastStep.get)),
          ]),
          ...compareStep(walk, stop),
          // What matched behind the end of the bytes is not of them.
          branchIf(stop, i32.gtU(at.get, to.get)),
          lines.set(i32.add(lines.get, c(1))),
          i32.store(startOfLine, at.get),
          branchIf(nextLine, i32.ltU(lines.get, linesMax.get)),
        ]),
      ]),
      end.set(i32.select(i32.gtU(end.get, at.get), end.get, at.get)),
      i32.store(report.get, v128.anyTrue(v128.and(high.get, bytesOf(0x80))), REPORT.isSpecial),
      // A line that stopped the walk close to the end may be cut there.
      i32.store(report.get, i32.gtU(i32.add(end.get, c(WORD_BYTES_MAX + VECTOR_BYTES)), to.get), REPORT.isOut),
      lines.get,
    ]
  })
}

function walkOf(to: W, scope: FunctionScope): Walk {
  const word = () => scope.local("i32")
  const words = { at: word(), step: word(), out: word(), end: word(), bits: word(), byte: word(), isOdd: word() }
  return { to, ...words, vector: scope.local("v128"), high: scope.local("v128") }
}

/** Goes on behind what must stand before the value. */
function compareStep({ at, step }: Walk, stop: Label): Code<"none">[] {
  const length = i32.load(step.get, STEP.length)
  const differs = (offset: number) =>
    v128.anyTrue(
      v128.and(
        v128.xor(v128.load(at.get, offset), v128.load(step.get, STEP.text + offset)),
        v128.load(step.get, STEP.mask + offset),
      ),
    )
  return [
    branchIf(stop, differs(0)),
    when(i32.gtU(length, i32.const(VECTOR_BYTES)), [
      branchIf(stop, differs(VECTOR_BYTES)),
      when(i32.gtU(length, i32.const(2 * VECTOR_BYTES)), [branchIf(stop, differs(2 * VECTOR_BYTES))]),
    ]),
    at.set(i32.add(at.get, length)),
  ]
}

/** Writes where the value stands, and goes on behind it. */
function readValue(walk: Walk, stop: Label): Code<"none">[] {
  const { at, byte, isOdd, step } = walk
  const isQuoted = i32.load(step.get, STEP.isQuoted)
  return [
    byte.set(i32.load8U(at.get)),
    when(
      i32.eq(byte.get, i32.const(QUOTE)),
      [isOdd.set(i32.eqz(isQuoted)), ...readString(walk, stop)],
      [isOdd.set(isQuoted), ...readWord(walk, stop)],
    ),
  ]
}

function readString(walk: Walk, stop: Label): Code<"none">[] {
  const { to, at, out, end, bits, byte, isOdd, vector, high } = walk
  const c = i32.const
  const isSpecial = v128.or(
    v128.or(i8x16.eq(vector.get, bytesOf(QUOTE)), i8x16.eq(vector.get, bytesOf(BACKSLASH))),
    i8x16.gtU(bytesOf(SPACE), vector.get),
  )
  return [
    end.set(i32.add(at.get, c(1))),
    block((found) => [
      loop((again) => [
        branchIf(stop, i32.geU(end.get, to.get)),
        vector.set(v128.load(end.get)),
        high.set(v128.or(high.get, vector.get)),
        bits.set(i8x16.bitmask(isSpecial)),
        when(i32.eqz(bits.get), [end.set(i32.add(end.get, c(VECTOR_BYTES))), branch(again)]),
        end.set(i32.add(end.get, i32.ctz(bits.get))),
        byte.set(i32.load8U(end.get)),
        branchIf(found, i32.eq(byte.get, c(QUOTE))),
        isOdd.set(c(1)),
        // Behind a backslash stands no quote that ends the string.
        end.set(i32.add(end.get, i32.add(c(1), i32.eq(byte.get, c(BACKSLASH))))),
        branch(again),
      ]),
    ]),
    when(
      isOdd.get,
      writeWords(out, at.get, i32.add(at.get, c(ODD_LENGTH))),
      writeWords(out, i32.add(at.get, c(1)), end.get),
    ),
    at.set(i32.add(end.get, c(1))),
  ]
}

function readWord(walk: Walk, stop: Label): Code<"none">[] {
  const { at, out, end, bits, byte, isOdd, vector } = walk
  const c = i32.const
  const isEnd = v128.or(i8x16.eq(vector.get, bytesOf(COMMA)), i8x16.eq(vector.get, bytesOf(CLOSE_BRACE)))
  const length = i32.sub(end.get, at.get)
  const isNull = i32.and(i32.eq(length, c(4)), i32.eq(i32.load(at.get), c(NULL_WORD)))
  const isNested = i32.or(i32.eq(byte.get, c(OPEN_BRACE)), i32.eq(byte.get, c(OPEN_BRACKET)))
  return [
    branchIf(stop, isNested),
    end.set(at.get),
    loop((again) => [
      vector.set(v128.load(end.get)),
      bits.set(i8x16.bitmask(isEnd)),
      when(i32.eqz(bits.get), [
        end.set(i32.add(end.get, c(VECTOR_BYTES))),
        branchIf(stop, i32.geU(length, c(WORD_BYTES_MAX))),
        branch(again),
      ]),
    ]),
    end.set(i32.add(end.get, i32.ctz(bits.get))),
    ...writeWords(out, at.get, i32.select(isOdd.get, i32.add(at.get, c(ODD_LENGTH)), end.get)),
    when(i32.eq(byte.get, c(LOWER_N)), [when(isNull, writeWords(out, at.get, i32.add(at.get, c(NULL_LENGTH))))]),
    at.set(end.get),
  ]
}

function writeWords(out: W, start: Code<"i32">, end: Code<"i32">): Code<"none">[] {
  return [i32.store(out.get, start), i32.store(out.get, end, 4)]
}
