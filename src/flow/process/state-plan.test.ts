/** What becomes of state that an earlier program has declared otherwise. */
import { expect, test } from "vitest"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import type { cellOf, KeyState } from "./key-state.ts"
import { timerId } from "./key-state.ts"
import { KeyedStates } from "./keyed-states.ts"
import { processText, type ProcessSpec, type StateSpec, type TimerDomain } from "./process-spec.ts"
import { migratedState } from "./state-migration.ts"
import { statePlanOf } from "./state-plan.ts"

const ROWS = schema({ k: t.string, other: t.int53 })
const value = (type: ColumnType, ttlMicros = Infinity): StateSpec => ({ kind: "value", type, ttlMicros })

function specOf(state: Record<string, StateSpec>, timers: Record<string, TimerDomain> = {}, keys = ["k"]): ProcessSpec {
  return {
    keys,
    inputs: [{ name: undefined, timeColumn: undefined, onRecord: () => undefined }],
    state,
    timers: Object.entries(timers).map(([name, domain]) => ({ name, domain, onTimer: () => undefined })),
    sides: {},
  }
}

const signatureOf = (spec: ProcessSpec): string => `process/1 ${processText(spec, ROWS)}`
const planOf = (before: ProcessSpec, now: ProcessSpec) => statePlanOf(now, signatureOf(before), signatureOf(now))

const HOSTILE = t.object({ ') with ("x': t.enum("a, b)", '"'), "?": t.list(t.string) })

test("P16 what is the same goes as it is, whatever names and types are called", () => {
  const state = {
    total: value(HOSTILE),
    by: { kind: "map", keyType: t.enum("(", ")"), type: HOSTILE, ttlMicros: 5 },
  } as const
  expect(planOf(specOf(state, { a: "event" }), specOf(state, { a: "event" }))).toMatchObject({ changes: [] })
})

test.each<readonly [string, ProcessSpec, ProcessSpec, RegExp]>([
  ["a state is gone", specOf({ a: value(t.bool) }), specOf({}), /^its state a is gone$/],
  [
    "a type is narrower",
    specOf({ a: value(t.int53) }),
    specOf({ a: value(t.int32) }),
    /^the values of its state a were int53 and are now int32$/,
  ],
  [
    "it was one value",
    specOf({ a: value(t.bool) }),
    specOf({ a: { kind: "list", type: t.bool, ttlMicros: Infinity } }),
    /^its state a was one value and is now a list$/,
  ],
  [
    "other keys",
    specOf({}, {}, ["k"]),
    specOf({}, {}, ["k", "other"]),
    /^it was keyed by k \(string\) and is now by k \(string\), other \(int53\)$/,
  ],
  ["timers are gone", specOf({}, { a: "event" }), specOf({}), /^its timers a are gone$/],
  [
    "timers go by something else",
    specOf({}, { a: "event" }),
    specOf({}, { a: "processing" }),
    /^its timers a went by event time and now go by the clock$/,
  ],
  [
    "keys of a map are others",
    specOf({ a: { kind: "map", keyType: t.string, type: t.bool, ttlMicros: Infinity } }),
    specOf({ a: { kind: "map", keyType: t.int53, type: t.bool, ttlMicros: Infinity } }),
    /^the keys of its state a were string and are now int53$/,
  ],
])("P16 refused: %s", (_what, before, now, says) => {
  const misfit = planOf(before, now)
  expect(misfit).toMatchObject({
    problems: [expect.stringMatching(says)],
    hint: expect.stringMatching(/\.$|declared\.$/) as string,
  })
})

test("state of no process is none that could go over", () => {
  const now = specOf({ a: value(t.bool) })
  for (const before of [
    "",
    'eventTime/1 "at"',
    "process/2 by ()",
    'process/1 by ("k": string',
    'process/1 by () with ("a": odd(bool)) and timers ()',
  ]) {
    expect(statePlanOf(now, before, signatureOf(now)), before).toBeUndefined()
  }
})

function partsOf({ state, timers }: ProcessSpec) {
  return { operator: "op", keyTypes: [t.string], specs: Object.values(state), kinds: timers.length }
}

/** The state of one key, written by a program and read by the next. */
function migrated(before: ProcessSpec, now: ProcessSpec, fill: (state: KeyState) => void, isTimed = true): KeyState {
  const states = new KeyedStates(partsOf(before))
  const state = states.of(["x"])
  fill(state)
  states.settle(state, true)
  const out = new ByteWriter()
  out.float64(1000)
  out.float64(7)
  out.varint(3)
  states.writeChanges(out)
  const plan = planOf(before, now)
  if (plan === undefined || "problems" in plan) throw new Error("it does not go over")
  const bytes = migratedState({ operator: "op", spec: now, keyTypes: [t.string], isTimed }, plan, [
    new Uint8Array(0),
    out.finish(),
  ])
  const from = new ByteReader(bytes)
  expect([from.float64(), from.float64(), from.varint()]).toEqual([1000, 7, 3])
  const after = new KeyedStates(partsOf(now))
  const restoring = after.restoring(() => undefined)
  restoring.apply(from)
  restoring.end()
  expect(from.remaining).toBe(0)
  return after.of(["x"])
}

const world = (time: number) => ({ time, writeTime: 0, touched: () => undefined })

test("P16 values begin to expire as if they were written now, or end to", () => {
  const fill = (expiresIn: number) => (state: KeyState) => {
    const cell = state.cells[0] as ReturnType<typeof cellOf> & { set(value: unknown, world: object): void }
    cell.set(true, { ...world(0), writeTime: expiresIn })
    cell.commit()
  }
  const [lasting, passing] = [specOf({ a: value(t.bool) }), specOf({ a: value(t.bool, 100) })]
  const begins = migrated(lasting, passing, fill(0)).cells[0]!
  expect([begins.plain(world(1099)), begins.plain(world(1100))]).toEqual([true, undefined])
  const byClock = migrated(lasting, passing, fill(0), false).cells[0]!
  expect([byClock.plain(world(106)), byClock.plain(world(107))]).toEqual([true, undefined])
  expect(migrated(passing, lasting, fill(2000)).cells[0]!.plain(world(1e15))).toBe(true)
  const kept = migrated(passing, specOf({ a: value(t.bool, 5) }), fill(2000)).cells[0]!
  expect([kept.plain(world(2099)), kept.plain(world(2100))]).toEqual([true, undefined])
})

test("P16 timers that are set stay set, also where others are declared before them", () => {
  const before = specOf({}, { a: "event", b: "processing" })
  const now = specOf({}, { new: "event", b: "processing", a: "event" })
  const state = migrated(before, now, (owner) => {
    for (const [kind, tag] of [
      [0, "x"],
      [1, ""],
    ] as const) {
      owner.setTimer(timerId(kind, tag), kind, tag, {
        owner: owner.row,
        kind,
        tag,
        time: 50 + kind,
        sequence: kind,
        isSet: true,
      })
    }
  })
  expect([...state.timers.values()].map(({ kind, tag, time }) => [kind, tag, time])).toEqual([
    [2, "x", 50],
    [1, "", 51],
  ])
})
