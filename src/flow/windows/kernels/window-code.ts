/**
 * The code of a window operator: WebAssembly generated for its aggregates.
 *
 * State is made of *pieces*: the records of one slice that count in the same windows. A piece has an *entry* for each of
 * its keys, in order of their first record; entries are parallel arrays, of which a piece has a range. Pieces are ordered
 * by time in one array: [head, sealed) are those in the window that fired last, [sealed, tail) wait for theirs.
 *
 * Windows share the work by two stacks whose turn is fixed in time: blocks as long as a window (rounded up to slides)
 * start at absolute moments, so that a window lies in at most two of them, and is the end of one and the start of the
 * next. The *old list* has the keys of the older block's pieces that are left, each with what it has in them; of each entry
 * `after` holds what its key has in later pieces of the block. The *new list* has the keys of the newer block's pieces. What
 * a key has there is beside what it has in the old list, or in the new one where it is not in the old. A window's result
 * is both combined: each entry is touched four times, however many windows overlap. Kernels that can remove what they
 * added keep the window's total instead, and so do counts among the fields of the others.
 * (Van Herk's and Gil and Werman's filters; Two-Stacks as in Hammer Slide, Theodorakis et al., ADMS 2018; SlideSide,
 * EDBT 2020.) As turns depend on time alone, so do the bits of the result, and not on when anything ran or restarted.
 *
 * In the old list come first the keys whose last piece is latest, so that leaving pieces cut it at its end; the new list is
 * in order of appearance. A window's rows are the old list, then the new one without what was in the old.
 *
 * Invariants:
 * - WC3 `oldPlaces` and `newPlaces` say for each key its place in the lists, or 0.
 * - WC4 `across` says for each place of a list where its key is in the other, or 0.
 * - WC5 Below `from` of the last piece, `entryOf` says nothing; from there on, it is the entry of a key in that piece.
 */
import type { LinearMemory } from "../../../base/linear-memory.ts"
import { compiledModule } from "../../../expr/compiled-module.ts"
import { WasmModule } from "../../../base/wasm-module.ts"
import { writeAdvance } from "./advance-code.ts"
import { writeIngestAnywhere } from "./disorder-code.ts"
import { writeIngestAlone } from "./ingest-alone-code.ts"
import { writeKeepRows } from "./keep-code.ts"
import { writeRefusing } from "./ingest-code.ts"
import { writeIngest } from "./ingest-keyed-code.ts"
import { writeFireDue } from "./fire-code.ts"
import { writeFireFew } from "./fire-few-code.ts"
import { writeFillCell, writeFindPiece } from "./piece-code.ts"
import { writeFindCells } from "./key-cell-code.ts"
import { mayHaveCells } from "../keys/key-cells.ts"
import { writeFindEntry, writeRepair } from "./repair-code.ts"
import { writeEmit, writeEmitEntries } from "./emit-code.ts"
import { writeFireAlone } from "./fire-alone-code.ts"
import type { WindowShape } from "./window-shape.ts"

/** The generated functions. `control` is the address of the control block. */
export interface WindowFunctions {
  /**
   * Adds rows `at` … `end − 1`, which are in order of time, on time, and no earlier than the last piece; see
   * `ingest-keyed-code.ts` and, where there is no key, `ingest-alone-code.ts`.
   */
  readonly ingest: (control: number, at: number, end: number, rows: number, ids: number) => number
  /** The same where all rows count: `rows` means nothing. */
  readonly ingestAll: WindowFunctions["ingest"]
  /** The same where keys' ids are looked up on the way: `ids` means nothing, or keys' cells. There for some keys only. */
  readonly ingestDirect?: WindowFunctions["ingest"]
  readonly ingestDirectAll?: WindowFunctions["ingest"]
  /** Finds the cells of rows' keys, where keys may have some; see `key-cell-code.ts`. */
  readonly findCells?: (control: number, at: number, end: number, rows: number, cells: number) => void
  readonly findCellsAll?: NonNullable<WindowFunctions["findCells"]>
  /** Adds records `at` … `end − 1` of lists of rows and ids in no order of time, none late; see `disorder-code.ts`. */
  readonly ingestAnywhere: (
    control: number,
    disorder: number,
    at: number,
    end: number,
    rows: number,
    ids: number,
  ) => number
  /** The same where all are for the piece at hand. */
  readonly ingestInto: WindowFunctions["ingestAnywhere"]
  /** Which aggregate refuses to have a row added to an entry, or -1. */
  readonly refusing: (control: number, row: number, entry: number) => number
  /** Turns to the window that ends at `end`: pieces leave and are taken in. */
  readonly advance: (control: number, end: number) => void
  /** Takes in a piece among those in the last window; 0 where that changes the order of keys. See `repair-code.ts`. */
  readonly repair: (control: number, piece: number) => number
  /** Forgets what was taken in, so that `advance` finds it anew. */
  readonly reset: (control: number) => void
  /** Stores up to `room` result rows of the window from row `to` on, from where the last call ended. */
  readonly emit: (control: number, to: number, room: number, end: number) => number
  /** Fires windows that end at `lastDueEnd` or earlier while their rows fit below `capacity`; see `fire-code.ts`. */
  readonly fireDue: (control: number, lastDueEnd: number, to: number, capacity: number) => number
  /** The same where keys are few; see `fire-few-code.ts`. There where there are keys. */
  readonly fireFew?: (control: number, keyCount: number, lastDueEnd: number, to: number, capacity: number) => number
  /** Stores the result rows of a window of one piece: its entries from `from` on. */
  readonly emitEntries: (control: number, to: number, count: number, end: number, from: number) => void
  /** Keeps those of the stored rows that are listed; see `keep-code.ts`. There where there are keys. */
  readonly keepRows?: (control: number, rows: number, count: number) => void
}

/**
 * The functions, working on `memory`. The code depends on the aggregates alone (lengths are in the control block), so
 * operators with the same aggregates share it.
 */
export function windowFunctions(shape: WindowShape, memory: LinearMemory): WindowFunctions {
  return compiledModule(`window ${shape.key}`, () => windowModule(shape)).instantiate<WindowFunctions>(memory)
}

function windowModule(shape: WindowShape): WasmModule {
  const module = new WasmModule()
  const hasKeys = shape.keys.parts.length > 0
  if (hasKeys) writeIngest(module, shape)
  else {
    writeIngestAlone(module, shape, "ingest")
    writeIngestAlone(module, shape, "ingestAll")
  }
  if (mayHaveCells(shape.keys)) writeFindCells(module, shape)
  writeRefusing(module, shape)
  writeFillCell(module, shape)
  writeFindPiece(module, shape)
  writeIngestAnywhere(module, shape, "ingestAnywhere")
  writeIngestAnywhere(module, shape, "ingestInto")
  writeEmitEntries(module, shape)
  if (hasKeys) {
    writeKeepRows(module, shape)
    writeAdvance(module, shape)
    writeFindEntry(module)
    writeRepair(module, shape)
    writeEmit(module, shape)
    writeFireDue(module)
    writeFireFew(module, shape)
  } else writeFireAlone(module, shape)
  return module
}
