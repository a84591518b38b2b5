import { expect, test } from "vitest"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { Prng } from "../../base/prng.ts"
import { t } from "../../batch/types.ts"
import { AppliedChanges } from "./applied-changes.ts"
import { KeyedStates } from "./keyed-states.ts"
import { PackedKeys } from "./packed-keys.ts"
import type { StateSpec } from "./process-spec.ts"
import { GONE, THERE } from "./scanned-changes.ts"
import { EMPTY, FULL, SAME } from "./value-cell.ts"

const value: StateSpec = { kind: "value", type: t.int32, ttlMicros: Infinity }
const list: StateSpec = { kind: "list", type: t.int32, ttlMicros: Infinity }
const world = { time: -Infinity, writeTime: 0, touched: () => undefined }

/** What is kept of a key: two values, perhaps a list, and when a timer is due. */
interface Kept {
  readonly values: (number | undefined)[]
  readonly list: number[]
  timer: number | undefined
}

/** Writes random changes of a key, and makes them in what is kept. */
function change(out: ByteWriter, kept: Map<string, Kept>, key: string, prng: Prng, hasList: boolean): void {
  out.text(key)
  const isGone = prng.chance(0.1)
  out.uint8(isGone ? GONE : THERE)
  if (isGone) {
    kept.delete(key)
    return
  }
  const own = kept.get(key) ?? { values: [undefined, undefined], list: [], timer: undefined }
  kept.set(key, own)
  const tags = prng.chance(0.6) ? [FULL, FULL] : [prng.pick([SAME, EMPTY, FULL]), FULL]
  tags.forEach((tag, index) => {
    out.uint8(tag)
    if (tag === EMPTY) own.values[index] = undefined
    if (tag === FULL) out.float64((own.values[index] = prng.below(1000)))
  })
  if (hasList) {
    const gone = prng.below(own.list.length + 1)
    const more = Array.from({ length: prng.below(3) }, () => prng.below(1000))
    own.list.splice(0, gone)
    own.list.push(...more)
    out.varint(gone)
    out.varint(more.length)
    for (const each of more) out.float64(each)
  }
  const hasTimer = prng.chance(0.15)
  out.varint(hasTimer ? 1 : 0)
  if (!hasTimer) return
  own.timer = prng.chance(0.5) ? prng.below(1e6) : undefined
  out.varint(0)
  out.text("tag")
  out.uint8(own.timer === undefined ? 0 : 1)
  if (own.timer === undefined) return
  out.float64(own.timer)
  out.varint(1)
}

test("AC1 WC1 keys, values and timers are what all changes say, in order, however they are cut into calls", () => {
  for (let seed = 0; seed < 150; seed++) {
    const prng = new Prng(seed)
    const hasList = prng.chance(0.5)
    const specs = hasList ? [value, value, list] : [value, value]
    const states = new KeyedStates({ operator: "op", keyTypes: [t.string], specs, kinds: 1 })
    const kept = new Map<string, Kept>()
    const restoring = states.restoring(() => undefined)
    const range = prng.pick([2, 20, 600])
    for (let calls = prng.below(30); calls > 0; calls--) {
      const body = new ByteWriter()
      const count = prng.below(300)
      for (let left = count; left > 0; left--) {
        const key = "k".repeat(prng.pick([0, 1, 250, 300])) + String(prng.below(range))
        change(body, kept, key, prng, hasList)
      }
      const out = new ByteWriter()
      // As in a log, where other bytes stand in front.
      for (let left = prng.below(5); left > 0; left--) out.uint8(255)
      const start = out.length
      out.varint(count)
      out.raw(body.view())
      restoring.apply(new ByteReader(out.finish().subarray(start)))
      if (prng.chance(0.1)) restoring.end()
    }
    restoring.end()
    const found = new Map(
      [...states].map(({ key, cells, timers }) => {
        const [first, second, third] = cells.map((cell) => cell.plain(world))
        const timer = [...timers.values()][0]?.time
        return [key[0] as string, { values: [first, second], list: (third ?? []) as number[], timer }]
      }),
    )
    expect(found).toEqual(kept)
    expect(states.size).toBe(kept.size)
  }
})

test("keys that may be no numbers are copied into few chunks, however many epochs there were", () => {
  const packed = new PackedKeys({ operator: "op", keyTypes: [t.float64], specs: [value], kinds: 0 })
  const applied = new AppliedChanges(packed, () => undefined)
  for (let epoch = 0; epoch < 3000; epoch++) {
    const out = new ByteWriter()
    out.varint(1)
    out.float64(epoch % 7 === 0 ? NaN : epoch)
    out.uint8(THERE)
    out.uint8(FULL)
    out.float64(epoch)
    out.varint(0)
    applied.apply(new ByteReader(out.finish()))
  }
  applied.end()
  expect(packed.size).toBe(1 + 3000 - Math.ceil(3000 / 7))
  expect(packed.bytes.chunkOf(packed.bytes.append(Uint8Array.of(1)))).toBeLessThan(4)
})
