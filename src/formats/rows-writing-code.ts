/**
 * WebAssembly that writes rows: for each row what stands before each field, and the field, by the writers of the types.
 *
 * What the columns of a schema are stands in a table in the memory, so that one module serves all schemas of a format; a
 * column's entry has 64 bytes, in words:
 *
 *      0  kind            4  values           8  validity, or `NONE` where nothing is null
 *     12  prefix         16  its length      20  whether numbers stand within quotes (JSON), the empty text (CSV)
 *     24  starts         28  what to add to them              40  the last date (`timestamp-writing-code.ts`)
 *
 * Texts lie one behind the other in the memory. Those of a dictionary have a start for each code and one more; others, and
 * fields that JavaScript has written, one for each row at its place in the selection, and one more.
 *
 * A row for which the room may not do is not written: the function gives where it stopped, and the caller makes room.
 *
 * Invariant:
 * - RW1 What is written of a row is what the types' `toText` or `toJson` give, as the encoders put them together.
 */
import {
  block,
  branch,
  branchIf,
  call,
  i32,
  i64,
  f64,
  loop,
  v128,
  when,
  type Code,
  type Label,
  type Local,
} from "../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../base/wasm-module.ts"
import { writeWholeWriter } from "./digits-writing-code.ts"
import { writeDoubleWriter } from "./double-writing-code.ts"
import { writeByteCopier, writeCsvTextWriter, writeJsonTextWriter } from "./text-writing-code.ts"
import { writeTimestampWriter } from "./timestamp-writing-code.ts"

/** What a column's fields are. */
export const COLUMN_KIND = {
  /** Texts of a dictionary. */
  text: 0,
  /** Texts by row. */
  rowText: 1,
  /** Written by JavaScript, by row. */
  ready: 2,
  double: 3,
  int32: 4,
  int64: 5,
  timestamp: 6,
  bool: 7,
} as const

/** An entry's size, and the offsets of its words. */
export const COLUMN_ENTRY = {
  kind: 0,
  values: 4,
  validity: 8,
  prefix: 12,
  prefixLength: 16,
  quotes: 20,
  starts: 24,
  texts: 28,
  lastDate: 40,
  bytes: 64,
} as const

/** No address: that of the memory's first byte is 0. */
export const NONE = -1

/** What a field that is no text takes, with its quotes, and what behind a row. */
export const FIELD_BYTES_MAX = 40
/** Longer prefixes are copied by another function. */
const PREFIX_BYTES = 32

const [QUOTE, BRACE, LF] = [34, 125, 10] as const
const NULL_WORD = 0x6c6c_756e
const [TRUE_WORD, FALSE_WORD] = [0x6575_7274n, 0x65_736c_6166n] as const

const PARAMETERS = {
  columns: "i32",
  columnsEnd: "i32",
  /** The rows, or `NONE` where they are those of their places. */
  selection: "i32",
  from: "i32",
  to: "i32",
  out: "i32",
  outEnd: "i32",
  /** What a row takes at most beside its texts. */
  rowBytes: "i32",
  /** Where the end of what was written is put. */
  report: "i32",
  powers: "i32",
  /** CSV: delimiter and quote. JSON: the table of short escapes, and nothing. */
  first: "i32",
  second: "i32",
} as const

type Given = { readonly [N in keyof typeof PARAMETERS]: Local<"i32"> }

/** Writes rows, and gives the place behind the last one. */
export type WriteRows = (
  columns: number,
  columnsEnd: number,
  selection: number,
  from: number,
  to: number,
  out: number,
  outEnd: number,
  rowBytes: number,
  report: number,
  powers: number,
  first: number,
  second: number,
) => number

type Format = "csv" | "jsonl"

/** What is at hand for a field. */
interface FieldAtHand {
  readonly out: Local<"i32">
  readonly column: Local<"i32">
  readonly row: Local<"i32">
  readonly place: Local<"i32">
  /** Leads to where there was no room. */
  readonly full: Label
}

/** Adds `writeRows`, and the writers of all types. */
export function writeRowsWriter(module: WasmModule, format: Format): void {
  writeWholeWriter(module)
  writeDoubleWriter(module)
  writeTimestampWriter(module)
  writeByteCopier(module)
  if (format === "csv") writeCsvTextWriter(module)
  else writeJsonTextWriter(module)
  module.function("writeRows", { parameters: PARAMETERS, result: "i32" }, (given, scope) => {
    const { columns, columnsEnd, selection, from, to, out, outEnd, rowBytes, report } = given
    const [start, column, row] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const step = (local: Local<"i32">, by: number) => local.set(i32.add(local.get, i32.const(by)))
    return [
      start.set(out.get),
      block((full) => [
        loop((nextRow) => [
          branchIf(full, i32.geU(from.get, to.get)),
          branchIf(full, i32.gtU(i32.add(out.get, rowBytes.get), outEnd.get)),
          row.set(from.get),
          when(i32.ne(selection.get, i32.const(NONE)), [
            row.set(i32.load(i32.add(selection.get, i32.shl(from.get, i32.const(2))))),
          ]),
          column.set(columns.get),
          loop((nextColumn) => [
            ...writeField({ out, column, row, place: from, full }, given, format, scope),
            step(column, COLUMN_ENTRY.bytes),
            branchIf(nextColumn, i32.ltU(column.get, columnsEnd.get)),
          ]),
          ...endRow(out, start, given, format),
          start.set(out.get),
          step(from, 1),
          branch(nextRow),
        ]),
      ]),
      // Of a row for which there was no room some fields may stand behind it.
      i32.store(report.get, start.get),
      from.get,
    ]
  })
}

function endRow(out: Local<"i32">, start: Local<"i32">, given: Given, format: Format): Code<"none">[] {
  if (format === "jsonl") {
    return [i32.store16(out.get, i32.const(BRACE | (LF << 8))), out.set(i32.add(out.get, i32.const(2)))]
  }
  return [
    // No record is an empty line.
    when(i32.eq(out.get, start.get), [
      i32.store8(out.get, given.second.get),
      i32.store8(out.get, given.second.get, 1),
      out.set(i32.add(out.get, i32.const(2))),
    ]),
    i32.store8(out.get, i32.const(LF)),
    out.set(i32.add(out.get, i32.const(1))),
  ]
}

function writeField(field: FieldAtHand, given: Given, format: Format, scope: FunctionScope): Code<"none">[] {
  const { out, column } = field
  const [kind, validity, prefix, length] = [0, 1, 2, 3].map(() => scope.local("i32")) as [W, W, W, W]
  const word = (name: keyof typeof COLUMN_ENTRY) => i32.load(column.get, COLUMN_ENTRY[name])
  return [
    prefix.set(word("prefix")),
    length.set(word("prefixLength")),
    when(
      i32.leU(length.get, i32.const(PREFIX_BYTES)),
      [
        v128.store(out.get, v128.load(prefix.get)),
        v128.store(out.get, v128.load(prefix.get, 16), 16),
        out.set(i32.add(out.get, length.get)),
      ],
      [out.set(call("i32", "copyBytes", out.get, prefix.get, length.get))],
    ),
    block((done) => [
      validity.set(word("validity")),
      when(i32.ne(validity.get, i32.const(NONE)), [
        when(i32.eqz(bitOf(validity, field.row)), [
          ...(format === "csv"
            ? []
            : [i32.store(out.get, i32.const(NULL_WORD)), out.set(i32.add(out.get, i32.const(4)))]),
          branch(done),
        ]),
      ]),
      kind.set(word("kind")),
      when(i32.leU(kind.get, i32.const(COLUMN_KIND.ready)), [
        ...writeText(field, kind, given, format, scope),
        branch(done),
      ]),
      ...writeNumber(field, kind, given, format, done),
      i64.store(
        out.get,
        i64.select(bitOf(columnValues(column), field.row), i64.const(TRUE_WORD), i64.const(FALSE_WORD)),
      ),
      out.set(i32.add(out.get, i32.sub(i32.const(5), bitOf(columnValues(column), field.row)))),
    ]),
  ]
}

type W = Local<"i32">

/** Where a column's values lie. */
function columnValues(column: W): { readonly get: Code<"i32"> } {
  return { get: i32.load(column.get, COLUMN_ENTRY.values) }
}

function bitOf(bitmap: { readonly get: Code<"i32"> }, row: W): Code<"i32"> {
  const byte = i32.load8U(i32.add(bitmap.get, i32.shrU(row.get, i32.const(3))))
  return i32.and(i32.shrU(byte, i32.and(row.get, i32.const(7))), i32.const(1))
}

/** Writes numbers and times, and leaves booleans to what follows. */
function writeNumber(field: FieldAtHand, kind: W, given: Given, format: Format, done: Label): Code<"none">[] {
  const { out, column, row } = field
  const valueAt = (sizeBits: number) => i32.add(columnValues(column).get, i32.shl(row.get, i32.const(sizeBits)))
  const quotes = i32.load(column.get, COLUMN_ENTRY.quotes)
  const quote = format === "csv" ? [] : [i32.store8(out.get, i32.const(QUOTE)), out.set(i32.add(out.get, quotes))]
  const is = (name: keyof typeof COLUMN_KIND, code: Code<"i32">, isQuoted = false) =>
    when(i32.eq(kind.get, i32.const(COLUMN_KIND[name])), [
      ...(isQuoted ? quote : []),
      out.set(code),
      ...(isQuoted ? quote : []),
      branch(done),
    ])
  const wordQuote = i32.const(format === "csv" ? 0 : QUOTE)
  const lastDate = i32.add(column.get, i32.const(COLUMN_ENTRY.lastDate))
  return [
    is("double", call("i32", "writeDouble", out.get, f64.load(valueAt(3)), given.powers.get, wordQuote)),
    is("int64", call("i32", "writeWhole", out.get, i64.load(valueAt(3))), true),
    is("int32", call("i32", "writeWhole", out.get, i64.extendS(i32.load(valueAt(2))))),
    is("timestamp", call("i32", "writeTimestamp", out.get, i64.load(valueAt(3)), lastDate), true),
  ]
}

/** Writes a text, or what JavaScript has written. */
function writeText(field: FieldAtHand, kind: W, given: Given, format: Format, scope: FunctionScope): Code<"none">[] {
  const { out, column, row, place, full } = field
  const [entry, at, length] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
  const code = i32.load(i32.add(columnValues(column).get, i32.shl(row.get, i32.const(2))))
  const bytesMax = format === "csv" ? i32.shl(length.get, i32.const(1)) : i32.mul(length.get, i32.const(6))
  const room = i32.sub(given.outEnd.get, i32.add(out.get, given.rowBytes.get))
  const quotes = i32.load(column.get, COLUMN_ENTRY.quotes)
  return [
    entry.set(place.get),
    when(i32.eq(kind.get, i32.const(COLUMN_KIND.text)), [entry.set(code)]),
    entry.set(i32.add(i32.load(column.get, COLUMN_ENTRY.starts), i32.shl(entry.get, i32.const(2)))),
    at.set(i32.load(entry.get)),
    length.set(i32.sub(i32.load(entry.get, 4), at.get)),
    at.set(i32.add(at.get, i32.load(column.get, COLUMN_ENTRY.texts))),
    branchIf(full, i32.gtS(bytesMax, room)),
    when(
      i32.eq(kind.get, i32.const(COLUMN_KIND.ready)),
      [out.set(call("i32", "copyBytes", out.get, at.get, length.get))],
      [
        out.set(
          format === "csv"
            ? call("i32", "writeText", out.get, at.get, length.get, given.first.get, given.second.get, quotes)
            : call("i32", "writeText", out.get, at.get, length.get, given.first.get),
        ),
      ],
    ),
  ]
}
