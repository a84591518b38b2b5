/**
 * IR to WebAssembly: the kernels of predicates and projections. Nothing is run here: `wasm-kernel.ts` does.
 *
 * Unlike JavaScript, WebAssembly has no form for all IR there is. A predicate is left to JavaScript as a whole, a
 * projection column by column.
 *
 * Invariant:
 * - GW1 The same IR gives the same module.
 */
import type { ColumnType } from "../batch/type.ts"
import { wasmSource, type WasmSource } from "./codegen-wasm-kernel.ts"
import { LambdaLanes } from "./codegen-wasm-lanes.ts"
import { notKnown } from "./lane-questions.ts"
import { targetLanes } from "./codegen-wasm-targets.ts"
import type { BackEnd, CompileOptions } from "./compile.ts"
import type { ColumnReference, Ir, LambdaIr, Let } from "./ir.ts"
import { NotCompilable } from "./not-compilable.ts"

/** A kernel that fills columns. */
interface WasmProjectionSource extends WasmSource {
  /** Columns whose dictionaries targets take over, with the codes. */
  readonly sharedDictionaries: ReadonlyMap<number, ColumnReference>
}

/** The kernel of a projection, and the columns that it fills. */
export interface WasmProjection {
  readonly source: WasmProjectionSource
  readonly targets: ReadonlySet<number>
}

/** What `write` gives, or `undefined` where the lambda, or all of it that counts, is left to JavaScript. */
export function wasmOrNot<T>(only: CompileOptions["only"], write: () => T | undefined): T | undefined {
  if (only === "JavaScript") return undefined
  try {
    return write()
  } catch (error) {
    // Writing code goes down the tree by recursion.
    if (error instanceof NotCompilable || error instanceof RangeError) return undefined
    throw error
  }
}

/** What a kernel runs as. */
export function backEndOf({ isVectorised }: WasmSource): BackEnd {
  return isVectorised ? "WebAssembly SIMD" : "WebAssembly"
}

/** The kernel of a predicate. @throws NotCompilable where it is left to JavaScript. */
export function wasmPredicate(ir: LambdaIr): WasmSource {
  const { result } = ir
  if (result.op === "object") throw notKnown("objects")
  const lanes = new LambdaLanes()
  lanes.noteGuards(ir.lets, [result])
  const [flag, unknown] = [lanes.truth(result), lanes.unknown]
  return wasmSource({ lanes, stores: [], listed: flag, areListedRare: false, unknown })
}

/** The kernel of a projection, of those columns that WebAssembly can fill; `undefined` where there are none. */
export function wasmProjection(
  lets: readonly Let[],
  values: readonly Ir[],
  types: readonly ColumnType[],
): WasmProjection | undefined {
  const lanes = new LambdaLanes()
  lanes.noteGuards(lets, values)
  const targets = values.flatMap((value, index) => {
    return lanes.attempt(() => targetLanes(lanes, value, { index, type: types[index]! })) ?? []
  })
  if (targets.length === 0) return undefined
  const failed = targets.reduce((all, { isFailed }) => lanes.graph.or(all, isFailed), lanes.unknown)
  const never = lanes.graph.constant("flag", false)
  const source = wasmSource({ lanes, stores: targets, listed: failed, areListedRare: true, unknown: never })
  const shared = targets.flatMap(({ index, sharesDictionaryOf }) => {
    return sharesDictionaryOf === undefined ? [] : [[index, sharesDictionaryOf] as const]
  })
  return {
    source: { ...source, sharedDictionaries: new Map(shared) },
    targets: new Set(targets.map(({ index }) => index)),
  }
}
