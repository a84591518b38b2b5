/** SC1: what kernels write of entries is, byte for byte, what JavaScript writes. */
import { expect, it } from "vitest"
import { ByteWriter } from "../../base/bytes.ts"
import { Prng } from "../../base/prng.ts"
import { Arena, type Block } from "../../batch/arena.ts"
import { allocateColumns } from "../../batch/batch.ts"
import { writeValue } from "../../batch/column.ts"
import { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import { AGGREGATES } from "../aggregates/definitions.ts"
import { tumbling } from "../plan-fixture.reference.ts"
import { EntryBytes } from "./entry-bytes.ts"
import { keyLayout } from "./keys/key-layout.ts"
import { KeyTable } from "./keys/key-table.ts"
import { OnlyKey } from "./keys/only-key.ts"
import { Slices } from "./kernels/slices.ts"
import { ValueTexts } from "./value-texts.ts"
import type { WindowKeys } from "./keys/window-keys.ts"
import { WindowMemory } from "./window-memory.ts"
import { WindowShape } from "./kernels/window-shape.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const KEY_TYPES: readonly ColumnType[] = [t.bool, t.int32, t.int53, t.int64, t.float64, t.timestamp(), t.string]
const FIELDS = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0x7ff0000000000001n, 0x7f80ff0080ff0080n]
const AGGREGATE_SETS = [
  [{ name: "count", kernel: AGGREGATES.count.kernel(undefined) }],
  [
    { name: "sum float64", kernel: AGGREGATES.sum.kernel(t.float64) },
    { name: "count", kernel: AGGREGATES.count.kernel(undefined) },
    { name: "mean int53", kernel: AGGREGATES.mean.kernel(t.int53) },
  ],
]

function randomKey(prng: Prng, type: ColumnType): unknown {
  if (type.isNullable && prng.chance(0.3)) return null
  switch (type.kind) {
    case "bool":
      return prng.chance(0.5)
    case "int32":
      return prng.pick([0, -1, 2 ** 31 - 1, -(2 ** 31), prng.below(1000)])
    case "int64":
      return prng.pick([0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), BigInt(prng.below(1000))])
    case "float64":
      return prng.pick([0, NaN, -Infinity, 5e-324, prng.below(1000) / 8])
    case "string":
      return prng.pick(["", "a", "日本", `text ${prng.below(100)}`])
    default:
      return prng.pick([0, -1, 2 ** 53 - 1, -(2 ** 53) + 1, prng.below(1000)])
  }
}

function tableOf(prng: Prng, types: readonly ColumnType[], arena: Arena): WindowKeys {
  if (types.length === 0) return new OnlyKey()
  const keys = new KeyTable(types, arena)
  const schema = new Schema(types.map((type, part) => ({ name: `part${part}`, type })))
  const count = 1 + prng.below(300)
  const { columns, release } = allocateColumns(arena, schema, count)
  for (let row = 0; row < count; row++) {
    columns.forEach((column, part) => writeValue(column, row, randomKey(prng, types[part]!)))
  }
  keys.resolve(columns, null, 0, count, new Int32Array(count))
  release()
  return keys
}

/** Takes all blocks that kernels could write to. */
function fill(arena: Arena): Block[] {
  const blocks: Block[] = []
  for (let block = arena.tryAllocate(1 << 16); block !== undefined; block = arena.tryAllocate(1 << 16))
    blocks.push(block)
  return blocks
}

it("SC1 are the same by kernels and in JavaScript: any keys and fields, changed anywhere, where the arena is full, too", () => {
  const arena = new Arena({ maxBytes: 1 << 23 })
  const slices = new Slices(tumbling(1000))
  for (let seed = 0; seed < 400 * SCALE; seed++) {
    const prng = new Prng(seed)
    const types = Array.from({ length: prng.pick([0, 1, 1, 2, 3]) }, () => {
      const type = prng.pick(prng.chance(0.8) ? KEY_TYPES.slice(0, -1) : KEY_TYPES)
      return prng.chance(0.3) ? type.nullable() : type
    })
    const shape = new WindowShape(slices, 0, prng.pick(AGGREGATE_SETS), keyLayout(types))
    const memory = new WindowMemory(arena, shape)
    const keys = tableOf(prng, types, arena)
    // Places of one, two and three bytes; more than a block has room for.
    const count = prng.pick([1, 15, 16, 17, 100, 200, 20_000])
    memory.reserveEntries(count)
    for (let entry = 0; entry < count; entry++) memory.entryIds.i32[entry] = prng.below(keys.size)
    for (const { i64 } of memory.entryFields) {
      for (let entry = 0; entry < count; entry++) i64[entry] = prng.pick(FIELDS) ^ BigInt(prng.uint32())
    }
    const share = prng.pick([0, 0.01, 0.5, 1])
    const dirty = Uint8Array.from({ length: count }, () => (prng.chance(share) ? 1 : 0))
    const from = prng.chance(0.5) ? 0 : prng.below(count)
    const end = prng.chance(0.5) ? count : from + prng.below(count - from + 1)
    const bytes = new EntryBytes({ arena, shape, memory, texts: new ValueTexts(shape) })
    const written = (write: (out: ByteWriter) => void) => {
      memory.entryDirty.u8.set(dirty)
      const out = new ByteWriter()
      out.uint8(7)
      write(out)
      out.uint8(9)
      return { bytes: out.finish(), dirty: memory.entryDirty.u8.slice(0, count) }
    }
    const slowly = [
      written((out) => bytes.writeChangedSlowly(from, end, out)),
      written((out) => bytes.writeKeyedSlowly(keys, from, end, out)),
    ]
    const blocks = prng.chance(0.1) ? fill(arena) : []
    const quickly = [
      written((out) => bytes.writeChanged(from, end, out)),
      written((out) => bytes.writeKeyed(keys, from, end, out)),
    ]
    quickly.forEach((each, index) => {
      expect(Buffer.compare(each.bytes, slowly[index]!.bytes), `seed ${seed}`).toBe(0)
      expect(Buffer.compare(each.dirty, slowly[index]!.dirty), `seed ${seed}`).toBe(0)
    })
    for (const block of blocks) arena.free(block)
    keys.release()
    memory.release()
    expect(arena.usedBytes, `seed ${seed}`).toBe(0)
  }
})
