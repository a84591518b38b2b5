/**
 * Reads a column of lists or objects: the rows that its leaves have at hand, put together by their levels as in Dremel (Melnik et al.,
 * "Dremel: Interactive Analysis of Web-Scale Datasets", 2010).
 *
 * Invariant:
 * - NC1 The leaves of a part agree on whether it is there and how many elements it has, or the file is damaged.
 */
import { Invalid } from "../../batch/type.ts"
import type { WantedBytes } from "../container.ts"
import type { FieldReader } from "../field-reader.ts"
import { nullOf, type Nested, type NestedList, type NestedObject } from "../nested/nested-plan.ts"
import type { ColumnOptions } from "./chunk-pages.ts"
import type { Faults } from "./faults.ts"
import type { Levels } from "./file-schema.ts"
import type { RowGroup } from "./footer.ts"
import { demand } from "./malformed.ts"
import { NestedLeaf, type NestedLeafPlan } from "./nested-leaf.ts"

/** A part, and the leaves that it is put together from, of which there is one at least. */
interface Part {
  readonly plan: Nested<Levels>
  readonly leaves: readonly NestedLeaf[]
  /** Of a list its element, of an object its fields: undefined where the file does not have one. */
  readonly parts: readonly (Part | undefined)[]
}

/** Reads one column. */
export class NestedColumnReader {
  readonly #root: Part
  /** The leaf that is being read, for errors. */
  #leaf: NestedLeaf

  /** @param leafLevels by leaf of the file: its greatest levels. */
  constructor(plan: Nested<Levels>, leafLevels: readonly Levels[], options: ColumnOptions) {
    const open = (leaf: NestedLeafPlan) => new NestedLeaf(leaf, options)
    this.#root = partOf(plan, leafLevels, open)
    this.#leaf = this.#root.leaves[0]!
  }

  /** How many bytes of buffers it holds. */
  get heldBytes(): number {
    return this.#root.leaves.reduce((sum, leaf) => sum + leaf.heldBytes, 0)
  }

  /** The first row that is not at hand. */
  get end(): number {
    return this.#root.leaves.reduce((least, leaf) => Math.min(least, leaf.end), Infinity)
  }

  /** Its leaves' places among those of the file. */
  get leaves(): readonly number[] {
    return this.#root.leaves.map(({ levels }) => levels.leaf)
  }

  /** Where in the file the page starts that is read now, for errors. */
  get place(): number {
    return this.#leaf.place
  }

  /** What must be brought before `row` of `group` can be read; see `ContainerDecoder.wanted`. */
  wanted(group: RowGroup, row: number): WantedBytes | undefined {
    for (const leaf of this.#root.leaves) {
      this.#leaf = leaf
      const wanted = leaf.wanted(group, group.chunks[leaf.levels.leaf]!, row)
      if (wanted !== undefined) return wanted
    }
    return undefined
  }

  /** The bytes wanted are there. */
  supplied(): void {
    this.#leaf.supplied()
  }

  /** Reads `count` rows at hand into the first rows of the reader's column. What is not of its type is noted as faults. */
  read(row: number, count: number, target: FieldReader, faults: Faults): void {
    const { leaves } = this.#root
    for (let index = 0; index < count; index++) {
      for (const leaf of leaves) leaf.cursor = leaf.startOf(row + index)
      const value = take(this.#root)
      for (const leaf of leaves) demand(leaf.cursor === leaf.startOf(row + index + 1), UNSOUND)
      if (value instanceof Invalid) faults.note(index, value.reason)
      if (value === null || value instanceof Invalid) target.writeNull(index)
      else target.write(index, value)
    }
  }
}

const UNSOUND = "the levels of a row are not those of its schema"

function partOf(plan: Nested<Levels>, leafLevels: readonly Levels[], open: (leaf: NestedLeafPlan) => NestedLeaf): Part {
  if (plan.kind === "value") return { plan, leaves: [open({ levels: plan.place, value: plan })], parts: [] }
  const plans = plan.kind === "list" ? [plan.element] : plan.fields.map(({ part }) => part)
  const parts = plans.map((part) => (part === undefined ? undefined : partOf(part, leafLevels, open)))
  const leaves = parts.flatMap((part) => part?.leaves ?? [])
  if (leaves.length > 0) return { plan, leaves, parts }
  // An object of which no field is read: any leaf of it tells whether it is there.
  return { plan, leaves: [open({ levels: leafLevels[plan.place.leaf]!, value: undefined })], parts }
}

/** Takes the next value of a part from its leaves, null, or why there is none. */
function take(part: Part): unknown {
  const { plan, leaves } = part
  if (plan.kind === "list") return takeList(part, plan)
  if (plan.kind === "object") return takeObject(part, plan)
  const leaf = leaves[0]!
  const entry = leaf.cursor++
  return leaf.definition(entry) < plan.place.definition ? nullOf(plan.type) : leaf.value(entry)
}

function takeObject(part: Part, { fields, place, type }: NestedObject<Levels>): unknown {
  const { leaves, parts } = part
  const [first] = leaves
  if (first!.definition(first!.cursor) < place.definition) {
    passNothing(leaves)
    return nullOf(type)
  }
  const object: Record<string, unknown> = {}
  let problem: Invalid | undefined
  let isRead = false
  fields.forEach(({ name, source, missing }, index) => {
    const field = parts[index]
    isRead ||= field !== undefined
    const value = field === undefined ? missing : take(field)
    if (value instanceof Invalid) {
      problem ??= new Invalid(`an object whose field ${JSON.stringify(source)} is ${value.reason}`)
    }
    object[name] = value
  })
  if (!isRead) {
    do first!.cursor++
    while (first!.repetition(first!.cursor) > place.repetition)
  }
  return problem ?? object
}

function takeList({ leaves, parts }: Part, { place, type }: NestedList<Levels>): unknown {
  const first = leaves[0]!
  const definition = first.definition(first.cursor)
  if (definition <= place.definition) {
    passNothing(leaves)
    return definition < place.definition ? nullOf(type) : []
  }
  const element = parts[0]!
  const list: unknown[] = []
  let problem: Invalid | undefined
  for (let index = 0; ; index++) {
    for (const leaf of leaves) demand(leaf.definition(leaf.cursor) > place.definition, UNSOUND)
    const value = take(element)
    if (value instanceof Invalid) problem ??= new Invalid(`a list whose element [${index}] is ${value.reason}`)
    else list.push(value)
    const goesOn = first.repetition(first.cursor) === place.repetition
    if (!goesOn) return problem ?? list
  }
}

/** Goes on behind what is null or empty, which each leaf says in the same way. */
function passNothing(leaves: readonly NestedLeaf[]): void {
  const definition = leaves[0]!.definition(leaves[0]!.cursor)
  for (const leaf of leaves) demand(leaf.definition(leaf.cursor++) === definition, UNSOUND)
}
