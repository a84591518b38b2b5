/**
 * What a WebAssembly kernel is given for a batch, as a list that its code and whoever runs it agree on: addresses of
 * columns and tables, values of parameters, codes of texts.
 */
import type { WasmType } from "../base/wasm-code.ts"

/** A text that is known before the batch: one that stands in the source, or that of a parameter, by its number. */
export type KernelText = { readonly constant: string } | { readonly param: number }

/** One argument. */
export type KernelArgument =
  /** The address of a column's values or of its bitmap; `path` leads through structs. */
  | { readonly from: "column"; readonly path: readonly number[]; readonly part: "values" | "validity" }
  /** A parameter, by its number: as `ToNumber` makes it or as a bigint (0 for null), whether it is truthy, or null. */
  | { readonly from: "param"; readonly param: number; readonly as: "number" | "bigint" | "truth" | "isNull" }
  /** The code of a text in a column's dictionary, or -1 where it is not there. */
  | { readonly from: "code"; readonly path: readonly number[]; readonly text: KernelText }
  /** The address of the entry of code 0 in a table over a dictionary, by its number; that of null lies before it. */
  | { readonly from: "table"; readonly table: number }
  /** The address of a target column's values or of its bitmap. */
  | { readonly from: "target"; readonly target: number; readonly part: "values" | "validity" }
  /** The code of a text in a target's dictionary; below 0 where it is none of the target's type. */
  | { readonly from: "targetCode"; readonly target: number; readonly text: KernelText }

/** How an argument is passed. */
export function argumentType(argument: KernelArgument): Exclude<WasmType, "v128"> {
  if (argument.from !== "param") return "i32"
  if (argument.as === "number") return "f64"
  return argument.as === "bigint" ? "i64" : "i32"
}
