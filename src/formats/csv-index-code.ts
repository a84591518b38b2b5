/**
 * WebAssembly that finds where the fields of CSV records end: 64 bytes at a time become bits of delimiters, line feeds and
 * quotes, and the bits of the first two become places (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019).
 *
 * The index is the address of each delimiter and line feed, one behind the other, so that the fields of record i with n
 * columns end at its places i * n … i * n + n − 1; the place before its first is the last byte before the records. Where a
 * record ends without a carriage return stands in a list besides.
 *
 * What stands behind an odd number of quotes is no delimiter and no line feed. That is right where all quotes stand where
 * they may; where not, the first field with a stray quote has one within, or is not closed by the quote that it ends
 * with, and so no reader takes it. The first line feed that is not the end of n fields ends the index, and so does one within
 * quotes. An empty line is never taken for a record, as n is at least two.
 *
 * Invariant:
 * - CI1 The records of the index, up to the first with a stray quote, are those of `CsvRecordScan`, with as many fields as the
 *   file has columns and no line feed within.
 */
import {
  branch,
  branchIf,
  block,
  i32,
  i64,
  i8x16,
  loop,
  returns,
  v128,
  when,
  whileLoop,
  type Code,
  type Local,
} from "../base/wasm-code.ts"
import { REPORT } from "./index-report.ts"
import type { FunctionScope, WasmModule } from "../base/wasm-module.ts"

const [LF, CR] = [10, 13] as const
const BLOCK_BYTES = 64
const VECTOR_BYTES = 16
/** So many places are written at once, whether there are as many or not: most blocks have some fewer. */
const PLACES_AT_ONCE = 8

/** Room that the index needs behind its last record. */
export const INDEX_SLACK = 2 * BLOCK_BYTES

/** `indexRecords(from, to, …)` gives how many records are in the index. */
export type IndexRecords = (
  from: number,
  to: number,
  index: number,
  lineEnds: number,
  columns: number,
  recordsMax: number,
  delimiter: number,
  quote: number,
  report: number,
) => number

const PARAMETERS = {
  from: "i32",
  to: "i32",
  index: "i32",
  lineEnds: "i32",
  columns: "i32",
  recordsMax: "i32",
  delimiter: "i32",
  quote: "i32",
  report: "i32",
} as const

type Parameters = { readonly [N in keyof typeof PARAMETERS]: Local<"i32"> }
type W = Local<"i32">
type L = Local<"i64">
type V = Local<"v128">

/** The variables of a walk over bytes. */
interface Walk extends Parameters {
  /** The block of 64 bytes at hand, and where it starts. */
  readonly block: readonly [V, V, V, V]
  readonly at: W
  readonly delimiters: V
  readonly quotes: V
  /** All bytes so far, or-ed, and whether there was a quote. */
  readonly high: V
  readonly hasQuotes: W
  /** All ones where the block begins within quotes, else 0. */
  readonly inside: L
  /** A bit for each delimiter and line feed of the block, for each line feed, and what is left of some. */
  readonly marks: L
  readonly feeds: L
  readonly left: L
  /** Where the next place goes, and how many there are. */
  readonly out: W
  readonly count: W
  readonly records: W
  /** How many places there are at the end of the record at hand, where it is one. */
  readonly expected: W
  readonly isOut: W
  readonly place: W
}

/** Adds `indexRecords`. */
export function writeCsvIndex(module: WasmModule): void {
  module.function("indexRecords", { parameters: PARAMETERS, result: "i32" }, (given, scope) => {
    const walk = walkOf(given, scope)
    const { from, to, index, columns, delimiter, quote } = given
    const { at, out, expected, isOut, delimiters, quotes, records, count, block: vectors } = walk
    return [
      delimiters.set(i8x16.splat(delimiter.get)),
      quotes.set(i8x16.splat(quote.get)),
      i32.store(index.get, i32.sub(from.get, i32.const(1))),
      at.set(from.get),
      out.set(i32.add(index.get, i32.const(4))),
      expected.set(columns.get),
      isOut.set(i32.const(1)),
      block((end) => [
        branchIf(end, i32.geU(at.get, to.get)),
        loop((again) => [
          ...vectors.map((vector, number) => vector.set(v128.load(at.get, number * VECTOR_BYTES))),
          ...findMarks(walk),
          ...leaveOutQuoted(walk),
          ...writePlaces(walk),
          ...endRecords(walk),
          // A record of more fields than there are columns is none, and there is room only for such as are.
          when(i32.geU(count.get, expected.get), [isOut.set(i32.const(0)), branch(end)]),
          at.set(i32.add(at.get, i32.const(BLOCK_BYTES))),
          branchIf(again, i32.ltU(at.get, to.get)),
        ]),
      ]),
      ...report(walk, isOut.get),
      records.get,
    ]
  })
}

function walkOf(given: Parameters, scope: FunctionScope): Walk {
  const [word, long, vector] = (["i32", "i64", "v128"] as const).map((type) => () => scope.local(type)) as [
    () => W,
    () => L,
    () => V,
  ]
  return {
    ...given,
    block: [vector(), vector(), vector(), vector()],
    at: word(),
    delimiters: vector(),
    quotes: vector(),
    high: vector(),
    hasQuotes: word(),
    inside: long(),
    marks: long(),
    feeds: long(),
    left: long(),
    out: word(),
    count: word(),
    records: word(),
    expected: word(),
    isOut: word(),
    place: word(),
  }
}

/** Says what the walk has seen. */
function report({ report, high, hasQuotes }: Walk, isOut: Code<"i32">): Code<"none">[] {
  const hasHigh = v128.anyTrue(v128.and(high.get, i8x16.splat(i32.const(0x80))))
  return [
    i32.store(report.get, i32.or(hasHigh, hasQuotes.get), REPORT.isSpecial),
    i32.store(report.get, isOut, REPORT.isOut),
  ]
}

/** Finds delimiters and line feeds of the block, up to where the bytes end. */
function findMarks(walk: Walk): Code<"none">[] {
  const { block, at, to, delimiters, high, marks, feeds } = walk
  const isFeed = (vector: V) => i8x16.eq(vector.get, i8x16.splat(i32.const(LF)))
  const rest = i32.sub(to.get, at.get)
  return [
    high.set(v128.or(high.get, anyOf(block.map(({ get }) => get)))),
    marks.set(bitsOf(block.map((vector) => v128.or(i8x16.eq(vector.get, delimiters.get), isFeed(vector))))),
    feeds.set(bitsOf(block.map(isFeed))),
    when(i32.ltU(rest, i32.const(BLOCK_BYTES)), keepBelow(walk, i64.shl(i64.const(1n), i64.extendU(rest)))),
  ]
}

/** Leaves out what stands within quotes, and ends the bytes at a line feed there. */
function leaveOutQuoted(walk: Walk): Code<"none">[] {
  const { block, at, to, quotes, left, place, isOut, inside, hasQuotes, marks, feeds } = walk
  const isQuote = block.map((vector) => i8x16.eq(vector.get, quotes.get))
  const toggle = (bits: bigint) => left.set(i64.xor(left.get, i64.shl(left.get, i64.const(bits))))
  const quotedFeeds = i64.and(feeds.get, left.get)
  const outside = i64.xor(left.get, i64.const(-1n))
  return [
    when(i32.or(v128.anyTrue(anyOf(isQuote)), i64.ne(inside.get, i64.const(0n))), [
      hasQuotes.set(i32.const(1)),
      // A bit for each byte behind an odd number of quotes.
      left.set(bitsOf(isQuote)),
      ...[1n, 2n, 4n, 8n, 16n, 32n].map(toggle),
      left.set(i64.xor(left.get, inside.get)),
      inside.set(i64.shrS(left.get, i64.const(63n))),
      when(i64.ne(quotedFeeds, i64.const(0n)), [
        place.set(i32.add(at.get, i32.wrap(i64.ctz(quotedFeeds)))),
        ...keepBelow(walk, i64.and(quotedFeeds, i64.sub(i64.const(0n), quotedFeeds))),
        to.set(place.get),
        isOut.set(i32.const(0)),
      ]),
      marks.set(i64.and(marks.get, outside)),
      feeds.set(i64.and(feeds.get, outside)),
    ]),
  ]
}

/** Keeps the marks below a bit. */
function keepBelow({ marks, feeds }: Walk, limit: Code<"i64">): Code<"none">[] {
  const below = i64.sub(limit, i64.const(1n))
  return [marks.set(i64.and(marks.get, below)), feeds.set(i64.and(feeds.get, below))]
}

/** Writes the places of the block's marks. */
function writePlaces({ at, out, marks, left, place }: Walk): Code<"none">[] {
  const writeOne = (number: number) => [
    i32.store(out.get, i32.add(at.get, i32.wrap(i64.ctz(left.get))), number * 4),
    left.set(withoutLowest(left)),
  ]
  const isLeft = i64.ne(left.get, i64.const(0n))
  return [
    left.set(marks.get),
    ...Array.from({ length: PLACES_AT_ONCE }, (_, number) => writeOne(number)).flat(),
    when(isLeft, [
      place.set(out.get),
      out.set(i32.add(out.get, i32.const(PLACES_AT_ONCE * 4))),
      whileLoop(isLeft, [...writeOne(0), out.set(i32.add(out.get, i32.const(4)))]),
      out.set(place.get),
    ]),
  ]
}

/** Ends a record at each line feed of the block, where it has as many fields as there are columns. */
function endRecords(walk: Walk): Code<"none">[] {
  const { at, out, marks, feeds, count, expected, records, place, lineEnds, columns, recordsMax } = walk
  const upToFeed = i64.and(marks.get, i64.xor(feeds.get, i64.sub(feeds.get, i64.const(1n))))
  const isOther = i32.ne(i32.add(count.get, i32.wrap(i64.popcnt(upToFeed))), expected.get)
  const stop = [...report(walk, i32.const(0)), returns(records.get)]
  const hasCarriageReturn = i32.eq(i32.load8U(i32.sub(place.get, i32.const(1))), i32.const(CR))
  const found = i32.wrap(i64.popcnt(marks.get))
  return [
    whileLoop(i64.ne(feeds.get, i64.const(0n)), [
      when(isOther, stop),
      place.set(i32.add(at.get, i32.wrap(i64.ctz(feeds.get)))),
      i32.store(i32.add(lineEnds.get, i32.shl(records.get, i32.const(2))), i32.sub(place.get, hasCarriageReturn)),
      records.set(i32.add(records.get, i32.const(1))),
      expected.set(i32.add(expected.get, columns.get)),
      when(i32.eq(records.get, recordsMax.get), stop),
      feeds.set(withoutLowest(feeds)),
    ]),
    count.set(i32.add(count.get, found)),
    out.set(i32.add(out.get, i32.shl(found, i32.const(2)))),
  ]
}

function withoutLowest(bits: L): Code<"i64"> {
  return i64.and(bits.get, i64.sub(bits.get, i64.const(1n)))
}

function anyOf(vectors: readonly Code<"v128">[]): Code<"v128"> {
  return vectors.reduce((one, other) => v128.or(one, other))
}

/** The highest bits of the bytes of four vectors. */
function bitsOf(vectors: readonly Code<"v128">[]): Code<"i64"> {
  return vectors
    .map((vector, number) => i64.shl(i64.extendU(i8x16.bitmask(vector)), i64.const(BigInt(number * VECTOR_BYTES))))
    .reduce((one, other) => i64.or(one, other))
}
