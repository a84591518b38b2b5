/**
 * What is at hand of a column of lists or objects: some rows of a record batch, put together from its children, of each the part
 * that these rows have.
 *
 * Invariant:
 * - NW1 At hand are up to `WINDOW_ROWS` rows with at most `ENTRIES` values in a child and `BYTES` of texts, or one row, which is
 *   refused beyond `ROW_ENTRIES` and `ROW_BYTES`.
 */
import { Invalid } from "../../batch/type.ts"
import type { WantedBytes } from "../container.ts"
import type { FieldReader } from "../field-reader.ts"
import { nullOf, type Nested, type NestedObject } from "../nested/nested-plan.ts"
import { SCRATCH_VALUES, ScratchValues } from "../nested/scratch-values.ts"
import type { Faults } from "../parquet/faults.ts"
import { demand } from "../parquet/malformed.ts"
import type { ArrowField, ArrowPlace } from "./arrow-field.ts"
import { BodyReader, type Unzstd } from "./body.ts"
import { ColumnWindow } from "./column-window.ts"
import type { BatchPlace, IndexedBatch } from "./messages.ts"
import { textEnds } from "./text-values.ts"

const WINDOW_ROWS = 8192
const [ENTRIES, BYTES] = [65_536, 16 * 1024 * 1024]
const [ROW_ENTRIES, ROW_BYTES] = [1 << 20, 64 * 1024 * 1024]

/** A child with values of its own. */
export interface NestedLeaf {
  readonly field: ArrowField
  readonly window: ColumnWindow
  /** Which dictionaries it uses, by their places, as text. */
  dictionaries: string
}

/** What is at hand of a part. */
interface Part {
  readonly plan: Nested<ArrowPlace>
  /** Of a list its element, of an object its fields: undefined where the file does not have one. */
  readonly parts: readonly (Part | undefined)[]
  readonly leaf: (NestedLeaf & { readonly scratch: ScratchValues }) | undefined
  /** The first value at hand. */
  start: number
  /** Bits from `start & ~7` on; undefined where all are there. */
  validity: Uint8Array | undefined
  /** Of a list, where its elements begin and end: those of value `start + i` are `ends[i]` to `ends[i + 1]`. */
  ends: Float64Array
  /** Of a child with values: these, where they are there. */
  values: unknown[]
}

/** Thrown where fewer rows must be tried. */
class TooMuch extends Error {
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}

/** Some rows of a column. */
export class NestedWindow {
  readonly #root: Part
  readonly #body: BodyReader
  readonly leaves: readonly NestedLeaf[]
  #batch: IndexedBatch | undefined
  #start = 0
  #end = 0
  /** Bytes of texts that the rows at hand have. */
  #bytes = 0

  constructor(plan: Nested<ArrowPlace>, unzstd: Unzstd) {
    const leaves: NestedLeaf[] = []
    this.#root = partOf(plan, unzstd, leaves)
    this.#body = new BodyReader(unzstd)
    this.leaves = leaves
  }

  get heldBytes(): number {
    const held = this.#body.heldBytes + this.#bytes
    return this.leaves.reduce((sum, { window }) => sum + window.heldBytes, held)
  }

  /** The row of the batch behind the last one at hand. */
  get end(): number {
    return this.#end
  }

  /** Asks for rows of a batch from `row` on, where they are not at hand. */
  *load(batch: IndexedBatch, place: BatchPlace, row: number): Generator<WantedBytes, void> {
    if (batch === this.#batch && row >= this.#start && row < this.#end) return
    demand(batch.nodes[place.node * 2] === batch.rows, "a column has another length than its record batch")
    this.#batch = undefined
    this.#start = row
    for (let rows = Math.min(WINDOW_ROWS, batch.rows - row); ; rows = Math.ceil(rows / 2)) {
      this.#bytes = 0
      try {
        yield* this.#loadPart(this.#root, batch, place, { start: row, count: rows, isOne: rows === 1 })
      } catch (error) {
        if (!(error instanceof TooMuch)) throw error
        demand(rows > 1, error.reason)
        continue
      }
      this.#batch = batch
      this.#end = row + rows
      return
    }
  }

  *#loadPart(
    part: Part,
    batch: IndexedBatch,
    root: BatchPlace,
    range: { readonly start: number; readonly count: number; readonly isOne: boolean },
  ): Generator<WantedBytes, void> {
    const { plan } = part
    const { start, count, isOne } = range
    const entriesMax = isOne ? ROW_ENTRIES : ENTRIES
    if (count > entriesMax) throw new TooMuch(`a row has more than ${ROW_ENTRIES} values in it`)
    part.start = start
    part.validity = undefined
    part.ends = NO_ENDS
    part.values = []
    if (count === 0) return
    if (part.leaf !== undefined) {
      yield* this.#loadValues(part, part.leaf, batch, root, range)
      return
    }
    const place = placeOf(root, plan.place.path)
    const [length, nulls] = [batch.nodes[place.node * 2], batch.nodes[place.node * 2 + 1]]
    const [validity, offsets] = [batch.buffers[place.buffer], batch.buffers[place.buffer + 1]]
    demand(nulls !== undefined && validity !== undefined, "a record batch lacks a column")
    demand(length! >= start + count, "a column has fewer values than its lists")
    if (nulls > 0) {
      const first = start >> 3
      part.validity = yield* this.#body.part(batch, validity, first, ((start + count + 7) >> 3) - first)
    }
    if (plan.kind === "object") {
      for (const field of part.parts) if (field !== undefined) yield* this.#loadPart(field, batch, root, range)
      return
    }
    const { nesting } = plan.place.field
    demand(nesting?.kind === "list", "a list has no elements")
    if (nesting.size !== undefined) {
      const { size } = nesting
      part.ends = Float64Array.from({ length: count + 1 }, (_, index) => (start + index) * size)
    } else {
      const width = nesting.offsetWidth
      demand(offsets !== undefined, "a record batch lacks a column")
      const bytes = yield* this.#body.part(batch, offsets, start * width, (count + 1) * width)
      part.ends = textEnds(bytes, width, Number.MAX_SAFE_INTEGER)
    }
    const [first, last] = [part.ends[0]!, part.ends[count]!]
    yield* this.#loadPart(part.parts[0]!, batch, root, { start: first, count: last - first, isOne })
  }

  *#loadValues(
    part: Part,
    { window, scratch }: NonNullable<Part["leaf"]>,
    batch: IndexedBatch,
    root: BatchPlace,
    { start, count, isOne }: { readonly start: number; readonly count: number; readonly isOne: boolean },
  ): Generator<WantedBytes, void> {
    const bytesMax = isOne ? ROW_BYTES : BYTES
    const tooMuch = `the texts in a row have more than ${ROW_BYTES} bytes`
    const place = placeOf(root, part.plan.place.path)
    const aligned = start - (start % 8)
    yield* window.loadRange(batch, place, aligned, start + count - aligned)
    if (window.textBytes > bytesMax) throw new TooMuch(tooMuch)
    const sizes = new Int32Array(SCRATCH_VALUES)
    for (let row = start; row < start + count;) {
      yield* window.loadTexts(batch, place, row)
      const some = Math.min(SCRATCH_VALUES, start + count - row, window.end - row)
      scratch.begin()
      window.read(row, some, scratch.reader, scratch.faults)
      const first = row
      this.#bytes += scratch.appendTo(part.values, sizes, some, (index) => window.isThere(first + index))
      if (this.#bytes > bytesMax + some * SCRATCH_VALUES) throw new TooMuch(tooMuch)
      row += some
    }
    if (part.plan.type.isNullable) return
    const isNull = nullOf(part.plan.type)
    for (let index = 0; index < count; index++) part.values[index] ??= isNull
  }

  /** Reads rows at hand, `row` and those behind it, into the first rows of a reader's column. What is not of its type is noted. */
  read(row: number, count: number, target: FieldReader, faults: Faults): void {
    for (let index = 0; index < count; index++) {
      const value = take(this.#root, row + index)
      if (value instanceof Invalid) faults.note(index, value.reason)
      if (value === null || value instanceof Invalid) target.writeNull(index)
      else target.write(index, value)
    }
  }
}

const NO_ENDS = new Float64Array(1)

function partOf(plan: Nested<ArrowPlace>, unzstd: Unzstd, leaves: NestedLeaf[]): Part {
  const state = { start: 0, validity: undefined, ends: NO_ENDS, values: [] }
  if (plan.kind === "value") {
    const { place, reading, type } = plan
    // Nulls are told by whoever knows whether what they are a part of is there.
    const window = new ColumnWindow(place.field, reading, type.nullable(), unzstd)
    const leaf = { field: place.field, window, dictionaries: "", scratch: new ScratchValues(type) }
    leaves.push(leaf)
    return { plan, parts: [], leaf, ...state }
  }
  const plans = plan.kind === "list" ? [plan.element] : plan.fields.map(({ part }) => part)
  const parts = plans.map((part) => (part === undefined ? undefined : partOf(part, unzstd, leaves)))
  return { plan, parts, leaf: undefined, ...state }
}

function placeOf(root: BatchPlace, path: readonly number[]): BatchPlace {
  return path.reduce((place, child) => place.children[child]!, root)
}

function isThere({ validity, start }: Part, index: number): boolean {
  const bit = index - (start - (start % 8))
  return validity === undefined || ((validity[bit >> 3]! >> (bit & 7)) & 1) === 1
}

/** A value at hand of a part, null, or why there is none. */
function take(part: Part, index: number): unknown {
  const { plan } = part
  if (plan.kind === "value") return part.values[index - part.start]
  if (!isThere(part, index)) return nullOf(plan.type)
  return plan.kind === "list" ? takeList(part, index) : takeObject(part, plan, index)
}

function takeObject({ parts }: Part, { fields }: NestedObject<ArrowPlace>, index: number): unknown {
  const object: Record<string, unknown> = {}
  let problem: Invalid | undefined
  fields.forEach(({ name, source, missing }, at) => {
    const field = parts[at]
    const value = field === undefined ? missing : take(field, index)
    if (value instanceof Invalid) {
      problem ??= new Invalid(`an object whose field ${JSON.stringify(source)} is ${value.reason}`)
    }
    object[name] = value
  })
  return problem ?? object
}

function takeList({ parts, ends, start }: Part, index: number): unknown {
  const element = parts[0]!
  const list: unknown[] = []
  let problem: Invalid | undefined
  const [first, last] = [ends[index - start]!, ends[index - start + 1]!]
  for (let at = first; at < last; at++) {
    const value = take(element, at)
    if (value instanceof Invalid) problem ??= new Invalid(`a list whose element [${at - first}] is ${value.reason}`)
    else list.push(value)
  }
  return problem ?? list
}
