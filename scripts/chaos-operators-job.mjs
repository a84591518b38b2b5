/**
 * The job of the scenario `operators` of `chaos.mjs`: state machines with timers, calls, windows of every kind that runs on plain values, and every
 * sink. What it must give says `chaos-operators-reference.mjs`.
 *
 * Order tells at its outputs: what depends on it reads `clicks`, which are one file. Windows of the several files of `trips` and `walks` do
 * not depend on the order in which these are read, as sessions are of one file each.
 */
import { appendFileSync } from "node:fs"
import { join } from "node:path"
import {
  BATCH_LENGTH,
  BEAT_TTL,
  beatOf,
  CALLS,
  delayOf,
  isRefused,
  isUnlucky,
  LAST_KEY,
  PAIRED_FOR,
  PARTITIONED,
  STRETCHED_DISORDER,
  stretched,
} from "./chaos-operators-data.mjs"
import { fromDist } from "./dist.mjs"

const {
  connect,
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
const MINUTE = 60 * SECOND
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
  callTimeoutMs,
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
      ...answersOf(clicks, calls, `${callTimeoutMs}ms`),
      ...tripsOf(trips, walks),
      ...windowsOf(clicks, itemsEverySeconds),
      ...machineOf(clicks),
      ...beatsOf(beats),
      paired: pairedOf(trips, walks),
      sorted: sortedOf(clicks),
      batched: batchedOf(beats),
      ...hoursOf(clicks),
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
        Object.entries(formats).map(([output, format]) => [
          output,
          CONNECTORS[format](`out/${output}`, { rollBytes, ...PARTITIONED[output]?.options }),
        ]),
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
function answersOf(clicks, callsFile, timeout) {
  const retry = { attempts: 8, backOff: "1ms", maxBackOff: "20ms" }
  const answer = (operator) => async (row, _params, call) => {
    appendFileSync(callsFile, `${operator} ${row.id} ${call.key}\n`)
    if (CALLS.failsAlways(row.id)) throw new Error("never")
    if (CALLS.failsOnce(row.id) && call.attempt === 1) throw new Error("not now")
    if (CALLS.hangsOnce(row.id) && call.attempt === 1) await new Promise(() => undefined)
    if (row.id % 3 > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 12))
    return { twice: 2 * row.value }
  }
  const options = { inFlight: 60, timeout, retry }
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

/** Two inputs that share a state: what each has of a minute of a key, told when no more can come. */
function pairedOf(trips, walks) {
  const byKey = (stream) => stream.eventTime("at", { outOfOrder: "4s" }).keyBy("key")
  const own = { rows: mapState(t.int53, t.int53), totals: mapState(t.int53, t.int53) }
  const take = (rows, totals, timers, { value, at }) => {
    const minute = at - (at % MINUTE)
    rows.set(minute, (rows.get(minute) ?? 0) + 1)
    totals.set(minute, (totals.get(minute) ?? 0) + value)
    timers.end.set(minute + MINUTE + PAIRED_FOR, String(minute))
  }
  return connect({ trips: byKey(trips), walks: byKey(walks) }).process(
    {
      emits: {
        key: t.string,
        minute: t.int53,
        trips: t.int53,
        tripsTotal: t.int53,
        walks: t.int53,
        walksTotal: t.int53,
      },
      state: { trips: own.rows, tripsTotal: own.totals, walks: own.rows, walksTotal: own.totals },
      timers: { end: eventTimer() },
      onRecord: {
        trips: (row, { state, timers }) => take(state.trips, state.tripsTotal, timers, row),
        walks: (row, { state, timers }) => take(state.walks, state.walksTotal, timers, row),
      },
      onTimer: {
        end({ key, tag, state, emit }) {
          const minute = Number(tag)
          const valueOf = (map) => map.get(minute) ?? 0
          const { trips, tripsTotal, walks, walksTotal } = state
          emit({
            key: key.key,
            minute,
            trips: valueOf(trips),
            tripsTotal: valueOf(tripsTotal),
            walks: valueOf(walks),
            walksTotal: valueOf(walksTotal),
          })
          for (const map of [trips, tripsTotal, walks, walksTotal]) map.delete(minute)
        },
      },
    },
    { id: "paired" },
  )
}

/** An operator of the program's own: it gives the rows of each key in the order of their times, and numbers them. */
function sortedOf(clicks) {
  return clicks
    .eventTime("at", { outOfOrder: "4s" })
    .keyBy("key")
    .operator(
      {
        emits: { key: t.string, id: t.int32, at: time, place: t.int53 },
        state: t.object({ held: t.list(t.object({ id: t.int32, at: t.int53 })), place: t.int53 }),
        open({ key, state }) {
          let { held, place } = state ?? { held: [], place: 0 }
          return {
            onRecord({ id, at }, { fail }) {
              if (isRefused(id)) fail("refused")
              else held = [...held, { id, at }].sort((one, other) => one.at - other.at || one.id - other.id)
            },
            wakeAt: () => held[0]?.at ?? Infinity,
            onWake(now, { emit }) {
              for (const { id, at } of held.filter((each) => each.at <= now)) {
                emit({ key: key.key, id, at, place: place++ })
              }
              held = held.filter((each) => each.at > now)
            },
            snapshot: () => ({ held, place }),
          }
        },
      },
      { id: "sorted" },
    )
}

/** An operator of the program's own that is woken by the clock: it gathers the beats of a key. The last one has nothing to wait for. */
function batchedOf(beats) {
  return beats.keyBy("key").operator(
    {
      emits: { key: t.string, rows: t.int53, total: t.int53 },
      state: t.object({ rows: t.int53, total: t.int53, due: t.int53 }),
      open({ key, state }) {
        let { rows, total, due } = state ?? { rows: 0, total: 0, due: 0 }
        return {
          onRecord({ value }, { emit, now }) {
            if (key.key === LAST_KEY) {
              emit({ key: key.key, rows: 1, total: value })
              return
            }
            if (rows === 0) due = now + BATCH_LENGTH
            rows++
            total += value
          },
          clockAt: () => (rows === 0 ? Infinity : due),
          onClock(_now, { emit }) {
            emit({ key: key.key, rows, total })
            rows = 0
            total = 0
          },
          snapshot: () => (rows === 0 ? undefined : { rows, total, due }),
        }
      },
    },
    { id: "batched" },
  )
}

/** Directories of hours: of windows, to which nothing comes late, and of rows, to which some does. */
function hoursOf(clicks) {
  const dealt = clicks
    .flatMap({ id: t.int32, lane: t.string, value: t.int32, at: time }, (row) => [stretched(row)])
    .eventTime("at", { outOfOrder: STRETCHED_DISORDER.text })
  const hours = dealt
    .keyBy("lane")
    .window(tumbling("10m"))
    .aggregate({ rows: count(), total: sum("value") }, { id: "hours" })
  return { hours, dealt: dealt.select("id", "lane", "at") }
}
