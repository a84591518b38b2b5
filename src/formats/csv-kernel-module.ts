/** The WebAssembly of the CSV decoder: one module for all layouts, as a reader goes through one column at a time. */
import type { LinearMemory } from "../batch/arena.ts"
import { compiledModule } from "../expr/compiled-module.ts"
import { WasmModule } from "../expr/wasm-module.ts"
import { writeBoolReader } from "./bool-code.ts"
import { writeCsvIndex, type IndexRecords } from "./csv-index-code.ts"
import type { FieldArguments } from "./field-code.ts"
import { writeDoubleReader, writeWholeReaders } from "./number-code.ts"
import { writeTextReader } from "./text-code.ts"
import { writeTimestampReader } from "./timestamp-code.ts"

/** Reads a field of many records, and gives how many are listed as unread. See `field-code.ts`. */
type ReadFields = (...given: FieldArguments) => number

/** The functions. */
export interface CsvKernelFunctions {
  readonly indexRecords: IndexRecords
  readonly readInt32: ReadFields
  readonly readWhole: ReadFields
  readonly readInt64: ReadFields
  readonly readTimestamp: ReadFields
  readonly readBool: ReadFields
  readonly readDouble: (...given: readonly [...FieldArguments, powers: number]) => number
  readonly readText: (...given: readonly [...FieldArguments, table: number, masks: number]) => number
  readonly addText: (table: number, masks: number, start: number, length: number, code: number) => number
}

const made = new WeakMap<LinearMemory, CsvKernelFunctions>()

/** The functions, working on `memory`. */
export function csvKernelFunctions(memory: LinearMemory): CsvKernelFunctions {
  const known = made.get(memory)
  if (known !== undefined) return known
  const functions = compiledModule("csv", csvModule).instantiate<CsvKernelFunctions>(memory)
  made.set(memory, functions)
  return functions
}

function csvModule(): WasmModule {
  const module = new WasmModule()
  const spelling = { nullText: "", hasLeadingZeros: true } as const
  writeCsvIndex(module)
  writeWholeReaders(module, spelling)
  writeDoubleReader(module, spelling)
  writeTimestampReader(module, "")
  writeBoolReader(module, "")
  writeTextReader(module, "")
  return module
}
