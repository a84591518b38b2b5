/**
 * `list`: any number of values of one type, in order. In JSON an array; in a CSV field the same array as JSON text.
 *
 * It lies as that text: see decision 0040.
 */
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import { ColumnType, Invalid, type TypeDefinition } from "../type.ts"
import { fromOwnTree, fromTree, parseJson } from "./json-tree.ts"

/** See `t.list`. */
export function listType<T>(element: ColumnType<T>): ColumnType<readonly T[], "list"> {
  checkElement(element)
  const definition: TypeDefinition<readonly unknown[]> = {
    kind: "list",
    label: `list(${element.label})`,
    storage: "dictionary",
    packing: "json",
    typeOf: "object",
    element,
    check: (value) => checkElements(element, value),
    fromText: (text) => fromJson(element, parseJson(text)),
    fromJson: (value) => fromJson(element, value),
    unpack: (text) => ofOwnNames(element, parseJson(text)),
    toText: (value) => toJson(element, value),
    toJson: (value) => toJson(element, value),
  }
  return new ColumnType<readonly T[], "list">(definition)
}

function checkElement(element: unknown): asserts element is ColumnType {
  if (!(element instanceof ColumnType)) {
    throw new TidemarkError("invalid-schema", `t.list(...) takes a column type, not ${shownValue(element)}.`, {
      hint: "Write t.list(t.string), or t.list(t.object({ ... })).",
    })
  }
  if (element.definition.isSecret === true) {
    throw new TidemarkError("invalid-schema", "The elements of a list are no secrets: only parameters are.")
  }
  if (element.sourceName !== undefined || element.hasDefault) {
    throw new TidemarkError("invalid-schema", "The elements of a list have neither a name nor a default.", {
      hint: 'Call .from(...) and .default(...) on the list: t.list(t.string).from("Tags").default([]).',
    })
  }
}

function checkElements(element: ColumnType, value: unknown): string | undefined {
  if (!Array.isArray(value)) return "not a list"
  for (let index = 0; index < value.length; index++) {
    const problem = element.check(value[index])
    if (problem !== undefined) return `a list whose element [${index}] is ${problem}`
  }
  return undefined
}

function fromJson(element: ColumnType, value: unknown): readonly unknown[] | Invalid {
  if (!Array.isArray(value)) return new Invalid("not a list")
  const list: unknown[] = []
  for (let index = 0; index < value.length; index++) {
    const part = fromTree(element, value[index])
    if (part instanceof Invalid) return new Invalid(`a list whose element [${index}] is ${part.reason}`)
    list.push(part)
  }
  return list
}

function ofOwnNames(element: ColumnType, tree: unknown): readonly unknown[] | Invalid {
  return Array.isArray(tree) ? tree.map((part) => fromOwnTree(element, part)) : new Invalid("not a list")
}

function toJson(element: ColumnType, value: readonly unknown[]): string {
  return `[${value.map((part) => element.toJson(part)).join(",")}]`
}
