import { afterEach, describe, expect, it } from "vitest"
import { Arena } from "../batch/arena.ts"
import { allocateColumns, Batch, batchOfRows } from "../batch/batch.ts"
import { readValue, type DictionaryColumn, type Float64Column } from "../batch/column.ts"
import { Dictionary } from "../batch/dictionary.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { builtinsOf } from "./builtins.ts"
import { wasmPredicate, wasmProjection } from "./codegen-wasm.ts"
import { lambdaOf, TRUSTING } from "./lambda.fixture.ts"
import { lowerLambda } from "./lower-lambda.ts"
import { compilePredicate } from "./predicate.ts"
import { WasmKernel } from "./wasm-kernel.ts"

const Row = schema({ x: t.float64, y: t.int32.nullable(), s: t.string.nullable(), b: t.int64 })
const Params = schema({ most: t.float64, word: t.string.nullable() })
const PARAMS = Object.freeze({ most: 10, word: "b" })
const arena = new Arena({ maxBytes: 1 << 20 })
const noRoom = new Arena({ maxBytes: 1 << 14 })

function rowsOf(length: number) {
  return Array.from({ length }, (_, index) => {
    return { x: index, y: index % 3 === 0 ? null : index, s: ["a", "b", null][index % 3]!, b: BigInt(index) }
  })
}

const releases: (() => void)[] = []
function batchOf(length: number, where = arena): Batch {
  const { batch, release } = batchOfRows(where, Row, rowsOf(length))
  releases.push(release)
  return batch
}

afterEach(() => {
  for (const release of releases.splice(0)) release()
  expect(arena.usedBytes).toBe(0)
})

function kernelOf(text: string, where = arena): WasmKernel {
  const ir = lowerLambda({ lambda: lambdaOf(text), schema: Row, params: Params, options: TRUSTING })
  return new WasmKernel(wasmPredicate(ir), { lets: ir.lets, params: Params, builtins: builtinsOf(ir), arena: where })
}

function select(kernel: WasmKernel, batch: Batch, params: Record<string, unknown> = PARAMS): number[] | undefined {
  const list = new Int32Array(batch.count)
  const count = kernel.run(batch, params, { list, targets: [] })
  return count === undefined ? undefined : [...list.subarray(0, count)]
}

describe("kernels of WebAssembly", () => {
  it("run on all rows and on a selection, wherever selections lie", () => {
    const kernel = kernelOf("(r, p) => r.x < p.most && r.y !== null")
    const batch = batchOf(21)
    expect(select(kernel, batch)).toEqual([1, 2, 4, 5, 7, 8])
    const rows = [0, 2, 5, 6, 7, 20]
    const block = arena.allocate(24)
    const inArena = new Int32Array(arena.buffer, block.offset, 6)
    inArena.set(rows)
    for (const selection of [Int32Array.from(rows), inArena]) {
      const selected = new Int32Array(arena.buffer, block.offset + 512, 6)
      expect(select(kernel, batch.with({ selection, count: 6 }))).toEqual([2, 5, 7])
      expect(kernel.run(batch.with({ selection, count: 6 }), PARAMS, { list: selected, targets: [] })).toBe(3)
      expect([...selected.subarray(0, 3)]).toEqual([2, 5, 7])
    }
    arena.free(block)
  })

  it("list rows in order, whatever passes of either half of a batch", () => {
    const kernel = kernelOf("(r, p) => (r.x & 7) < p.most && (r.x < 40 || (r.x & 3) !== 1)")
    for (let length = 0; length < 140; length++) {
      const batch = batchOf(length)
      for (const most of [0, 1, 3, 6, 8]) {
        const expected = rowsOf(length).flatMap(({ x }) => ((x & 7) < most && (x < 40 || (x & 3) !== 1) ? [x] : []))
        expect(select(kernel, batch, { ...PARAMS, most }), `${most} of ${length}`).toEqual(expected)
      }
      releases.pop()!()
    }
    const halves = kernelOf("(r, p) => r.x >= p.most")
    for (const most of [0, 1, 24, 31, 32, 33, 63]) {
      expect(select(halves, batchOf(64), { ...PARAMS, most })).toEqual(
        Array.from({ length: 64 - most }, (_, at) => most + at),
      )
    }
  })

  it("GW2 write nothing behind the list, and read nothing behind the rows", () => {
    const kernel = kernelOf("(r) => r.x >= 0")
    for (const length of [1, 7, 8, 9, 16, 23]) {
      const block = arena.allocate(1024)
      const around = new Int32Array(arena.buffer, block.offset, 256).fill(-7)
      const list = around.subarray(16, 16 + length)
      expect(kernel.run(batchOf(length), PARAMS, { list, targets: [] })).toBe(length)
      expect([...list]).toEqual([...Array.from({ length }).keys()])
      expect(around.subarray(0, 16).every((each) => each === -7)).toBe(true)
      expect(around.subarray(16 + length).every((each) => each === -7)).toBe(true)
      arena.free(block)
    }
  })

  it("take a column without a bitmap for one without nulls", () => {
    const batch = batchOf(19)
    batch.columns[1]!.validity = null
    batch.columns[2]!.validity = null
    expect(select(kernelOf("(r) => r.y === null || r.s === null"), batch)).toEqual([])
    expect(select(kernelOf("(r) => r.y !== null && r.s !== null"), batch)).toHaveLength(19)
  })

  it("WK1 leave a batch that lies elsewhere to JavaScript, and columns, too", () => {
    const kernel = kernelOf("(r) => r.x > 1")
    expect(select(kernel, batchOf(9, new Arena({ maxBytes: 1 << 16 })))).toBeUndefined()
    const batch = batchOf(9)
    const columns = batch.columns.map((column) =>
      column.storage === "float64" ? { ...column, values: Float64Array.from(column.values) } : column,
    )
    expect(select(kernel, batch.with({ columns }))).toBeUndefined()
    expect(select(kernel, batch)).toEqual([2, 3, 4, 5, 6, 7, 8])
  })

  it("WK1 JK1 leave a batch to JavaScript where a parameter is not of its type, or a function is not the engine's", () => {
    const kernel = kernelOf("(r, p) => Math.abs(r.x) < p.most")
    expect(select(kernel, batchOf(3))).toEqual([0, 1, 2])
    expect(select(kernel, batchOf(3), { ...PARAMS, most: "10" })).toBeUndefined()
    const { abs } = Math
    try {
      Math.abs = () => 0
      expect(select(kernel, batchOf(3))).toBeUndefined()
    } finally {
      Math.abs = abs
    }
    expect(select(kernel, batchOf(3))).toEqual([0, 1, 2])
  })

  it("WK3 leave a batch to JavaScript where there is no room, and keep no room", () => {
    const kernel = kernelOf("(r) => r.x > 1", noRoom)
    const { batch, release } = batchOfRows(noRoom, Row, rowsOf(2))
    const fill = noRoom.tryAllocate(1 << 13) ?? expect.unreachable()
    expect(select(kernel, batch)).toBeUndefined()
    noRoom.free(fill)
    const used = noRoom.usedBytes
    expect(select(kernel, batch)).toEqual([])
    expect(noRoom.usedBytes).toBe(used)
    release()
  })

  it("WK2 WB1 do not know the answer where a bigint leaves int64, and rest for a batch", () => {
    const kernel = kernelOf("(r) => r.b + 1n > 5n")
    const batch = batchOf(12)
    expect(select(kernel, batch)).toEqual([5, 6, 7, 8, 9, 10, 11])
    ;(batch.columns[3] as { values: BigInt64Array }).values[10] = 2n ** 63n - 1n
    expect(select(kernel, batch)).toBeUndefined()
    ;(batch.columns[3] as { values: BigInt64Array }).values[10] = 0n
    expect(select(kernel, batch)).toBeUndefined()
    expect(select(kernel, batch)).toEqual([5, 6, 7, 8, 9, 11])
    const product = kernelOf("(r) => r.x > 3 ? r.b * r.b > 20n : r.b * 4000000000000000000n === 1n")
    expect(select(product, batchOf(2))).toEqual([])
    expect(select(product, batchOf(3))).toBeUndefined()
  })

  it("do not mind what JavaScript does not evaluate", () => {
    const batch = batchOf(9)
    const { values } = batch.columns[3] as { values: BigInt64Array }
    values.fill(2n ** 63n - 1n)
    expect(select(kernelOf("(r) => r.x < 0 && r.b + 1n > 5n"), batch)).toEqual([])
    expect(select(kernelOf("(r) => r.x < 4 ? true : r.y !== null && r.y < 0 ? r.b * 2n > 1n : false"), batch)).toEqual([
      0, 1, 2, 3,
    ])
    expect(select(kernelOf("(r) => { const c = r.b + 1n; return r.x < 0 && c > 5n }"), batch)).toBeUndefined()
  })

  it("G4 leave a batch to the closure where a guard fails that JavaScript gets to", () => {
    const batch = batchOf(6)
    expect(select(kernelOf("(r) => r.x > 9 && r.s.length > 0"), batch)).toEqual([])
    expect(select(kernelOf("(r) => r.x > 3 && r.s.length > 0"), batch)).toBeUndefined()
    expect(select(kernelOf("(r) => r.s === null ? false : r.s.length > 0"), batch)).toEqual([0, 1, 3, 4])
    expect(select(kernelOf("(r) => { const c = r.s.length; return r.x > 9 && c > 0 }"), batch)).toBeUndefined()
  })

  it("are made for many rows only, where nothing else is asked for", () => {
    const predicate = compilePredicate({
      ...{ lambda: lambdaOf("(r) => r.x >= 0"), schema: Row, params: Params, options: TRUSTING, arena },
    })
    const before = arena.peakBytes
    for (const length of [300, 20, 5000]) {
      const batch = batchOf(length)
      const count = predicate.select(batch, PARAMS, new Int32Array(length), () => expect.unreachable())
      expect(count).toBe(length)
      const needed = arena.usedBytes
      // A kernel's block is on top of what the batch takes.
      expect(arena.peakBytes > Math.max(before, needed)).toBe(length === 5000)
      releases.pop()!()
    }
  })
})

describe("texts", () => {
  /** A batch of texts that belong to a given dictionary. */
  function textsOf(dictionary: Dictionary, texts: readonly (string | null)[]): Batch {
    const { columns, release } = allocateColumns(arena, Row, texts.length)
    releases.push(release)
    const column = columns[2] as DictionaryColumn
    column.dictionary = dictionary
    const numbers = columns[0] as Float64Column
    texts.forEach((text, row) => {
      numbers.values[row] = row
      column.values[row] = text === null ? 0 : dictionary.codeOf(text)
      if (text !== null) column.validity![row >> 3]! |= 1 << (row & 7)
    })
    return new Batch({ schema: Row, columns, length: texts.length })
  }

  const TEXTS = ["b", null, "a", "b", "bb", "", "c", "b", null, "aa", "b"]

  it("are compared by codes, in dictionaries that grow and are replaced", () => {
    const kernel = kernelOf("(r, p) => r.s === p.word || r.s === 'a' || r.s === '\\ud800'")
    const dictionary = new Dictionary()
    expect(select(kernel, textsOf(dictionary, ["c", "c"]))).toEqual([])
    expect(select(kernel, textsOf(dictionary, TEXTS))).toEqual([0, 2, 3, 7, 10])
    expect(select(kernel, textsOf(new Dictionary(), [...TEXTS, "\ufffd"].reverse()))).toEqual([1, 4, 8, 9, 11])
    expect(select(kernel, textsOf(dictionary, TEXTS), { ...PARAMS, word: null })).toEqual([1, 2, 8])
    expect(select(kernel, textsOf(dictionary, TEXTS), { ...PARAMS, word: "c" })).toEqual([2, 6])
  })

  it("WT1 are looked up in tables, in dictionaries that grow and are replaced, for other parameters", () => {
    const kernel = kernelOf("(r, p) => (r.s ?? 'none').startsWith(p.word ?? 'n') && (r.s ?? '').length < 2")
    const dictionary = new Dictionary()
    expect(select(kernel, textsOf(dictionary, TEXTS))).toEqual([0, 3, 7, 10])
    expect(select(kernel, textsOf(dictionary, [...TEXTS, "x", "b"]))).toEqual([0, 3, 7, 10, 12])
    expect(select(kernel, textsOf(new Dictionary(), ["x", "b", null]))).toEqual([1])
    expect(select(kernel, textsOf(dictionary, TEXTS), { ...PARAMS, word: null })).toEqual([1, 8])
    expect(select(kernel, textsOf(dictionary, TEXTS), { ...PARAMS, word: "c" })).toEqual([6])
  })

  it("WT2 are left to JavaScript where hardly one comes again", () => {
    const kernel = kernelOf("(r) => r.s !== null && r.s.startsWith('7')")
    const many = Dictionary.of(Array.from({ length: 100 }, (_, index) => String(index)))
    for (let round = 0; round < 3; round++)
      expect(select(kernel, textsOf(many, Array<string>(30).fill("7")))).toBeUndefined()
    expect(select(kernel, textsOf(many, Array<string>(30).fill("7")))).toHaveLength(30)
    expect(select(kernel, textsOf(many, ["7", "8"]))).toEqual([0])
    expect(select(kernel, textsOf(many, ["7", "a new one", "another"]))).toEqual([0])
    expect(select(kernel, textsOf(many, ["one", "two", "three"]))).toEqual([])
    const others = Array.from({ length: 10 }, (_, index) => `7 ${index}`)
    expect(select(kernel, textsOf(many, [...others]))).toHaveLength(10)
    expect(select(kernel, textsOf(Dictionary.of([...others, "8", "9", "10"]), ["8"]))).toBeUndefined()
  })

  it("G1 that a test keeps away do no harm to the table of the others", () => {
    const kernel = kernelOf("(r) => { const c = r.s?.at(1); return c !== undefined && r.x > 0 && c.length > 0 }")
    expect(select(kernel, textsOf(new Dictionary(), ["ab", "cd", "ef"]))).toEqual([1, 2])
    expect(select(kernel, textsOf(new Dictionary(), ["ab", "c", "ef"]))).toBeUndefined()
    const nullable = kernelOf("(r) => { const c = r.s; return c !== null && r.x >= 0 && c.length > 1 }")
    expect(select(nullable, textsOf(new Dictionary(), ["ab", null, "cd"]))).toEqual([0, 2])
  })

  it("PJ1 WD1 are made once a text, in a dictionary that lives as long as that of the input", () => {
    const text = "(r) => ({ s: r.x < 0 ? 'never' : (r.s ?? 'none').slice(0, 1), n: r.s?.length ?? null })"
    const Out = schema({ s: t.string, n: t.int32.nullable() })
    const ir = lowerLambda({ lambda: lambdaOf(text), schema: Row, params: Params, options: TRUSTING })
    const values = Out.fields.map(({ name }) => (ir.result.op === "object" ? ir.result.entries.get(name)! : ir.result))
    const targetTypes = Out.fields.map(({ type }) => type)
    const { source, targets } = wasmProjection(ir.lets, values, targetTypes)!
    expect([...targets]).toEqual([0, 1])
    const parts = { lets: ir.lets, params: Params, builtins: builtinsOf(ir), arena }
    const kernel = new WasmKernel(source, { ...parts, targetTypes })
    const run = (batch: Batch): readonly [unknown[], Dictionary] => {
      const { columns, release } = allocateColumns(arena, Out, batch.length)
      expect(kernel.run(batch, PARAMS, { list: new Int32Array(batch.length), targets: columns })).toBe(0)
      const rows = [...Array(batch.length).keys()].map((row) => columns.map((column) => readValue(column, row)))
      release()
      return [rows, (columns[0] as DictionaryColumn).dictionary]
    }
    const dictionary = new Dictionary()
    const [rows, made] = run(textsOf(dictionary, ["ab", null, "ac", "b"]))
    expect(rows).toEqual([
      ["a", 2],
      ["n", null],
      ["a", 2],
      ["b", 1],
    ])
    const [more, same] = run(textsOf(dictionary, ["z", "ab"]))
    expect([more, same]).toEqual([
      [
        ["z", 1],
        ["a", 2],
      ],
      made,
    ])
    expect(same).toBe(made)
    const [others, another] = run(textsOf(new Dictionary(), ["ab"]))
    expect(others).toEqual([["a", 2]])
    expect(another).not.toBe(made)
  })
})
