/** The WebAssembly that reads fields of a format: one module for all schemas, as a loop goes through one column at a time. */
import { compiledModule } from "../expr/compiled-module.ts"
import type { LinearMemory } from "../base/linear-memory.ts"
import { ColumnType } from "../batch/type.ts"
import { int64FromBytes } from "../batch/types/int64-bytes.ts"
import { WasmModule } from "../base/wasm-module.ts"
import { writeBoolReader } from "./bool-code.ts"
import type { FieldArguments, FieldSpelling } from "./field-code.ts"
import { writeDoubleReader } from "./double-code.ts"
import { BOOL, DOUBLE, howToRead, INT32, NUMBER, SYMBOL, TEXT, WHOLE, type FieldReader } from "./field-reader.ts"
import { writeWholeReaders } from "./number-code.ts"
import { writeTextReader } from "./text-code.ts"
import { writeTimestampReader } from "./timestamp-code.ts"

/** Reads a field of many records, and gives how many are listed as unread. See `field-code.ts`. */
type ReadFields = (...given: FieldArguments) => number

/** The functions. */
export interface FieldFunctions {
  readonly readInt32: ReadFields
  readonly readWhole: ReadFields
  readonly readInt64: ReadFields
  readonly readTimestamp: ReadFields
  readonly readBool: ReadFields
  readonly readDouble: (...given: readonly [...FieldArguments, powers: number]) => number
  readonly readText: (...given: readonly [...FieldArguments, table: number, entries: number, masks: number]) => number
  readonly addText: (
    ...given: readonly [table: number, entries: number, masks: number, start: number, length: number, code: number]
  ) => number
}

/** What reads a column. */
export type FieldKernel = Exclude<keyof FieldFunctions, "addText">

/**
 * What reads the column of a reader, if anything does. A narrower type is read as the wider one that it is a part of: its
 * `admit` is to be asked of each value.
 */
export function kernelOf({ how, type }: Pick<FieldReader, "how" | "type">): FieldKernel | undefined {
  const { narrowing, fromBytes } = type.definition
  if (narrowing !== undefined) {
    const wider = new ColumnType(narrowing.of)
    return kernelOf({ how: howToRead(wider), type: wider })
  }
  switch (how) {
    case TEXT:
    case SYMBOL:
      return "readText"
    case DOUBLE:
      return "readDouble"
    case WHOLE:
      return "readWhole"
    case INT32:
      return "readInt32"
    case BOOL:
      return "readBool"
    case NUMBER:
      if (fromBytes === int64FromBytes) return "readInt64"
      return type.definition.isIsoText === true ? "readTimestamp" : undefined
    default:
      return undefined
  }
}

/** By memory: the functions of a format. */
export class KernelModules<F extends FieldFunctions> {
  readonly #key: string
  readonly #spelling: FieldSpelling
  readonly #writeIndex: (module: WasmModule) => void
  readonly #made = new WeakMap<LinearMemory, F>()

  /** @param key names the format. */
  constructor(key: string, spelling: FieldSpelling, writeIndex: (module: WasmModule) => void) {
    this.#key = key
    this.#spelling = spelling
    this.#writeIndex = writeIndex
  }

  /** The functions, working on `memory`. */
  on(memory: LinearMemory): F {
    let functions = this.#made.get(memory)
    if (functions === undefined) {
      functions = compiledModule(this.#key, () => this.#write()).instantiate<F>(memory)
      this.#made.set(memory, functions)
    }
    return functions
  }

  #write(): WasmModule {
    const module = new WasmModule()
    this.#writeIndex(module)
    writeWholeReaders(module, this.#spelling)
    writeDoubleReader(module, this.#spelling)
    writeTimestampReader(module, this.#spelling)
    writeBoolReader(module, this.#spelling)
    writeTextReader(module, this.#spelling)
    return module
  }
}
