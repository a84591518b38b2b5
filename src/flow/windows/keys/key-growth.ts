/**
 * What a key table does when it grows, as WebAssembly: the stream waits for it, so it is done at the speed of memory.
 */
import type { Arena } from "../../../batch/arena.ts"
import {
  block,
  branch,
  branchIf,
  i32,
  loop,
  memoryCopy,
  memoryFill,
  when,
  whileLoop,
  type Code,
  type Local,
} from "../../../base/wasm-code.ts"
import { WasmModule } from "../../../base/wasm-module.ts"
import { BUCKET_BYTES, bucketBehind, freeLanesOf, DIRECTORY_SHIFT, ENTRIES_AT } from "./key-buckets.ts"

/** The functions of growth. Addresses and sizes are in bytes. */
export interface KeyGrowth extends Record<string, (...args: number[]) => unknown> {
  /** Sets bytes to 0. */
  readonly clear: (at: number, bytes: number) => void
  /** Copies bytes. */
  readonly copy: (to: number, from: number, bytes: number) => void
  /**
   * Adds all keys of the segment at `from` … `end` of an index to those that the directory names. The masks are
   * `KeyIndex.directoryMask` and `KeyIndex.mask`.
   */
  readonly spread: (from: number, end: number, directory: number, directoryMask: number, mask: number) => void
  /**
   * Notes one more than the id of each key by its value, where that is one of `count` from `start` on: keys' values lie
   * from `from` to `end`, `stride` bytes apart, and the item of the value 0 at `table`.
   */
  readonly noteIds: (from: number, end: number, stride: number, table: number, start: number, count: number) => void
  /** How many keys there are in the segment at `from` … `end`. */
  readonly count: (from: number, end: number) => number
}

const growths = new WeakMap<Arena, KeyGrowth>()

/** The functions over the memory of an arena: one instance for all that ask. */
export function keyGrowth(arena: Arena): KeyGrowth {
  let growth = growths.get(arena)
  if (growth === undefined) {
    const range = { at: "i32", bytes: "i32" } as const
    const spread = { from: "i32", end: "i32", directory: "i32", directoryMask: "i32", mask: "i32" } as const
    const notes = { from: "i32", end: "i32", stride: "i32", table: "i32", start: "i32", count: "i32" } as const
    growth = new WasmModule()
      .function("clear", { parameters: range, result: "none" }, ({ at, bytes }) => [
        memoryFill(at.get, i32.const(0), bytes.get),
      ])
      .function("copy", { parameters: { to: "i32", from: "i32", bytes: "i32" }, result: "none" }, (range) => [
        memoryCopy(range.to.get, range.from.get, range.bytes.get),
      ])
      .function("spread", { parameters: spread, result: "none" }, (parameters, scope) => {
        const own = { hash: scope.local("i32"), bucket: scope.local("i32"), lane: scope.local("i32") }
        return [spreadCode({ ...parameters, ...own, entry: scope.local("i32") })]
      })
      .function("noteIds", { parameters: notes, result: "none" }, (parameters, scope) => {
        const { from, end, stride, table, start, count } = parameters
        const [value, behindId] = [scope.local("i32"), scope.local("i32")]
        return [
          behindId.set(i32.const(1)),
          whileLoop(i32.ltU(from.get, end.get), [
            value.set(i32.load(from.get)),
            when(i32.ltU(i32.sub(value.get, start.get), count.get), [
              i32.store(i32.add(table.get, i32.shl(value.get, i32.const(2))), behindId.get),
            ]),
            from.set(i32.add(from.get, stride.get)),
            behindId.set(i32.add(behindId.get, i32.const(1))),
          ]),
        ]
      })
      .function("count", { parameters: { from: "i32", end: "i32" }, result: "i32" }, ({ from, end }, scope) => {
        const keys = scope.local("i32")
        return [
          keys.set(i32.shrU(i32.sub(end.get, from.get), i32.const(3))),
          whileLoop(i32.ltU(from.get, end.get), [
            keys.set(i32.sub(keys.get, i32.popcnt(freeLanesOf(from)))),
            from.set(i32.add(from.get, i32.const(BUCKET_BYTES))),
          ]),
          keys.get,
        ]
      })
      .instantiate<KeyGrowth>(arena.memory)
    growths.set(arena, growth)
  }
  return growth
}

type SpreadVariable = "from" | "end" | "directory" | "directoryMask" | "mask" | "hash" | "entry" | "bucket" | "lane"

function spreadCode(variables: Readonly<Record<SpreadVariable, Local<"i32">>>): Code<"none"> {
  const { from, end, directory, directoryMask, mask, hash, entry, bucket, lane } = variables
  const place = i32.and(i32.shrU(hash.get, i32.const(DIRECTORY_SHIFT)), directoryMask.get)
  const segment = i32.load(i32.add(directory.get, i32.shl(place, i32.const(2))))
  return whileLoop(i32.ltU(from.get, end.get), [
    block((done) => [
      entry.set(i32.load(from.get, ENTRIES_AT)),
      branchIf(done, i32.eqz(entry.get)),
      hash.set(i32.load(from.get)),
      bucket.set(i32.add(segment, i32.and(hash.get, mask.get))),
      loop((again) => [
        block((isFull) => [
          branchIf(isFull, i32.eqz(lane.tee(freeLanesOf(bucket)))),
          lane.set(i32.add(bucket.get, i32.shl(i32.ctz(lane.get), i32.const(2)))),
          i32.store(lane.get, hash.get),
          i32.store(lane.get, entry.get, ENTRIES_AT),
          branch(done),
        ]),
        bucket.set(bucketBehind(bucket, mask.get)),
        branch(again),
      ]),
    ]),
    from.set(i32.add(from.get, i32.const(4))),
    // Behind the last hash of a bucket come its entries.
    from.set(i32.add(from.get, i32.and(from.get, i32.const(ENTRIES_AT)))),
  ])
}
