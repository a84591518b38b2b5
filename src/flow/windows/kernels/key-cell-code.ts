/**
 * Code that finds the cells of rows' keys (`key-cells.ts`): `findCells(control, at, end, rows, cells)`, and `findCellsAll`,
 * where `rows` means nothing, records are rows, and four are done at a time. What has no cell gets the one behind the last,
 * which is nobody's.
 */
import { i32, i32x4, v128, whileLoop, type Code, type Local } from "../../../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../../base/wasm-module.ts"
import { increment, itemAddress, loadedFrom } from "./code-places.ts"
import { CONTROL } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

const VECTOR_ROWS = 4
/** Rows are read at so many places side by side: memory is faster so. */
const PLACES = 4

/** A part of keys: where its column lies, how many bits it has, and those that it does not have. */
interface CellPart {
  readonly column: Local<"i32">
  readonly bits: Local<"i32">
  readonly excess: Local<"i32">
}

export function writeFindCells(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", at: "i32", end: "i32", rows: "i32", cells: "i32" } as const
  module.function("findCells", { parameters, result: "none" }, ({ control, at, end, rows, cells }, scope) => {
    const { setup, parts, none } = cellParts(shape, control, scope)
    const row = scope.local("i32")
    const store = storeCell(parts, none, scope, { row, cell: itemAddress(cells.get, at.get, 2) })
    const read = row.set(i32.load(itemAddress(rows.get, at.get, 2)))
    return [...setup, whileLoop(i32.ltS(at.get, end.get), [read, ...store, increment(at)])]
  })
  module.function("findCellsAll", { parameters, result: "none" }, ({ control, at, end, cells }, scope) => {
    const { setup, parts, none } = cellParts(shape, control, scope)
    const [quarter, vectorsEnd] = [scope.local("i32"), scope.local("i32")]
    const rows = [at, ...Array.from({ length: PLACES - 1 }, () => scope.local("i32"))]
    const cell = (row: Local<"i32">) => itemAddress(cells.get, row.get, 2)
    const four = (row: Local<"i32">) => [
      ...storeFour(parts, none, scope, { row, cell: cell(row) }),
      increment(row, VECTOR_ROWS),
    ]
    return [
      ...setup,
      quarter.set(i32.and(i32.shrU(i32.sub(end.get, at.get), i32.const(Math.log2(PLACES))), i32.const(-VECTOR_ROWS))),
      ...rows.slice(1).map((row, before) => row.set(i32.add(rows[before]!.get, quarter.get))),
      vectorsEnd.set(i32.add(at.get, quarter.get)),
      whileLoop(i32.ltS(at.get, vectorsEnd.get), rows.flatMap(four)),
      at.set(rows.at(-1)!.get),
      vectorsEnd.set(i32.sub(end.get, i32.const(VECTOR_ROWS - 1))),
      whileLoop(i32.ltS(at.get, vectorsEnd.get), four(at)),
      whileLoop(i32.ltS(at.get, end.get), [
        ...storeCell(parts, none, scope, { row: at, cell: cell(at) }),
        increment(at),
      ]),
    ]
  })
}

function cellParts(shape: WindowShape, control: Local<"i32">, scope: FunctionScope) {
  const setup: Code<"none">[] = []
  const load = (offset: number) => loadedFrom(control, offset, scope, setup)
  const parts = shape.keys.parts.map((_, part): CellPart => {
    const [column, bits] = [load(shape.control.lookedUp(part)), load(shape.control.lookedUpBits(part))]
    const excess = scope.local("i32")
    setup.push(excess.set(i32.shl(i32.const(-1), bits.get)))
    return { column, bits, excess }
  })
  return { setup, parts, none: load(CONTROL.idCount) }
}

interface CellPlace {
  readonly row: Local<"i32">
  /** The address of its cell's number. */
  readonly cell: Code<"i32">
}

function storeCell(
  parts: readonly CellPart[],
  none: Local<"i32">,
  scope: FunctionScope,
  { row, cell }: CellPlace,
): Code<"none">[] {
  const values = parts.map(() => scope.local("i32"))
  const read = parts.map(({ column }, part) => values[part]!.set(i32.load(itemAddress(column.get, row.get, 2))))
  const beyond = parts.map(({ excess }, part) => i32.and(values[part]!.get, excess.get)).reduce((a, b) => i32.or(a, b))
  const number = values
    .map((value) => value.get)
    .reduce((all, value, part) => i32.or(i32.shl(all, parts[part]!.bits.get), value))
  return [...read, i32.store(cell, i32.select(beyond, none.get, number))]
}

function storeFour(
  parts: readonly CellPart[],
  none: Local<"i32">,
  scope: FunctionScope,
  { row, cell }: CellPlace,
): Code<"none">[] {
  const values = parts.map(() => scope.local("v128"))
  const beyond = scope.local("v128")
  const read = parts.map(({ column }, part) => values[part]!.set(v128.load(itemAddress(column.get, row.get, 2))))
  const excess = parts.map((each, part) => v128.and(values[part]!.get, i32x4.splat(each.excess.get)))
  const number = values
    .map((value) => value.get)
    .reduce((all, value, part) => v128.or(i32x4.shl(all, parts[part]!.bits.get), value))
  return [
    ...read,
    beyond.set(excess.reduce((a, b) => v128.or(a, b))),
    v128.store(cell, v128.bitSelect(number, i32x4.splat(none.get), i32x4.eq(beyond.get, i32x4.splat(i32.const(0))))),
  ]
}
