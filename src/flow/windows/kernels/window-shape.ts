/** What the code of a window operator depends on: its windows, and the kernels of its aggregates, fields numbered through. */
import type { ColumnType } from "../../../batch/type.ts"
import {
  sharedKernel,
  type AggregateDefinition,
  type AggregateKernel,
  type EntryField,
  type InputLeaf,
  type ResultLeaf,
  type WindowField,
} from "../../aggregates/aggregate.ts"
import type { AggregateKind } from "../../plan.ts"
import type { KeyLayout } from "../keys/key-layout.ts"
import type { Slices } from "./slices.ts"
import { listedColumns } from "../keys/key-list.ts"
import { ControlFields } from "./window-control.ts"

/** An aggregate's kernel, and where its fields, inputs and results start among those of all. */
export interface PlacedKernel {
  readonly kernel: AggregateKernel
  readonly entryFrom: number
  readonly windowFrom: number
  readonly inputFrom: number
  readonly resultFrom: number
}

/** An aggregate's kernel, and the name of aggregate and input type, which it follows from. */
export interface ShapedAggregate {
  readonly name: string
  readonly kernel: AggregateKernel
}

/** Whose entries they are: of slices that windows share, of a window without a key, or of one with keys. */
export type EntryOwner = "shared" | "alone" | "keyed"

/** An aggregate over a column or a lambda's values. */
export function shapedAggregate(
  kind: AggregateKind,
  definition: AggregateDefinition,
  type: ColumnType | undefined,
  owner: EntryOwner,
): ShapedAggregate {
  const name = `${kind} ${type?.label ?? ""}`
  if (owner === "shared") return { name: `shared ${name}`, kernel: sharedKernel(definition, type) }
  if (owner === "alone" && definition.aloneKernel !== undefined) {
    return { name: `alone ${name}`, kernel: definition.aloneKernel(type) }
  }
  return { name, kernel: definition.kernel(type) }
}

/** See the head of this file. */
export class WindowShape {
  readonly slices: Slices
  readonly timeShift: number
  /** Tells shapes with different code apart. */
  readonly key: string
  readonly keys: KeyLayout
  readonly kernels: readonly PlacedKernel[]
  readonly entryFields: readonly EntryField[]
  readonly windowFields: readonly WindowField[]
  readonly inputs: readonly InputLeaf[]
  readonly results: readonly ResultLeaf[]
  readonly control: ControlFields
  readonly #textInputs: readonly (number | undefined)[]

  constructor(slices: Slices, timeShift: number, aggregates: readonly ShapedAggregate[], keys: KeyLayout) {
    const kernels = aggregates.map(({ kernel }) => kernel)
    this.slices = slices
    this.timeShift = timeShift
    this.keys = keys
    const parts = keys.parts.map(({ storage, at, nullBit }) => [storage, at, nullBit])
    this.key = JSON.stringify([aggregates.map(({ name }) => name), keys.stride, parts])
    this.entryFields = kernels.flatMap(({ entry }) => entry)
    this.windowFields = kernels.flatMap(({ window }) => window)
    this.inputs = kernels.flatMap(({ inputs }) => inputs)
    this.results = kernels.flatMap(({ results }) => results)
    let [entryFrom, windowFrom, inputFrom, resultFrom] = [0, 0, 0, 0]
    this.kernels = kernels.map((kernel) => {
      const placed = { kernel, entryFrom, windowFrom, inputFrom, resultFrom }
      entryFrom += kernel.entry.length
      windowFrom += kernel.window.length
      inputFrom += kernel.inputs.length
      resultFrom += kernel.results.length
      return placed
    })
    this.#textInputs = this.kernels.flatMap(({ kernel, inputFrom: from }) =>
      kernel.entry.map(({ dictionaryOf }) => (dictionaryOf === undefined ? undefined : from + dictionaryOf)),
    )
    this.control = new ControlFields({
      entryFields: this.entryFields.length,
      windowFields: this.windowFields.length,
      inputs: this.inputs.length,
      results: this.results.length,
      keys: keys.parts.length,
      listed: listedColumns(keys).length,
    })
  }

  /**
   * Whether windows keep the total of a window field, from which parts are taken away, in place of two halves. Where there
   * is no key, the fields of a kernel that has no `remove` stay together.
   */
  isTotal(windowField: number): boolean {
    const { kernel } = this.kernels.findLast(({ windowFrom }) => windowFrom <= windowField)!
    if (kernel.remove !== undefined) return true
    return this.keys.parts.length > 0 && this.windowFields[windowField]!.isCount === true
  }

  /** The input whose dictionary the codes in an entry's field are of; `undefined` for fields that hold no codes. */
  textInputOf(field: number): number | undefined {
    return this.#textInputs[field]
  }

  /** The entry's field that holds the codes of the texts of an input. */
  entryFieldOf(input: number): number {
    return this.#textInputs.indexOf(input)
  }
}
