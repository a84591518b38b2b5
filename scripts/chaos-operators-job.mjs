/**
 * The job of the scenario `operators` of `chaos.mjs`: state machines with timers, calls, windows of every kind that runs on plain values, and every
 * sink. What it must give says `chaos-operators-reference.mjs`.
 *
 * Order tells at its outputs: what depends on it reads `clicks`, which are one file. Windows of the several files of `trips` and `walks` do
 * not depend on the order in which these are read, as sessions are of one file each.
 */
import { appendFileSync } from "node:fs"
import { join } from "node:path"
import { BEAT_TTL, beatOf, CALLS, delayOf, isUnlucky } from "./chaos-operators-data.mjs"
import { fromDist } from "./dist.mjs"

const {
  count,
  countWindow,
  eventTimer,
  first,
  generate,
  globalWindow,
  hopping,
  job,
  listState,
  mapState,
  max,
  memory,
  min,
  onClock,
  onCount,
  onEventTime,
  processingTimer,
  reducingState,
  schema,
  session,
  stdout,
  sum,
  t,
  tumbling,
  valueState,
} = await fromDist("index")
const { arrow, csv, jsonl, parquet } = await fromDist("files")

const SECOND = 1_000_000
const CONNECTORS = { arrow, csv, jsonl, parquet }

const time = t.timestamp({ format: "us" })
const Click = { id: t.int32, key: t.string, value: t.int32, at: time }
const Trip = schema({ ...Click, file: t.string })

/** The job, as a round has drawn it. In its second phase one more beat comes. */
export function makeJob({
  directory,
  phase,
  formats,
  rollBytes,
  itemsEverySeconds,
  clicksFormat,
  beats,
  beatsPerSecond,
  tell,
}) {
  const calls = join(directory, "calls")
  const operators = job({
    name: "operators",
    inputs: {
      clicks: schema(Click),
      trips: Trip,
      walks: Trip,
      beats: schema({ id: t.int32, key: t.string, value: t.int32 }),
    },
    flow: ({ clicks, trips, walks, beats }) => ({
      ...answersOf(clicks, calls),
      ...tripsOf(trips, walks),
      ...windowsOf(clicks, itemsEverySeconds),
      ...machineOf(clicks),
      ...beatsOf(beats),
      printed: clicks.filter((row) => row.id % 7 === 0).select("id"),
      kept: clicks.filter((row) => row.id % 5 === 0).select("id"),
    }),
  })
  const kept = memory()
  process.on("exit", () => tell(`rows ${JSON.stringify(kept.rows.map(({ id }) => id))}`))
  const changelog = (output) => jsonl(`out/${output}`, { changelog: true, rollBytes })
  return operators.with({
    inputs: {
      clicks: CONNECTORS[clicksFormat]("in/clicks.*"),
      trips: jsonl("in/trips-*.jsonl"),
      walks: csv("in/walks-*.csv"),
      beats: generate({ rows: beats + phase, rowsPerSecond: beatsPerSecond, row: (id) => beatOf(id, beats) }),
    },
    outputs: {
      ...Object.fromEntries(
        Object.entries(formats).map(([output, format]) => [output, CONNECTORS[format](`out/${output}`, { rollBytes })]),
      ),
      updates: changelog("updates"),
      liveMinutes: changelog("liveMinutes"),
      printed: stdout(),
      kept,
    },
    deadLetter: jsonl("out/bad", { rollBytes: 1 }),
  })
}

/** Calls in order and in order of completion, and windows behind the former. */
function answersOf(clicks, callsFile) {
  const retry = { attempts: 8, backOff: "1ms", maxBackOff: "20ms" }
  const answer = (operator) => async (row, _params, call) => {
    appendFileSync(callsFile, `${operator} ${row.id} ${call.key}\n`)
    if (CALLS.failsAlways(row.id)) throw new Error("never")
    if (CALLS.failsOnce(row.id) && call.attempt === 1) throw new Error("not now")
    if (CALLS.hangsOnce(row.id) && call.attempt === 1) await new Promise(() => undefined)
    if (row.id % 3 > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 12))
    return { twice: 2 * row.value }
  }
  const options = { inFlight: 60, timeout: "400ms", retry }
  const asked = clicks
    .eventTime("at", { outOfOrder: "4s" })
    .asyncMap({ twice: t.int32 }, answer("asked"), { id: "asked", ...options })
  const askedMinutes = asked
    .keyBy("key")
    .window(tumbling("1m"))
    .aggregate({ rows: count(), total: sum("twice") }, { id: "askedMinutes" })
  const answered = clicks.asyncMap({ twice: t.int32 }, answer("answered"), {
    id: "answered",
    order: "completion",
    ...options,
  })
  return {
    asked: asked.select("id", "twice"),
    askedMinutes,
    answered: answered.select("id", "twice"),
  }
}

/** Windows of several files: sessions of a union, and ranges. */
function tripsOf(trips, walks) {
  const visits = trips
    .union(walks)
    .eventTime("at", { outOfOrder: "4s" })
    .keyBy("file", "key")
    .window(session({ gap: "7s" }))
    .aggregate({ rows: count(), total: sum("value"), least: min("id"), newest: max("id") }, { id: "visits" })
  const recent = trips
    .eventTime("at", { outOfOrder: "4s" })
    .keyBy("key")
    .over("30s")
    .aggregate({ rows: count(), total: sum("value") }, { id: "recent" })
  return {
    visits,
    visitsLate: visits.late.select("id"),
    recent: recent.select("id", "rows", "total"),
    recentLate: recent.late.select("id"),
  }
}

/** Windows of records, windows that fire more than once, and windows of what a row was made to. */
function windowsOf(clicks, itemsEverySeconds) {
  const byKey = clicks.eventTime("at", { outOfOrder: "4s" }).keyBy("key")
  const counted = byKey
    .window(countWindow(7, { every: 3 }))
    .aggregate({ rows: count(), total: sum("value"), oldest: first("id") }, { id: "counted" })
  const updates = byKey
    .window(tumbling("1m"), { early: [onCount(5), onEventTime({ every: "20s" })], allowedLateness: "30s" })
    .aggregate({ rows: count(), total: sum("value") }, { id: "updates" })
  const liveMinutes = byKey
    .window(tumbling("1m"), { early: onClock({ every: "100ms" }) })
    .aggregate({ rows: count(), total: sum("value") }, { id: "liveMinutes" })
  const items = clicks
    .flatMap({ id: t.int32, key: t.string, at: time, item: t.int32 }, (row) =>
      Array.from({ length: Math.abs(row.value) % 3 }, (_, item) => ({
        id: row.id,
        key: row.key,
        at: row.at + item * 1_700_000,
        item,
      })),
    )
    .eventTime("at", { outOfOrder: "4s" })
    .keyBy("key")
    .window(hopping("1m", { every: `${itemsEverySeconds}s` }))
    .aggregate({ rows: count(), total: sum("item") }, { id: "items" })
  return {
    counted,
    updates,
    updatesLate: updates.late.select("id"),
    liveMinutes,
    items,
    itemsLate: items.late.select("id", "item"),
  }
}

/** A state machine by event time, and windows of what it emits. */
function machineOf(clicks) {
  const machine = clicks
    .eventTime("at", { outOfOrder: "4s" })
    .keyBy("key")
    .process(
      {
        emits: {
          key: t.string,
          kind: t.string,
          id: t.int32,
          at: t.timestamp(),
          rows: t.int53,
          total: t.int53,
          ids: t.string,
        },
        eventTime: "at",
        sides: { again: { key: t.string, id: t.int32, before: t.int32 } },
        state: {
          before: mapState(t.int32, t.int32, { ttl: "20s" }),
          ids: listState(t.int32),
          total: reducingState(t.int53, (one, other) => one + other),
          rows: valueState(t.int53.default(0)),
        },
        timers: { idle: eventTimer(), echo: eventTimer() },
        onRecord(row, { key, state, timers, side }) {
          const kind = Math.abs(row.value) % 20
          const before = state.before.get(kind)
          if (before === undefined) state.before.set(kind, row.id)
          else side.again({ key: key.key, id: row.id, before })
          state.ids.add(row.id)
          state.total.add(row.value)
          state.rows.set(state.rows.get() + 1)
          timers.idle.set(row.at + 15 * SECOND)
          if (row.id % 5 === 0) timers.echo.set(row.at + (row.id % 11) * SECOND, String(row.id))
          if (row.id % 17 === 0) timers.echo.clear(String(row.id - 2))
          if (isUnlucky(row.id)) throw new Error("unlucky")
        },
        onTimer: {
          idle({ key, time: at, state, emit }) {
            const ids = state.ids.values()
            const [rows, total] = [state.rows.get(), state.total.get() ?? 0]
            emit({ key: key.key, kind: "idle", id: ids.at(-1) ?? 0, at, rows, total, ids: ids.join("+") })
            state.ids.clear()
            state.total.clear()
            state.rows.clear()
          },
          echo({ key, time: at, tag, state, timers, emit }) {
            const id = Number.parseInt(tag, 10)
            const rows = state.rows.get()
            emit({ key: key.key, kind: tag, id, at, rows, total: state.total.get() ?? 0, ids: "" })
            if (id % 2 === 0 && !tag.endsWith("x")) timers.echo.set(at + 3 * SECOND, `${tag}x`)
          },
        },
      },
      { id: "machine" },
    )
  const machineMinutes = machine
    .keyBy("key")
    .window(tumbling("1m"))
    .aggregate({ rows: count() }, { id: "machineMinutes" })
  return {
    machine,
    again: machine.sides.again,
    machineMinutes,
    machineLate: machineMinutes.late.select("key", "kind"),
  }
}

/** By the clock: timers and values that expire, windows, and parts of windows. */
function beatsOf(beats) {
  const live = beats
    .keyBy("key")
    .window(globalWindow(), { early: onClock({ every: "50ms" }), purging: true })
    .aggregate({ rows: count(), total: sum("value") }, { id: "live" })
  const seen = beats
    .processingTime("seenAt")
    .keyBy("key")
    .window(tumbling("100ms"))
    .aggregate({ rows: count(), total: sum("value") }, { id: "seen" })
  const beaten = beats.keyBy("key").process(
    {
      emits: {
        key: t.string,
        kind: t.string,
        id: t.int32,
        value: t.int32,
        place: t.int53,
        now: t.int53,
        other: t.int53.nullable(),
      },
      state: {
        waiting: mapState(t.int32, t.int32),
        lately: valueState(t.int53, { ttl: `${BEAT_TTL}us` }),
        place: valueState(t.int53.default(0)),
      },
      timers: { soon: processingTimer() },
      onRecord({ id, value }, { key, state, timers, emit, now }) {
        const place = state.place.get()
        emit({ key: key.key, kind: "seen", id, value, place, now, other: state.lately.get() ?? null })
        state.place.set(place + 1)
        state.lately.set(now)
        state.waiting.set(id, value)
        timers.soon.set(now + delayOf(id), String(id))
      },
      onTimer: {
        soon({ key, state, tag, time: due, emit, now }) {
          const id = Number(tag)
          const place = state.place.get()
          emit({ key: key.key, kind: "fired", id, value: state.waiting.get(id) ?? -1, place, now, other: due })
          state.place.set(place + 1)
          state.waiting.delete(id)
        },
      },
    },
    { id: "beaten" },
  )
  return { live, seen, beaten }
}
