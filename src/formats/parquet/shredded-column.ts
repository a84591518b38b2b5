/**
 * Rows that are held of a column of lists or objects: its leaves, each with its values and their levels, as the reader puts them
 * together (`nested-column.ts`). Lists are of three levels: a group, a repeated group `list`, and in it `element`.
 */
import { readValue, type Column } from "../../batch/column.ts"
import type { Batch } from "../../batch/batch.ts"
import type { ColumnType } from "../../batch/type.ts"
import { isNested } from "../nested/nested-type.ts"
import type { HeldColumn, HeldPart } from "../held-columns.ts"

/** What an entry takes besides its value. */
const ENTRY_BYTES = 2

/** A leaf of a written schema: values by themselves, and by entry the levels. */
export class WrittenLeaf {
  /** The names of the groups that it lies in, and its own. */
  readonly path: readonly string[]
  readonly held: HeldColumn
  /** Its greatest levels. */
  readonly definition: number
  readonly repetition: number
  definitions = new Uint8Array(64)
  repetitions = new Uint8Array(64)
  /** How many entries there are, and how many of them have values. */
  entries = 0
  values = 0
  #before: readonly [entries: number, values: number] = [0, 0]

  constructor(path: readonly string[], held: HeldColumn, definition: number, repetition: number) {
    this.path = path
    this.held = held
    this.definition = definition
    this.repetition = repetition
  }

  get bytes(): number {
    return this.held.bytesOf(this.values) + this.entries * ENTRY_BYTES
  }

  /** Takes an entry without a value. */
  pass(definition: number, repetition: number): void {
    if (this.entries === this.definitions.length) {
      this.definitions = doubled(this.definitions)
      this.repetitions = doubled(this.repetitions)
    }
    this.definitions[this.entries] = definition
    this.repetitions[this.entries++] = repetition
  }

  /** Takes an entry with its value. */
  take(value: unknown, repetition: number): void {
    this.held.appendValue(value, this.values++)
    this.pass(this.definition, repetition)
  }

  mark(): void {
    this.#before = [this.entries, this.values]
  }

  undo(): void {
    ;[this.entries, this.values] = this.#before
  }

  clear(): void {
    this.entries = this.values = 0
    this.mark()
    this.held.clear()
  }
}

/** A part of a column. */
export interface WrittenPart {
  readonly name: string
  readonly isOptional: boolean
  readonly isList: boolean
  /** Of a list its element, of an object its fields; none of a leaf. */
  readonly parts: readonly WrittenPart[]
  readonly leaves: readonly WrittenLeaf[]
  /** The definition level from which on it is not null. */
  readonly definition: number
  /** How many lists it is within, itself among them. */
  readonly repetition: number
}

/** See the head of this file. */
export class ShreddedColumn implements HeldPart {
  readonly part: WrittenPart

  /** @param hold how values of a leaf are held. */
  constructor(name: string, type: ColumnType, hold: (name: string, type: ColumnType) => HeldColumn) {
    this.part = partOf(name, type, { path: [name], definition: 0, repetition: 0 }, hold)
  }

  bytesOf(): number {
    return this.part.leaves.reduce((sum, leaf) => sum + leaf.bytes, 0)
  }

  append(column: Column, batch: Batch): void {
    for (const leaf of this.part.leaves) leaf.mark()
    batch.forEachRow((row) => {
      shred(this.part, readValue(column, row), 0, 0)
    })
  }

  undo(): void {
    for (const leaf of this.part.leaves) leaf.undo()
  }

  clear(): void {
    for (const leaf of this.part.leaves) leaf.clear()
  }
}

interface Above {
  readonly path: readonly string[]
  readonly definition: number
  readonly repetition: number
}

function partOf(
  name: string,
  type: ColumnType,
  above: Above,
  hold: (name: string, type: ColumnType) => HeldColumn,
): WrittenPart {
  const { isNullable: isOptional, definition: kind } = type
  const { path } = above
  const definition = above.definition + (isOptional ? 1 : 0)
  const repetition = above.repetition + (kind.element === undefined ? 0 : 1)
  const base = { name, isOptional, isList: kind.element !== undefined, definition, repetition }
  if (!isNested(type)) {
    const leaf = new WrittenLeaf(path, hold(name, type.required()), definition, repetition)
    return { ...base, parts: [], leaves: [leaf] }
  }
  const within = (names: readonly string[], more: number) => ({
    path: [...path, ...names],
    definition: definition + more,
    repetition,
  })
  const parts =
    kind.element !== undefined
      ? [partOf("element", kind.element, within(["list", "element"], 1), hold)]
      : kind.fields!.map((field) => partOf(field.name, field.type, within([field.name], 0), hold))
  return { ...base, parts, leaves: parts.flatMap(({ leaves }) => leaves) }
}

/** Writes a value to the leaves of a part, within so many levels that are there. */
function shred(part: WrittenPart, value: unknown, definition: number, repetition: number): void {
  const { parts, leaves, isList } = part
  if (value === null) {
    for (const leaf of leaves) leaf.pass(definition, repetition)
  } else if (parts.length === 0) leaves[0]!.take(value, repetition)
  else if (isList) {
    const list = value as readonly unknown[]
    if (list.length === 0) for (const leaf of leaves) leaf.pass(part.definition, repetition)
    for (let index = 0; index < list.length; index++) {
      shred(parts[0]!, list[index], part.definition + 1, index === 0 ? repetition : part.repetition)
    }
  } else {
    for (const field of parts) {
      shred(field, (value as Record<string, unknown>)[field.name], part.definition, repetition)
    }
  }
}

function doubled(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(bytes.length * 2)
  grown.set(bytes)
  return grown
}
