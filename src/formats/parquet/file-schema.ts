/**
 * A file's schema: its columns, each a tree of values, objects and lists, and the leaves of all of them, of which each has pages of
 * its own.
 *
 * Lists and maps are groups with a repeated one in them. Which of the two the elements are made of is said by rules for what older writers
 * have made (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#backward-compatibility-rules):
 *
 *     group xs (LIST) { repeated group list { optional int32 element } }    elements are `element`
 *     group xs (LIST) { repeated int32 item }                               elements are `item`, and not null
 *     group xs (LIST) { repeated group item { … two fields, or a repeated one } }      the same
 *     group xs (LIST) { repeated group array { … } }, also `xs_tuple`       the same
 *     repeated … xs                                                         a list that is never null, of what is repeated
 *     group xs (MAP) { repeated group key_value { key, value } }            a list of objects with `key` and `value`
 *
 * Levels: a value of a leaf stands with how many of the optional and repeated parts above it are there (its definition level), and
 * with the outermost list of which it begins another element (its repetition level, 0 where it begins a row).
 */
import { counted } from "../../base/counted.ts"
import type { NamedShape, Shape } from "../nested/shape.ts"
import { leafOf, type Leaf, type SchemaElement } from "./file-column.ts"
import { demand } from "./malformed.ts"

/** No schema is nested deeper. */
const DEPTH_MAX = 64

/** Where a part of a column lies. */
export interface Levels {
  /** The first of its leaves, among those of the file. */
  readonly leaf: number
  /** The definition level from which on it is not null; of a list, that beyond which it has elements. */
  readonly definition: number
  /** How many lists it is within; of a list, itself among them. */
  readonly repetition: number
}

/** What a schema says. */
export interface FileSchema {
  readonly leaves: readonly Leaf[]
  /** By leaf: its greatest levels. */
  readonly levels: readonly Levels[]
  readonly columns: readonly NamedShape<Levels>[]
}

/** An element of a schema with those within it. */
interface Node {
  readonly element: SchemaElement
  readonly children: readonly Node[]
  /** The first of its leaves. */
  readonly leaf: number
  readonly column: Leaf | undefined
}

/** How many levels there are above a part. */
interface Above {
  readonly definition: number
  readonly repetition: number
}

/** Takes a schema apart. @throws Malformed where it is none. */
export function fileSchema(elements: readonly SchemaElement[]): FileSchema {
  const leaves: Leaf[] = []
  let next = 1
  const takeChildren = (count: number, depth: number, groups: readonly SchemaElement[]): Node[] => {
    demand(depth <= DEPTH_MAX, `its schema is nested deeper than ${counted(DEPTH_MAX, "level")}`)
    const nodes: Node[] = []
    for (let index = 0; index < count; index++) {
      demand(next < elements.length, "its schema ends too early")
      const element = elements[next++]!
      demand(typeof element.name === "string", "a column has no name")
      const leaf = leaves.length
      if (element.type === undefined) {
        const children = takeChildren(element.num_children ?? 0, depth + 1, [...groups, element])
        nodes.push({ element, children, leaf, column: undefined })
        continue
      }
      const column = leafOf(element, groups)
      leaves.push(column)
      nodes.push({ element, children: [], leaf, column })
    }
    return nodes
  }
  demand(elements.length > 0, "it has no schema")
  demand(elements[0]!.repetition_type !== "REPEATED", "its rows are repeated values")
  const roots = takeChildren(elements[0]!.num_children ?? 0, 0, [])
  demand(next === elements.length, "its schema has more columns than it says")
  const columns = fieldsOf(roots, { definition: 0, repetition: 0 }, leaves.length)
  const levels: Levels[] = []
  const noteLevels = (node: Node, above: Above): void => {
    const { repetition_type: repetition } = node.element
    const at = repetition === "REPEATED" ? within(above) : repetition === "OPTIONAL" ? deeper(above) : above
    if (node.column !== undefined) levels.push({ leaf: node.leaf, ...at })
    for (const child of node.children) noteLevels(child, at)
  }
  for (const root of roots) noteLevels(root, { definition: 0, repetition: 0 })
  return { leaves, levels, columns }
}

/** The parts that have leaves, before the leaf `end`: groups without any have no pages that could say whether they are there. */
function fieldsOf(nodes: readonly Node[], above: Above, end: number): NamedShape<Levels>[] {
  return nodes.flatMap((node, index) => {
    const ownEnd = nodes[index + 1]?.leaf ?? end
    return node.leaf < ownEnd ? [{ name: node.element.name, shape: shapeOf(node, above, ownEnd) }] : []
  })
}

/** A part, whose leaves end before the leaf `end`. */
function shapeOf(node: Node, above: Above, end: number): Shape<Levels> {
  const { repetition_type: repeated } = node.element
  if (repeated !== "REPEATED") return ownShape(node, repeated === "OPTIONAL" ? deeper(above) : above, end)
  const place = { leaf: node.leaf, definition: above.definition, repetition: above.repetition + 1 }
  return { kind: "list", isOptional: false, place, element: ownShape(node, within(above), end) }
}

/** The same, whatever its repetition says: `at` has the level from which on it is not null. */
function ownShape(node: Node, at: Above, end: number): Shape<Levels> {
  const { element, children, leaf, column } = node
  const isOptional = element.repetition_type === "OPTIONAL"
  const place = { leaf, ...at }
  if (column !== undefined) return { kind: "value", isOptional, place, column }
  const kind = element.logical_type?.type ?? element.converted_type
  const repeated = children[0]
  const isPair = children.length === 1 && repeated?.element.repetition_type === "REPEATED"
  if (isPair && kind === "LIST") {
    return { kind: "list", isOptional, place: listPlace(place), element: elementOf(repeated, node, at, end) }
  }
  if (isPair && (kind === "MAP" || kind === "MAP_KEY_VALUE") && repeated.children.length > 0) {
    const fields = fieldsOf(repeated.children, within(at), end).slice(0, 2)
    const pair: Shape<Levels> = {
      kind: "object",
      isOptional: false,
      place: { leaf, ...within(at) },
      fields: fields.map(({ shape }, index) => ({ name: index === 0 ? "key" : "value", shape })),
    }
    return { kind: "list", isOptional, place: listPlace(place), element: pair }
  }
  return { kind: "object", isOptional, place, fields: fieldsOf(children, at, end) }
}

/** What the elements of a list are, by the rules above. */
function elementOf(repeated: Node, list: Node, at: Above, end: number): Shape<Levels> {
  const { name } = repeated.element
  const [only] = repeated.children
  const isElement =
    repeated.children.length !== 1 ||
    only!.element.repetition_type === "REPEATED" ||
    name === "array" ||
    name === `${list.element.name}_tuple`
  return isElement ? ownShape(repeated, within(at), end) : shapeOf(only!, within(at), end)
}

function listPlace({ leaf, definition, repetition }: Levels): Levels {
  return { leaf, definition, repetition: repetition + 1 }
}

function deeper({ definition, repetition }: Above): Above {
  return { definition: definition + 1, repetition }
}

/** The levels within a repeated part. */
function within({ definition, repetition }: Above): Above {
  return { definition: definition + 1, repetition: repetition + 1 }
}
