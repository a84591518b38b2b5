/**
 * The job of `soak.mjs`: rows that come with time, from the machine itself and made at a rate, whose keys come and go for ever. All that it keeps
 * goes away with time: windows close, timers fire, values expire; so memory that grows is a leak.
 */
import { fromDist } from "./dist.mjs"

const {
  count,
  countWindow,
  eventTimer,
  generate,
  job,
  listState,
  mapState,
  max,
  mean,
  onClock,
  processingTimer,
  schema,
  session,
  sum,
  t,
  tumbling,
  valueState,
} = await fromDist("index")
const { arrow, csv, jsonl, parquet } = await fromDist("files")
const { CoreSample, machine, MemorySample } = await fromDist("machine")

const SECOND = 1_000_000
const START = Date.UTC(2026, 0, 1) * 1000
/** Files are published so often. */
const ROLLING = { rollAfter: "10s" }
/**
 * A key is used for about so many seconds, and never again; so many are in use at once. A dictionary of texts is closed when it has 65,536: with a
 * thousand new keys a second that is within reach of a short run, and shows as a saw and not as a slope.
 */
const KEY_SECONDS = 2
const KEYS_AT_ONCE = 2000

/** The job, with so many rows a second beside the machine's. */
export function makeJob(rowsPerSecond) {
  const soak = job({
    name: "soak",
    inputs: {
      visits: schema({ id: t.int53, key: t.string, value: t.int32, at: t.timestamp() }),
      cores: CoreSample,
      memory: MemorySample,
    },
    flow: ({ visits, cores, memory }) => {
      const timed = visits.eventTime("at", { outOfOrder: "500ms" })
      const byKey = timed.keyBy("key")
      const visitors = processOf(byKey)
      const perSecond = byKey
        .window(tumbling("1s"))
        .aggregate({ rows: count(), total: sum("value") }, { id: "perSecond" })
      const live = byKey
        .window(tumbling("5s"), { early: onClock({ every: "1s" }) })
        .aggregate({ rows: count() }, { id: "live" })
      const sessions = byKey.window(session({ gap: "2s" })).aggregate({ rows: count() }, { id: "sessions" })
      const hundreds = timed.keyBy().window(countWindow(1000)).aggregate({ rows: count() }, { id: "thousands" })
      const asked = timed
        .filter((row) => row.id % 50 === 0)
        .asyncMap({ twice: t.int32 }, (row) => answerOf(row.value), { id: "asked", inFlight: 500 })
        .filter((row) => row.id % 1000 === 0)
      const load = cores
        .eventTime("at", { outOfOrder: "0s" })
        .keyBy("core")
        .window(tumbling("1s"))
        .aggregate({ busy: mean("busy") }, { id: "load" })
      const free = memory
        .processingTime("seenAt")
        .keyBy()
        .window(tumbling("1s"))
        .aggregate({ free: max("freeBytes") }, { id: "free" })
      return {
        perSecond: perSecond.filter((row) => row.total % 10 === 0),
        live: live.changes().filter((row) => row.rows % 10 === 0),
        sessions,
        thousands: hundreds,
        asked,
        load,
        free,
        visitors,
      }
    },
  })
  const { cores, memory } = machine({ every: "100ms" })
  return soak.with({
    inputs: { visits: generate({ rowsPerSecond, row: visitOf(rowsPerSecond) }), cores, memory },
    outputs: {
      perSecond: parquet("out/perSecond", ROLLING),
      live: jsonl("out/live", ROLLING),
      sessions: csv("out/sessions", ROLLING),
      thousands: csv("out/thousands", ROLLING),
      asked: jsonl("out/asked", ROLLING),
      load: arrow("out/load", ROLLING),
      free: jsonl("out/free", ROLLING),
      visitors: jsonl("out/visitors", ROLLING),
    },
    deadLetter: jsonl("out/bad", ROLLING),
  })
}

/** A row of a key that is in use when it comes. */
function visitOf(rowsPerSecond) {
  return (id, random) => {
    const second = id / rowsPerSecond
    const generation = Math.floor(second / KEY_SECONDS)
    const at = START + Math.floor((second - (random.chance(0.01) ? random.float() : 0)) * SECOND)
    return { id, key: `${generation}-${random.below(KEYS_AT_ONCE)}`, value: random.below(1000), at }
  }
}

async function answerOf(value) {
  await new Promise((resolve) => setTimeout(resolve, 20))
  return { twice: 2 * value }
}

/** State of each kind, values that expire, timers by event time and by the clock: a key is gone when it was still for five seconds. */
function processOf(byKey) {
  return byKey.process(
    {
      emits: { key: t.string, rows: t.int53, kinds: t.int53, last: t.int53 },
      state: {
        rows: valueState(t.int53.default(0)),
        kinds: mapState(t.int32, t.int53, { ttl: "1s" }),
        latest: listState(t.int53, { ttl: "200ms" }),
        beats: valueState(t.int53, { ttl: "3s" }),
      },
      timers: { idle: eventTimer(), beat: processingTimer() },
      onRecord(row, { state, timers, now }) {
        state.rows.set(state.rows.get() + 1)
        state.kinds.set(row.value % 20, row.id)
        state.latest.add(row.id)
        timers.idle.set(row.at + 5 * SECOND)
        if (row.id % 10 === 0) timers.beat.set(now + SECOND / 2, String(row.value % 3))
      },
      onTimer: {
        idle({ key, state, emit }) {
          emit({
            key: key.key,
            rows: state.rows.get(),
            kinds: state.kinds.size,
            last: state.latest.values().at(-1) ?? 0,
          })
          state.rows.clear()
        },
        beat({ state, time }) {
          state.beats.set(time)
        },
      },
    },
    { id: "visitors" },
  )
}
