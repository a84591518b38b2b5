import { expect, test } from "vitest"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { Prng } from "../../base/prng.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import { writeTyped } from "../../batch/value-codec.ts"
import { hashOfBytes } from "./key-rows.ts"
import type { StateSpec } from "./process-spec.ts"
import { GONE, KEYS_MAX, ScannedChanges, THERE } from "./scanned-changes.ts"

/** Types, and values of each. */
const VALUES: readonly (readonly [ColumnType, (prng: Prng) => unknown])[] = [
  [t.int32, (prng) => prng.below(1000)],
  [t.bool, (prng) => prng.chance(0.5)],
  [t.float64, (prng) => prng.pick([NaN, -0, Infinity, prng.below(9)])],
  [t.string, (prng) => prng.pick(["", "key", "é𝄞".repeat(10), "x".repeat(prng.pick([126, 127, 128, 300]))])],
  [t.string.nullable(), (prng) => prng.pick([null, "there"])],
]

interface Expected {
  start: number
  keyEnd: number
  hash: number
  tag: number
  isWhole: number
  isRest: number
  expiresMicros: number
  timers: number
}

interface Form {
  readonly keys: typeof VALUES
  readonly cells: readonly { spec: StateSpec; valueOf: (prng: Prng) => unknown }[]
}

function randomForm(prng: Prng): Form {
  // Half of the forms are those that are quickly seen.
  const kinds = prng.chance(0.5) ? (["value"] as const) : (["value", "reducing", "list"] as const)
  const values = VALUES.slice(0, kinds.length === 1 ? 4 : 5)
  const cells = Array.from({ length: prng.below(4) }, () => {
    const [type, valueOf] = prng.pick(values)
    const ttlMicros = kinds.length === 1 || prng.chance(0.5) ? Infinity : 1000
    const spec = { kind: prng.pick(kinds), type, ttlMicros, reduce: (one: never) => one }
    return { spec: spec as StateSpec, valueOf }
  })
  return { keys: Array.from({ length: 1 + prng.below(3) }, () => prng.pick(values)), cells }
}

/** Writes changes of a key, and says what is to be seen of them. */
function writeKey(out: ByteWriter, { keys, cells }: Form, prng: Prng): Expected {
  const start = out.length
  for (const [type, valueOf] of keys) writeTyped(out, type, valueOf(prng))
  const keyEnd = out.length
  const hash = hashOfBytes(out.buffer, start, keyEnd)
  const tag = prng.chance(0.1) ? GONE : THERE
  const seen = { start, keyEnd, hash, tag, isWhole: 1, isRest: 0, expiresMicros: Infinity, timers: 0 }
  out.uint8(tag)
  if (tag === GONE) return seen
  const writeValue = (type: ColumnType, value: unknown, ttlMicros: number) => {
    if (ttlMicros !== Infinity) {
      const expiresMicros = prng.below(1e6)
      seen.expiresMicros = Math.min(seen.expiresMicros, expiresMicros)
      out.float64(expiresMicros)
    }
    writeTyped(out, type, value)
  }
  for (const { spec, valueOf } of cells) {
    if (spec.kind === "list") {
      const gone = prng.below(2)
      const count = prng.below(3)
      out.varint(gone)
      out.varint(count)
      for (let left = count; left > 0; left--) writeValue(spec.type, valueOf(prng), spec.ttlMicros)
      seen.isWhole = 0
      if (gone > 0) seen.isRest = 1
    } else {
      const what = prng.pick([0, 1, 2, 2, 2])
      out.uint8(what)
      if (what === 0) seen.isWhole = 0
      if (what === 2) writeValue(spec.type, valueOf(prng), spec.ttlMicros)
    }
  }
  const timersAt = out.length
  const timers = prng.chance(0.8) ? 0 : 1 + prng.below(2)
  out.varint(timers)
  for (let left = timers; left > 0; left--) {
    out.varint(prng.below(300))
    out.text(prng.pick(["", "tag", "y".repeat(200)]))
    const isSet = prng.chance(0.5)
    out.uint8(isSet ? 1 : 0)
    if (!isSet) continue
    out.float64(1.5)
    out.varint(prng.below(1000))
  }
  if (timers > 0) seen.timers = timersAt
  return seen
}

function scannedOf(form: Form): ScannedChanges {
  return new ScannedChanges(
    form.keys.map(([type]) => type),
    form.cells.map(({ spec }) => spec),
    undefined,
  )
}

test("SC1 of many keys is seen what was written of them, and where they end", () => {
  for (let seed = 0; seed < 300; seed++) {
    const prng = new Prng(seed)
    const form = randomForm(prng)
    const out = new ByteWriter(64)
    const expected = Array.from({ length: prng.below(3 * KEYS_MAX) }, () => writeKey(out, form, prng))
    const bytes = out.view().slice()
    const from = new ByteReader(bytes)
    const scanned = scannedOf(form)
    const all: Expected[] = []
    while (all.length < expected.length) {
      const count = scanned.scan(from, bytes, expected.length - all.length)
      for (let index = 0; index < count; index++) {
        all.push({
          start: scanned.starts[index]!,
          keyEnd: scanned.keyEnds[index]!,
          hash: scanned.hashes[index]!,
          tag: scanned.tags[index]!,
          isWhole: scanned.areWhole[index]!,
          isRest: scanned.areRests[index]!,
          expiresMicros: scanned.expiresMicros[index]!,
          timers: scanned.timers[index]!,
        })
      }
    }
    expect(all).toEqual(expected)
    expect(from.remaining).toBe(0)
  }
})

test("SC1 bytes that end before a key does, and other tags, are refused", () => {
  for (let seed = 0; seed < 300; seed++) {
    const prng = new Prng(seed)
    const form = randomForm(prng)
    const out = new ByteWriter(64)
    const { keyEnd } = writeKey(out, form, prng)
    const short = out.view().slice(0, prng.below(out.length))
    expect(() => scannedOf(form).scan(new ByteReader(short), short, 1)).toThrow(RangeError)
    const other = out.view().slice()
    other[keyEnd] = 2 + prng.below(254)
    expect(() => scannedOf(form).scan(new ByteReader(other), other, 1)).toThrow("stands for what became of a key")
  }
})
