/**
 * Rows that are held of a column of lists or objects, as Arrow has them: validity of each part, of lists where their elements end, and of
 * its children one behind the other. Below an object that is null each child has a value that nobody asks for.
 */
import { readValue, type Column } from "../../batch/column.ts"
import type { Batch } from "../../batch/batch.ts"
import type { ColumnType } from "../../batch/type.ts"
import { HeldColumn, type HeldPart } from "../held-columns.ts"
import { isNested } from "../nested/nested-type.ts"

/** What a value takes besides its children. */
const VALUE_BYTES = 5

/** A part that is made of others. */
export class HeldTree implements HeldPart {
  readonly name: string
  readonly type: ColumnType
  /** Of a list its element, of an object its fields. */
  readonly children: readonly (HeldTree | HeldColumn)[]
  count = 0
  nulls = 0
  /** By value: 1 where it is not null. */
  readonly present: number[] = []
  /** Of a list, by value: where its elements end among those of the child. */
  readonly ends: number[] = []
  #before: readonly [count: number, nulls: number] = [0, 0]

  constructor(name: string, type: ColumnType) {
    this.name = name
    this.type = type
    const { element, fields } = type.definition
    this.children =
      element === undefined ? fields!.map((field) => held(field.name, field.type)) : [held("item", element)]
  }

  get isList(): boolean {
    return this.type.definition.element !== undefined
  }

  /** How many elements the first `count` lists have. */
  get elements(): number {
    return this.count === 0 ? 0 : this.ends[this.count - 1]!
  }

  bytesOf(rows = this.count): number {
    const below = this.isList ? this.elements : rows
    return this.children.reduce((sum, child) => sum + child.bytesOf(below), rows * VALUE_BYTES)
  }

  append(column: Column, batch: Batch): void {
    this.#mark()
    batch.forEachRow((row) => {
      this.take(readValue(column, row))
    })
  }

  /** Takes a value, or null. */
  take(value: unknown): void {
    const at = this.count
    this.present[at] = value === null ? 0 : 1
    if (value === null) this.nulls++
    if (this.isList) {
      const list = (value ?? []) as readonly unknown[]
      const first = this.elements
      const child = this.children[0]!
      for (let index = 0; index < list.length; index++) put(child, list[index], first + index)
      this.ends[at] = first + list.length
    } else {
      for (const child of this.children) {
        put(child, value === null ? null : (value as Record<string, unknown>)[child.name], at)
      }
    }
    this.count++
  }

  #mark(): void {
    this.#before = [this.count, this.nulls]
    for (const child of this.children) {
      if (child instanceof HeldTree) child.#mark()
      else child.mark()
    }
  }

  undo(): void {
    ;[this.count, this.nulls] = this.#before
    for (const child of this.children) child.undo()
  }

  clear(): void {
    this.count = this.nulls = 0
    this.#before = [0, 0]
    for (const child of this.children) child.clear()
  }
}

/** How a column is held. */
export function held(name: string, type: ColumnType): HeldTree | HeldColumn {
  return isNested(type) ? new HeldTree(name, type) : new HeldColumn(name, type, false)
}

function put(child: HeldTree | HeldColumn, value: unknown, at: number): void {
  if (child instanceof HeldTree) child.take(value)
  else if (value === null) child.appendNull(at)
  else child.appendValue(value, at)
}
