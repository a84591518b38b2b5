/**
 * Generated WebAssembly that finds the ids of keys: a kernel for each layout of a key, over the memory of a key table.
 *
 * A kernel goes through rows one by one. It computes the key's words from the columns, hashes them, compares the four
 * hashes of the bucket at once, and the words of the key that it finds; where nothing is found there it looks through the
 * buckets from that one on, and adds the key. It stops at a row for which it can do nothing: there is no room for its key,
 * or a text's code is not known yet. The table sees to that and calls it again.
 *
 * Two kinds of keys have it shorter. For keys of one text, ids are looked up by code, and a kernel adds nothing. Keys of one
 * word whose values a table covers (`ids-by-value.ts`) are looked up there and noted there, and are not in the index.
 *
 * Where the index is large, rows are taken in blocks, and the buckets of a block are read first, in a loop that does nothing
 * else: nothing waits for what is read then, and so many cache misses are under way at once.
 *
 * Invariant:
 * - KK1 A kernel gives the same ids as the table's JavaScript, for any rows in any order of calls.
 */
import type { Arena } from "../../../batch/arena.ts"
import {
  block,
  branch,
  branchIf,
  i32,
  i32x4,
  loop,
  returns,
  sequence,
  v128,
  when,
  whileLoop,
  withValue,
  type Code,
  type Label,
  type Local,
} from "../../../base/wasm-code.ts"
import { WasmModule, type FunctionScope } from "../../../base/wasm-module.ts"
import { bucketBehind, freeLanesOf, DIRECTORY_SHIFT, ENTRIES_AT, SEGMENT_SHIFT } from "./key-buckets.ts"
import { AHEAD_ROWS, AHEAD_SHIFT, CONTROL, CONTROL_PART_WORDS } from "./key-control.ts"
import { isOneWord } from "./ids-by-value.ts"
import type { KeyLayout } from "./key-layout.ts"
import { KeyWords, type PartAddresses } from "./key-words.ts"

/** So many buckets are read in a round of the loop that does nothing else. */
const TOUCH_UNROLL = 8
/** A round of the loop takes so many rows: what a round costs is a part of what a row does. */
const UNROLL = 2

/** Variables with what the control block says, and others. */
const GIVEN = ["rows", "ids", "index", "directoryMask", "mask", "words", "byValue", "valueCount"] as const
const OWN = ["row", "hash", "bucket", "lane", "entry", "key", "blockEnd", "ahead", "touched"] as const
type Given = (typeof GIVEN)[number]
type Own = (typeof OWN)[number]

/** What a kernel is for. */
export interface KeyKernelKind {
  readonly layout: KeyLayout
  /** Whether it takes rows from a list, and not all. */
  readonly hasList: boolean
  /** Whether the index is large. */
  readonly isLarge: boolean
}

/**
 * Finds ids for rows at places `start` … `end − 1` of the list, or for rows `start` … `end − 1`. Gives the place at
 * which it stopped, or `end`.
 */
export type KeyKernel = (control: number, start: number, end: number) => number

const kernels = new WeakMap<Arena, Map<string, KeyKernel>>()

/** The kernel of a kind over the memory of an arena: one for all that ask. */
export function keyKernel(arena: Arena, kind: KeyKernelKind): KeyKernel {
  const { layout, hasList, isLarge } = kind
  const parts = layout.parts.map(({ storage, nullBit }) => `${storage}${nullBit === 0 ? "" : "?"}`)
  const name = `${parts.join(" ")} ${isLarge ? "large" : "small"} ${hasList ? "listed" : "all"}`
  const known = kernels.get(arena) ?? new Map<string, KeyKernel>()
  kernels.set(arena, known)
  let kernel = known.get(name)
  if (kernel === undefined) {
    const signature = { parameters: { control: "i32", start: "i32", end: "i32" }, result: "i32" } as const
    kernel = new WasmModule()
      .function("probe", signature, (parameters, scope) => new KernelWriter(kind, parameters, scope).write())
      .instantiate<{ probe: KeyKernel }>(arena.memory).probe
    known.set(name, kernel)
  }
  return kernel
}

/** Writes the body of a kernel. */
class KernelWriter {
  readonly #kind: KeyKernelKind
  readonly #layout: KeyLayout
  readonly #control: Local<"i32">
  /** The place that the kernel has come to. */
  readonly #at: Local<"i32">
  readonly #end: Local<"i32">
  readonly #given: Readonly<Record<Given, Local<"i32">>>
  readonly #own: Readonly<Record<Own, Local<"i32">>>
  readonly #addresses: readonly PartAddresses[]
  readonly #words: KeyWords
  readonly #strideBytes: number

  constructor(
    kind: KeyKernelKind,
    { control, start, end }: Readonly<Record<"control" | "start" | "end", Local<"i32">>>,
    scope: FunctionScope,
  ) {
    const { layout } = kind
    this.#kind = kind
    this.#layout = layout
    this.#control = control
    this.#at = start
    this.#end = end
    this.#given = localsOf(scope, GIVEN)
    this.#own = localsOf(scope, OWN)
    this.#addresses = layout.parts.map(() => localsOf(scope, ["values", "validity", "codes"]))
    this.#words = new KeyWords(layout, this.#addresses, scope)
    this.#strideBytes = 4 * layout.stride
  }

  write(): [...Code<"none">[], Code<"i32">] {
    const { row, entry, blockEnd } = this.#own
    const [at, end] = [this.#at, this.#end]
    const storeId = sequence(
      i32.store(i32.add(this.#given.ids.get, words(at.get)), i32.sub(entry.get, i32.const(1))),
      at.set(i32.add(at.get, i32.const(1))),
    )
    const step = (exit: Label, slow: Label) => [
      branchIf(exit, i32.geU(at.get, blockEnd.get)),
      row.set(this.#rowAt()),
      ...this.#findFast(slow),
      storeId,
    ]
    return [
      ...this.#load(),
      blockEnd.set(at.get),
      loop((next) => [
        when(i32.eq(at.get, blockEnd.get), [
          when(i32.geU(at.get, end.get), [returns(at.get)]),
          blockEnd.set(end.get),
          ...(this.#kind.isLarge && !isOneText(this.#layout) ? this.#lookAhead() : []),
        ]),
        block((slow) => [
          loop((again) => [...Array.from({ length: UNROLL }).flatMap(() => step(next, slow)), branch(again)]),
        ]),
        ...this.#findSlowly(),
        storeId,
        branch(next),
      ]),
      at.get,
    ]
  }

  /** Fills the variables that say where everything is. */
  #load(): Code<"none">[] {
    const loadTo = (local: Local<"i32">, place: number) => local.set(i32.load(this.#control.get, 4 * place))
    const { words } = this.#given
    return [
      ...GIVEN.map((name) => loadTo(this.#given[name], CONTROL[name])),
      words.set(i32.sub(words.get, i32.const(this.#strideBytes))),
      ...this.#addresses.flatMap((part, index) =>
        [part.values, part.validity, part.codes].map((local, place) =>
          loadTo(local, CONTROL.parts + index * CONTROL_PART_WORDS + place),
        ),
      ),
    ]
  }

  #rowAt(): Code<"i32"> {
    return this.#kind.hasList ? i32.load(i32.add(this.#given.rows.get, words(this.#at.get))) : this.#at.get
  }

  /** Cuts a block of rows off, hashes their keys, and reads the buckets that they will be looked for in. */
  #lookAhead(): Code<"none">[] {
    const { row, hash, bucket, entry, blockEnd, ahead, touched } = this.#own
    const [at, end] = [this.#at, this.#end]
    const aheadEnd = entry
    const room = i32.load(this.#control.get, 4 * CONTROL.ahead)
    return [
      when(i32.gtU(i32.sub(end.get, at.get), i32.const(AHEAD_ROWS)), [
        blockEnd.set(i32.add(at.get, i32.const(AHEAD_ROWS))),
      ]),
      ahead.set(room),
      whileLoop(i32.ltU(at.get, blockEnd.get), [
        row.set(this.#rowAt()),
        ...this.#words.read(row),
        // What is looked up by value is read ahead in place of a bucket.
        ...(isOneWord(this.#layout)
          ? [when(this.#isCovered, [bucket.set(this.#idByValue)], this.#findBucket())]
          : this.#findBucket()),
        i32.store(ahead.get, hash.get),
        i32.store(ahead.get, bucket.get, 4),
        ahead.set(i32.add(ahead.get, i32.const(1 << AHEAD_SHIFT))),
        at.set(i32.add(at.get, i32.const(1))),
      ]),
      aheadEnd.set(ahead.get),
      ahead.set(room),
      // At the end some buckets of earlier blocks are read again.
      whileLoop(i32.ltU(ahead.get, aheadEnd.get), [
        ...Array.from({ length: TOUCH_UNROLL }, (_, index) =>
          touched.set(i32.xor(touched.get, i32.load(i32.load(ahead.get, (index << AHEAD_SHIFT) + 4)))),
        ),
        ahead.set(i32.add(ahead.get, i32.const(TOUCH_UNROLL << AHEAD_SHIFT))),
      ]),
      i32.store(this.#control.get, touched.get, 4 * CONTROL.touched),
      // Of the first row of the block; then that of row `at` is `at << AHEAD_SHIFT` behind `ahead`.
      at.set(i32.sub(blockEnd.get, i32.shrU(i32.sub(aheadEnd.get, room), i32.const(AHEAD_SHIFT)))),
      ahead.set(i32.sub(room, i32.shl(at.get, i32.const(AHEAD_SHIFT)))),
    ]
  }

  /** Hashes the words and sets `bucket`. */
  #findBucket(): Code<"none">[] {
    const { hash, bucket } = this.#own
    const { index, directoryMask, mask } = this.#given
    const place = i32.and(i32.shrU(hash.get, i32.const(DIRECTORY_SHIFT)), directoryMask.get)
    const segment = this.#kind.isLarge ? i32.load(i32.add(index.get, words(place))) : index.get
    return [...this.#words.hash(hash), bucket.set(i32.add(segment, i32.and(hash.get, mask.get)))]
  }

  /** Sets `entry`, or goes to `slow` where more must be done. */
  #findFast(slow: Label): Code<"none">[] {
    if (isOneText(this.#layout)) return this.#findByCode(slow)
    const { entry } = this.#own
    const { isUnknown } = this.#words
    return [
      ...this.#words.read(this.#own.row),
      ...(isUnknown === undefined ? [] : [when(isUnknown, [returns(this.#at.get)])]),
      ...(isOneWord(this.#layout)
        ? [
            when(
              this.#isCovered,
              [entry.set(i32.load(this.#idByValue)), branchIf(slow, i32.eqz(entry.get))],
              this.#findInBucket(slow),
            ),
          ]
        : this.#findInBucket(slow)),
    ]
  }

  #findByCode(slow: Label): Code<"none">[] {
    const { row, entry } = this.#own
    const { values, codes } = this.#addresses[0]!
    const behindNull = i32.add(i32.load(i32.add(values.get, words(row.get))), i32.const(1))
    const isValid = this.#layout.hasNulls ? this.#words.validityOf(0, row) : undefined
    const place = isValid === undefined ? behindNull : i32.select(isValid, behindNull, i32.const(0))
    return [entry.set(i32.load(i32.add(codes.get, words(place)))), branchIf(slow, i32.eqz(entry.get))]
  }

  /** Whether the key is found by value. */
  get #isCovered(): Code<"i32"> {
    return i32.ltU(this.#words.value, this.#given.valueCount.get)
  }

  get #idByValue(): Code<"i32"> {
    const { value, nulls } = this.#words
    return i32.add(this.#given.byValue.get, words(nulls === undefined ? value : i32.sub(value, nulls)))
  }

  #findInBucket(slow: Label): Code<"none">[] {
    const { hash, bucket, lane, entry, key } = this.#own
    const place = i32.add(this.#own.ahead.get, i32.shl(this.#at.get, i32.const(AHEAD_SHIFT)))
    return [
      ...(this.#kind.isLarge ? [hash.set(i32.load(place)), bucket.set(i32.load(place, 4))] : this.#findBucket()),
      branchIf(slow, i32.eqz(lane.tee(this.#equalLanes()))),
      entry.set(i32.load(i32.add(bucket.get, words(i32.ctz(lane.get))), ENTRIES_AT)),
      ...(this.#layout.stride === 1
        ? [branchIf(slow, i32.eqz(entry.get))]
        : [this.#setKey(), branchIf(slow, i32.eqz(this.#words.areAt(key)))]),
    ]
  }

  /** Sets `entry` by looking through the buckets one by one, and adds a key that is not there. */
  #findSlowly(): Code<"none">[] {
    if (isOneText(this.#layout)) return [returns(this.#at.get)]
    const search = block((found) => this.#search(found))
    if (!isOneWord(this.#layout)) return [search]
    const add = [...this.#addKey(), i32.store(this.#idByValue, this.#own.entry.get)]
    return [when(this.#isCovered, add, [search])]
  }

  #search(found: Label): Code<"none">[] {
    const { bucket, lane, entry } = this.#own
    return [
      loop((again) => [
        lane.set(this.#equalLanes()),
        block((noneIsLeft) => [
          loop((next) => [
            branchIf(noneIsLeft, i32.eqz(lane.get)),
            entry.set(i32.load(i32.add(bucket.get, words(i32.ctz(lane.get))), ENTRIES_AT)),
            this.#branchIfEqual(found),
            lane.set(i32.and(lane.get, i32.sub(lane.get, i32.const(1)))),
            branch(next),
          ]),
        ]),
        when(lane.tee(freeLanesOf(bucket)), [lane.set(words(i32.ctz(lane.get))), ...this.#add(), branch(found)]),
        // KI2: there is a free lane behind.
        bucket.set(bucketBehind(bucket, this.#given.mask.get)),
        branch(again),
      ]),
    ]
  }

  /** A bit for each lane of the bucket with the hash. */
  #equalLanes(): Code<"i32"> {
    const { hash, bucket } = this.#own
    return i32x4.bitmask(i32x4.eq(v128.load(bucket.get), i32x4.splat(hash.get)))
  }

  /** Goes to `found` where the key with the entry, which has the same hash, is the one looked for. */
  #branchIfEqual(found: Label): Code<"none"> {
    const { entry, key } = this.#own
    // KH1: the same hash is the same key, but a free lane has the hash 0.
    if (this.#layout.stride === 1) return branchIf(found, entry.get)
    return sequence(this.#setKey(), branchIf(found, this.#words.areAt(key)))
  }

  #told(place: number): Code<"i32"> {
    return i32.load(this.#control.get, 4 * place)
  }

  /** Adds the key in the free lane of the index. */
  #add(): Code<"none">[] {
    const { hash, bucket, lane, entry, key } = this.#own
    const free = i32.add(bucket.get, lane.get)
    const room = words(i32.shrU(bucket.get, i32.const(SEGMENT_SHIFT)))
    const indexSize = this.#told(CONTROL.indexSize)
    const setRoom = key.set(i32.add(this.#told(CONTROL.rooms), room))
    const hasRoom = this.#kind.isLarge
      ? withValue([setRoom], i32.load(key.get))
      : i32.ltU(indexSize, this.#told(CONTROL.indexCapacity))
    return [
      when(i32.eqz(hasRoom), [returns(this.#at.get)]),
      // The key first, as it stops where there is no room for its words.
      ...this.#addKey(),
      ...(this.#kind.isLarge ? [setRoom, i32.store(key.get, i32.sub(i32.load(key.get), i32.const(1)))] : []),
      i32.store(this.#control.get, i32.add(indexSize, i32.const(1)), 4 * CONTROL.indexSize),
      i32.store(free, hash.get),
      i32.store(free, entry.get, ENTRIES_AT),
    ]
  }

  /** Counts the key and writes its words. */
  #addKey(): Code<"none">[] {
    const { entry, key } = this.#own
    return [
      entry.set(this.#told(CONTROL.size)),
      when(i32.eq(entry.get, this.#told(CONTROL.capacity)), [returns(this.#at.get)]),
      entry.set(i32.add(entry.get, i32.const(1))),
      i32.store(this.#control.get, entry.get, 4 * CONTROL.size),
      this.#setKey(),
      ...this.#words.write(key),
    ]
  }

  /** Sets `key` to the address of the words of the key with the entry. */
  #setKey(): Code<"none"> {
    const { entry, key } = this.#own
    return key.set(i32.add(this.#given.words.get, i32.mul(entry.get, i32.const(this.#strideBytes))))
  }
}

function isOneText({ parts }: KeyLayout): boolean {
  return parts.length === 1 && parts[0]!.storage === "dictionary"
}

/** So many words, in bytes. */
function words(count: Code<"i32">): Code<"i32"> {
  return i32.shl(count, i32.const(2))
}

function localsOf<N extends string>(scope: FunctionScope, names: readonly N[]): Record<N, Local<"i32">> {
  return Object.fromEntries(names.map((name) => [name, scope.local("i32")])) as Record<N, Local<"i32">>
}
