/**
 * Kernels over columns in linear memory: eight rows at a time where every row counts, row by row where a selection says
 * which, and for the rows at the end.
 *
 * A kernel stores values in columns and lists rows: those that a predicate selects, or those that a projection fails for.
 * A module has two functions:
 *
 *     all  (count, list, picks, …arguments)     → number of listed rows, or -1
 *     some (count, list, selection, …arguments) → the same
 *
 * `list` and `selection` are addresses of row numbers, `picks` is that of `PICKS`. -1 says that the answer is not known
 * for some row: another way must be taken for all of them.
 *
 * Eight flags become row numbers without a branch: they are eight bits, for which `PICKS` lists the places of those that
 * are set. Eight row numbers are stored behind those listed so far, and the next ones are stored over those that do not
 * count. There is room for them, as no more rows have been listed than were looked at.
 *
 * Memory that is read at two places at once comes faster. So what fills columns only, or lists only, goes through both halves
 * of a batch side by side. The second half's rows are listed where the list of the first ends at the latest, and then put
 * behind it.
 *
 * Invariants:
 * - GW2 A kernel reads rows below `count`, or of the selection, and writes nothing but values of such rows, and the list.
 */
import type { LambdaLanes } from "./codegen-wasm-lanes.ts"
import type { TargetLanes } from "./codegen-wasm-targets.ts"
import { notKnown } from "./lane-questions.ts"
import type { TextTable } from "./codegen-wasm-texts.ts"
import type { ParamReference } from "./ir.ts"
import { argumentType, type KernelArgument } from "./wasm-argument.ts"
import { f64, i32, i32x4, i64, v128, when, whileLoop, type Code, type Local, type WasmType } from "../base/wasm-code.ts"
import { countUses, isConstant, type Lane } from "./wasm-lane.ts"
import { WasmModule, type FunctionScope } from "../base/wasm-module.ts"
import { ScalarWriter } from "./wasm-scalar.ts"
import { isVectorisable, VECTOR_ROWS, VectorWriter } from "./wasm-vector.ts"

/** A kernel that is written and not yet run. */
export interface WasmSource {
  readonly module: WasmModule
  /** Whether eight rows are done at a time. */
  readonly isVectorised: boolean
  /** Whether no row is ever listed. */
  readonly listsNone: boolean
  /** What follows the first three arguments. */
  readonly arguments: readonly KernelArgument[]
  /** By the numbers that arguments give them. */
  readonly params: readonly ParamReference[]
  readonly tables: readonly TextTable[]
}

/** What a kernel is to do. */
export interface KernelPlan {
  readonly lanes: Pick<LambdaLanes, "graph" | "params" | "tables">
  readonly stores: readonly TargetLanes[]
  /** Which rows are listed. */
  readonly listed: Lane<"flag">
  /** Whether they are so few that a branch is foreseen. */
  readonly areListedRare: boolean
  /** For which rows the answer is not known. */
  readonly unknown: Lane<"flag">
}

/** For each value of eight bits the places of those that are set, ascending, in eight bytes. */
export const PICKS = Uint8Array.from({ length: 256 * VECTOR_ROWS }, (_, at) => {
  const places = [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => ((at >> 3) >> bit) & 1)
  return places[at & 7] ?? 0
})

/** So many parts of a batch are gone through side by side, by graphs of so many lanes: larger ones do not wait for memory. */
const PARTS = 2
const PARTS_MAX_LANES = 64

/** A larger graph would take long to compile. */
const MAX_LANES = 1000

const ROW_BYTES = i32.const(4)

/** The kernel of a plan. @throws NotCompilable where it would be too large. */
export function wasmSource(plan: KernelPlan): WasmSource {
  const { lanes, stores, listed, unknown } = plan
  const { graph, params, tables } = lanes
  const roots = [...stores.flatMap(({ value, isPresent }) => (isPresent === undefined ? [value] : [value, isPresent]))]
  const uses = countUses([...roots, listed, unknown])
  if (uses.size > MAX_LANES) throw notKnown("so many operations")
  const used = new Set<number>()
  for (const { definition } of uses.keys()) if ("argument" in definition) used.add(definition.argument)
  for (const { index, isPresent } of stores) {
    used.add(graph.indexOf({ from: "target", target: index, part: "values" }))
    if (isPresent !== undefined) used.add(graph.indexOf({ from: "target", target: index, part: "validity" }))
  }
  const indexes = [...used].sort((one, other) => one - other)
  const isVectorised = isVectorisable(uses.keys())
  const module = new WasmModule()
  for (const name of ["all", "some"] as const) {
    const types = Object.fromEntries(indexes.map((index) => [`a${index}`, argumentType(graph.arguments[index]!)]))
    const parameters = { count: "i32", list: "i32", from: "i32", ...types } as const
    module.function(name, { parameters, result: "i32" }, (locals, scope) => {
      const { count, list, from } = locals
      const args: Local<WasmType>[] = []
      for (const index of indexes) args[index] = (locals as Readonly<Record<string, Local<WasmType>>>)[`a${index}`]!
      const writer = new LoopWriter(plan, uses, scope, args, { count, list, from })
      return name === "some" ? writer.some() : writer.all(isVectorised)
    })
  }
  const listsNone = isConstant(listed, false)
  return { module, isVectorised, listsNone, arguments: indexes.map((index) => graph.arguments[index]!), params, tables }
}

interface FirstArguments {
  readonly count: Local<"i32">
  readonly list: Local<"i32">
  /** The address of the selection, or of `PICKS`. */
  readonly from: Local<"i32">
}

/** Writes one of the two functions. */
class LoopWriter {
  readonly #plan: KernelPlan
  readonly #uses: ReadonlyMap<Lane, number>
  readonly #scope: FunctionScope
  readonly #arguments: readonly Local<WasmType>[]
  readonly #first: FirstArguments
  readonly #row: Local<"i32">
  /** Where the next row is listed. */
  readonly #at: Local<"i32">
  /** Not 0 where the answer for some row is not known. */
  readonly #lost: Local<"i32">

  constructor(
    plan: KernelPlan,
    uses: ReadonlyMap<Lane, number>,
    scope: FunctionScope,
    args: readonly Local<WasmType>[],
    first: FirstArguments,
  ) {
    this.#plan = plan
    this.#uses = uses
    this.#scope = scope
    this.#arguments = args
    this.#first = first
    this.#row = scope.local("i32")
    this.#at = scope.local("i32")
    this.#lost = scope.local("i32")
  }

  some(): [...Code<"none">[], Code<"i32">] {
    const { count, list, from } = this.#first
    const [row, at, end] = [this.#row, this.#at, this.#scope.local("i32")]
    return [
      at.set(list.get),
      end.set(i32.add(from.get, i32.shl(count.get, i32.const(2)))),
      whileLoop(i32.ltU(from.get, end.get), [
        row.set(i32.load(from.get)),
        ...this.#oneRow(),
        from.set(i32.add(from.get, ROW_BYTES)),
      ]),
      this.#result(),
    ]
  }

  all(isVectorised: boolean): [...Code<"none">[], Code<"i32">] {
    const { count, list } = this.#first
    const [row, at] = [this.#row, this.#at]
    return [
      at.set(list.get),
      ...(isVectorised ? this.#eightByEight() : []),
      whileLoop(i32.ltU(row.get, count.get), [...this.#oneRow(), row.set(i32.add(row.get, i32.const(1)))]),
      this.#result(),
    ]
  }

  #result(): Code<"i32"> {
    const length = i32.shrU(i32.sub(this.#at.get, this.#first.list.get), i32.const(2))
    return isConstant(this.#plan.unknown, false) ? length : i32.select(this.#lost.get, i32.const(-1), length)
  }

  #oneRow(): Code<"none">[] {
    const { stores, listed, unknown } = this.#plan
    const row = this.#row
    const writer = new ScalarWriter(this.#scope, this.#arguments, this.#uses, row)
    const body: Code<"none">[] = []
    const add = (...codes: Code<"none">[]): number => body.push(...writer.takeStatements(), ...codes)
    for (const store of stores) {
      add(this.#storeOne(store, writer))
      if (store.isPresent !== undefined) add(this.#storeBit(store, "validity", store.isPresent, writer))
    }
    if (!isConstant(unknown, false)) add(this.#lost.set(i32.or(this.#lost.get, writer.value(unknown))))
    if (isConstant(listed, false)) return body
    const bytes = i32.shl(writer.value(listed), i32.const(2))
    add(i32.store(this.#at.get, row.get), this.#at.set(i32.add(this.#at.get, bytes)))
    return body
  }

  #storeOne(store: TargetLanes, writer: ScalarWriter): Code<"none"> {
    const { value } = store
    if (value.type === "flag") return this.#storeBit(store, "values", value as Lane<"flag">, writer)
    const address = writer.valueAddress(this.#target(store, "values"), value.type)
    switch (value.type) {
      case "f64":
        return f64.store(address, writer.value(value as Lane<"f64">))
      case "i64":
        return i64.store(address, writer.value(value as Lane<"i64">))
      case "i32":
        return i32.store(address, writer.value(value as Lane<"i32">))
    }
  }

  #storeBit(store: TargetLanes, part: "values" | "validity", flag: Lane<"flag">, writer: ScalarWriter): Code<"none"> {
    const address = writer.bitAddress(this.#target(store, part))
    const others = i32.and(i32.load8U(address), i32.xor(i32.shl(i32.const(1), writer.bitNumber()), i32.const(-1)))
    return i32.store8(address, i32.or(others, i32.shl(writer.value(flag), writer.bitNumber())))
  }

  #target({ index }: TargetLanes, part: "values" | "validity"): number {
    return this.#plan.lanes.graph.indexOf({ from: "target", target: index, part })
  }

  /** Eight rows at a time. Where there are only columns to fill, or only a list to make, at several places side by side. */
  #eightByEight(): Code<"none">[] {
    const { count } = this.#first
    const [row, end] = [this.#row, this.#scope.local("i32")]
    const one = this.#eight(row, this.#at)
    const loop = (body: readonly Code<"none">[]) =>
      whileLoop(i32.ltU(row.get, end.get), [...body, row.set(i32.add(row.get, i32.const(VECTOR_ROWS)))])
    const whole = [end.set(i32.and(count.get, i32.const(-VECTOR_ROWS))), loop(one.body)]
    const hasList = !isConstant(this.#plan.listed, false)
    if ((this.#plan.stores.length > 0 && hasList) || this.#uses.size > PARTS_MAX_LANES)
      return [...one.prologue, ...whole]
    const others = Array.from({ length: PARTS - 1 }, () => this.#otherPart(hasList))
    return [
      ...one.prologue,
      ...others.flatMap((other) => other.prologue),
      end.set(i32.and(i32.shrU(count.get, i32.const(Math.log2(PARTS))), i32.const(-VECTOR_ROWS))),
      ...others.flatMap((other, index) => other.begin(i32.mul(end.get, i32.const(index + 1)))),
      loop([...one.body, ...others.flatMap(({ body }) => body)]),
      ...others.flatMap(({ list, at }) => (hasList ? this.#append(list.get, at) : [])),
      row.set(others.at(-1)!.row.get),
      ...whole,
    ]
  }

  /** A part of the rows beside the first one: its next row, where its list begins and where it goes on. */
  #otherPart(hasList: boolean) {
    const [row, list, at] = [this.#scope.local("i32"), this.#scope.local("i32"), this.#scope.local("i32")]
    const { prologue, body } = this.#eight(row, at)
    const begin = (first: Code<"i32">) => [
      row.set(first),
      ...(hasList ? [list.set(i32.add(this.#first.list.get, i32.shl(row.get, i32.const(2)))), at.set(list.get)] : []),
    ]
    return { row, list, at, prologue, begin, body: [...body, row.set(i32.add(row.get, i32.const(VECTOR_ROWS)))] }
  }

  /** Puts the row numbers from an address on, up to `end`, behind those that are listed. */
  #append(from: Code<"i32">, end: Local<"i32">): Code<"none">[] {
    const at = this.#at
    const [source, listEnd] = [this.#scope.local("i32"), this.#scope.local("i32")]
    return [
      source.set(from),
      listEnd.set(i32.add(at.get, i32.sub(end.get, source.get))),
      when(i32.ne(at.get, source.get), [
        whileLoop(i32.ltU(source.get, end.get), [
          v128.store(at.get, v128.load(source.get)),
          ...[source, at].map((each) => each.set(i32.add(each.get, i32.const(16)))),
        ]),
      ]),
      at.set(listEnd.get),
    ]
  }

  /** Code for the eight rows from `row` on, which are listed at `at`; and what comes once before it. */
  #eight(row: Local<"i32">, at: Local<"i32">): { readonly prologue: Code<"none">[]; readonly body: Code<"none">[] } {
    const { stores, listed, unknown } = this.#plan
    const writer = new VectorWriter(this.#scope, this.#arguments, this.#uses, row)
    const body: Code<"none">[] = []
    const add = (...codes: Code<"none">[]): number => body.push(...writer.takeStatements(), ...codes)
    for (const store of stores) {
      for (const code of this.#storeEight(store, writer)) add(code)
    }
    if (!isConstant(unknown, false)) add(this.#lost.set(i32.or(this.#lost.get, writer.bits(unknown))))
    if (!isConstant(listed, false)) {
      const bits = this.#scope.local("i32")
      add(bits.set(writer.bits(listed)))
      const list = this.#listEight(bits, row, at)
      body.push(...(this.#plan.areListedRare ? [when(bits.get, list)] : list))
    }
    return { prologue: writer.prologue, body }
  }

  *#storeEight(store: TargetLanes, writer: VectorWriter): Generator<Code<"none">> {
    const { value, isPresent } = store
    const values = this.#target(store, "values")
    if (value.type === "flag") yield i32.store8(writer.bitAddress(values), writer.bits(value as Lane<"flag">))
    else {
      const address = writer.valueAddress(values, value.type)
      const parts = value.type === "i32" ? [0, 1] : [0, 1, 2, 3]
      for (const part of parts) {
        const vector = value.type === "i32" ? writer.narrow(value, part) : writer.wide(value, part)
        yield v128.store(address, vector, part * 16)
      }
    }
    if (isPresent !== undefined) {
      yield i32.store8(writer.bitAddress(this.#target(store, "validity")), writer.bits(isPresent))
    }
  }

  /** Lists those of the eight rows from `row` on whose bits are set. */
  #listEight(bits: Local<"i32">, row: Local<"i32">, at: Local<"i32">): Code<"none">[] {
    const places = this.#scope.local("v128")
    const first = i32x4.splat(row.get)
    return [
      places.set(v128.load8x8U(i32.add(this.#first.from.get, i32.shl(bits.get, i32.const(3))))),
      v128.store(at.get, i32x4.add(i32x4.extendLowI16x8U(places.get), first)),
      v128.store(at.get, i32x4.add(i32x4.extendHighI16x8U(places.get), first), 16),
      at.set(i32.add(at.get, i32.shl(i32.popcnt(bits.get), i32.const(2)))),
    ]
  }
}
