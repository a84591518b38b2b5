/**
 * From typed WebAssembly code to a module's bytes, and to its functions over an arena's memory.
 *
 *     module   = magic, version 1, sections: types, imports (the memory, shared), functions, exports, code, names
 *
 * (https://webassembly.github.io/spec/core/binary/modules.html)
 *
 * Invariants:
 * - WM1 The same description gives the same bytes.
 * - WM2 A module has no state of its own: no globals, no tables, no memory but the one it is given.
 */
import { assert } from "../base/assert.ts"
import type { LinearMemory } from "../batch/arena.ts"
import { Local, unsignedLeb, type Code, type Label, type Part, type Parts, type WasmType } from "./wasm-code.ts"

const TYPE_BYTES = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b, none: 0x40 } as const
const CONTROL_BYTES = { block: 0x02, loop: 0x03, if: 0x04 } as const
const END = 0x0b
const ELSE = 0x05
const CALL = 0x10

/** Parameters of a function by name, in order. */
type ParameterTypes = Readonly<Record<string, WasmType>>
type Locals<P extends ParameterTypes> = { readonly [N in keyof P]: Local<P[N]> }

/** What a function's body is written with. */
export interface FunctionScope {
  /** A new variable, which is 0 at first. */
  local<T extends WasmType>(type: T): Local<T>
}

interface FunctionParts {
  readonly name: string
  readonly parameters: readonly WasmType[]
  readonly result: WasmType | "none"
  readonly locals: readonly WasmType[]
  readonly body: readonly Parts[]
}

/** A module under construction. */
export class WasmModule {
  readonly #functions: FunctionParts[] = []

  /** Adds an exported function. Its body's last code leaves the result. */
  function<P extends ParameterTypes, R extends WasmType | "none">(
    name: string,
    signature: { readonly parameters: P; readonly result: R },
    write: (parameters: Locals<P>, scope: FunctionScope) => readonly [...Code<"none">[], Code<R>],
  ): this {
    const types = Object.values(signature.parameters)
    const locals: WasmType[] = []
    const parameters = Object.fromEntries(
      Object.entries(signature.parameters).map(([key, type], index) => [key, new Local(type, index)]),
    ) as unknown as Locals<P>
    const scope: FunctionScope = {
      local(type) {
        locals.push(type)
        return new Local(type, types.length + locals.length - 1)
      },
    }
    const body = write(parameters, scope).map(({ parts }) => parts)
    this.#functions.push({ name, parameters: types, result: signature.result, locals, body })
    return this
  }

  /** The module's bytes. */
  encode(): Uint8Array<ArrayBuffer> {
    const out: number[] = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
    const each = <T>(list: readonly T[], write: (item: T, index: number) => number[]) => [
      ...unsignedLeb(list.length),
      ...list.flatMap(write),
    ]
    section(out, 1, each(this.#functions, functionType))
    // A shared memory of any size: what it really has is for who makes it to say.
    section(out, 2, [1, ...text("env"), ...text("memory"), 0x02, 0x03, 0, ...unsignedLeb(65_536)])
    section(
      out,
      3,
      each(this.#functions, (_, index) => unsignedLeb(index)),
    )
    section(
      out,
      7,
      each(this.#functions, ({ name }, index) => [...text(name), 0, ...unsignedLeb(index)]),
    )
    const bodies: number[] = [...unsignedLeb(this.#functions.length)]
    const places = new Map(this.#functions.map(({ name }, index) => [name, index]))
    for (const each of this.#functions) append(bodies, functionBody(each, places))
    section(out, 10, bodies)
    section(out, 0, [...text("name"), ...functionNames(this.#functions)])
    return Uint8Array.from(out)
  }

  /** The module's functions, working on `memory`. */
  instantiate<F extends object>(memory: LinearMemory): F {
    const compiled = new WebAssembly.Module(this.encode())
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory } })
    return exports as F
  }
}

function append(out: number[], bytes: readonly number[]): void {
  for (const byte of bytes) out.push(byte)
}

function section(out: number[], id: number, content: readonly number[]): void {
  out.push(id, ...unsignedLeb(content.length))
  append(out, content)
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value)
  return [...unsignedLeb(bytes.length), ...bytes]
}

/** What profilers and stack traces call the functions. */
function functionNames(functions: readonly FunctionParts[]): number[] {
  const names = functions.flatMap(({ name }, index) => [...unsignedLeb(index), ...text(name)])
  const content = [...unsignedLeb(functions.length), ...names]
  return [1, ...unsignedLeb(content.length), ...content]
}

function functionType({ parameters, result }: FunctionParts): number[] {
  const results = result === "none" ? [0] : [1, TYPE_BYTES[result]]
  return [0x60, ...unsignedLeb(parameters.length), ...parameters.map((type) => TYPE_BYTES[type]), ...results]
}

/** `places` are the functions' numbers by name. */
function functionBody({ locals, body }: FunctionParts, places: ReadonlyMap<string, number>): number[] {
  const out: number[] = [...unsignedLeb(locals.length), ...locals.flatMap((type) => [1, TYPE_BYTES[type]])]
  const writing: Writing = { places, labels: [], out }
  for (const parts of body) writeParts(parts, writing)
  out.push(END)
  return [...unsignedLeb(out.length), ...out]
}

/** What code is written with: functions' numbers, and the labels of the structures around, the innermost last. */
interface Writing {
  readonly places: ReadonlyMap<string, number>
  readonly labels: Label[]
  readonly out: number[]
}

function writeParts(parts: Parts, writing: Writing): void {
  for (const part of parts) writePart(part, writing)
}

function writePart(part: Part, writing: Writing): void {
  const { labels, out } = writing
  if (typeof part === "number") out.push(part)
  else if ("control" in part) {
    out.push(CONTROL_BYTES[part.control], TYPE_BYTES[part.type])
    labels.push(part.label)
    writeParts(part.body, writing)
    if (part.otherwise !== undefined) {
      out.push(ELSE)
      writeParts(part.otherwise, writing)
    }
    labels.pop()
    out.push(END)
  } else if ("branch" in part) {
    const at = labels.lastIndexOf(part.to)
    assert(at !== -1, "a branch goes to a structure around it")
    out.push(part.branch)
    append(out, unsignedLeb(labels.length - 1 - at))
  } else if ("callee" in part) {
    const place = writing.places.get(part.callee)
    assert(place !== undefined, "what is called is a function of the module")
    out.push(CALL)
    append(out, unsignedLeb(place))
  } else writeParts(part, writing)
}
