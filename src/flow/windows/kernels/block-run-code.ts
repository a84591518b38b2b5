/**
 * Code that adds rows that follow each other in a batch by blocks of 8, for kernels that can; what is left at the ends is
 * added row by row. Where an input may be null, blocks start at multiples of 8, so that a block's presence is a byte.
 */
import { i32, when, whileLoop, type Code, type Label, type Local } from "../../../base/wasm-code.ts"
import { BLOCK_ROWS, type BlockAccess, type FieldPlace } from "../../aggregates/aggregate.ts"
import { increment, itemAddress, loadedFrom } from "./code-places.ts"
import type { Adding } from "./ingest-code.ts"
import type { PlacedKernel, WindowShape } from "./window-shape.ts"

/** A kernel that has blocks, and its entry's fields in variables. */
export interface BlockKernel {
  readonly placed: PlacedKernel
  readonly fields: readonly FieldPlace[]
}

/** What a run of rows is added with. */
export interface BlockRun {
  readonly shape: WindowShape
  /** Its `row` is the first row of the run, and afterwards the one behind the last. */
  readonly adding: Adding
  readonly kernels: readonly BlockKernel[]
  readonly runEnd: Local<"i32">
  /** Where to go when a record may have to be refused. */
  readonly doubted: Label
  /** Adds `row` alone. */
  readonly addRow: readonly Code<"none">[]
}

/** Adds the rows from `row` to `runEnd`. */
export function addByBlocks({ shape, adding, kernels, runEnd, doubted, addRow }: BlockRun): Code<"none">[] {
  const { scope, row } = adding
  const blockRows = scope.local("i32")
  const blockEnd = scope.local("i32")
  const toBlock: Code<"none">[] = []
  const blocks = kernels.map(({ placed, fields }) => {
    const access = blockAccess(shape, adding, placed, { rows: blockRows.get, doubted, toBlock })
    return placed.kernel.blocks!(access, fields, scope)
  })
  const isAligned = kernels.some(({ placed }) => placed.kernel.inputs.some(({ type }) => type.isNullable))
  const addRows = (until: Local<"i32">) => whileLoop(i32.ltS(row.get, until.get), [...addRow, increment(row)])
  return [
    ...(isAligned
      ? [
          blockEnd.set(i32.and(i32.add(row.get, i32.const(BLOCK_ROWS - 1)), i32.const(-BLOCK_ROWS))),
          blockEnd.set(i32.select(i32.ltS(blockEnd.get, runEnd.get), blockEnd.get, runEnd.get)),
          addRows(blockEnd),
        ]
      : []),
    blockRows.set(i32.and(i32.sub(runEnd.get, row.get), i32.const(-BLOCK_ROWS))),
    when(i32.ne(blockRows.get, i32.const(0)), [
      blockEnd.set(i32.add(row.get, blockRows.get)),
      ...blocks.flatMap(({ begin }) => begin),
      whileLoop(i32.ltS(row.get, blockEnd.get), [
        ...toBlock,
        ...blocks.flatMap(({ addBlock }) => addBlock),
        increment(row, BLOCK_ROWS),
      ]),
      ...blocks.flatMap(({ end }) => end),
    ]),
    addRows(runEnd),
  ]
}

/** How a kernel sees a block. What `toBlock` gets sets the variables for the block that starts at `row`. */
function blockAccess(
  shape: WindowShape,
  { control, scope, setup, row }: Adding,
  { kernel, inputFrom }: PlacedKernel,
  { rows, doubted, toBlock }: Pick<BlockAccess, "rows" | "doubted"> & { readonly toBlock: Code<"none">[] },
): BlockAccess {
  const known = new Map<string, Local<"i32">>()
  const once = (name: string, offset: number, valueAt: (base: Local<"i32">) => Code<"i32">) => {
    let local = known.get(name)
    if (local === undefined) {
      known.set(name, (local = scope.local("i32")))
      toBlock.push(local.set(valueAt(loadedFrom(control, offset, scope, setup))))
    }
    return local.get
  }
  return {
    rows,
    doubted,
    values: (input) =>
      once(`values ${input}`, shape.control.inputValues(inputFrom + input), (base) =>
        itemAddress(base.get, row.get, kernel.inputs[input]!.storage === "int32" ? 2 : 3),
      ),
    presence: (input) =>
      once(`presence ${input}`, shape.control.inputValidity(inputFrom + input), (base) =>
        i32.load8U(i32.add(base.get, i32.shrU(row.get, i32.const(3)))),
      ),
  }
}
