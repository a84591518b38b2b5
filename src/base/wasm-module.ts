/**
 * From typed WebAssembly code to a module's bytes, and to its functions over a memory.
 *
 *     module   = magic, version 1, sections: types, imports (the memory), functions, exports, code, names
 *
 * (https://webassembly.github.io/spec/core/binary/modules.html)
 *
 * Invariants:
 * - WM1 The same description gives the same bytes.
 * - WM2 A module has no state of its own: no globals, no tables, no memory but the one it is given.
 */
import { assert } from "./assert.ts"
import { ByteWriter } from "./bytes.ts"
import type { LinearMemory } from "./linear-memory.ts"
import { Local, unsignedLeb, type Code, type Label, type Part, type Parts, type WasmType } from "./wasm-code.ts"

const TYPE_BYTES = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b, none: 0x40 } as const
const CONTROL_BYTES = { block: 0x02, loop: 0x03, if: 0x04 } as const
/** A memory has a least and a greatest size, and is shared or not. */
const LIMITS: Readonly<Record<MemoryKind, number>> = { shared: 0x03, own: 0x01 }
const END = 0x0b
const ELSE = 0x05
const CALL = 0x10
/** "\0asm", and version 1. */
const MAGIC = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
/** The part of the section of names that has those of functions. */
const FUNCTION_NAMES = 1
/** For how many bytes there is room at first. */
const MODULE_BYTES = 16_384
const SECTION_BYTES = 4096

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

/** What memory a module works on: one that threads share, as an arena's, or one that is its own. */
export type MemoryKind = "shared" | "own"

/** A module under construction. */
export class WasmModule {
  readonly #memory: MemoryKind
  readonly #functions: FunctionParts[] = []

  constructor(memory: MemoryKind = "shared") {
    this.#memory = memory
  }

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
    const functions = this.#functions
    const out = new ByteWriter(MODULE_BYTES)
    out.raw(MAGIC)
    section(out, 1, (content) => {
      writeEach(content, functions, writeType)
    })
    // A memory of any size: what it really has is for who makes it to say.
    section(out, 2, (content) => {
      content.varint(1)
      content.text("env")
      content.text("memory")
      content.raw(Uint8Array.of(0x02, LIMITS[this.#memory], 0))
      content.varint(65_536)
    })
    section(out, 3, (content) => {
      writeEach(content, functions, (_, index) => {
        content.varint(index)
      })
    })
    section(out, 7, (content) => {
      writeEach(content, functions, ({ name }, index) => {
        content.text(name)
        content.uint8(0)
        content.varint(index)
      })
    })
    const places = new Map(functions.map(({ name }, index) => [name, index]))
    section(out, 10, (content) => {
      writeEach(content, functions, (each) => {
        content.bytes(functionBody(each, places))
      })
    })
    section(out, 0, (content) => {
      content.text("name")
      content.uint8(FUNCTION_NAMES)
      content.bytes(functionNames(functions))
    })
    return out.finish()
  }

  /** The module's functions, working on `memory`. */
  instantiate<F extends object>(memory: LinearMemory): F {
    const compiled = new WebAssembly.Module(this.encode())
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory } })
    return exports as F
  }
}

function section(out: ByteWriter, id: number, write: (content: ByteWriter) => void): void {
  const content = new ByteWriter(SECTION_BYTES)
  write(content)
  out.uint8(id)
  out.bytes(content.view())
}

/** How many there are, and each. */
function writeEach<T>(
  out: ByteWriter,
  list: readonly T[],
  write: (item: T, index: number, out: ByteWriter) => void,
): void {
  out.varint(list.length)
  list.forEach((item, index) => {
    write(item, index, out)
  })
}

/** What profilers and stack traces call the functions. */
function functionNames(functions: readonly FunctionParts[]): Uint8Array {
  const names = new ByteWriter()
  writeEach(names, functions, ({ name }, index) => {
    names.varint(index)
    names.text(name)
  })
  return names.view()
}

function writeType({ parameters, result }: FunctionParts, _: number, out: ByteWriter): void {
  out.uint8(0x60)
  writeEach(out, parameters, (type) => {
    out.uint8(TYPE_BYTES[type])
  })
  writeEach(out, result === "none" ? [] : [result], (type) => {
    out.uint8(TYPE_BYTES[type])
  })
}

/** `places` are the functions' numbers by name. */
function functionBody({ locals, body }: FunctionParts, places: ReadonlyMap<string, number>): Uint8Array {
  const out = new ByteWriter()
  writeEach(out, locals, (type) => {
    out.uint8(1)
    out.uint8(TYPE_BYTES[type])
  })
  const writing: Writing = { places, labels: [], bytes: new Uint8Array(SECTION_BYTES), length: 0 }
  for (const byte of out.view()) writeByte(byte, writing)
  for (const parts of body) writeParts(parts, writing)
  writeByte(END, writing)
  return writing.bytes.subarray(0, writing.length)
}

/**
 * What code is written with: functions' numbers, the labels of the structures around, the innermost last, and the bytes
 * so far. They are written here and not by a `ByteWriter`, since a start writes a hundred thousand of them one by one,
 * in code that is not compiled yet.
 */
interface Writing {
  readonly places: ReadonlyMap<string, number>
  readonly labels: Label[]
  bytes: Uint8Array
  length: number
}

function writeByte(byte: number, writing: Writing): void {
  if (writing.length === writing.bytes.length) {
    const grown = new Uint8Array(writing.length * 2)
    grown.set(writing.bytes)
    writing.bytes = grown
  }
  writing.bytes[writing.length++] = byte
}

function writeNumber(value: number, writing: Writing): void {
  for (const byte of unsignedLeb(value)) writeByte(byte, writing)
}

function writeParts(parts: Parts, writing: Writing): void {
  const { length } = parts
  for (let index = 0; index < length; index++) {
    const part = parts[index]!
    if (typeof part === "number") writeByte(part, writing)
    else if (isParts(part)) writeParts(part, writing)
    else writeStructure(part, writing)
  }
}

function writeStructure(part: Exclude<Part, number | Parts>, writing: Writing): void {
  const { labels } = writing
  if ("control" in part) {
    writeByte(CONTROL_BYTES[part.control], writing)
    writeByte(TYPE_BYTES[part.type], writing)
    labels.push(part.label)
    writeParts(part.body, writing)
    if (part.otherwise !== undefined) {
      writeByte(ELSE, writing)
      writeParts(part.otherwise, writing)
    }
    labels.pop()
    writeByte(END, writing)
  } else if ("branch" in part) {
    const at = labels.lastIndexOf(part.to)
    assert(at !== -1, "a branch goes to a structure around it")
    writeByte(part.branch, writing)
    writeNumber(labels.length - 1 - at, writing)
  } else {
    const place = writing.places.get(part.callee)
    assert(place !== undefined, "what is called is a function of the module")
    writeByte(CALL, writing)
    writeNumber(place, writing)
  }
}

/** Most parts are: what `in` asks of an array goes a long way. */
function isParts(part: Exclude<Part, number>): part is Parts {
  return Array.isArray(part)
}
