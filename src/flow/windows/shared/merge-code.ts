/**
 * Code that merges entries: those of several pieces, in order, become one list of entries in which each key is once, in
 * order of its first appearance. See `shared-slices.ts` for what it is for.
 *
 * Where the arrays of a list of entries lie is told by a table of addresses in linear memory (`entry-table.ts`): first that
 * of the keys' ids, then one for each field.
 */
import type { LinearMemory } from "../../../base/linear-memory.ts"
import { compiledModule } from "../../../expr/compiled-module.ts"
import { block, branch, branchIf, i32, whileLoop, type Code, type Local } from "../../../base/wasm-code.ts"
import { WasmModule, type FunctionScope } from "../../../base/wasm-module.ts"
import type { Word } from "../../aggregates/aggregate.ts"
import { fieldPlace, increment, itemAddress } from "../kernels/code-places.ts"
import type { WindowShape } from "../kernels/window-shape.ts"

/** Words of a range: whether its entries are those of runs and not of slices, the first one, and the first behind it. */
export const RANGE_WORDS = 3
export const RANGE_BYTES = 4 * RANGE_WORDS

/** The generated functions. */
export interface MergeFunctions {
  /**
   * Merges ranges of entries, which lie from `ranges` to before `rangesEnd`, into the entries from `start` to before `tail` of the list
   * `target`, behind what they hold, and gives where they end then. `slices` and `runs` are the lists that ranges are of;
   * `slots` has a number for each key: of any value, but the same as these entries were merged with.
   */
  readonly merge: (
    target: number,
    slices: number,
    runs: number,
    ranges: number,
    rangesEnd: number,
    slots: number,
    start: number,
    tail: number,
  ) => number
  /** The same, but what is merged is earlier than what the entries hold. */
  readonly mergeBefore: MergeFunctions["merge"]
}

/** The functions, working on `memory`. */
export function mergeFunctions(shape: WindowShape, memory: LinearMemory): MergeFunctions {
  return compiledModule(`merge ${shape.key}`, () => mergeModule(shape)).instantiate<MergeFunctions>(memory)
}

function mergeModule(shape: WindowShape): WasmModule {
  const module = new WasmModule()
  writeMerge(module, shape, "merge", false)
  writeMerge(module, shape, "mergeBefore", true)
  return module
}

/** Writes one of the functions under a name. */
export function writeMerge(module: WasmModule, shape: WindowShape, name: string, isBefore: boolean): void {
  const parameters = {
    target: "i32",
    slices: "i32",
    runs: "i32",
    ranges: "i32",
    rangesEnd: "i32",
    slots: "i32",
    start: "i32",
    tail: "i32",
  } as const
  module.function(name, { parameters, result: "i32" }, (given, scope) => {
    const { target, slices, runs, ranges: range, rangesEnd, slots, start, tail } = given
    const source = scope.local("i32")
    const [entry, until] = [scope.local("i32"), scope.local("i32")]
    const setup: Code<"none">[] = []
    const ofRange: Code<"none">[] = [source.set(i32.select(i32.load(range.get), runs.get, slices.get))]
    const ids = { target: tableLocal(target, 0, scope, setup), source: tableLocal(source, 0, scope, ofRange) }
    const bases = (table: Local<"i32">, codes: Code<"none">[]) =>
      shape.entryFields.map((_, field) => tableLocal(table, field + 1, scope, codes))
    const [targets, sources] = [bases(target, setup), bases(source, ofRange)]
    const [id, slot, place] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const [entry8, place8] = [scope.local("i32"), scope.local("i32")]
    const mergeEntries = whileLoop(i32.ltU(entry.get, until.get), [
      entry8.set(i32.shl(entry.get, i32.const(3))),
      id.set(i32.load(itemAddress(ids.source.get, entry.get, 2))),
      slot.set(itemAddress(slots.get, id.get, 2)),
      place.set(i32.load(slot.get)),
      block((done) => [
        block((fresh) => [
          // A slot says where the key is only if that is one of the new entries, and has the key.
          branchIf(fresh, i32.geU(i32.sub(place.get, start.get), i32.sub(tail.get, start.get))),
          branchIf(fresh, i32.ne(i32.load(itemAddress(ids.target.get, place.get, 2)), id.get)),
          place8.set(i32.shl(place.get, i32.const(3))),
          ...combine(shape, scope, { targets, sources, place8, entry8, isBefore }),
          branch(done),
        ]),
        i32.store(slot.get, tail.get),
        i32.store(itemAddress(ids.target.get, tail.get, 2), id.get),
        place8.set(i32.shl(tail.get, i32.const(3))),
        ...shape.entryFields.map(({ word }, field) =>
          fieldPlace(word, targets[field]!, place8).store(fieldPlace(word, sources[field]!, entry8).load()),
        ),
        increment(tail),
      ]),
      increment(entry),
    ])
    const body = whileLoop(i32.ltU(range.get, rangesEnd.get), [
      ...ofRange,
      entry.set(i32.load(range.get, 4)),
      until.set(i32.load(range.get, 8)),
      mergeEntries,
      increment(range, RANGE_BYTES),
    ])
    return [...setup, body, tail.get]
  })
}

/** A variable with an address of a table. */
function tableLocal(table: Local<"i32">, index: number, scope: FunctionScope, setup: Code<"none">[]): Local<"i32"> {
  const local = scope.local("i32")
  setup.push(local.set(i32.load(table.get, index * 4)))
  return local
}

/** Adds the source's entry to the target's, behind it or before it. Entries' fields are those of windows. */
function combine(
  { kernels }: WindowShape,
  scope: FunctionScope,
  places: {
    readonly targets: readonly Local<"i32">[]
    readonly sources: readonly Local<"i32">[]
    readonly place8: Local<"i32">
    readonly entry8: Local<"i32">
    readonly isBefore: boolean
  },
): Code<"none">[] {
  return kernels.flatMap(({ kernel, entryFrom }) => {
    const variables = () => kernel.entry.map(({ word }) => scope.local<Word>(word))
    const [own, other, both] = [variables(), variables(), variables()]
    const [earlier, later] = places.isBefore ? [other, own] : [own, other]
    const target = kernel.entry.map(({ word }, field) =>
      fieldPlace(word, places.targets[entryFrom + field]!, places.place8),
    )
    const source = kernel.entry.map(({ word }, field) =>
      fieldPlace(word, places.sources[entryFrom + field]!, places.entry8),
    )
    return [
      ...own.map((local, field) => local.set(target[field]!.load())),
      ...other.map((local, field) => local.set(source[field]!.load())),
      ...kernel.combine(earlier, later).map((value, field) => both[field]!.set(value)),
      ...both.map((local, field) => target[field]!.store(local.get)),
    ]
  })
}
