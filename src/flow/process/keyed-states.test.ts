import { expect, test } from "vitest"
import { Prng } from "../../base/prng.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { t } from "../../batch/types.ts"
import { RememberedBytes } from "./cold-bytes.fixture.ts"
import { KeyedStates } from "./keyed-states.ts"
import type { StateSpec } from "./process-spec.ts"
import type { ListCell } from "./list-cell.ts"
import type { ValueCell } from "./value-cell.ts"

const world = { time: -Infinity, writeTime: 0, touched: () => undefined }
const text: StateSpec = { kind: "value", type: t.string, ttlMicros: Infinity }
const list: StateSpec = { kind: "list", type: t.string, ttlMicros: Infinity }

function statesBy(keyTypes: ConstructorParameters<typeof KeyedStates>[0]["keyTypes"], specs = [text]): KeyedStates {
  return new KeyedStates({ operator: "op", keyTypes, specs, kinds: 0 })
}

function set(states: KeyedStates, key: unknown, value: string): void {
  const state = states.of([key])
  states.preserve(state)
  const cell = state.cells[0] as ValueCell
  cell.set(value, world)
  cell.commit()
  states.settle(state, true)
}

function valueOf(states: KeyedStates, key: unknown): unknown {
  return states.of([key]).cells[0]!.plain(world)
}

function changesOf(states: KeyedStates): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter()
  states.writeChanges(out)
  return out.finish()
}

function apply(states: KeyedStates, ...changes: readonly Uint8Array[]): KeyedStates {
  const restoring = states.restoring(() => undefined)
  for (const bytes of changes) restoring.apply(new ByteReader(bytes))
  restoring.end()
  return states
}

function allOf(states: KeyedStates): Uint8Array {
  const out = new ByteWriter()
  states.writeAll(out)
  return out.finish()
}

/** How many keys changes speak of. */
const countOf = (changes: Uint8Array): number => new ByteReader(changes).varint()

test("W11 PK2 what is no number is one key, in whichever form it was written, and both zeros are", () => {
  const states = statesBy([t.float64])
  set(states, NaN, "a")
  const written = changesOf(states)
  // The first byte says how many keys there are, the next eight are this one.
  const forms = [0x7ff8000000000001n, 0xfff8000000000000n].map((bits) => {
    const bytes = written.slice()
    new DataView(bytes.buffer).setBigInt64(1, BigInt.asIntN(64, bits), true)
    return bytes
  })
  for (const form of forms) {
    const given = form.slice()
    const restored = apply(statesBy([t.float64]), written, given)
    expect([restored.size, valueOf(restored, NaN)]).toEqual([1, "a"])
    expect(given, "bytes that were given stay as they are").toEqual(form)
  }
  set(states, -0, "zero")
  expect([valueOf(states, 0), states.size]).toEqual(["zero", 2])
})

test("P18 what nobody has touched is written as the bytes that it had, also values that nobody could read", () => {
  const states = statesBy([t.string])
  for (const key of ["a", "b", "c"]) set(states, key, `value of ${key}`)
  const bytes = changesOf(states)
  bytes[bytes.lastIndexOf("b".charCodeAt(0))] = 0xff
  const restored = apply(statesBy([t.string]), bytes)
  // Three keys of the same length, in any order.
  const length = (bytes.length - 1) / 3
  const recordsOf = (all: Uint8Array) =>
    [0, 1, 2].map((at) => [...all.subarray(1 + at * length, 1 + (at + 1) * length)])
  const expectSame = () => {
    const written = allOf(restored)
    expect(written).toHaveLength(bytes.length)
    expect(new Set(recordsOf(written).map(String))).toEqual(new Set(recordsOf(bytes).map(String)))
  }
  expect(restored.size).toBe(3)
  expectSame()
  expect(valueOf(restored, "c")).toBe("value of c")
  expectSame()
})

test("P18 values that cannot be read are refused when their key is touched, and others go on", () => {
  const states = statesBy([t.int32])
  set(states, 1, "one")
  set(states, 2, "two")
  const bytes = changesOf(states)
  const at = bytes.indexOf("t".charCodeAt(0))
  bytes[at] = 0xff
  const restored = apply(statesBy([t.int32]), bytes)
  expect(valueOf(restored, 1)).toBe("one")
  const refused = { code: "state-corrupt", message: "The state of the operator op cannot be read." }
  expect(() => restored.of([2])).toThrow(expect.objectContaining(refused))
  expect(() => [...restored]).toThrow(expect.objectContaining(refused))
})

test("P18 bytes that are no keys and cells are refused at the start", () => {
  const states = statesBy([t.string], [text, list])
  set(states, "key", "value")
  const bytes = changesOf(states)
  for (let count = 0; count < bytes.length; count++) {
    expect(() => apply(statesBy([t.string], [text, list]), bytes.subarray(0, count))).toThrow(RangeError)
  }
  expect(() => apply(statesBy([t.string], [text, list]), Uint8Array.of(...bytes, 0))).toThrow("1 bytes too many")
  // Behind the number of keys, the key with its length, what became of it, and the value: how many of the list are gone.
  const gone = bytes.slice()
  gone[1 + 4 + 1 + 7] = 1
  expect(() => apply(statesBy([t.string], [text, list]), gone)).toThrow("a list has fewer values than are gone")
})

test("E25 KS4 an epoch has each key as it is at its end, whatever of it was written before", () => {
  const states = statesBy([t.int32])
  const twin = new Map<number, string>()
  const epochs: Uint8Array[] = []
  // In the first epoch keys are written early; in the third they are written as soon as they change, as in the second each has changed once.
  for (const times of [2, 1, 3, 1]) {
    for (let time = 0; time < times; time++) {
      for (let key = 0; key < 20; key++) {
        const value = `${epochs.length} ${time}`
        set(states, key, value)
        twin.set(key, value)
        if (key % 5 === 0 && epochs.length === 0) states.writeEarly(3)
      }
    }
    epochs.push(changesOf(states))
    expect(states.hasChanges).toBe(false)
    const restored = apply(statesBy([t.int32]), ...epochs)
    expect([...twin.keys()].map((key) => valueOf(restored, key))).toEqual([...twin.values()])
  }
  expect(epochs.map(countOf)).toEqual([40, 20, 40, 20])
})

test("KS1 a key that is gone leaves nothing, also where that was written early, and its row serves another", () => {
  const states = statesBy([t.string])
  const clear = (key: string) => {
    const state = states.of([key])
    const cell = state.cells[0] as ValueCell
    cell.set(undefined, world)
    cell.commit()
    states.settle(state, true)
  }
  set(states, "a", "1")
  changesOf(states)
  clear("a")
  expect(states.size).toBe(0)
  states.writeEarly(1)
  set(states, "b", "2")
  const row = states.of(["b"]).row
  expect([row, states.size]).toEqual([0, 1])
  clear("b")
  set(states, "a", "3")
  const restored = apply(statesBy([t.string]), changesOf(states))
  expect([restored.size, valueOf(restored, "a"), valueOf(restored, "b")]).toEqual([1, "3", undefined])
})

/** Adds to the list of a key, and gives what it holds then. */
function add(states: KeyedStates, key: number, value: string): unknown {
  const state = states.of([key])
  states.preserve(state)
  const cell = state.cells[1] as ListCell
  cell.add(value, world)
  cell.commit()
  states.settle(state, true)
  return states.of([key]).cells[1]!.plain(world)
}

test("P19 PK3 KS5 KS2 PB3 with little memory keys have what they would have with much, from whatever epochs and slices they go on", () => {
  const prng = new Prng(5)
  const specs = [text, list]
  const cold = new RememberedBytes()
  let spilling = { cold, memoryBytes: 60_000, chunkBytes: 1000 }
  const makeStates = () => {
    spilling = { cold, memoryBytes: prng.pick([0, 2000, 4000, 60_000]), chunkBytes: 1000 }
    return new KeyedStates({ operator: "op", keyTypes: [t.int32], specs, kinds: 0, spilling })
  }
  let states = makeStates()
  const twin = new Map<number, string[]>()
  // What a log would hold: the last slices that are whole, and the epochs since they were begun.
  let epochs: Uint8Array[] = []
  let under: { slices: Uint8Array[]; behind: Uint8Array[]; isDone: boolean } | undefined
  for (let step = 0; step < 20_000; step++) {
    const key = prng.chance(0.5) ? prng.below(100) : prng.below(800)
    const value = `${step} `.repeat(1 + prng.below(6))
    const held = twin.get(key) ?? []
    twin.set(key, [...held, value])
    expect(add(states, key, value)).toEqual(twin.get(key))
    expect(states.memoryBytes, "keys that are open, and a chunk or two").toBeLessThan(spilling.memoryBytes + 20_000)
    if (step % 50 === 49) {
      const changes = changesOf(states)
      epochs.push(changes)
      under?.behind.push(changes)
      if (under?.isDone === true) {
        epochs = [...under.slices, ...under.behind]
        under = undefined
      } else if (under === undefined && prng.chance(0.3)) {
        states.beginSlices()
        under = { slices: [], behind: [], isDone: false }
      }
    } else if (under?.isDone === false && step % 5 === 0) {
      const out = new ByteWriter()
      under.isDone = !states.writeSlice(out, 2000)
      under.slices.push(out.finish())
    }
    if (step % 1000 === 999) {
      states = apply(makeStates(), ...epochs)
      under = undefined
      expect(new Map([...states].map((each) => [each.key[0], each.cells[1]!.plain(world)]))).toEqual(twin)
    }
  }
  expect([states.size, cold.reads > 10_000, states.spilledBytes > spilling.memoryBytes]).toEqual([800, true, true])
})
