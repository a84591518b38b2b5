/** Jobs that keep something for each of N keys, in a window or in `process`; and rows that pass them by, which are their results. */
import { count, job, schema, sum, t, tumbling, valueState } from "../../dist/modules/index.js"

const FIELDS = schema({ at: t.timestamp(), key: t.int32, value: t.float64 })

/** One row in so many is a result. */
export const ROWS_A_RESULT = 1000

/** The window does not end before the stream does. */
function inWindow(keyed) {
  return keyed.window(tumbling("1d")).aggregate({ rows: count(), total: sum("value") }, { id: "kept" })
}

function inProcess(keyed) {
  return keyed.process(
    {
      emits: { key: t.int32, total: t.float64 },
      state: { total: valueState(t.float64.default(0)), last: valueState(t.float64) },
      onRecord(row, { state }) {
        state.total.set(state.total.get() + row.value)
        state.last.set(row.value)
      },
    },
    { id: "kept" },
  )
}

/** The job of a kind, `window` or `process`. */
export function keyedJob(kind) {
  const keep = kind === "window" ? inWindow : inProcess
  return job({
    name: `keys-in-${kind}`,
    inputs: { rows: FIELDS },
    flow: ({ rows }) => ({
      kept: keep(rows.eventTime("at", { outOfOrder: "0s" }).keyBy("key")),
      results: rows.filter((row) => row.value === 0),
    }),
  })
}
