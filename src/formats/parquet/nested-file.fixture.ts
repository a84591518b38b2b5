/**
 * Parquet files of lists and objects in every form that the format knows, with pages cut anywhere: levels are made by the plainest
 * recursion, so that what our reader puts together is held against the values themselves.
 */
import { ByteWriter } from "../../base/bytes.ts"
import type { Prng } from "../../base/prng.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import { ThriftWriter } from "./thrift-writer.ts"

/** How a column is made up. */
export type Tree =
  | { readonly kind: "int"; readonly isOptional: boolean }
  | { readonly kind: "text"; readonly isOptional: boolean }
  | { readonly kind: "object"; readonly isOptional: boolean; readonly fields: readonly (readonly [string, Tree])[] }
  /** `three`: with a group between; `two`: without; `bare`: repeated, and nothing is said of it. */
  | { readonly kind: "list"; readonly form: ListForm; readonly isOptional: boolean; readonly element: Tree }

type ListForm = "three" | "two" | "bare"

/** A tree of some depth; `isRequired` where it cannot be null. */
export function randomTree(prng: Prng, depth: number, isRequired = false): Tree {
  const isOptional = !isRequired && prng.chance(0.6)
  if (depth === 0 || prng.chance(0.2))
    return prng.chance(0.5) ? { kind: "int", isOptional } : { kind: "text", isOptional }
  if (prng.chance(0.4)) {
    const fields = Array.from(
      { length: 1 + prng.below(3) },
      (_, index) => [`f${index}`, randomTree(prng, depth - 1)] as const,
    )
    return { kind: "object", isOptional, fields }
  }
  const form = prng.pick(["three", "three", "two", "bare"] as const)
  const element = randomTree(prng, depth - 1, form !== "three")
  // Within a list, what is repeated and nothing is said of is the element, and not its elements.
  if (element.kind === "list" && element.form === "bare") return randomTree(prng, depth, isRequired)
  return { kind: "list", form, isOptional: form !== "bare" && isOptional, element }
}

/** The type whose values it has. */
export function typeOf(tree: Tree): ColumnType {
  const type: ColumnType =
    tree.kind === "int"
      ? t.int32
      : tree.kind === "text"
        ? t.string
        : tree.kind === "list"
          ? t.list(typeOf(tree.element))
          : t.object(Object.fromEntries(tree.fields.map(([name, field]) => [name, typeOf(field)])))
  return tree.isOptional ? type.nullable() : type
}

/** A value of it. */
export function randomValue(prng: Prng, tree: Tree): unknown {
  if (tree.isOptional && prng.chance(0.25)) return null
  if (tree.kind === "int") return prng.below(1000) - 500
  if (tree.kind === "text") return prng.pick(["", "a", "Zoë", "word ".repeat(prng.below(8)), `t${prng.below(99)}`])
  if (tree.kind === "object") {
    return Object.fromEntries(tree.fields.map(([name, field]) => [name, randomValue(prng, field)]))
  }
  return Array.from({ length: prng.pick([0, 1, 2, 3, 9]) }, () => randomValue(prng, tree.element))
}

interface Element {
  readonly name: string
  readonly repetition: 0 | 1 | 2
  readonly type?: number
  readonly converted?: number
  readonly children?: readonly Element[]
}

const [REQUIRED, OPTIONAL, REPEATED] = [0, 1, 2] as const
const [INT32, BYTE_ARRAY] = [1, 6] as const
const [UTF8, LIST] = [0, 3] as const

function elementOf(name: string, tree: Tree): Element {
  const repetition = tree.isOptional ? OPTIONAL : REQUIRED
  if (tree.kind === "int") return { name, repetition, type: INT32 }
  if (tree.kind === "text") return { name, repetition, type: BYTE_ARRAY, converted: UTF8 }
  if (tree.kind === "object")
    return { name, repetition, children: tree.fields.map(([field, of]) => elementOf(field, of)) }
  if (tree.form === "bare") return { ...elementOf(name, tree.element), repetition: REPEATED }
  const repeated: Element =
    tree.form === "two"
      ? { ...elementOf("array", tree.element), repetition: REPEATED }
      : { name: "list", repetition: REPEATED, children: [elementOf("element", tree.element)] }
  return { name, repetition, converted: LIST, children: [repeated] }
}

/** What is written of a leaf. */
interface Leaf {
  readonly type: number
  readonly path: readonly string[]
  readonly definition: number
  readonly repetition: number
  readonly entries: { readonly repetition: number; readonly definition: number; readonly value: unknown }[]
}

function leavesOf(element: Element, above: Omit<Leaf, "type" | "entries">): Leaf[] {
  const at = {
    path: [...above.path, element.name],
    definition: above.definition + (element.repetition === REQUIRED ? 0 : 1),
    repetition: above.repetition + (element.repetition === REPEATED ? 1 : 0),
  }
  if (element.type !== undefined) return [{ type: element.type, ...at, entries: [] }]
  return element.children!.flatMap((child) => leavesOf(child, at))
}

function countLeaves(tree: Tree): number {
  if (tree.kind === "list") return countLeaves(tree.element)
  return tree.kind === "object" ? tree.fields.reduce((sum, [, field]) => sum + countLeaves(field), 0) : 1
}

/** Writes a value to the leaves of a tree. */
function shred(
  tree: Tree,
  leaves: readonly Leaf[],
  value: unknown,
  definition: number,
  repetition: number,
  lists: number,
): void {
  const nothing = () => leaves.forEach(({ entries }) => entries.push({ repetition, definition, value: undefined }))
  if (value === null) {
    nothing()
    return
  }
  const here = definition + (tree.isOptional ? 1 : 0)
  if (tree.kind === "object") {
    let at = 0
    for (const [name, field] of tree.fields) {
      const own = leaves.slice(at, (at += countLeaves(field)))
      shred(field, own, (value as Record<string, unknown>)[name], here, repetition, lists)
    }
  } else if (tree.kind === "list") {
    const elements = value as readonly unknown[]
    if (elements.length === 0)
      leaves.forEach(({ entries }) => entries.push({ repetition, definition: here, value: undefined }))
    elements.forEach((element, index) => {
      shred(tree.element, leaves, element, here + 1, index === 0 ? repetition : lists + 1, lists + 1)
    })
  } else leaves[0]!.entries.push({ repetition, definition: here, value })
}

/** Levels as one run of packed ones, or as runs of equal ones. */
function levels(prng: Prng, values: readonly number[], most: number): Uint8Array {
  const out = new ByteWriter()
  const width = 32 - Math.clz32(most)
  if (prng.chance(0.5)) {
    for (let at = 0; at < values.length;) {
      let end = at + 1
      while (end < values.length && values[end] === values[at]) end++
      out.varint((end - at) * 2)
      if (width > 0) out.uint8(values[at]!)
      at = end
    }
  } else {
    const groups = Math.ceil(values.length / 8)
    out.varint(groups * 2 + 1)
    const bytes = new Uint8Array(groups * width)
    values.forEach((value, index) => {
      for (let bit = 0; bit < width; bit++) {
        const at = index * width + bit
        bytes[at >> 3]! |= ((value >> bit) & 1) << (at & 7)
      }
    })
    out.raw(bytes)
  }
  return out.finish()
}

function text(out: ByteWriter, value: string): void {
  const bytes = new TextEncoder().encode(value)
  out.uint32(bytes.length)
  out.raw(bytes)
}

function plain(leaf: Leaf, values: readonly unknown[]): Uint8Array {
  const out = new ByteWriter()
  for (const value of values) {
    if (leaf.type === INT32) out.uint32((value as number) >>> 0)
    else text(out, value as string)
  }
  return out.finish()
}

/** The chunk of a leaf: its pages, cut anywhere, or where a row begins. */
function chunk(prng: Prng, leaf: Leaf): { readonly bytes: Uint8Array; readonly dictionaryBytes: number } {
  const out = new ByteWriter()
  const version = prng.pick([1, 2])
  const most = prng.pick([1, 3, 20, 1e9])
  const texts = [...new Set(leaf.entries.flatMap(({ value }) => (value === undefined ? [] : [value])))]
  const isIndexed = texts.length > 0 && prng.chance(0.4)
  if (isIndexed) {
    const body = plain(leaf, texts)
    page(out, 2, body, 7, [texts.length, 0])
  }
  const dictionaryBytes = out.length
  for (let at = 0; at < leaf.entries.length;) {
    let end = Math.min(leaf.entries.length, at + 1 + prng.below(most))
    while (version === 2 && end < leaf.entries.length && leaf.entries[end]!.repetition !== 0) end++
    const some = leaf.entries.slice(at, end)
    const values = some.flatMap(({ value }) => (value === undefined ? [] : [value]))
    const repetitions = levels(
      prng,
      some.map(({ repetition }) => repetition),
      leaf.repetition,
    )
    const definitions = levels(
      prng,
      some.map(({ definition }) => definition),
      leaf.definition,
    )
    const body = new ByteWriter()
    for (const [each, greatest] of [
      [repetitions, leaf.repetition],
      [definitions, leaf.definition],
    ] as const) {
      if (greatest === 0) continue
      if (version === 1) body.uint32(each.length)
      body.raw(each)
    }
    if (isIndexed) {
      const width = 32 - Math.clz32(texts.length)
      body.uint8(width)
      body.raw(
        indexes(
          values.map((value) => texts.indexOf(value)),
          width,
        ),
      )
    } else body.raw(plain(leaf, values))
    const encoding = isIndexed ? 8 : 0
    const rows = some.filter(({ repetition }) => repetition === 0).length
    if (version === 1) page(out, 0, body.view(), 5, [some.length, encoding, 3, 3])
    else {
      const sizes = [definitions, repetitions].map((each, index) =>
        (index === 0 ? leaf.definition : leaf.repetition) === 0 ? 0 : each.length,
      )
      page(out, 3, body.view(), 8, [some.length, some.length - values.length, rows, encoding, ...sizes])
    }
    at = end
  }
  return { bytes: out.finish(), dictionaryBytes }
}

function indexes(values: readonly number[], width: number): Uint8Array {
  const out = new ByteWriter()
  for (const value of values) {
    out.varint(2)
    for (let byte = 0; byte < width; byte += 8) out.uint8((value >> byte) & 0xff)
  }
  return out.finish()
}

function page(out: ByteWriter, kind: number, body: Uint8Array, field: number, numbers: readonly number[]): void {
  const header = new ThriftWriter()
  header.element(() => {
    header.i32(1, kind)
    header.i32(2, body.length)
    header.i32(3, body.length)
    header.struct(field, () => {
      numbers.forEach((number, index) => {
        header.i32(index + 1, number)
      })
    })
  })
  out.raw(header.out.view())
  out.raw(body)
}

/** What a leaf is made of, which a test of damage changes. */
export type Entries = Leaf["entries"]

/** A file of rows whose one column is `v`, in groups of some rows. `tamper` may change what the leaves of a group have. */
export function nestedFile(
  prng: Prng,
  tree: Tree,
  values: readonly unknown[],
  tamper: (leaves: readonly Entries[]) => void = () => undefined,
): Uint8Array {
  const root = elementOf("v", tree)
  const out = new ByteWriter()
  out.raw(new TextEncoder().encode("PAR1"))
  const groups: { rows: number; leaves: Leaf[]; places: { at: number; bytes: number; dictionaryBytes: number }[] }[] =
    []
  const groupRows = prng.pick([1, 7, 100, 1e9])
  for (let row = 0; row < values.length; row += groupRows) {
    const some = values.slice(row, row + groupRows)
    const leaves = leavesOf(root, { path: [], definition: 0, repetition: 0 })
    for (const value of some) shred(tree, leaves, value, 0, 0, 0)
    tamper(leaves.map(({ entries }) => entries))
    const places = leaves.map((leaf) => {
      const { bytes, dictionaryBytes } = chunk(prng, leaf)
      const at = out.length
      out.raw(bytes)
      return { at, bytes: bytes.length, dictionaryBytes }
    })
    groups.push({ rows: some.length, leaves, places })
  }
  const footer = new ThriftWriter()
  const elements: Element[] = []
  const list = (element: Element): void => {
    elements.push(element)
    element.children?.forEach(list)
  }
  list({ name: "rows", repetition: REQUIRED, children: [root] })
  footer.element(() => {
    footer.i32(1, 1)
    footer.list(2, "struct", elements.length, () => {
      for (const { name, type, repetition, converted, children } of elements) {
        footer.element(() => {
          if (type !== undefined) footer.i32(1, type)
          footer.i32(3, repetition)
          footer.text(4, name)
          if (children !== undefined) footer.i32(5, children.length)
          if (converted !== undefined) footer.i32(6, converted)
        })
      }
    })
    footer.i64(3, values.length)
    footer.list(4, "struct", groups.length, () => {
      for (const { rows, leaves, places } of groups) {
        footer.element(() => {
          footer.list(1, "struct", leaves.length, () => {
            leaves.forEach((leaf, index) => {
              const { at, bytes, dictionaryBytes } = places[index]!
              footer.element(() => {
                footer.i64(2, 0)
                footer.struct(3, () => {
                  footer.i32(1, leaf.type)
                  footer.list(2, "i32", 0, () => undefined)
                  footer.list(3, "binary", leaf.path.length, () => {
                    for (const name of leaf.path) footer.out.text(name)
                  })
                  footer.i32(4, 0)
                  footer.i64(5, leaf.entries.length)
                  footer.i64(6, bytes)
                  footer.i64(7, bytes)
                  footer.i64(9, at + dictionaryBytes)
                  if (dictionaryBytes > 0) footer.i64(11, at)
                })
              })
            })
          })
          footer.i64(2, 0)
          footer.i64(3, rows)
        })
      }
    })
  })
  const metadata = footer.out.view()
  out.raw(metadata)
  out.uint32(metadata.length)
  out.raw(new TextEncoder().encode("PAR1"))
  return out.finish()
}
