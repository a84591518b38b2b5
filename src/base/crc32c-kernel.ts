/**
 * CRC-32C of long inputs, in WebAssembly: most bytes are taken in by vectors and without tables, after "Chorba: A novel CRC32
 * implementation" (Russell, 2024, https://arxiv.org/abs/2412.16398).
 *
 * A checksum is the remainder of the input, as a polynomial over GF(2), by that of the checksum. So whatever is a multiple of that one may
 * be added to the input. A multiple with few terms is
 *
 *     x²⁰⁹ + x¹⁴⁴ + x⁵⁴ + x³⁹ + x¹⁴ + 1
 *
 * (none with six terms is of a lower degree, and none with four below 5275). Squared five times it has x³² for x, and 32 bits are a word: to add it so that
 * its highest term takes away a word is to add that word to those 65, 155, 170, 195 and 209 words further on. Word by word the input is emptied from
 * the front, until its last 209 words are left; the checksum of what these have become is that of all. They go by tables, sixteen bytes a step.
 *
 * With w what a word has become when it is taken away, and m the input:
 *
 *     w[i] = m[i] ^ w[i − 65] ^ w[i − 155] ^ w[i − 170] ^ w[i − 195] ^ w[i − 209]
 *
 * where words before the first are 0. The nearest lies 260 bytes back, so that vectors of sixteen bytes take four words at once. The input is copied into
 * the memory block by block, and is overwritten there:
 *
 * | at | what |
 * |---|---|
 * | 0 | sixteen tables |
 * | HISTORY_AT | the last words of the block before, 0 at first |
 * | BLOCK_AT | a block; behind it room for what is left |
 * | REST_AT | the last words, when all others are taken away |
 *
 * Invariant:
 * - CK1 Behind each checksum the history is 0.
 */
import { assert } from "./assert.ts"
import { slicingTables } from "./crc32c-tables.ts"
import { call, i32, memoryCopy, memoryFill, v128, when, whileLoop, type Code } from "./wasm-code.ts"
import { WasmModule } from "./wasm-module.ts"

/** How many words further on a word that is taken away is added. */
export const WORD_DISTANCES = [65, 155, 170, 195, 209] as const
const DISTANCES = WORD_DISTANCES.map((words) => 4 * words)
const VECTOR_BYTES = 16
/** So many bytes at the end cannot be taken away. */
const REACH_BYTES = Math.max(...DISTANCES)
/** The same in whole vectors. */
const REST_BYTES = Math.ceil(REACH_BYTES / VECTOR_BYTES) * VECTOR_BYTES
/** What is left is fewer bytes than that. */
const REST_BYTES_MAX = REST_BYTES + VECTOR_BYTES

const SLICES = 16
const TABLE_BYTES = 1024
const HISTORY_AT = SLICES * TABLE_BYTES
const BLOCK_AT = HISTORY_AT + REST_BYTES
/** How many bytes are copied at once. */
export const BLOCK_BYTES = 32 * 1024
/** The last one may be longer, so that it always has a word that can be taken away where there was one before it. */
const LAST_BLOCK_BYTES = BLOCK_BYTES + REST_BYTES_MAX
const REST_AT = BLOCK_AT + LAST_BLOCK_BYTES
const PAGE_BYTES = 65_536
assert(REST_AT + REST_BYTES_MAX <= PAGE_BYTES, "all that the kernel needs lies in a page")

interface KernelFunctions {
  /** Takes away a block of whole vectors, that begins with the state. */
  readonly take: (crc: number, bytes: number) => void
  /** Takes away what can be of the last block, and gives the state behind it. */
  readonly finish: (crc: number, bytes: number) => number
}

/** Makes checksums of long inputs. It has a memory of its own, and is therefore made once a thread. */
export class Crc32cKernel {
  readonly #block: Uint8Array
  readonly #functions: KernelFunctions

  constructor() {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
    this.#block = new Uint8Array(memory.buffer, BLOCK_AT, LAST_BLOCK_BYTES)
    const tables = slicingTables(SLICES)
    new Int32Array(memory.buffer, 0, tables.length).set(tables)
    this.#functions = kernelModule().instantiate(memory)
  }

  /** As `crc32c`. */
  checksum(bytes: Uint8Array, seed: number, start: number, end: number): number {
    const block = this.#block
    const { take, finish } = this.#functions
    let crc = ~seed
    let at = start
    for (; end - at > LAST_BLOCK_BYTES; at += BLOCK_BYTES) {
      block.set(bytes.subarray(at, at + BLOCK_BYTES))
      take(crc, BLOCK_BYTES)
      crc = 0
    }
    block.set(bytes.subarray(at, end))
    return ~finish(crc, end - at) >>> 0
  }
}

const HISTORY = i32.const(HISTORY_AT)
const BLOCK = i32.const(BLOCK_AT)
const REST = i32.const(REST_AT)

function kernelModule(): WasmModule {
  return addFinish(addTake(addFold(new WasmModule("own"))))
}

/**
 * `fold(from, to, bytes)`: adds to so many bytes at `to`, in whole vectors, what comes from words that were taken away, as if they lay behind
 * those that end at `from`. Where that is the same place each is added to those behind it.
 */
function addFold(module: WasmModule): WasmModule {
  const signature = { parameters: { from: "i32", to: "i32", bytes: "i32" }, result: "none" } as const
  return module.function("fold", signature, ({ from, to, bytes }, scope) => {
    const end = scope.local("i32")
    const far = DISTANCES.map((distance) => v128.load(from.get, REACH_BYTES - distance))
    return [
      end.set(i32.add(to.get, bytes.get)),
      // Distances of loads are not negative.
      from.set(i32.sub(from.get, i32.const(REACH_BYTES))),
      whileLoop(i32.ltU(to.get, end.get), [
        v128.store(to.get, far.reduce(v128.xor, v128.load(to.get))),
        from.set(i32.add(from.get, i32.const(VECTOR_BYTES))),
        to.set(i32.add(to.get, i32.const(VECTOR_BYTES))),
      ]),
    ]
  })
}

/** `take(crc, bytes)`: takes away so many bytes of the block, in whole vectors; the history is then the end of it. */
function addTake(module: WasmModule): WasmModule {
  const signature = { parameters: { crc: "i32", bytes: "i32" }, result: "none" } as const
  return module.function("take", signature, ({ crc, bytes }) => [
    i32.store(BLOCK, i32.xor(i32.load(BLOCK), crc.get)),
    call("none", "fold", BLOCK, BLOCK, bytes.get),
    memoryCopy(HISTORY, i32.add(bytes.get, HISTORY), i32.const(REST_BYTES)),
  ])
}

/** `finish(crc, bytes)`: the state behind the last block. The history is none again. */
function addFinish(module: WasmModule): WasmModule {
  const signature = { parameters: { crc: "i32", bytes: "i32" }, result: "i32" } as const
  return module.function("finish", signature, ({ crc, bytes }, scope) => {
    const [at, end, taken] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const words = [0, 4, 8, 12].map((offset) => ({ offset, word: scope.local("i32") }))
    const slices = words.flatMap(({ offset, word }) =>
      [0, 1, 2, 3].map((byte) => entry(word.get, byte, SLICES - 1 - offset - byte)),
    )
    return [
      at.set(BLOCK),
      when(i32.geU(bytes.get, i32.const(REACH_BYTES + VECTOR_BYTES)), [
        taken.set(i32.and(i32.sub(bytes.get, i32.const(REACH_BYTES)), i32.const(-VECTOR_BYTES))),
        bytes.set(i32.sub(bytes.get, taken.get)),
        at.set(REST),
        memoryCopy(at.get, i32.add(BLOCK, taken.get), bytes.get),
        call("none", "take", crc.get, taken.get),
        memoryFill(BLOCK, i32.const(0), i32.const(REST_BYTES)),
        call("none", "fold", BLOCK, at.get, i32.const(REST_BYTES)),
        memoryFill(HISTORY, i32.const(0), i32.const(REST_BYTES)),
        crc.set(i32.const(0)),
      ]),
      end.set(i32.add(at.get, bytes.get)),
      whileLoop(i32.leU(i32.add(at.get, i32.const(SLICES)), end.get), [
        ...words.map(({ offset, word }) => word.set(i32.load(at.get, offset))),
        words[0]!.word.set(i32.xor(words[0]!.word.get, crc.get)),
        // The bytes that the state came with last are added last: all others are there before it is.
        crc.set(slices.reduceRight(i32.xor)),
        at.set(i32.add(at.get, i32.const(SLICES))),
      ]),
      whileLoop(i32.ltU(at.get, end.get), [
        crc.set(i32.xor(i32.shrU(crc.get, i32.const(8)), entry(i32.xor(crc.get, i32.load8U(at.get)), 0, 0))),
        at.set(i32.add(at.get, i32.const(1))),
      ]),
      crc.get,
    ]
  })
}

/** The entry of a byte of a word in a table. */
function entry(word: Code<"i32">, byte: number, slice: number): Code<"i32"> {
  const shifted = byte === 0 ? i32.shl(word, i32.const(2)) : i32.shrU(word, i32.const(8 * byte - 2))
  return i32.load(i32.and(shifted, i32.const(0xff << 2)), slice * TABLE_BYTES)
}
