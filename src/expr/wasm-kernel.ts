/**
 * Runs kernels of WebAssembly on batches: gathers what they are given, and keeps what they need besides in a block of the
 * arena, for the time of the call.
 *
 * Invariants:
 * - WK1 A kernel runs only where the compiler's beliefs hold (JK1) and everything it touches lies in its memory.
 * - WK2 Where a kernel does not run, or does not know the answer, it has written nothing that counts.
 * - WK3 Nothing of a batch is kept, and no block of the arena, past the call.
 */
import { assert } from "../base/assert.ts"
import type { Arena } from "../batch/arena.ts"
import { MAX_BATCH_ROWS, type Batch } from "../batch/batch.ts"
import type { Column, DictionaryColumn, StructColumn } from "../batch/column.ts"
import type { ColumnType } from "../batch/type.ts"
import { BackOff } from "./back-off.ts"
import { isBuiltinIntact } from "./builtins.ts"
import type { Params } from "./closure.ts"
import type { WasmSource } from "./codegen-wasm-kernel.ts"
import { INVALID_CODE } from "./lane-questions.ts"
import type { ColumnReference } from "./ir.ts"
import type { LambdaParts } from "./js-projection.ts"
import { paramValues } from "./kernel-params.ts"
import type { KernelArgument, KernelText } from "./wasm-argument.ts"
import { roundUp, Scratch, type KernelOutput } from "./wasm-scratch.ts"
import { columnAt, TargetTexts } from "./wasm-target-texts.ts"
import { TextTableEntries } from "./wasm-text-table.ts"

/** Tables larger than this are copied only for batches that are as large. */
const MIN_TABLE_BYTES = 4096
const TABLE_BYTES_PER_ROW = 64
/** Eight rows at a time cost less than one of a selection for each so many. */
const DENSITY = 6

/** See `codegen-wasm-kernel.ts`. */
type Kernel = (count: number, list: number, from: number, ...args: readonly (number | bigint)[]) => number

type KernelFunctions = { readonly all: Kernel; readonly some: Kernel }

/** What a kernel works with. */
export interface WasmKernelOptions extends LambdaParts {
  /** Where batches lie. */
  readonly arena: Arena
  /** The types of a projection's columns, and those of them whose dictionaries are taken over from the row's. */
  readonly targetTypes?: readonly ColumnType[]
  readonly sharedDictionaries?: ReadonlyMap<number, ColumnReference>
}

/** See the head of this file. */
export class WasmKernel {
  readonly #source: WasmSource
  readonly #options: WasmKernelOptions
  readonly #tables: ReadonlyMap<number, TextTableEntries>
  readonly #texts: TargetTexts
  readonly #backOff = new BackOff()
  #functions: KernelFunctions | undefined

  constructor(source: WasmSource, options: WasmKernelOptions) {
    this.#source = source
    this.#options = options
    const tables = new Map<number, TextTableEntries>()
    for (const argument of source.arguments) {
      if (argument.from !== "table") continue
      const table = source.tables[argument.table]!
      const type = table.target === undefined ? undefined : options.targetTypes![table.target]!
      tables.set(argument.table, new TextTableEntries(table, options, type))
    }
    this.#tables = tables
    this.#texts = new TargetTexts(source, options.targetTypes ?? [])
  }

  /** How many rows are listed, or `undefined` where JavaScript must do the batch. */
  run(batch: Batch, params: Params, output: KernelOutput): number | undefined {
    assert(batch.count <= MAX_BATCH_ROWS, "a batch has at most 65,536 rows")
    if (batch.count === 0) return 0
    if (!this.#options.builtins.every(isBuiltinIntact)) return undefined
    const values = paramValues(this.#source.params, this.#options.params, params)
    if (values === undefined || this.#backOff.isResting()) return undefined
    this.#texts.update(batch, params, output.targets)
    let tableBytes = 0
    for (const [number, entries] of this.#tables) {
      const { target } = this.#source.tables[number]!
      const dictionary = target === undefined ? undefined : this.#texts.dictionaryOf(target)
      if (!entries.update(batch, params, dictionary)) return undefined
      tableBytes += roundUp(entries.entries.byteLength)
    }
    if (tableBytes > Math.max(MIN_TABLE_BYTES, batch.count * TABLE_BYTES_PER_ROW)) return undefined
    return this.#runIn(new Scratch(this.#options.arena, batch, output, tableBytes), { batch, values, output })
  }

  #runIn(scratch: Scratch, call: KernelCall): number | undefined {
    try {
      if (!scratch.hasRoom) return undefined
      const args = this.#arguments(scratch, call)
      if (args === undefined) return undefined
      this.#functions ??= this.#source.module.instantiate<KernelFunctions>(this.#options.arena.memory)
      const { batch, output } = call
      const { all, some } = this.#functions
      const listed = this.#doesAll(batch)
        ? all(batch.length, scratch.list, scratch.from, ...args)
        : some(batch.count, scratch.list, scratch.from, ...args)
      if (listed < 0) {
        this.#backOff.failed()
        return undefined
      }
      this.#backOff.succeeded()
      scratch.copyList(listed)
      this.#giveDictionaries(batch, output.targets)
      return listed
    } finally {
      scratch.release()
    }
  }

  /** Whether all rows are done: also of a selection, where that is cheaper and rows that do not count do no harm. */
  #doesAll({ selection, count, length }: Batch): boolean {
    if (selection === null) return true
    return this.#source.listsNone && this.#source.isVectorised && count * DENSITY >= length
  }

  #giveDictionaries(batch: Batch, targets: readonly Column[]): void {
    for (const [target, { path }] of this.#options.sharedDictionaries ?? []) {
      ;(targets[target] as DictionaryColumn).dictionary = (columnAt(batch, path) as DictionaryColumn).dictionary
    }
    this.#texts.give(targets)
  }

  /** `undefined` where something does not lie in the memory. */
  #arguments(scratch: Scratch, call: KernelCall): (number | bigint)[] | undefined {
    const args: (number | bigint)[] = []
    for (const argument of this.#source.arguments) {
      const value = this.#argument(argument, scratch, call)
      if (value === undefined) return undefined
      args.push(value)
    }
    return args
  }

  #argument(
    argument: KernelArgument,
    scratch: Scratch,
    { batch, values, output }: KernelCall,
  ): number | bigint | undefined {
    switch (argument.from) {
      case "column": {
        const column = columnAt(batch, argument.path)
        if (argument.part === "validity" && column.validity === null) return scratch.ones()
        return this.#address(column, argument.part)
      }
      case "target":
        return this.#address(output.targets[argument.target]!, argument.part)
      case "param":
        return paramArgument(values[argument.param], argument.as)
      case "code": {
        const text = textOf(argument.text, values)
        return text === null ? -1 : (columnAt(batch, argument.path) as DictionaryColumn).dictionary.find(text)
      }
      case "table":
        return scratch.copyTable(this.#tables.get(argument.table)!)
      case "targetCode": {
        const text = textOf(argument.text, values)
        return text === null ? INVALID_CODE : this.#texts.codeOf(argument.target, text)
      }
    }
  }

  #address(column: Column, part: "values" | "validity"): number | undefined {
    assert(part === "validity" || column.storage !== "struct", "structs have no values of their own")
    const array = part === "validity" ? column.validity : (column as Exclude<Column, StructColumn>).values
    return array?.buffer === this.#options.arena.buffer ? array.byteOffset : undefined
  }
}

interface KernelCall {
  readonly batch: Batch
  readonly values: readonly unknown[]
  readonly output: KernelOutput
}

function textOf(text: KernelText, values: readonly unknown[]): string | null {
  return "constant" in text ? text.constant : (values[text.param] as string | null)
}

function paramArgument(value: unknown, as: "number" | "bigint" | "truth" | "isNull"): number | bigint {
  switch (as) {
    case "number":
      return Number(value)
    case "bigint":
      return (value ?? 0n) as bigint
    case "truth":
      return value ? 1 : 0
    case "isNull":
      return value === null ? 1 : 0
  }
}
